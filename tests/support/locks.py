"""Races on purpose: wait until somebody stands behind a lock, instead of hoping that they do."""

import asyncio
import time

from crossdock.db.unit_of_work import Database, Transaction

WAIT_S = 10.0

_BEHIND = """
    select count(*) from pg_stat_activity
    where wait_event_type = 'Lock' and %s = any(pg_blocking_pids(pid))
"""


async def waiting_for_a_lock(database: Database, *, behind: Transaction, count: int = 1) -> None:
    """Until so many backends wait for a lock that `behind` holds. Raises TimeoutError."""
    holder = behind.connection.info.backend_pid
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        async with database.statement() as tx:
            if await tx.value(_BEHIND, (holder,)) >= count:
                return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"nobody waits for what backend {holder} has locked")
