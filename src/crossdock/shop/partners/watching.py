"""The last calls of a partner, kept while staff watch it.

The door begins to hear a call, authentication tells whose it is and what it made of the proof, and the door keeps
the call where that partner is watched. A call of anybody else costs two assignments and no statement: the moment until
which a partner is watched is read with its credential. A refused call is nobody's until somebody asks, so the database
is asked whose it was only while somebody of the channel is watched.
"""

from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Final

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.kit.clock import Clock
from crossdock.shop.partners.model import Credential

CALLS_KEPT: Final = 50
WATCHED_MAX: Final = timedelta(hours=24)
ACCEPTED: Final = "accepted"
_ASKED_EVERY: Final = timedelta(seconds=1)


class Heard:
    """A call in hand: whose it is, once that is known, and what authentication made of it.

    `partner` is a watched partner's shop and id. `verdict` is a code of the core or a channel's English sentence;
    `mistake` a sentence about what was signed, where one was found that explains it.
    """

    __slots__ = ("mistake", "partner", "verdict")

    def __init__(self) -> None:
        self.partner: tuple[int, int] | None = None
        self.verdict = self.mistake = ""


_heard: ContextVar[Heard | None] = ContextVar("heard", default=None)


def hear() -> Heard:
    """Begin to hear the call in hand."""
    heard = Heard()
    _heard.set(heard)
    return heard


def note_accepted(credential: Credential, *, now: datetime) -> None:
    """The caller is known; the call is kept if its partner is watched."""
    until = credential.partner.watched_until
    if until is None or until <= now:
        return
    if heard := _heard.get():
        heard.partner = (credential.partner.shop_id, credential.partner.id)
        heard.verdict = ACCEPTED


def is_heard() -> bool:
    """Whether anybody listens: not where a command checks a signature."""
    return _heard.get() is not None


def note_refused(owner: "Owner", verdict: str, *, mistake: str = "") -> None:
    """The call was refused, and is its owner's."""
    if heard := _heard.get():
        heard.partner = (owner.shop_id, owner.partner_id)
        heard.verdict = owner.why or verdict
        heard.mistake = mistake


class Owner(msgspec.Struct, frozen=True):
    """The watched partner of a key or token that was refused; `why` tells what is off with it, '' if nothing is."""

    shop_id: int
    partner_id: int
    why: str


class Watched:
    """Whether somebody of a channel is watched, asked at most every second and only when a call is refused."""

    def __init__(self, db: Database, *, channel: str, clock: Clock) -> None:
        self._db = db
        self._channel = channel
        self._clock = clock
        self._asked_at: datetime | None = None
        self._is_any = False

    async def owner(self, name: str | bytes) -> Owner | None:
        """The watched partner with this key or user name, or token by its hash."""
        if not is_heard() or not await self._any():
            return None
        values = {
            "key": name if isinstance(name, str) else None,
            "token": name if isinstance(name, bytes) else None,
            "channel": self._channel,
            "now": self._clock.now(),
        }
        async with self._db.statement() as tx:
            row = await tx.one(_OWNER, values)
        return Owner(*row) if row else None

    async def _any(self) -> bool:
        now = self._clock.now()
        if self._asked_at is None or abs(now - self._asked_at) >= _ASKED_EVERY:
            async with self._db.statement() as tx:
                self._is_any = bool(await tx.value(_ANY, (self._channel, now)))
            self._asked_at = now
        return self._is_any


class KeptCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call and its answer, without secrets, card data and personal data."""

    called_at: datetime
    request_id: str
    method: str
    path: str
    request_head: dict[str, str]
    request_body: str
    status: int
    answer_head: dict[str, str]
    answer_body: str
    took_ms: int
    verdict: str
    mistake: str


class CallView(KeptCall, frozen=True, kw_only=True):
    """A kept call as it is listed and shown."""

    id: int


class Calls:
    """The calls that are kept."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def keep(self, heard: Heard, call: KeptCall) -> None:
        """Keep the call with its partner, and forget those before the last CALLS_KEPT."""
        assert heard.partner is not None
        shop_id, partner_id = heard.partner
        values = {name: getattr(call, name) for name in KeptCall.__struct_fields__}
        for name in ("request_head", "answer_head"):
            values[name] = Jsonb(values[name])
        async with self._db.begin() as tx:
            await tx.run(_KEEP, {**values, "shop": shop_id, "partner": partner_id})
            await tx.run(_FORGET, (shop_id, partner_id, CALLS_KEPT))


async def watch_partner(
    tx: Transaction, *, partner_id: int, hours: int, now: datetime
) -> datetime | None:
    """Keep the partner's calls for so many hours, 0 for no longer; returns until when.

    What was kept stays. Raises Invalid `invalid_input` for more than a day, NotFound `not_found`.
    """
    length = timedelta(hours=hours)
    if not timedelta() <= length <= WATCHED_MAX:
        raise Invalid("invalid_input", "A partner is watched for at most 24 hours.")
    until = now + length if hours else None
    if not await tx.run(
        "update partners set watched_until = %s where id = %s", (until, partner_id)
    ):
        raise NotFound("not_found", f"There is no partner {partner_id}.")
    return until


async def list_calls(
    tx: Transaction, *, shop_id: int, partner_id: int, call_id: int | None = None
) -> list[CallView]:
    """The partner's kept calls, the newest first; one of them with `call_id`."""
    rows = await tx.all(_LIST, (shop_id, partner_id, call_id, call_id))
    return [CallView(**dict(zip(CallView.__struct_fields__, row, strict=True))) for row in rows]


_LIST: Final = """
    select called_at, request_id, method, path, request_head, request_body, status, answer_head, answer_body, took_ms,
           verdict, mistake, id
    from partner_calls where shop_id = %s and partner_id = %s and (%s::bigint is null or id = %s) order by id desc
"""
_ANY: Final = "select exists (select from partners where channel = %s and watched_until > %s)"
_OWNER: Final = """
    select p.shop_id, p.id, case
        when not p.active then 'partner_off'
        when c.disabled_at is not null then 'key_off'
        when k.revoked_at is not null then 'secret_revoked'
        when k.expires_at <= %(now)s then 'secret_over'
        else '' end
    from credentials c
    join partners p on p.shop_id = c.shop_id and p.id = c.partner_id and p.watched_until > %(now)s
    join lateral (
        select revoked_at, expires_at from credential_secrets s
        where s.credential_id = c.id and (%(token)s::bytea is null or s.token_hash = %(token)s)
        order by s.revoked_at is not null, s.id desc limit 1
    ) k on true
    where c.channel = %(channel)s and (
        c.public_key = %(key)s
        or c.id = (select credential_id from credential_secrets where token_hash = %(token)s))
"""
_KEEP: Final = """
    insert into partner_calls (shop_id, partner_id, called_at, request_id, method, path, request_head, request_body,
                               status, answer_head, answer_body, took_ms, verdict, mistake)
    values (%(shop)s, %(partner)s, %(called_at)s, %(request_id)s, %(method)s, %(path)s, %(request_head)s,
            %(request_body)s, %(status)s, %(answer_head)s, %(answer_body)s, %(took_ms)s, %(verdict)s, %(mistake)s)
"""
_FORGET: Final = """
    delete from partner_calls c using (
        select shop_id, id from partner_calls where shop_id = %s and partner_id = %s order by id desc offset %s) old
    where c.shop_id = old.shop_id and c.id = old.id
"""
