"""The worker's loop that keeps the search indexes of its machine; each knows itself how far it is."""

import asyncio

import structlog

from crossdock.errors import CrossdockError
from crossdock.shop.search import Building, Follower

log = structlog.get_logger("crossdock.jobs")

POLL_S = 0.25


async def keep_indexes(building: Building) -> None:
    """Let the indexes take in what changed, four times a second, until cancelled; builds go on beside it."""
    follower = Follower(building)
    try:
        while True:
            if not await _step(follower):
                await asyncio.sleep(POLL_S)
    finally:
        await follower.close()


async def _step(follower: Follower) -> int:
    try:
        return await follower.step(waits=False)
    except CrossdockError as error:
        log.warning("indexes were not kept", code=error.code)
    except Exception:
        log.exception("indexes were not kept")
    return 0
