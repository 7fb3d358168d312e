"""Races on purpose: wait until somebody stands behind a lock, instead of hoping that they do."""

import asyncio
import time

from crossdock.db.unit_of_work import Database, Transaction

WAIT_S = 10.0

_BEHIND = """
    with recursive waiting as (
        select a.pid, pg_blocking_pids(a.pid) as blockers
        from pg_stat_activity a where a.wait_event_type = 'Lock'
    ), behind as (
        select w.pid from waiting w where %s = any(w.blockers)
        union select w.pid from waiting w join behind b on b.pid = any(w.blockers)
    )
    select count(*) from behind
"""


async def waiting_for_a_lock(database: Database, *, behind: Transaction, count: int = 1) -> None:
    """Until so many backends wait for a lock that `behind` holds, or behind one who does. Raises TimeoutError."""
    holder = behind.connection.info.backend_pid
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        async with database.statement() as tx:
            if await tx.value(_BEHIND, (holder,)) >= count:
                return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"nobody waits for what backend {holder} has locked")
