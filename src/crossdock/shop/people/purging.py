"""Delete ended sessions and expired sign-in attempts."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.people.attempts import KEPT
from crossdock.shop.people.sessions import Lifetimes


async def purge_people(tx: Transaction, *, lives: Lifetimes, now: datetime) -> int:
    """Delete ended sessions and old attempts; returns how many rows."""
    sessions = await tx.run(
        "delete from sessions where expires_at <= %s or seen_at <= %s", (now, now - lives.idle)
    )
    return sessions + await tx.run("delete from sign_in_attempts where last_at < %s", (now - KEPT,))
