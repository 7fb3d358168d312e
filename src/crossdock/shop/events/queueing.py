"""Defer background jobs by the name of their task, in the caller's transaction."""

from collections.abc import Mapping

from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction


async def defer_job(
    tx: Transaction,
    *,
    task: str,
    queue: str,
    args: Mapping[str, str | int | bool | None],
    delay_s: int = 0,
    lock: str | None = None,
    priority: int = 0,
) -> int:
    """Defer a job until after the commit and at least `delay_s` seconds; returns its id.

    Jobs with the same `lock` run one at a time and in order: a later one waits even for an earlier
    one that is scheduled for tomorrow, so a retry has no lock. The delay is real time, not the shop's
    clock.
    """
    return int(
        await tx.value(
            "select (procrastinate_defer_jobs_v1(array[row(%s, %s, %s, %s, null, %s,"
            " case when %s > 0 then now() + make_interval(secs => %s) end"
            ")]::procrastinate_job_to_defer_v1[]))[1]",
            (queue, task, priority, lock, Jsonb(dict(args)), delay_s, delay_s),
        )
    )
