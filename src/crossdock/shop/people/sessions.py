"""Server-side sessions, stored under the hash of their token."""

import re
from datetime import datetime, timedelta

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.crypto import hash_key
from crossdock.kit.ids import Ids
from crossdock.shop.people.managing import MAY_ENTER, PERSON_COLUMNS, person_from_row
from crossdock.shop.people.model import Principal, Visit

TOKEN_LENGTH = 43  # letters and digits: 256 bits
INCOMPLETE_LIFE = timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)
_TOKEN = re.compile(rf"[A-Za-z0-9]{{{TOKEN_LENGTH}}}")

_INSERT = """
insert into sessions
    (token_hash, principal_kind, principal_id, form_token, is_complete, created_at, seen_at, expires_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_READ = f"""
select {PERSON_COLUMNS}, n.form_token, n.is_complete, n.created_at, n.expires_at, n.seen_at
from sessions n
join people p on p.kind = n.principal_kind and p.id = n.principal_id join shops s on s.id = p.shop_id
where n.token_hash = %(hash)s and n.expires_at > %(now)s and n.seen_at > %(now)s - %(idle)s and {MAY_ENTER}
"""
_SEEN = """
with seen as (update sessions set seen_at = %(now)s where token_hash = %(hash)s returning principal_id)
update people p set last_seen_at = %(now)s from seen where p.id = seen.principal_id
"""
_COMPLETE = """
update sessions set token_hash = %s, form_token = %s, is_complete = true, seen_at = %s, expires_at = %s
where token_hash = %s and not is_complete
"""


class Lifetimes(msgspec.Struct, frozen=True, kw_only=True):
    """The idle timeout of a session, and its longest duration."""

    idle: timedelta
    longest: timedelta


def new_token(ids: Ids) -> str:
    """A new random token."""
    return ids.random_token(TOKEN_LENGTH)


def is_token(text: str) -> bool:
    """Whether the text has the format of a token."""
    return _TOKEN.fullmatch(text) is not None


async def open_session(
    tx: Transaction,
    *,
    principal: Principal,
    person_id: int,
    is_complete: bool,
    lives: Lifetimes,
    ids: Ids,
    now: datetime,
) -> str:
    """Open a session; returns its token. An incomplete one expires after ten minutes."""
    token = new_token(ids)
    life = lives.longest if is_complete else INCOMPLETE_LIFE
    form_token = new_token(ids)
    row = (hash_key(token), principal, person_id, form_token, is_complete, now, now, now + life)
    await tx.run(_INSERT, row)
    return token


async def complete_session(
    tx: Transaction, *, token_hash: bytes, lives: Lifetimes, ids: Ids, now: datetime
) -> str | None:
    """Complete a session after its code; returns its new token, or None if it ended meanwhile."""
    token = new_token(ids)
    form_token = new_token(ids)
    row = (hash_key(token), form_token, now, now + lives.longest, token_hash)
    return token if await tx.run(_COMPLETE, row) else None


async def read_session(
    tx: Transaction, *, token: str, lives: Lifetimes, now: datetime, is_used: bool = True
) -> Visit | None:
    """The live session of a token, or None. Where `is_used`, updates its last use at most once a minute."""
    token_hash = hash_key(token)
    values = {"hash": token_hash, "now": now, "idle": lives.idle}
    row = await tx.one(_READ, values)
    if row is None:
        return None
    form_token, is_complete, created_at, expires_at, seen_at = row[-5:]
    if is_used and now - seen_at >= SEEN_EVERY:
        await tx.run(_SEEN, values)
    return Visit(
        person=person_from_row(row[:-5]),
        token_hash=token_hash,
        form_token=form_token,
        is_complete=is_complete,
        created_at=created_at,
        expires_at=expires_at,
    )


async def close_session(tx: Transaction, *, token: str) -> None:
    """End the session of a token; an unknown one is ignored."""
    await tx.run("delete from sessions where token_hash = %s", (hash_key(token),))
