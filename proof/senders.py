"""Kill the process that sends deliveries, and wait until everything is sent: what the claims of P12 share."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence, Sized
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from crossdock.serving.supervisor import JOBS
from crossdock.shop.deliveries import requeue_lost, resend_failed
from proof.stand import Stand, kill

CALLS_S = 60.0
RESTART_S = 30.0  # until the supervisor has another worker
SESSIONS_S = 10.0  # until the transactions of a killed worker have ended
SETTLE_S = 3_600.0
STALL_S = 120.0
QUIET_S = 20.0  # longer than a hanging call
LULL_S = 2.0  # nothing new is queued for so long: everything was told
_OPEN = "select pid, xact_start from pg_stat_activity where xact_start is not null and pid <> pg_backend_pid()"
_DUE_NOW = """
    update deliveries set next_attempt_at = clock_timestamp()
    where status = 'queued' and next_attempt_at > clock_timestamp()
"""


class Called(Protocol):
    """A receiver that counts its calls."""

    requests: Any


async def kill_senders(
    stand: Stand, receiver: Called, *, count: int, most: int, rng: random.Random
) -> int:
    """Kill the worker during its calls; then let its claims expire.

    There are at most `most` calls between two kills, so that both a worker that has just started and
    one that has been sending for long are killed.
    """
    for _ in range(count):
        await _wait_for_calls(receiver.requests, len(receiver.requests) + rng.randint(1, most))
        async with asyncio.timeout(RESTART_S):
            while not (workers := stand.server.children(JOBS)):
                await asyncio.sleep(0.02)
        for pid in workers:
            kill(pid)
        await _wait_for_sessions(stand)
        await let_claims_run_out(stand)
    return count


async def _wait_for_calls(requests: Sized, wanted: int) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(CALLS_S):
            while len(requests) < wanted:
                await asyncio.sleep(0.002)


async def _wait_for_sessions(stand: Stand) -> None:
    """Until the transactions that are open now have ended: a killed worker's may still claim something."""
    async with stand.database.statement() as tx:
        opened = set(await tx.all(_OPEN))
    async with asyncio.timeout(SESSIONS_S):
        while opened:
            await asyncio.sleep(0.02)
            async with stand.database.statement() as tx:
                opened &= set(await tx.all(_OPEN))


async def let_claims_run_out(stand: Stand) -> None:
    """Expire the claims of running workers too: a success counts even after its claim was lost."""
    now = datetime.now(UTC)
    async with stand.database.statement() as tx:
        await requeue_lost(tx, now=now, due=now + timedelta(days=1))


@asynccontextmanager
async def hurrying(stand: Stand) -> AsyncIterator[None]:
    """Meanwhile, what waits to be tried again is due at once."""

    async def hurry() -> None:
        while True:
            async with stand.database.statement() as tx:
                await tx.run(_DUE_NOW)
            await asyncio.sleep(0.5)

    task = asyncio.create_task(hurry())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settle(stand: Stand, *, shop_ids: Sequence[int], kind: str, count: int) -> None:
    """Wait until `count` deliveries or more are queued and all are sent; what failed is sent again by hand.

    Claims are let run out again where nothing moves: a killed worker's database session may outlive
    the worker for a moment, and hold rows or claim some.
    """
    started_at = moved_at = time.monotonic()
    before = (-1, -1)
    while time.monotonic() < min(started_at + SETTLE_S, moved_at + STALL_S):
        for shop_id in shop_ids:
            async with stand.database.begin() as tx:
                await resend_failed(tx, shop_id=shop_id, now=datetime.now(UTC), kind=kind)
        async with stand.database.statement() as tx:
            [(unsent, queued)] = await tx.all(
                "select count(*) filter (where status <> 'sent'), count(*) from deliveries"
            )
        if (unsent, queued) != before:
            before, moved_at = (unsent, queued), time.monotonic()
        quiet_s = time.monotonic() - moved_at
        if not unsent and queued >= count and quiet_s > LULL_S:
            return
        if quiet_s > QUIET_S:
            await let_claims_run_out(stand)
        await asyncio.sleep(0.5)
