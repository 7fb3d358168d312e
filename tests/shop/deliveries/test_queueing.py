"""A delivery is queued in the transaction of what it tells of, once for a subject and target."""

from datetime import timedelta

import psycopg
import pytest

from crossdock.shop.deliveries import queue_deliveries, queue_delivery, withdraw_delivery
from tests.shop.deliveries.conftest import KIND


async def _queue(tx, box, **changes):
    facts = {
        "shop_id": box.shop_id,
        "kind": KIND,
        "target": "a",
        "subject_id": 7,
        "now": box.clock.now(),
    }
    return await queue_delivery(tx, **(facts | changes))


async def test_it_is_gone_with_the_transaction_that_queued_it(box, database):
    async with database.begin() as tx, tx.connection.transaction(force_rollback=True):
        assert await _queue(tx, box)
    async with database.statement() as tx:
        count = "select count(*) from deliveries where shop_id = %s"
        assert await tx.value(count, (box.shop_id,)) == 0


async def test_the_same_subject_goes_once_to_each_target(box, database):
    async with database.begin() as tx:
        first, again = await _queue(tx, box), await _queue(tx, box)
        other = await _queue(tx, box, target="b")
        without = [await _queue(tx, box, subject_id=None) for _ in range(2)]
    assert again is None
    assert len({first, other, *without}) == 4


async def test_a_withdrawn_one_is_queued_anew(box, database):
    async with database.begin() as tx:
        first = await _queue(tx, box)
        await withdraw_delivery(
            tx, shop_id=box.shop_id, kind=KIND, subject_id=7, now=box.clock.now()
        )
        assert await _queue(tx, box, payload={"number": 2}) == first
    row = await box.row(first)
    assert (row["status"], row["attempts"], row["payload"]) == ("queued", 0, {"number": 2})


async def test_what_people_do_is_written_as_sent(box, database):
    async with database.begin() as tx:
        delivery_id = await _queue(tx, box, is_done_by_hand=True)
    row = await box.row(delivery_id)
    assert (row["status"], row["result"], row["next_attempt_at"]) == ("sent", "manual", None)
    assert row["sent_at"].startswith("2026-03-02T12:00:00")


async def test_a_shop_s_clock_that_is_ahead_makes_nothing_wait(box, database):
    box.clock.move(timedelta(days=3650))
    delivery_id = await box.put()
    async with database.statement() as tx:
        assert await tx.value(
            "select next_attempt_at <= now() from deliveries where id = %s", (delivery_id,)
        )


@pytest.mark.parametrize(
    "change",
    [
        "status = 'sending', next_attempt_at = null",
        "status = 'failed'",
        "status = 'sent', next_attempt_at = null",
    ],
)
async def test_the_database_refuses_a_row_that_nobody_would_find(box, database, change):
    delivery_id = await box.put()
    with pytest.raises(psycopg.errors.CheckViolation):
        async with database.begin() as tx:
            await tx.run(f"update deliveries set {change} where id = %s", (delivery_id,))


async def test_many_wait_for_further_changes_of_their_objects(box, database):
    async def queue(*keys: str) -> int:
        async with database.begin() as tx:
            return await queue_deliveries(
                tx, shop_id=box.shop_id, kind=KIND, delay_s=5, now=box.clock.now(),
                objects=[("a", key, {"key": key}) for key in keys],
            )  # fmt: skip

    assert await queue("one", "two") == 2
    box.clock.move(timedelta(seconds=4))
    assert await queue("two", "three") == 1
    async with database.statement() as tx:
        await tx.run(
            "update deliveries set attempts = 1 where shop_id = %s and object_key = 'one'",
            (box.shop_id,),
        )
        assert await queue("one", "two") == 1
        rows = await tx.all(
            "select object_key, next_attempt_at - queued_at, payload from deliveries"
            " where shop_id = %s order by id",
            (box.shop_id,),
        )
    wait = timedelta(seconds=5)
    assert sorted(rows[:2]) == [("one", wait, {"key": "one"}), ("two", wait, {"key": "two"})]
    assert rows[2:] == [("three", wait, {"key": "three"}), ("one", wait, {"key": "one"})]
