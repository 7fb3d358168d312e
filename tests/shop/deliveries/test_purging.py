"""Deliveries that were sent long ago are deleted, and none of them is ever sent again."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from crossdock.errors import Refused
from crossdock.settings import DeliveriesSection
from crossdock.shop.deliveries import (
    BY_HAND,
    DeliveryKinds,
    count_failed,
    deliver_due,
    history_of,
    keep_here,
    purge_deliveries,
    purging,
    queue_delivery,
    resend_delivery,
    who_has,
    withdraw_delivery,
)
from tests.shop.deliveries.conftest import KIND
from tests.support.locks import waiting_for_a_lock
from tests.support.simulators.http import Reply

KEPT = timedelta(days=90)
SUBJECT = 7


async def purge(tx, *, ahead=timedelta()):
    """As the periodic job does it, by a clock that may run ahead."""
    return await purge_deliveries(tx, kept=KEPT, now=datetime.now(UTC) + ahead)


async def put(tx, box, *, target="a", subject_id=SUBJECT, **more):
    facts = {"shop_id": box.shop_id, "kind": KIND, "now": box.clock.now(), "payload": {"number": 1}}
    return await queue_delivery(tx, target=target, subject_id=subject_id, **(facts | more))


async def age(box, delivery_id, *, days, **columns):
    """Let it be sent so many days ago, or be in another state for as long, by the database's clock."""
    values = {"status": "sent", "next_attempt_at": None, **columns}
    names = ", ".join(f"{name} = %({name})s" for name in values)
    async with box.database.begin() as tx:
        await tx.run(
            f"update deliveries set {names}, queued_at = clock_timestamp() - %(ago)s,"
            " sent_at = clock_timestamp() - %(ago)s where id = %(id)s",
            {**values, "ago": timedelta(days=days, minutes=1), "id": delivery_id},
        )


async def ids(box, table="deliveries", column="id"):
    async with box.database.statement() as tx:
        sql = f"select {column} from {table} where shop_id = %s order by {column}"
        return [row[0] for row in await tx.all(sql, (box.shop_id,))]


async def sent_and_purged(box, **facts):
    """A delivery that was sent and is deleted."""
    async with box.database.begin() as tx:
        delivery_id = await put(tx, box, **facts)
    result = BY_HAND if facts.get("is_done_by_hand") else "X-1"
    await age(box, delivery_id, days=91, result=result)
    async with box.database.statement() as tx:
        await purge(tx)
    assert await ids(box) == []


async def test_one_that_was_sent_long_ago_goes_with_its_attempts(engine, box):
    old, young = await box.put(), await box.put("b")
    assert await deliver_due(engine, limit=2, shop_id=box.shop_id) == {old: "sent", young: "sent"}
    await age(box, old, days=90)
    await age(box, young, days=89)

    async with box.database.statement() as tx:
        assert await purge(tx) >= 1

    assert await ids(box) == [young]
    assert await ids(box, "delivery_attempts", "delivery_id") == [young]
    assert await ids(box, "purged_deliveries", "target") == ["a"]


@pytest.mark.parametrize("status", ["queued", "sending", "failed", "withdrawn"])
async def test_one_that_was_not_sent_stays_however_old(box, status):
    delivery_id = await box.put()
    due = datetime(2000, 1, 1, tzinfo=UTC) if status in {"queued", "sending"} else None
    await age(box, delivery_id, days=4_000, status=status, next_attempt_at=due)

    async with box.database.statement() as tx:
        await purge(tx)

    assert await ids(box) == [delivery_id]
    await age(box, delivery_id, days=0)  # and is nothing that other tests send


async def test_a_clock_set_ahead_deletes_nothing(box):
    delivery_id = await box.put()
    await age(box, delivery_id, days=1)

    async with box.database.statement() as tx:
        await purge(tx, ahead=timedelta(days=3_650))

    assert await ids(box) == [delivery_id]


async def test_it_is_kept_for_ever_where_the_days_are_0(box):
    delivery_id = await box.put()
    await age(box, delivery_id, days=4_000)
    kept = history_of(DeliveriesSection(history_days=0))

    async with box.database.statement() as tx:
        assert await purge_deliveries(tx, kept=kept, now=datetime.now(UTC)) == 0

    assert await ids(box) == [delivery_id]
    assert history_of(DeliveriesSection()) == KEPT


async def test_it_goes_batch_by_batch(box, monkeypatch):
    monkeypatch.setattr(purging, "BATCH", 2)
    for _ in range(5):
        await age(box, await box.put(), days=100)

    async with box.database.statement() as tx:
        assert await purge(tx) >= 5

    assert await ids(box) == []


async def test_what_was_purged_is_never_queued_again(box):
    await sent_and_purged(box)

    async with box.database.begin() as tx:
        assert await put(tx, box) is None
        assert await put(tx, box, is_done_by_hand=True) is None
        assert await put(tx, box, target="b") is not None
        assert await put(tx, box, subject_id=SUBJECT + 1) is not None

    assert await ids(box, column="target") == ["a", "b"]


async def test_one_without_a_subject_leaves_no_key(box):
    await sent_and_purged(box, subject_id=None)

    assert await ids(box, "purged_deliveries", "target") == []


async def test_a_replay_that_meets_the_purge_is_queued_by_neither(box):
    async with box.database.begin() as tx:
        await age(box, await put_and_commit(box), days=91)
        await purge(tx)  # not committed yet
        replay = asyncio.create_task(put_and_commit(box))
        await waiting_for_a_lock(box.database, behind=tx)
    assert await replay is None
    assert await ids(box) == []


async def put_and_commit(box):
    async with box.database.begin() as tx:
        return await put(tx, box)


async def test_a_newer_one_stays_while_an_older_of_its_object_may_be_sent_again(
    engine, kind, box, receiver
):
    receiver.moods["a"] = [Reply(400)]
    newest = msgspec.structs.replace(
        engine, kinds=DeliveryKinds([msgspec.structs.replace(kind, ordering="newest_wins")])
    )
    older = await box.put(key="order 1")
    assert await deliver_due(newest, limit=9, shop_id=box.shop_id) == {older: "failed"}
    newer = await box.put(key="order 1")
    assert await deliver_due(newest, limit=9, shop_id=box.shop_id) == {newer: "sent"}
    await age(box, newer, days=91)

    async with box.database.begin() as tx:
        await purge(tx)
        await resend_delivery(tx, shop_id=box.shop_id, delivery_id=older, now=box.clock.now())
    await deliver_due(newest, limit=9, shop_id=box.shop_id)

    assert (await box.status(older), await box.status(newer)) == ("withdrawn", "sent")
    assert [payload["number"] for _, payload in receiver.arrived] == [1, 2]


async def test_what_an_outside_system_has_is_refused_after_the_purge_too(box):
    await sent_and_purged(box)
    facts = {"shop_id": box.shop_id, "kind": KIND, "subject_id": SUBJECT, "now": box.clock.now()}

    for call, told in ((withdraw_delivery, "is with a already"), (keep_here, "is with a;")):
        with pytest.raises(Refused, match=told) as caught:
            async with box.database.begin() as tx:
                await call(tx, **facts)
        assert caught.value.code == "order_state"
    del facts["now"]
    async with box.database.begin() as tx:
        assert await who_has(tx, **facts) == "a"


async def test_a_withdrawal_that_meets_the_purge_sees_that_it_was_sent(box):
    facts = {"shop_id": box.shop_id, "kind": KIND, "subject_id": SUBJECT, "now": box.clock.now()}

    async def withdraw():
        async with box.database.begin() as tx:
            return await withdraw_delivery(tx, **facts)

    await age(box, await put_and_commit(box), days=91, result="X-1")
    async with box.database.begin() as tx:
        await purge(tx)  # not committed yet
        withdrawal = asyncio.create_task(withdraw())
        await waiting_for_a_lock(box.database, behind=tx)
    with pytest.raises(Refused, match="is with a already"):
        await withdrawal


async def test_what_people_did_by_hand_is_no_hindrance_after_the_purge(box):
    await sent_and_purged(box, is_done_by_hand=True)
    facts = {"shop_id": box.shop_id, "kind": KIND, "subject_id": SUBJECT, "now": box.clock.now()}

    async with box.database.begin() as tx:
        assert await withdraw_delivery(tx, **facts) is None
        await keep_here(tx, **facts)


async def test_failed_ones_are_counted_by_kind(engine, box, receiver):
    receiver.moods["a"] = [Reply(400)]
    async with box.database.statement() as tx:
        before = (await count_failed(tx)).get(KIND, 0)
    await box.put()
    await box.put("b")
    await deliver_due(engine, limit=9, shop_id=box.shop_id)

    async with box.database.statement() as tx:
        assert (await count_failed(tx))[KIND] == before + 1
