"""Jobs that follow from what was done: sending orders to fulfilment."""

import structlog
from procrastinate import JobContext

from crossdock.jobs.queue import Retries, queue, runtime_of, services_of
from crossdock.shop.dispatch import QUEUE, TASK, requeue_lost
from crossdock.shop.dispatch import send_dispatch as send

log = structlog.get_logger("crossdock.jobs")


@queue.task(name=TASK, queue=QUEUE, retry=Retries((5, 30, 120)), pass_context=True)
async def send_dispatch(context: JobContext, shop_id: int, order_id: int, attempt: int = 0) -> None:
    """Send one order; a failed attempt leaves a job for the next, so only a lost database fails this."""
    await send(
        services_of(context).dispatching, shop_id=shop_id, order_id=order_id, attempt=attempt
    )


@queue.periodic(cron="* * * * *")
@queue.task(
    name="requeue_lost_dispatches", queueing_lock="requeue_lost_dispatches", pass_context=True
)
async def requeue_lost_dispatches(context: JobContext, timestamp: int) -> None:
    """Find dispatches whose sender died, and send them again."""
    runtime = runtime_of(context)
    async with runtime.database.begin() as tx:
        count = await requeue_lost(tx, now=runtime.clock.now())
    if count:
        log.warning("lost dispatches requeued", count=count)
