"""The job queue: procrastinate on the process's own pool, and the retry policy.

A task is declared with `@queue.task(name=..., pass_context=True, retry=Retries(...))` in a module of
TASK_MODULES and gets what it works with from `services_of(context)`. The core defers a job by the
task's name, on the transaction of the change.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job

from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.kit.clock import SystemClock

TASK_MODULES = ("crossdock.jobs.schedules", "crossdock.jobs.tasks")

# The queue compares with the database's clock, so a job's times are real ones, whatever a test's
# clock says.
real_time = SystemClock()

queue = App(connector=PsycopgConnector(), import_paths=TASK_MODULES)


def services_of(context: JobContext) -> Services:
    """The services that the worker passes to its jobs."""
    return cast(Services, context.additional_context["services"])


def runtime_of(context: JobContext) -> Runtime:
    """Settings, clock and database of the worker."""
    return services_of(context).runtime


class Retries(BaseRetryStrategy):
    """Retry after each of `waits_s` in turn; after that the job is a dead letter.

    A job that was cancelled because its worker stopped is requeued at once.
    """

    def __init__(self, waits_s: Sequence[int] = ()) -> None:
        self._waits_s = tuple(waits_s)

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to retry, or None to give up."""
        if isinstance(exception, asyncio.CancelledError | JobAborted):
            return RetryDecision(retry_at=real_time.now())
        if job.attempts >= len(self._waits_s):
            return None
        wait = timedelta(seconds=self._waits_s[job.attempts])
        return RetryDecision(retry_at=real_time.now() + wait)
