"""Let one piece of a job's work fail alone: the others go on, and an alert tells of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, DatabaseUnavailable, Unavailable
from crossdock.shop.alerts.raising import raise_alert, raise_for_operator

log = structlog.get_logger("crossdock.jobs")


@asynccontextmanager
async def isolated(
    db: Database,
    *,
    job: str,
    now: datetime,
    shop_id: int | None = None,
    order_id: int | None = None,
    about: str = "",
) -> AsyncIterator[None]:
    """A piece of a job's work, in transactions of its own: its failure is logged and raises the alert `job_failed`.

    `about` names the piece where it is no order, such as 'payment 12'; without a shop the alert is for the
    operator. What is busy is only logged, since the next run tries it again. Raises DatabaseUnavailable, for then
    nothing else could be done either.
    """
    try:
        yield
    except DatabaseUnavailable:
        raise
    except Unavailable as error:
        log.warning(
            "a job left something out", job=job, order=order_id, about=about, code=error.code
        )
    except Exception as error:
        log.exception("a job left something out", job=job, order=order_id, about=about)
        piece = about if order_id is None else f"order {order_id}"
        subject = " ".join(filter(None, (job, about)))
        message = (
            f"The job {job} failed{' for ' + piece if piece else ''}: {_words(error)}; see the log."
        )
        async with db.begin() as tx:
            if shop_id is None:
                await raise_for_operator(
                    tx, kind="job_failed", message=message, subject=subject, now=now
                )
            else:
                await raise_alert(
                    tx,
                    shop_id=shop_id,
                    kind="job_failed",
                    message=message,
                    order_id=order_id,
                    subject=subject,
                    now=now,
                )


def _words(error: Exception) -> str:
    """The error without the values that a driver's message may have."""
    return error.code if isinstance(error, CrossdockError) else type(error).__name__
