"""A job is a row of the caller's transaction."""

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.shop.events import defer_job


async def _job(tx: Transaction, job_id: int) -> tuple | None:
    return await tx.one(
        "select queue_name, task_name, priority, lock, args, status::text, attempts,"
        " round(extract(epoch from scheduled_at - now()))::int"
        " from procrastinate_jobs where id = %s",
        (job_id,),
    )


async def test_a_job_is_written_as_the_queue_reads_it(tx):
    args: dict[str, str | int | bool | None] = {
        "shop_id": 1,
        "order_id": 2,
        "note": "quote ' and \\ and {}",
        "again": None,
    }
    job_id = await defer_job(
        tx, task="pack", queue="warehouse", args=args, lock="order:2", priority=3
    )
    assert await _job(tx, job_id) == ("warehouse", "pack", 3, "order:2", args, "todo", 0, None)


async def test_a_delay_is_counted_from_the_transaction(tx):
    job_id = await defer_job(tx, task="pack", queue="warehouse", args={}, delay_s=90)
    job = await _job(tx, job_id)
    assert job is not None
    assert job[-1] == 90


async def test_a_change_that_is_rolled_back_leaves_no_job(database: Database):
    job_ids = []

    async def change_and_fail() -> None:
        async with database.begin() as tx:
            job_ids.append(await defer_job(tx, task="pack", queue="warehouse", args={}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_and_fail()
    async with database.statement() as tx:
        assert await _job(tx, job_ids[0]) is None
