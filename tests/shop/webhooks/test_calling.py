"""A webhook's calls..."""

from datetime import timedelta

import pytest

from crossdock.errors import Refused
from crossdock.shop.webhooks import (
    PAUSE_AFTER,
    WAITS_S,
    change_subscription,
    resume_webhook,
    retry_webhook,
    rotate_webhook_secret,
    send_test,
    unsubscribe,
)
from tests.support.hooked import ALERTED, DIALECT, OTHER, is_signed
from tests.support.simulators.http import Hang, Reply


def _of(hook, subscription_id):
    return {"dialect": DIALECT, "shop_id": hook.shop.id, "subscription_id": subscription_id}


async def test_tell_each_subscription_of_what_it_hears(hook):
    _, secret = await hook.add(ALERTED)
    await hook.add(OTHER)
    await hook.happen(2)

    assert await hook.work() == ["sent", "sent"]
    first, second = hook.receiver.requests
    assert (first.json()["event"], first.method, first.path) == (ALERTED, "POST", "/in")
    assert is_signed(first, secret)
    assert is_signed(second, secret)
    assert not is_signed(first, "whsec_another")
    assert await hook.work() == []


async def test_are_repeated_under_one_id_with_a_time_of_their_own(hook):
    _, secret = await hook.add()
    hook.receiver.moods = [Reply(500, {"error": "down"}), Reply(500), Reply(200)]
    await hook.happen()

    assert await hook.work() == ["queued"]
    assert await hook.deliver() == []
    for wait in WAITS_S[:2]:
        hook.clock.move(timedelta(seconds=wait))
        await hook.deliver()

    assert len(set(hook.receiver.ids())) == 1
    assert len({request.body for request in hook.receiver.requests}) == 1
    assert len({request.headers["x-time"] for request in hook.receiver.requests}) == 3
    assert all(is_signed(request, secret) for request in hook.receiver.requests)
    [row] = await hook.log()
    assert (row.status, row.attempts, row.http_status, row.wire_id) == (
        *("sent", 3, 200), hook.receiver.ids()[0],
    )  # fmt: skip


async def test_are_given_up_after_the_fifth_attempt_and_redirects_are_not_followed(hook):
    await hook.add()
    elsewhere = Reply(302, b"", {"location": f"{hook.receiver.url}/elsewhere"})
    hook.receiver.moods = [elsewhere, Hang(), Reply(404), Reply(204 + 96), Reply(503)]
    await hook.happen()
    await hook.consume()

    statuses = []
    for wait in (*WAITS_S, 0):
        statuses += await hook.deliver()
        hook.clock.move(timedelta(seconds=wait))

    assert statuses == ["queued"] * 4 + ["failed"]
    assert {request.path for request in hook.receiver.requests} == {"/in"}
    assert len(await hook.alerts("toy_webhook_failed")) == 1


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/in", "https://169.254.169.254/", "https://[::1]/"]
)
async def test_do_not_reach_private_addresses(hook, url):
    made, _ = await hook.add()
    async with hook.db.begin() as tx:
        await tx.run("update webhook_subscriptions set url = %s where id = %s", (url, made.id))
    await hook.happen()

    if "127.0.0.1" in url:
        hook.outbound._allowed._hosts = frozenset()
    assert await hook.work() == ["failed"]
    assert hook.receiver.requests == []


async def test_are_logged_with_headers_but_no_proof(hook):
    await hook.add()
    hook.receiver.moods = [Reply(200, b"thanks", {"X-Served-By": "r1", "Set-Cookie": "a=b"})]
    await hook.happen()
    await hook.work()

    [row] = await hook.log()
    assert row.request_headers["X-Proof"] == "[hidden]"
    assert row.request_headers["X-Id"] == row.wire_id
    assert row.answer_headers["x-served-by"] == "r1"
    assert row.answer_headers["set-cookie"] == "[hidden]"
    assert (row.answer, row.http_status) == ("thanks", 200)
    assert row.url == f"{hook.receiver.url}/in"


async def test_are_signed_with_the_new_secret_at_once_after_a_rotation(hook):
    made, old = await hook.add()
    await hook.happen()
    await hook.consume()
    async with hook.db.begin() as tx:
        _, new = await rotate_webhook_secret(
            tx, service=hook.service, now=hook.clock.now(), **_of(hook, made.id)
        )

    assert await hook.deliver() == ["sent"]
    [request] = hook.receiver.requests
    assert is_signed(request, new)
    assert not is_signed(request, old)


async def test_can_be_tried_and_repeated_by_hand(hook):
    made, secret = await hook.add(ALERTED, OTHER)
    async with hook.db.begin() as tx:
        number = await send_test(tx, name=OTHER, now=hook.clock.now(), **_of(hook, made.id))
    assert await hook.deliver() == ["sent"]
    assert hook.receiver.requests[0].json()["data"] == {"sample": OTHER}
    assert is_signed(hook.receiver.requests[0], secret)

    async with hook.db.begin() as tx:
        row = await retry_webhook(
            tx, dialect=DIALECT, shop_id=hook.shop.id, delivery_id=number, now=hook.clock.now()
        )
    assert row.status == "queued"
    assert await hook.deliver() == ["sent"]
    assert hook.receiver.ids() == [row.wire_id] * 2
    [row] = await hook.log()
    assert (row.status, row.attempts) == ("sent", 2)


async def test_go_to_a_new_url_and_end_with_the_subscription(hook):
    made, _ = await hook.add()
    await hook.happen(2)
    await hook.consume()
    async with hook.db.begin() as tx:
        await change_subscription(
            tx, service=hook.service, url=f"{hook.receiver.url}/moved", now=hook.clock.now(),
            **_of(hook, made.id),
        )  # fmt: skip
    hook.receiver.moods = [Reply(200), Reply(500)]
    assert sorted(await hook.deliver()) == ["queued", "sent"]
    assert {request.path for request in hook.receiver.requests} == {"/moved"}

    async with hook.db.begin() as tx:
        await unsubscribe(tx, now=hook.clock.now(), **_of(hook, made.id))
        sealed = await tx.value(
            "select sealed_secret from webhook_subscriptions where id = %s", (made.id,)
        )
    assert sealed is None
    hook.clock.move(timedelta(hours=1))
    await hook.happen()
    assert await hook.work() == ["withdrawn"]
    assert sorted(row.status for row in await hook.log()) == ["sent", "withdrawn"]
    [waiting] = [row for row in await hook.log() if row.status == "withdrawn"]
    async with hook.db.begin() as tx:
        with pytest.raises(Refused):
            await retry_webhook(
                tx, dialect=DIALECT, shop_id=hook.shop.id, delivery_id=waiting.id,
                now=hook.clock.now(),
            )  # fmt: skip


async def _give_up(hook) -> None:
    hook.receiver.moods = [Reply(500)] * 5
    await hook.happen()
    await hook.consume()
    for wait in (*WAITS_S, 0):
        await hook.deliver()
        hook.clock.move(timedelta(seconds=wait))


async def test_are_paused_with_an_alert_when_nothing_arrived_for_three_days(hook):
    made, _ = await hook.add()
    await _give_up(hook)
    for _ in range(2):
        hook.clock.move(PAUSE_AFTER / 2)
        assert (await hook.subscription(made.id)).paused_at is None
        await _give_up(hook)

    assert (await hook.subscription(made.id)).paused_at is not None
    [message] = await hook.alerts("webhook_paused")
    assert f"crossdock webhook resume {made.id}" in message
    await hook.happen()
    assert await hook.work() == []
    async with hook.db.begin() as tx:
        await send_test(tx, now=hook.clock.now(), **_of(hook, made.id))
    assert await hook.deliver() == ["sent"]

    async with hook.db.begin() as tx:
        resumed, resent = await resume_webhook(
            tx, resends=True, now=hook.clock.now(), **_of(hook, made.id)
        )
    assert (resumed.paused_at, resumed.failing_since, len(resent)) == (None, None, 3)
    assert await hook.deliver() == ["sent"] * 3
    await hook.happen()
    assert await hook.work() == ["sent"]


async def test_are_not_paused_where_something_arrived_meanwhile_or_long_lies_between(hook):
    made, _ = await hook.add()
    await _give_up(hook)
    hook.clock.move(PAUSE_AFTER / 2)
    await hook.happen()
    assert await hook.work() == ["sent"]
    await _give_up(hook)
    hook.clock.move(PAUSE_AFTER / 2)
    await _give_up(hook)
    assert (await hook.subscription(made.id)).paused_at is None

    hook.clock.move(PAUSE_AFTER * 2)
    await _give_up(hook)
    assert (await hook.subscription(made.id)).paused_at is None
    assert await hook.alerts("webhook_paused") == []


async def test_of_a_paused_subscription_fail_until_it_is_resumed(hook):
    made, _ = await hook.add()
    await hook.happen()
    await hook.consume()
    async with hook.db.begin() as tx:
        await tx.run(
            "update webhook_subscriptions set paused_at = %s where id = %s",
            (hook.clock.now(), made.id),
        )

    assert await hook.deliver() == ["failed"]
    [row] = await hook.log()
    assert f"crossdock webhook resume {made.id}" in row.last_error
    assert hook.receiver.requests == []
