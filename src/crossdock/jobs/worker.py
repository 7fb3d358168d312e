"""The worker: runs jobs, deliveries, event numbering and consumers; requeues unfinished work when it stops."""

import asyncio
import signal
from collections.abc import Callable, Sequence

import structlog
from procrastinate.exceptions import ConnectorException
from psycopg_pool import PoolTimeout

from crossdock.compose import Services
from crossdock.db.runtime import Runtime, create_runtime
from crossdock.errors import CrossdockError
from crossdock.jobs.consuming import run_consumers
from crossdock.jobs.delivering import POLL_S, Sender
from crossdock.jobs.indexing import keep_indexes
from crossdock.jobs.queue import queue
from crossdock.jobs.stalled import SILENT_S, hand_back_stalled
from crossdock.kit.clock import WallClock
from crossdock.settings import Settings
from crossdock.shop.events import Consumer

log = structlog.get_logger("crossdock.jobs")

HEARTBEAT_S = 5.0
NUMBERING_BATCH = 5000
CLOCK_LOOK_S = 5.0
CLOCK_STEP_S = 10.0  # more than a time service corrects at once
DATABASE_WAIT_S = 5.0


async def work(settings: Settings, *, equip: Callable[[Services], None] | None = None) -> None:
    """Run jobs until SIGTERM or SIGINT; running ones get the grace, then go back to the queue.

    `equip` adds what channels bring: tasks, consumers of events, kinds of deliveries.
    """
    runtime = create_runtime(settings)
    await runtime.database.open()
    loops = [asyncio.create_task(_number_events(runtime), name="number events")]
    try:
        await _wait_for_database(runtime)
        await queue.open_async(runtime.database.pool)
        await hand_back_stalled(queue)
        async with Services(runtime) as services:
            if equip:
                equip(services)
            everybody = services.consumers
            loops.append(asyncio.create_task(_tell(runtime, everybody), name="tell consumers"))
            loops.append(asyncio.create_task(keep_indexes(services.building), name="keep indexes"))
            await _run_until_stopped(services)
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await runtime.database.close()


async def _run_until_stopped(services: Services) -> None:
    """Run jobs and deliveries concurrently; both have the same grace period when they are stopped.

    They share one set of services, so that connections and access tokens are reused.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    sender = Sender(services.delivering)
    told = asyncio.create_task(stopping.wait())
    jobs = asyncio.create_task(_run_jobs(services), name="run jobs")
    sends = asyncio.create_task(sender.run(), name="send deliveries")
    try:
        await asyncio.wait((told, jobs, sends), return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        jobs.cancel()
        sender.stop()
        finishing = _finish(sends, sender=sender, grace_s=services.settings.server.shutdown_grace_s)
        ended = await asyncio.gather(jobs, finishing, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


async def _finish(sends: asyncio.Task[None], *, sender: Sender, grace_s: float) -> None:
    await sends
    await sender.finish(grace_s)


async def _run_jobs(services: Services) -> None:
    """Run jobs; restart the job runner when the wall clock was set, and when the queue cannot be asked.

    The library's runner ends when a job cannot be fetched, as with a full disk or without a database; and
    without an error when its heartbeat or a periodic job cannot be written, as while a database hangs.
    It remembers when it last deferred a periodic job, by the wall clock: set back, it would wait until
    that time is reached again, and set ahead, defer every run that it thinks it missed.
    """
    clock = WallClock()
    while True:
        running = asyncio.create_task(_run_worker(services), name="run jobs until the clock is set")
        watching = asyncio.create_task(_clock_is_set(clock), name="watch the clock")
        try:
            await asyncio.wait((running, watching), return_when=asyncio.FIRST_COMPLETED)
            has_ended = running.done()
        finally:
            watching.cancel()
            running.cancel()
            [error, _] = await asyncio.gather(running, watching, return_exceptions=True)
        if isinstance(error, ConnectorException):
            log.warning("jobs cannot be fetched, trying again", error=str(error.__cause__))
        elif isinstance(error, Exception):
            raise error
        elif has_ended:
            log.warning("the job runner ended, starting it again")
        if has_ended:
            await asyncio.sleep(POLL_S)


async def _clock_is_set(clock: WallClock) -> None:
    """Return once the wall clock was set by more than CLOCK_STEP_S."""
    while True:
        await asyncio.sleep(CLOCK_LOOK_S)
        step_s = clock.was_set_by_s()
        if abs(step_s) >= CLOCK_STEP_S:
            log.warning("the clock was set", by_s=round(step_s))
            return


async def _run_worker(services: Services) -> None:
    settings = services.settings
    await queue.run_worker_async(
        concurrency=settings.jobs.concurrency,
        listen_notify=False,
        fetch_job_polling_interval=POLL_S,
        update_heartbeat_interval=HEARTBEAT_S,
        stalled_worker_timeout=SILENT_S,
        shutdown_graceful_timeout=settings.server.shutdown_grace_s,
        additional_context={"services": services},
        install_signal_handlers=False,
    )


async def _wait_for_database(runtime: Runtime) -> None:
    while True:
        try:
            await runtime.database.pool.wait(DATABASE_WAIT_S)
        except PoolTimeout:
            log.warning("the database cannot be reached, trying again")
        else:
            return


async def _number_events(runtime: Runtime) -> None:
    """Number committed events twice a second, without a pause while many are waiting."""
    while True:
        count = 0
        try:
            async with runtime.database.statement() as tx:
                count = await tx.value("select number_all_events(%s)", (NUMBERING_BATCH,)) or 0
        except CrossdockError as error:
            log.warning("events were not numbered", code=error.code)
        except Exception:
            log.exception("events were not numbered")
        if count < NUMBERING_BATCH:
            await asyncio.sleep(POLL_S)


async def _tell(runtime: Runtime, consumers: Sequence[Consumer]) -> None:
    """Run the consumers twice a second, without a pause while there is more."""
    while True:
        count = 0
        try:
            count = await run_consumers(
                runtime.database, consumers=consumers, now=runtime.clock.now()
            )
        except CrossdockError as error:
            log.warning("consumers were not told", code=error.code)
        except Exception:
            log.exception("consumers were not told")
        if not count:
            await asyncio.sleep(POLL_S)
