"""Jobs whose worker died."""

import structlog
from procrastinate import App
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status

from crossdock.jobs.queue import real_time

log = structlog.get_logger("crossdock.jobs")

SILENT_S = 15.0  # three missed heartbeats


async def hand_back_stalled(queue: App) -> int:
    """Requeue the jobs of workers without a heartbeat; returns how many.

    A job whose queueing lock a newer one has by now is ended instead: that one does the same work.
    """
    stalled = await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_S)
    return sum([await _hand_back(queue, job) for job in stalled])


async def _hand_back(queue: App, job: Job) -> bool:
    try:
        await queue.job_manager.retry_job(job, retry_at=real_time.now())
    except UniqueViolation:
        await queue.job_manager.finish_job(job, status=Status.ABORTED, delete_job=False)
        log.warning("job ended, a newer one waits", job=job.id, task=job.task_name)
        return False
    log.warning("job handed back", job=job.id, task=job.task_name)
    return True
