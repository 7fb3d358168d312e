"""Jobs for the upkeep of deliveries, which the worker's loop sends (delivering.py), and for runs over many orders."""

import structlog
from procrastinate import JobContext

from crossdock.jobs.queue import Retries, queue, runtime_of
from crossdock.shop.bulk import RUN_ORDERS, purge_runs
from crossdock.shop.bulk import run_orders as work_on
from crossdock.shop.deliveries import requeue_lost

log = structlog.get_logger("crossdock.jobs")
_WAITS_S = (5, 30, 120)


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


@queue.task(name=RUN_ORDERS, pass_context=True, retry=Retries(_WAITS_S))
async def run_orders(context: JobContext, shop_id: int, run_id: int) -> None:
    """Do the same with many orders; what is due is seen from the database, so it goes on after any stop."""
    runtime = runtime_of(context)
    run = await work_on(runtime.database, shop_id=shop_id, run_id=run_id, clock=runtime.clock)
    log.info("orders worked on", run=run_id, done=run.done, refused=run.refused, state=run.state)


@queue.periodic(cron="33 * * * *")
@queue.task(name="purge_order_runs", queueing_lock="purge_order_runs", pass_context=True)
async def purge_order_runs(context: JobContext, timestamp: int) -> None:
    """Forget runs over many orders that ended long ago."""
    runtime = runtime_of(context)
    if count := await purge_runs(runtime.database, now=runtime.clock.now()):
        log.info("runs over many orders forgotten", count=count)
