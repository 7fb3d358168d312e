"""Claim, call, record: an order is sent once, whatever happens to its sender."""

import asyncio
import re
from datetime import timedelta

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.kit.ids import SeededIds
from crossdock.kit.webhooks import new_secret
from crossdock.shop.deliveries import Delivering, DeliveryKinds, requeue_lost
from crossdock.shop.dispatch import dispatch_kind, resend, set_connector
from tests.shop.dispatch.conftest import dispatch_row, event_rows, seconds_left, send_dispatch
from tests.support.simulators.http import HttpSimulator, Reply
from tests.support.simulators.sellercloud import PASSWORD, USERNAME, Sellercloud
from tests.support.simulators.webhook import WebhookReceiver

SECRET = new_secret(SeededIds(1))


@pytest.fixture
async def receiver(clock):
    async with WebhookReceiver(SECRET, now=int(clock.now().timestamp())) as server:
        yield server


@pytest.fixture
def webhook_order(place_order, receiver):
    async def place() -> tuple[int, int]:
        return await place_order(kind="webhook", settings={"url": receiver.url}, secret=SECRET)

    return place


async def _state(database, order_id: int) -> str:
    async with database.statement() as tx:
        return str(await tx.value("select fulfilment_state from orders where id = %s", (order_id,)))


async def _alerts(database, shop_id: int) -> list[str]:
    async with database.statement() as tx:
        rows = await tx.all("select message from alerts where shop_id = %s", (shop_id,))
    return [row[0] for row in rows]


async def test_a_sent_order_is_recorded_with_its_event_and_leaves_processing(
    database, dispatching, webhook_order, receiver
):
    shop_id, order_id = await webhook_order()
    assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == "sent"
    assert await dispatch_row(database, order_id) == ("sent", 1, "W-1", "")
    assert await event_rows(database, order_id) == [
        ("dispatch.sent", {"connector": "out", "external_id": "W-1"})
    ]
    assert await _state(database, order_id) == "in_fulfilment"
    assert len(receiver.messages) == 1


async def test_an_order_s_dispatch_is_due_at_once_and_has_no_job(database, webhook_order, clock):
    _, order_id = await webhook_order()
    assert await seconds_left(database, order_id, now=clock.now()) == 0
    async with database.statement() as tx:
        jobs = "select count(*) from procrastinate_jobs where args ->> 'order_id' = %s"
        assert await tx.value(jobs, (str(order_id),)) == 0


async def test_each_line_is_told_with_its_note(dispatching, place_order, receiver):
    shop_id, order_id = await place_order(
        kind="webhook",
        settings={"url": receiver.url},
        secret=SECRET,
        note="Partner Order ID: PO | x",
    )
    await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id)
    [message] = receiver.messages.values()
    assert [(line["sku"], line["quantity"], line["note"]) for line in message["data"]["lines"]] == [
        ("MUG-1", 2, "Partner Order ID: PO | x"),
        ("POT-1", 1, "Partner Order ID: PO | x"),
    ]
    assert message["data"]["email"] == "ada@moreno.example"


async def test_trying_again_sends_nothing(dispatching, webhook_order, receiver):
    shop_id, order_id = await webhook_order()
    results = [
        await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id, attempt=attempt)
        for attempt in (0, 0, 1, 2)
    ]
    assert results == ["sent", "", "", ""]
    assert len(receiver.requests) == 1


async def test_many_workers_at_once_make_one_attempt(
    database, dispatching, webhook_order, receiver
):
    shop_id, order_id = await webhook_order()
    results = await asyncio.gather(
        *(send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) for _ in range(12))
    )
    assert sorted(results) == [""] * 11 + ["sent"]
    assert len(receiver.requests) == 1
    assert len(await event_rows(database, order_id)) == 1


async def test_a_failed_attempt_leaves_the_row_due_for_the_next_one(
    database, dispatching, webhook_order, receiver, clock
):
    receiver.moods = [503]
    shop_id, order_id = await webhook_order()
    assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == "queued"
    status, attempts, external_id, error = await dispatch_row(database, order_id)
    assert (status, attempts, external_id) == ("queued", 1, None)
    assert "503" in error
    assert await seconds_left(database, order_id, now=clock.now()) == 60
    [(kind, payload)] = await event_rows(database, order_id)
    assert (kind, payload["final"], payload["retry_in_s"]) == ("dispatch.failed", False, 60)
    assert await _state(database, order_id) == "processing"


async def test_the_waits_are_1_5_15_60_minutes_6_and_24_hours_and_then_it_has_failed(
    database, dispatching, webhook_order, receiver, clock
):
    receiver.moods = [500] * 7
    shop_id, order_id = await webhook_order()
    waits = []
    for attempt in range(7):
        await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id, attempt=attempt)
        waits.append(await seconds_left(database, order_id, now=clock.now()))
    assert waits == [60, 300, 900, 3600, 21_600, 86_400, None]
    assert (await dispatch_row(database, order_id))[:2] == ("failed", 7)
    [alert] = await _alerts(database, shop_id)
    assert f"Order {order_id} was not sent to out" in alert
    assert [payload["final"] for _, payload in await event_rows(database, order_id)] == [
        False
    ] * 6 + [True]


async def test_the_other_side_may_ask_for_a_longer_wait_but_not_a_shorter(
    database, dispatching, webhook_order, receiver
):
    receiver.moods, receiver.headers = [429, 429], {"retry-after": "120"}
    shop_id, order_id = await webhook_order()
    for attempt in range(2):
        await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id, attempt=attempt)
    payloads = [payload["retry_in_s"] for _, payload in await event_rows(database, order_id)]
    assert payloads == [120, 300]


async def test_a_permanent_refusal_fails_at_once_with_an_alert(
    database, dispatching, webhook_order, receiver
):
    receiver.moods = [410]
    shop_id, order_id = await webhook_order()
    assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == "failed"
    assert (await dispatch_row(database, order_id))[:2] == ("failed", 1)
    assert len(await _alerts(database, shop_id)) == 1


async def test_a_failed_dispatch_is_sent_again_by_hand(
    database, dispatching, webhook_order, receiver, clock
):
    receiver.moods = [410]
    shop_id, order_id = await webhook_order()
    await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id)
    async with database.begin() as tx:
        await resend(tx, shop_id=shop_id, order_id=order_id, now=clock.now())
    assert (await dispatch_row(database, order_id))[:2] == ("queued", 0)
    assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == "sent"
    async with database.begin() as tx:
        with pytest.raises(Refused) as caught:
            await resend(tx, shop_id=shop_id, order_id=order_id, now=clock.now())
    assert caught.value.code == "order_state"


async def test_a_resend_looks_for_what_earlier_attempts_left(
    database, dispatching, connectors, place_order, clock
):
    async with Sellercloud() as server:
        settings = {"base_url": server.url, "username": USERNAME, "company_id": 1}
        shop_id, order_id = await place_order(
            kind="sellercloud", settings=settings, secret=PASSWORD
        )
        server.moods = ["odd"]
        kinds = DeliveryKinds([dispatch_kind(connectors, waits_s=())])
        service = msgspec.structs.replace(dispatching, kinds=kinds)
        assert await send_dispatch(service, shop_id=shop_id, order_id=order_id) == "failed"
        async with database.begin() as tx:
            await resend(tx, shop_id=shop_id, order_id=order_id, now=clock.now())
        assert await send_dispatch(service, shop_id=shop_id, order_id=order_id) == "sent"
        assert len(server.created(str(order_id))) == 1


async def test_a_worker_that_stops_in_the_middle_hands_the_order_on(
    database, dispatching, place_order, clock
):
    async with Sellercloud() as server:
        settings = {"base_url": server.url, "username": USERNAME, "company_id": 1}
        shop_id, order_id = await place_order(
            kind="sellercloud", settings=settings, secret=PASSWORD
        )
        server.moods = ["hang"]
        sender = asyncio.create_task(send_dispatch(dispatching, shop_id=shop_id, order_id=order_id))
        while not server.orders:
            await asyncio.sleep(0.01)
        sender.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sender
        assert (await dispatch_row(database, order_id))[:2] == ("queued", 1)
        assert await seconds_left(database, order_id, now=clock.now()) == 0
        assert (
            await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id, attempt=1)
            == "sent"
        )
        assert len(server.created(str(order_id))) == 1


async def test_a_sender_that_dies_is_followed_by_another_and_one_order(
    database, dispatching, place_order, clock
):
    async with Sellercloud() as server:
        settings = {"base_url": server.url, "username": USERNAME, "company_id": 1}
        shop_id, order_id = await place_order(
            kind="sellercloud", settings=settings, secret=PASSWORD
        )
        server.moods = ["drop"]
        await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id)
        async with database.begin() as tx:  # as if it had died before it could record that
            await tx.run(
                "update deliveries set status = 'sending', last_error = '', next_attempt_at = %s"
                " where kind = 'dispatch' and subject_id = %s",
                (clock.now() + timedelta(seconds=300), order_id),
            )

        clock.move(timedelta(seconds=299))
        async with database.begin() as tx:
            await requeue_lost(tx, now=clock.now(), due=clock.now())
        assert (await dispatch_row(database, order_id))[0] == "sending"
        clock.move(timedelta(seconds=2))
        async with database.begin() as tx:
            assert await requeue_lost(tx, now=clock.now(), due=clock.now()) >= 1
        assert (await dispatch_row(database, order_id))[:2] == ("queued", 1)
        assert (
            await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id, attempt=1)
            == "sent"
        )
        assert len(server.created(str(order_id))) == 1
    assert (await dispatch_row(database, order_id))[:2] == ("sent", 2)


async def test_a_success_counts_even_after_its_claim_was_lost(database, dispatching, place_order):
    async def slow(_request):
        async with database.begin() as tx:
            await tx.run(
                "update deliveries set status = 'queued', attempts = 5 where shop_id = %s",
                (shop_id,),
            )
        return Reply(200)

    async with HttpSimulator(slow) as server:
        shop_id, order_id = await place_order(
            kind="webhook", settings={"url": server.url}, secret=SECRET
        )
        assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == "sent"
    assert (await dispatch_row(database, order_id))[0] == "sent"


async def test_an_order_cancelled_before_it_was_sent_stays_here(
    database, dispatching, webhook_order, receiver
):
    shop_id, order_id = await webhook_order()
    async with database.begin() as tx:
        await tx.run("update orders set fulfilment_state = 'cancelled' where id = %s", (order_id,))
    assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == "withdrawn"
    assert receiver.requests == []


async def test_manual_fulfilment_counts_as_sent_and_the_order_stays_in_processing(
    database, dispatching, place_order
):
    shop_id, order_id = await place_order(kind="manual")
    assert await dispatch_row(database, order_id) == ("sent", 0, "manual", "")
    assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == ""
    assert await _state(database, order_id) == "processing"


async def test_a_queued_order_whose_connector_became_manual_stays_with_staff(
    database, dispatching, webhook_order
):
    shop_id, order_id = await webhook_order()
    async with database.begin() as tx:
        await tx.run(
            "update connectors set kind = 'manual', settings = '{}' where shop_id = %s",
            (shop_id,),
        )
    assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == "sent"
    assert await dispatch_row(database, order_id) == ("sent", 1, "manual", "")
    assert await _state(database, order_id) == "processing"


async def test_a_connector_that_was_disabled_waits_for_somebody(
    database, dispatching, webhook_order, configuring
):
    shop_id, order_id = await webhook_order()
    async with database.begin() as tx:
        await set_connector(tx, service=configuring, shop_id=shop_id, name="out", enabled=False)
    assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == "failed"
    assert "no enabled connector" in (await dispatch_row(database, order_id))[3]


async def test_changed_settings_are_used_from_the_next_attempt_on(
    database, dispatching, webhook_order, configuring, receiver, clock
):
    shop_id, order_id = await webhook_order()
    receiver.moods = [503]
    await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id)
    async with WebhookReceiver(SECRET, now=int(clock.now().timestamp())) as other:
        async with database.begin() as tx:
            await set_connector(
                tx, service=configuring, shop_id=shop_id, name="out", settings={"url": other.url}
            )
        assert (
            await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id, attempt=1)
            == "sent"
        )
        assert len(other.messages) == 1


async def test_a_lost_master_key_waits_for_somebody(database, dispatching, webhook_order):
    shop_id, order_id = await webhook_order()
    async with database.begin() as tx:
        await tx.run(
            "update connectors set sealed_secret = '\\x00' where shop_id = %s",
            (shop_id,),
        )
    assert await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id) == "failed"


async def test_what_the_other_side_says_is_stored_without_secrets(
    database, dispatching, place_order
):
    async def handler(_request):
        return Reply(400, {"error": f"bad secret={SECRET} Bearer abcdefghijkl"})

    async with HttpSimulator(handler) as server:
        shop_id, order_id = await place_order(
            kind="webhook", settings={"url": server.url}, secret=SECRET
        )
        await send_dispatch(dispatching, shop_id=shop_id, order_id=order_id)
    error = (await dispatch_row(database, order_id))[3]
    assert "400" in error
    assert SECRET not in error
    assert "abcdefghijkl" not in error


async def test_stock_is_not_looked_at_again(database_url, dispatching, webhook_order):
    shop_id, order_id = await webhook_order()
    seen: list[str] = []

    async def watch(query: str) -> None:
        seen.append(query)

    watched = Database(database_url, min_size=1, max_size=2, hook=watch)
    await watched.open()
    service: Delivering = msgspec.structs.replace(dispatching, db=watched)
    assert await send_dispatch(service, shop_id=shop_id, order_id=order_id) == "sent"
    await watched.close()
    assert seen
    assert not any(re.search(r"(from|join|update) (stock|variants)", query) for query in seen)
