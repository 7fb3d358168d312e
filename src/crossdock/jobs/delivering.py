"""The worker's loop that sends what is due: no job for a delivery, its row is the queue."""

import asyncio
import contextlib

import structlog

from crossdock.errors import CrossdockError
from crossdock.shop.deliveries import Claim, Delivering, claim_due, deliver

log = structlog.get_logger("crossdock.jobs")

POLL_S = 0.5
AT_ONCE = 48  # below the connections that one client for outgoing calls opens


class Sender:
    """Claims what is due and runs it, at most AT_ONCE side by side; several workers may do so."""

    def __init__(self, service: Delivering) -> None:
        self._service = service
        self._stopping = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping.set()

    async def run(self) -> None:
        """Twice a second, and at once again when a full batch says that more is waiting."""
        while not self._stopping.is_set():
            free = AT_ONCE - len(self._under_way)
            claims = await self._claim(free) if free else []
            for claim in claims:
                self._start(claim)
            if claims:
                await self._until_one_is_done()
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
            await deliver(self._service, claim)
        except CrossdockError as error:
            log.warning("a delivery waits for its claim to run out", id=claim.id, code=error.code)
        except Exception:
            log.exception("a delivery waits for its claim to run out", id=claim.id)

    async def _until_one_is_done(self) -> None:
        """A slot is free, or time has passed: a target may have become free of its own bound."""
        await asyncio.wait(self._under_way, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._stopping.wait()
