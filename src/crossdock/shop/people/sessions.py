"""Server-side sessions: known to the database by the hash of their token."""

from datetime import datetime, timedelta

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import Ids
from crossdock.shop.people.managing import PERSON_COLUMNS, person_from_row
from crossdock.shop.people.model import Visit

TOKEN_LENGTH = 43  # letters and digits: 256 bits
INCOMPLETE_LIFE = timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)

_INSERT = """
insert into sessions (token_hash, person_id, csrf_token, is_complete, created_at, seen_at, expires_at)
values (%s, %s, %s, %s, %s, %s, %s)
"""
_READ = f"""
select {PERSON_COLUMNS}, n.csrf_token, n.is_complete, n.created_at, n.expires_at, n.seen_at
from sessions n join people p on p.id = n.person_id join shops s on s.id = p.shop_id
where n.token_hash = %(hash)s and n.expires_at > %(now)s and n.seen_at > %(now)s - %(idle)s and p.active
"""
_SEEN = """
with seen as (update sessions set seen_at = %(now)s where token_hash = %(hash)s returning person_id)
update people p set last_seen_at = %(now)s from seen where p.id = seen.person_id
"""
_COMPLETE = """
update sessions set token_hash = %s, csrf_token = %s, is_complete = true, seen_at = %s, expires_at = %s
where token_hash = %s and not is_complete
"""


class Lifetimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long a session lives without a click, and at the most."""

    idle: timedelta
    longest: timedelta


async def open_session(
    tx: Transaction, *, person_id: int, is_complete: bool, lives: Lifetimes, ids: Ids, now: datetime
) -> str:
    """The token of a new session; an incomplete one has ten minutes to show its code."""
    token = ids.random_token(TOKEN_LENGTH)
    life = lives.longest if is_complete else INCOMPLETE_LIFE
    csrf_token = ids.random_token(TOKEN_LENGTH)
    row = (hash_key(token), person_id, csrf_token, is_complete, now, now, now + life)
    await tx.run(_INSERT, row)
    return token


async def complete_session(
    tx: Transaction, *, token_hash: bytes, lives: Lifetimes, ids: Ids, now: datetime
) -> str | None:
    """The new token of a session that has shown its code, or None when it ended meanwhile."""
    token = ids.random_token(TOKEN_LENGTH)
    csrf_token = ids.random_token(TOKEN_LENGTH)
    row = (hash_key(token), csrf_token, now, now + lives.longest, token_hash)
    return token if await tx.run(_COMPLETE, row) else None


async def read_session(
    tx: Transaction, *, token: str, lives: Lifetimes, now: datetime
) -> Visit | None:
    """The live session of a token, noted as seen once a minute; None for an ended or unknown one."""
    token_hash = hash_key(token)
    values = {"hash": token_hash, "now": now, "idle": lives.idle}
    row = await tx.one(_READ, values)
    if row is None:
        return None
    csrf_token, is_complete, created_at, expires_at, seen_at = row[-5:]
    if now - seen_at >= SEEN_EVERY:
        await tx.run(_SEEN, values)
    return Visit(
        person=person_from_row(row[:-5]),
        token_hash=token_hash,
        csrf_token=csrf_token,
        is_complete=is_complete,
        created_at=created_at,
        expires_at=expires_at,
    )


async def close_session(tx: Transaction, *, token: str) -> None:
    """End the session of a token; an unknown one is no matter."""
    await tx.run("delete from sessions where token_hash = %s", (hash_key(token),))
