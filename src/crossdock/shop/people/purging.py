"""Delete ended sessions and links, and expired sign-in attempts."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.people.attempts import KEPT
from crossdock.shop.people.sessions import Lifetimes


async def purge_people(tx: Transaction, *, lives: Lifetimes, now: datetime) -> int:
    """Delete ended sessions, links and old attempts; returns how many rows."""
    sessions = await tx.run(
        "delete from sessions where expires_at <= %s or seen_at <= %s", (now, now - lives.idle)
    )
    links = await tx.run("delete from password_links where expires_at <= %s", (now,))
    return (
        sessions
        + links
        + await tx.run("delete from sign_in_attempts where last_at < %s", (now - KEPT,))
    )
