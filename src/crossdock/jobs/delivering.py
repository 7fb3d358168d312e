"""The worker's loop that sends due deliveries; their table is the queue, without jobs."""

import asyncio
import contextlib

import structlog

from crossdock.errors import CrossdockError
from crossdock.shop.deliveries import Claim, Delivering, Together, claim_due, deliver

log = structlog.get_logger("crossdock.jobs")

POLL_S = 0.5
GATHER_S = 0.02  # claims are for several slots, not for each that becomes free
GATHERED = 4  # but no longer than until one in so many is free
AT_ONCE = 48  # below the connections that one client for outgoing calls opens


class Sender:
    """Claims due deliveries and sends them, at most AT_ONCE concurrently; several workers may run."""

    def __init__(self, service: Delivering) -> None:
        self._service = service
        self._together = Together(service)
        self._stopping = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._left_at_most = 0
        self._one_is_done, self._enough_are_done = asyncio.Event(), asyncio.Event()

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping.set()

    async def run(self) -> None:
        """Claim twice a second, and whenever slots become free."""
        while not self._stopping.is_set():
            free = AT_ONCE - len(self._under_way)
            for claim in await self._claim(free) if free else ():
                self._start(claim)
            if self._under_way:
                await self._until_some_are_done()
            else:
                await self._pause()

    async def finish(self, grace_s: float) -> None:
        """Wait for running deliveries; those that do not finish in time are cancelled and requeued."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=grace_s)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _claim(self, limit: int) -> list[Claim]:
        try:
            return await claim_due(self._service, limit=limit)
        except CrossdockError as error:
            log.warning("deliveries were not claimed", code=error.code)
        except Exception:
            log.exception("deliveries were not claimed")
        return []

    def _start(self, claim: Claim) -> None:
        task = asyncio.create_task(self._deliver(claim))
        self._under_way.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._one_is_done.set()
        if len(self._under_way) <= self._left_at_most:
            self._enough_are_done.set()

    async def _deliver(self, claim: Claim) -> None:
        try:
            await deliver(self._service, claim, together=self._together)
        except CrossdockError as error:
            log.warning("a delivery waits for its claim to run out", id=claim.id, code=error.code)
        except Exception:
            log.exception("a delivery waits for its claim to run out", id=claim.id)

    async def _until_some_are_done(self) -> None:
        """Wait until slots are free, or for a while: a target may be below its own limit again."""
        started = len(self._under_way)
        self._left_at_most = started - max(1, started // GATHERED)
        self._one_is_done.clear()
        self._enough_are_done.clear()
        await _within(POLL_S, self._one_is_done)
        await _within(GATHER_S, self._enough_are_done)

    async def _pause(self) -> None:
        await _within(POLL_S, self._stopping)


async def _within(seconds: float, event: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
