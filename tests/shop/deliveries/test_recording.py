"""What became of an attempt: the state, a line of the log, and an alert, in one transaction."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from crossdock.kit.ids import SeededIds
from crossdock.kit.webhooks import new_secret
from crossdock.shop.deliveries import (
    DeliveryKinds,
    Together,
    claim_due,
    deliver,
    deliver_due,
    requeue_lost,
)
from tests.support.simulators.http import Drop, Hang, Reply


async def _alerts(database, shop_id):
    async with database.statement() as tx:
        return await tx.all(
            "select kind, message, order_id from alerts where shop_id = %s order by id", (shop_id,)
        )


async def test_a_success_keeps_the_other_side_s_id_and_its_answer(engine, box, receiver):
    delivery_id = await box.put()
    assert await deliver_due(engine, limit=1, shop_id=box.shop_id) == {delivery_id: "sent"}
    row = await box.row(delivery_id)
    assert (row["status"], row["attempts"], row["result"], row["last_error"]) == (
        "sent",
        1,
        "1",
        "",
    )
    [line] = await box.log(delivery_id)
    assert (line["attempt"], line["outcome"], line["http_status"]) == (1, "sent", 200)
    assert line["answer"] == '{"id": 1}'
    assert line["started_at"].startswith("2026-03-02T12:00:00")
    assert 0 <= line["took_ms"] < 5_000


async def test_attempts_follow_the_kind_s_table_and_then_it_has_failed(
    engine, box, receiver, clock, database
):
    receiver.moods["a"] = [Reply(503, {"error": "down"}), Drop(), Reply(500)]
    delivery_id = await box.put()
    waits = []
    for _ in range(3):
        await deliver_due(engine, limit=1, shop_id=box.shop_id)
        waits.append(await box.due_in_s(delivery_id))
        clock.move(timedelta(seconds=waits[-1] or 0))
    assert waits == [10, 20, None]
    assert await box.status(delivery_id) == "failed"
    log = await box.log(delivery_id)
    assert [(line["attempt"], line["outcome"], line["http_status"]) for line in log] == [
        (1, "queued", 503),
        (2, "queued", None),
        (3, "failed", 500),
    ]
    assert log[0]["error"] == 'answered 503: {"error": "down"}'
    [(kind, message, order_id)] = await _alerts(database, box.shop_id)
    assert (kind, order_id) == ("post_failed", None)
    assert message.startswith("Delivery 1 was not sent to a: answered 500")
    assert message.endswith(f"(delivery {delivery_id})")


async def test_a_permanent_refusal_is_the_last_attempt(engine, box, receiver, database):
    receiver.moods["a"] = [Reply(410)]
    delivery_id = await box.put()
    assert await deliver_due(engine, limit=1, shop_id=box.shop_id) == {delivery_id: "failed"}
    assert len(await _alerts(database, box.shop_id)) == 1


async def test_the_log_is_bounded_and_holds_no_secret(engine, box, receiver):
    secret = new_secret(SeededIds(1))
    text = f"Bearer abcdefghijkl {secret} " + "x" * 5_000
    receiver.moods["a"] = [Reply(500, text), Reply(200, {"id": 1, "echo": text})]
    delivery_id = await box.put()
    await deliver_due(engine, limit=1, shop_id=box.shop_id)
    box.clock.move(timedelta(seconds=10))
    await deliver_due(engine, limit=1, shop_id=box.shop_id)
    failed, sent = await box.log(delivery_id)
    for written in (failed["error"], failed["answer"], sent["answer"]):
        assert 100 < len(written) <= 500
        assert secret not in written
        assert "abcdefghijkl" not in written
    assert len((await box.row(delivery_id))["last_error"]) <= 500


async def test_a_call_that_takes_too_long_is_cut_off_and_tried_again(engine, box, kind, receiver):
    receiver.moods["a"] = [Hang()]
    hasty = DeliveryKinds([msgspec.structs.replace(kind, deadline_s=0)])
    delivery_id = await box.put()
    service = msgspec.structs.replace(engine, kinds=hasty)
    assert await deliver_due(service, limit=1, shop_id=box.shop_id) == {delivery_id: "queued"}
    assert (await box.row(delivery_id))["last_error"] == "no answer within 0 s"


async def test_a_bug_in_the_sender_counts_as_an_attempt(engine, box, kind, receiver):
    receiver.moods["a"] = [Reply(200, ["no id"])]
    delivery_id = await box.put()
    assert await deliver_due(engine, limit=1, shop_id=box.shop_id) == {delivery_id: "queued"}
    assert (await box.row(delivery_id))["last_error"] == "TypeError in the sender"


async def test_where_nothing_is_left_to_send_it_is_withdrawn_and_nothing_is_called(
    engine, box, receiver
):
    delivery_id = await box.put(payload={})
    assert await deliver_due(engine, limit=1, shop_id=box.shop_id) == {delivery_id: "withdrawn"}
    assert receiver.requests == []
    assert await box.log(delivery_id) == []


async def test_what_a_kind_adds_is_written_with_the_state_or_not_at_all(
    engine, box, kind, database
):
    async def sent(tx, *, claim, sent, now):
        await tx.run(
            "insert into alerts (shop_id, kind, message) values (%s, 'added', 'x')",
            (claim.shop_id,),
        )
        raise RuntimeError("on purpose")

    service = msgspec.structs.replace(
        engine, kinds=DeliveryKinds([msgspec.structs.replace(kind, sent=sent)])
    )
    delivery_id = await box.put()
    with pytest.raises(RuntimeError, match="on purpose"):
        await deliver_due(service, limit=1, shop_id=box.shop_id)
    assert await box.status(delivery_id) == "sending"
    assert await box.log(delivery_id) == []
    assert await _alerts(database, box.shop_id) == []


async def test_a_lost_claim_is_queued_again_and_the_log_says_so(
    engine, box, kind, database, clock, receiver
):
    delivery_id = await box.put()
    [lost] = await claim_due(engine, limit=1, shop_id=box.shop_id)
    async with database.begin() as tx:
        await requeue_lost(tx, now=clock.now(), due=clock.now())
    assert await box.status(delivery_id) == "sending"
    clock.move(timedelta(seconds=kind.claim_s + 1))
    async with database.begin() as tx:
        assert await requeue_lost(tx, now=clock.now(), due=clock.now()) >= 1
    assert await box.status(delivery_id) == "queued"
    [line] = await box.log(delivery_id)
    assert (line["attempt"], line["outcome"], line["took_ms"]) == (1, "lost", None)
    assert await deliver_due(engine, limit=1, shop_id=box.shop_id) == {delivery_id: "sent"}
    receiver.moods["a"] = [Reply(500)]
    assert await deliver(engine, lost) == ""
    assert await box.status(delivery_id) == "sent"


@pytest.mark.parametrize("is_batched", [False, True])
async def test_a_late_success_leaves_a_line_for_the_call_that_took_over(
    engine, box, kind, database, clock, is_batched
):
    delivery_id = await box.put()
    [first] = await claim_due(engine, limit=1, shop_id=box.shop_id)
    clock.move(timedelta(seconds=kind.claim_s + 1))
    async with database.begin() as tx:
        await requeue_lost(tx, now=clock.now(), due=clock.now())
    [second] = await claim_due(engine, limit=1, shop_id=box.shop_id)
    together = Together(engine) if is_batched else None
    assert await deliver(engine, first, together=together) == "sent"
    assert await box.status(delivery_id) == "sent"
    lines = [(1, "lost"), (1, "sent"), (2, "lost")]
    log = await box.log(delivery_id)
    assert [(line["attempt"], line["outcome"]) for line in log] == lines
    assert log[2]["error"] == "an earlier attempt was answered first"
    assert await deliver(engine, second, together=together) == ""
    log = await box.log(delivery_id)
    assert [(line["attempt"], line["outcome"]) for line in log] == [*lines, (2, "sent")]


async def test_a_late_success_adds_no_line_where_nobody_took_over(
    engine, box, kind, database, clock
):
    delivery_id = await box.put()
    [claim] = await claim_due(engine, limit=1, shop_id=box.shop_id)
    clock.move(timedelta(seconds=kind.claim_s + 1))
    async with database.begin() as tx:
        await requeue_lost(tx, now=clock.now(), due=clock.now())
    assert await deliver(engine, claim) == "sent"
    log = await box.log(delivery_id)
    assert [(line["attempt"], line["outcome"]) for line in log] == [(1, "lost"), (1, "sent")]


async def test_a_worker_that_is_told_to_stop_hands_back_and_says_so(engine, box, receiver):
    receiver.moods["a"] = [Hang()]
    delivery_id = await box.put()
    [claim] = await claim_due(engine, limit=1, shop_id=box.shop_id)
    task = asyncio.create_task(deliver(engine, claim))
    while not receiver.requests:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await box.due_in_s(delivery_id) == 0
    [line] = await box.log(delivery_id)
    assert (line["outcome"], line["error"]) == ("stopped", "its worker was stopped")
    assert await deliver_due(engine, limit=1, shop_id=box.shop_id) == {delivery_id: "sent"}
