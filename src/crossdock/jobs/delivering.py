"""The worker's loop that sends what is due: no job for a delivery, its row is the queue."""

import asyncio
import contextlib

import structlog

from crossdock.errors import CrossdockError
from crossdock.shop.deliveries import Claim, Delivering, claim_due, create_together, deliver

log = structlog.get_logger("crossdock.jobs")

POLL_S = 0.5
GATHER_S = 0.02  # claims are for several slots, not for each that becomes free
AT_ONCE = 48  # below the connections that one client for outgoing calls opens


class Sender:
    """Claims what is due and runs it, at most AT_ONCE side by side; several workers may do so."""

    def __init__(self, service: Delivering) -> None:
        self._service = service
        self._together = create_together(service)
        self._stopping = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping.set()

    async def run(self) -> None:
        """Twice a second, and as soon as some of those under way have made room."""
        while not self._stopping.is_set():
            free = AT_ONCE - len(self._under_way)
            for claim in await self._claim(free) if free else ():
                self._start(claim)
            if self._under_way:
                await self._until_some_are_done()
            else:
                await self._pause()

    async def finish(self, grace_s: float) -> None:
        """Wait for those under way; what is not done then is cut off, and hands itself back."""
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
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, claim: Claim) -> None:
        try:
            await deliver(self._service, claim, together=self._together)
        except CrossdockError as error:
            log.warning("a delivery waits for its claim to run out", id=claim.id, code=error.code)
        except Exception:
            log.exception("a delivery waits for its claim to run out", id=claim.id)

    async def _until_some_are_done(self) -> None:
        """Slots are free, or time has passed: a target may have become free of its own bound."""
        await asyncio.wait(self._under_way, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(GATHER_S)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._stopping.wait()
