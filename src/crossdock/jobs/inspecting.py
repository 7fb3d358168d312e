"""List jobs, and retry dead letters."""

from datetime import datetime
from typing import Any

import msgspec
import psycopg

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound

DEAD = "failed"
STATUSES = ("todo", "doing", "succeeded", "failed", "cancelled", "aborted")

_JOBS_SQL = """
select j.id, j.task_name, j.queue_name, j.status::text, j.attempts, j.args, j.scheduled_at,
       (select max(e.at) from procrastinate_events e where e.job_id = j.id)
from procrastinate_jobs j
where (%(status)s::text is null or j.status::text = %(status)s)
  and (%(task)s::text is null or j.task_name = %(task)s)
  and (%(id)s::bigint is null or j.id = %(id)s)
order by j.id desc limit %(limit)s
"""
_HISTORY_SQL = "select type::text, at from procrastinate_events where job_id = %s order by id"


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job as an operator sees it; `args` hold ids only, never personal data or secrets."""

    id: int
    task: str
    queue: str
    status: str
    attempts: int
    args: dict[str, Any]
    scheduled_at: datetime | None
    changed_at: datetime | None


class JobMoment(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a job's history."""

    kind: str
    at: datetime


async def list_jobs(
    tx: Transaction, *, status: str | None = DEAD, task: str | None = None, limit: int = 50
) -> list[JobView]:
    """The newest jobs, by default the dead letters; None for every status or task."""
    rows = await tx.all(_JOBS_SQL, {"status": status, "task": task, "id": None, "limit": limit})
    return [_view(row) for row in rows]


async def show_job(tx: Transaction, *, job_id: int) -> tuple[JobView, list[JobMoment]]:
    """One job and its history. Raises NotFound."""
    row = await tx.one(_JOBS_SQL, {"status": None, "task": None, "id": job_id, "limit": 1})
    if row is None:
        raise NotFound("not_found", f"There is no job {job_id}.")
    history = await tx.all(_HISTORY_SQL, (job_id,))
    return _view(row), [JobMoment(kind=kind, at=at) for kind, at in history]


async def retry_job(tx: Transaction, *, job_id: int) -> JobView:
    """Requeue a failed job, due now.

    Raises NotFound, and Conflict for another status, or where another one with its queueing lock waits.
    """
    view, _ = await show_job(tx, job_id=job_id)
    if view.status != DEAD:
        raise Conflict(
            "exists", f"Job {job_id} is {view.status}; only a failed job can be retried."
        )
    try:
        await tx.run("select procrastinate_retry_job_v2(%s, now(), null, null, null)", (job_id,))
    except psycopg.errors.UniqueViolation:
        raise Conflict(
            "exists", f"Another {view.task} waits already; it does the same work."
        ) from None
    view, _ = await show_job(tx, job_id=job_id)
    return view


def _view(row: tuple[Any, ...]) -> JobView:
    return JobView(
        id=row[0],
        task=row[1],
        queue=row[2],
        status=row[3],
        attempts=row[4],
        args=row[5],
        scheduled_at=row[6],
        changed_at=row[7],
    )
