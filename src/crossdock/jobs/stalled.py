"""Jobs whose worker died."""

import structlog
from procrastinate import App

from crossdock.jobs.queue import real_time

log = structlog.get_logger("crossdock.jobs")

SILENT_S = 15.0  # three missed heartbeats


async def hand_back_stalled(queue: App) -> int:
    """Requeue the jobs of workers without a heartbeat; returns how many."""
    manager = queue.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_S))
    for job in stalled:
        await manager.retry_job(job, retry_at=real_time.now())
        log.warning("job handed back", job=job.id, task=job.task_name)
    return len(stalled)
