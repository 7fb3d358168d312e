"""Jobs for the upkeep of deliveries; the worker's own loop sends them (delivering.py)."""

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
    """Requeue deliveries whose worker died."""
    runtime = runtime_of(context)
    async with runtime.database.statement() as tx:
        count = await requeue_lost(tx, now=runtime.clock.now())
    if count:
        log.warning("lost deliveries requeued", count=count)
