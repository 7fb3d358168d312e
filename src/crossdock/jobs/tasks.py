"""Jobs that look after deliveries; sending them is the worker's own loop (delivering.py)."""

import structlog
from procrastinate import JobContext

from crossdock.jobs.queue import queue, runtime_of
from crossdock.shop.deliveries import requeue_lost

log = structlog.get_logger("crossdock.jobs")


@queue.periodic(cron="* * * * *")
@queue.task(
    name="requeue_lost_deliveries", queueing_lock="requeue_lost_deliveries", pass_context=True
)
async def requeue_lost_deliveries(context: JobContext, timestamp: int) -> None:
    """Find deliveries whose sender died, and queue them again."""
    runtime = runtime_of(context)
    async with runtime.database.statement() as tx:
        count = await requeue_lost(tx, now=runtime.clock.now())
    if count:
        log.warning("lost deliveries requeued", count=count)
