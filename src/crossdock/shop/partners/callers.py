"""What all authentication methods share: credential cache, revision check, rate limit, last use."""

import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused, Unavailable
from crossdock.kit.batching import Batcher
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.shop.partners.model import Credential, Proof, Secret
from crossdock.shop.partners.reading import (
    is_token_disabled,
    read_access_holder,
    read_credential,
    read_token_holder,
)
from crossdock.shop.partners.watching import Watched, note_accepted, note_refused

_CACHED_MAX = 10_000
_MARK_EVERY = timedelta(seconds=60)
_CONFIRM_PACED = "select place, outcome from confirm_paced_calls(%s, %s, %s, %s, %s)"
_CONFIRM_METERED = "select outcome, busy_until from confirm_metered_calls(%s, %s, %s, %s, %s)"
_CONFIRM_READERS = "select outcome, version from confirm_readers(%s, %s, %s, %s, %s)"
_CONFIRM_PACED_READERS = (
    "select outcome, version from confirm_paced_readers(p_shop_ids => %s, p_credential_ids => %s,"
    " p_revisions => %s, p_limits => %s, p_bursts => %s, p_now => %s)"
)
_CONFIRM_METERED_READERS = (
    "select r.outcome, r.busy_until, r.version, topic_version(s.shop_ids[r.place], 'orders')"
    " from (select %s::bigint[] as shop_ids) s, confirm_metered_readers(p_shop_ids => s.shop_ids,"
    " p_credential_ids => %s, p_revisions => %s, p_limits => %s, p_bursts => %s, p_now => %s) r"
)
_CONFIRM = "select place, outcome from confirm_calls(%s, %s, %s, %s)"


class Lookup(msgspec.Struct, frozen=True):
    """The cache key of a caller: a public key, a name, or the hash of a token.

    `access` is a token that was given for a name and a password.
    """

    proof: Proof | Literal["access"]
    name: str | bytes


Found = tuple[Credential, Secret]
Match = Callable[[Credential | None], Awaitable[Secret | None]]
"""The live secret that proves a credential; with None it does the same work and finds none."""

Mistake = Callable[[Credential], str]
"""What explains why the proof of this credential does not match, as an English sentence; '' if nothing does."""

Ask = Callable[[Credential, int], Awaitable[str]]
"""Ask the database once whether a call may go on: the credential, its calls a minute (0: no limit)."""


class Callers:
    """The callers of one channel; the database confirms each cached credential on every call.

    The statement that counts a call also compares the revision at which its credential was
    read, so that a disabled key, an expired secret or a withdrawn permission takes effect with
    the next call in every worker, without another round trip.
    """

    def __init__(self, db: Database, *, channel: str, box: SecretBox, clock: Clock) -> None:
        self.db = db
        self.channel = channel
        self.box = box
        self.clock = clock
        self.watched = Watched(db, channel=channel, clock=clock)
        self._cache: OrderedDict[Lookup, Credential] = OrderedDict()
        self._marked: OrderedDict[int, datetime] = OrderedDict()
        self._confirm = Batcher(self._flush)
        self._confirm_paced = Batcher(self._flush_paced)
        self._confirm_metered = Batcher(self._flush_metered)
        self._confirm_readers = Batcher(self._flush_readers)
        self._confirm_paced_readers = Batcher(self._flush_paced_readers)
        self._confirm_metered_readers = Batcher(self._flush_metered_readers)

    async def admit(
        self,
        lookup: Lookup,
        *,
        match: Match,
        mismatch: str,
        rate_limit_per_minute: int,
        ask: Ask | None = None,
        retry_after_s: int = 60,
        mistake: Mistake | None = None,
    ) -> Credential:
        """Authenticate a call with `match` and count it; returns the credential.

        Raises Refused with credential_unknown, `mismatch` if no secret matches, credential_stale
        if the partner changed twice meanwhile, shop_suspended where everything but that is right,
        nonce_reused if `ask` finds that, and Unavailable rate_limited. `mistake` is asked about a
        refused call of a watched partner.
        """
        try:
            credential = await self._admitted(
                lookup,
                match=match,
                mismatch=mismatch,
                rate_limit_per_minute=rate_limit_per_minute,
                ask=ask,
                retry_after_s=retry_after_s,
            )
        except (Refused, Unavailable) as refused:
            if refused.code != "database_unavailable":
                await self.note_refused(lookup.name, refused.code, mistake=mistake)
            raise
        note_accepted(credential, now=self.clock.now())
        return credential

    async def note_refused(
        self, name: str | bytes, verdict: str, *, mistake: Mistake | None = None
    ) -> None:
        """Tell who watches the caller with this key, or token by its hash, that a call of theirs was refused.

        `mistake` finds what was done wrong, with the caller's credential.
        """
        with contextlib.suppress(Unavailable):  # the caller is told why it was refused all the same
            owner = await self.watched.owner(name)
            if owner is None:
                return
            known = None
            if mistake and isinstance(name, str):
                known = await self._read(Lookup("signature", name))
            note_refused(owner, verdict, mistake=mistake(known) if mistake and known else "")

    async def _admitted(
        self,
        lookup: Lookup,
        *,
        match: Match,
        mismatch: str,
        rate_limit_per_minute: int,
        ask: Ask | None,
        retry_after_s: int,
    ) -> Credential:
        outcome = "stale"
        for cached in (True, False):
            credential, secret = await self._find(
                lookup, match=match, mismatch=mismatch, cached=cached
            )
            if credential.is_shop_suspended:
                if cached:
                    continue  # it may run again by now
                raise Refused("shop_suspended")
            limit = _limit_of(credential, default=rate_limit_per_minute)
            outcome = await (ask or self.confirm)(credential, limit)
            if outcome != "stale":
                break
        _judge(outcome, retry_after_s=retry_after_s)
        await self._mark_used(secret)
        return credential

    async def confirm(self, credential: Credential, limit: int) -> str:
        """Count the call: live, stale or limited."""
        return await self._confirm((credential, limit))

    async def confirm_paced(self, credential: Credential, limit: int, *, burst: int) -> str:
        """The same for calls that come steadily: `limit` a minute, at most `burst` at once."""
        return await self._confirm_paced((credential, limit, burst))

    async def confirm_metered(
        self, credential: Credential, limit: int, *, burst: int
    ) -> tuple[str, datetime | None]:
        """`confirm_paced`, and until when the calls keep the caller busy; None without a limit."""
        return await self._confirm_metered((credential, limit, burst))

    async def confirm_reader(self, credential: Credential, limit: int) -> tuple[str, int]:
        """`confirm`, and the version of the shop's goods at that moment (`catalogue_version`)."""
        return await self._confirm_readers((credential, limit))

    async def confirm_paced_reader(
        self, credential: Credential, limit: int, *, burst: int
    ) -> tuple[str, int]:
        """`confirm_paced`, and the same version."""
        return await self._confirm_paced_readers((credential, limit, burst))

    async def confirm_metered_reader(
        self, credential: Credential, limit: int, *, burst: int
    ) -> tuple[str, datetime | None, int, int]:
        """`confirm_metered`, the same version, and one that also changes when stock is shipped (`inventory.moved`)."""
        return await self._confirm_metered_readers((credential, limit, burst))

    async def known(self, lookup: Lookup, *, cached: bool) -> Credential | None:
        """The cached credential, or the current one; nothing is counted."""
        if cached and (known := self._cache.get(lookup)):
            self._cache.move_to_end(lookup)
            return known
        read = await self._read(lookup)
        if read is None:
            self._cache.pop(lookup, None)
            return None
        self._cache[lookup] = read
        if len(self._cache) > _CACHED_MAX:
            self._cache.popitem(last=False)
        return read

    def is_cached(self, lookup: Lookup) -> bool:
        """Whether a credential is known without asking."""
        return lookup in self._cache

    async def is_disabled(self, token_hash: bytes) -> bool:
        """Whether the token with this hash is of a disabled key or of an inactive partner."""
        async with self.db.statement() as tx:
            return await is_token_disabled(
                tx, channel=self.channel, token_hash=token_hash, now=self.clock.now()
            )

    def is_live(self, secret: Secret) -> bool:
        """Whether a secret is still valid."""
        return secret.expires_at is None or self.clock.now() < secret.expires_at

    async def _read(self, lookup: Lookup) -> Credential | None:
        async with self.db.statement() as tx:
            if isinstance(lookup.name, bytes):
                read = read_access_holder if lookup.proof == "access" else read_token_holder
                return await read(tx, channel=self.channel, token_hash=lookup.name, box=self.box)
            assert lookup.proof != "access"  # it is looked up by its hash
            return await read_credential(
                tx,
                channel=self.channel,
                public_key=lookup.name,
                proof=lookup.proof,
                box=self.box,
            )

    async def _find(self, lookup: Lookup, *, match: Match, mismatch: str, cached: bool) -> Found:
        known = await self.known(lookup, cached=cached)
        secret = await match(known)
        if known is None:
            raise Refused("credential_unknown")
        if secret:
            return known, secret
        fresh = await self.known(lookup, cached=False)
        if fresh is None:
            raise Refused("credential_unknown")
        if fresh.secrets != known.secrets and (secret := await match(fresh)):
            return fresh, secret
        raise Refused(mismatch)

    async def _flush(self, batch: list[tuple[Credential, int]]) -> list[str]:
        async with self.db.statement() as tx:
            rows = await tx.all(
                _CONFIRM,
                (
                    [credential.id for credential, _ in batch],
                    [credential.partner.revision for credential, _ in batch],
                    [limit for _, limit in batch],
                    self.clock.now(),
                ),
            )
        return [outcome for _, outcome in rows]

    async def _flush_readers(self, batch: list[tuple[Credential, int]]) -> list[tuple[str, int]]:
        async with self.db.statement() as tx:
            rows = await tx.all(
                _CONFIRM_READERS,
                (
                    [credential.id for credential, _ in batch],
                    [credential.partner.revision for credential, _ in batch],
                    [limit for _, limit in batch],
                    [credential.partner.shop_id for credential, _ in batch],
                    self.clock.now(),
                ),
            )
        return [(outcome, version) for outcome, version in rows]

    async def _flush_paced(self, batch: list[tuple[Credential, int, int]]) -> list[str]:
        return [outcome for _, outcome in await self._pace(_CONFIRM_PACED, batch)]

    async def _flush_metered(
        self, batch: list[tuple[Credential, int, int]]
    ) -> list[tuple[str, datetime | None]]:
        return [(outcome, until) for outcome, until in await self._pace(_CONFIRM_METERED, batch)]

    async def _pace(
        self, statement: str, batch: list[tuple[Credential, int, int]]
    ) -> list[tuple[Any, ...]]:
        async with self.db.statement() as tx:
            return await tx.all(
                statement,
                (
                    [credential.id for credential, _, _ in batch],
                    [credential.partner.revision for credential, _, _ in batch],
                    [limit for _, limit, _ in batch],
                    [burst for _, _, burst in batch],
                    self.clock.now(),
                ),
            )

    async def _flush_paced_readers(
        self, batch: list[tuple[Credential, int, int]]
    ) -> list[tuple[str, int]]:
        rows = await self._pace_readers(_CONFIRM_PACED_READERS, batch)
        return [(outcome, version) for outcome, version in rows]

    async def _flush_metered_readers(
        self, batch: list[tuple[Credential, int, int]]
    ) -> list[tuple[str, datetime | None, int, int]]:
        rows = await self._pace_readers(_CONFIRM_METERED_READERS, batch)
        return [(outcome, until, version, moved) for outcome, until, version, moved in rows]

    async def _pace_readers(
        self, statement: str, batch: list[tuple[Credential, int, int]]
    ) -> list[tuple[Any, ...]]:
        async with self.db.statement() as tx:
            return await tx.all(
                statement,
                (
                    [credential.partner.shop_id for credential, _, _ in batch],
                    [credential.id for credential, _, _ in batch],
                    [credential.partner.revision for credential, _, _ in batch],
                    [limit for _, limit, _ in batch],
                    [burst for _, _, burst in batch],
                    self.clock.now(),
                ),
            )

    async def _mark_used(self, secret: Secret) -> None:
        now = self.clock.now()
        last = self._marked.get(secret.id)
        if last is not None and abs(now - last) < _MARK_EVERY:
            return
        self._marked[secret.id] = now
        if len(self._marked) > _CACHED_MAX:
            self._marked.popitem(last=False)
        async with self.db.statement() as tx:
            await tx.run(
                "update credential_secrets set last_used_at = %s where id = %s", (now, secret.id)
            )


def _limit_of(credential: Credential, *, default: int) -> int:
    own = credential.partner.settings.get("rate_limit_per_minute")
    return own if isinstance(own, int) else default


def _judge(outcome: str, *, retry_after_s: int) -> None:
    if outcome == "reused":
        raise Refused("nonce_reused")
    if outcome == "limited":
        raise Unavailable("rate_limited", data={"retry_after_s": retry_after_s})
    if outcome not in {"spent", "live"}:
        raise Refused("credential_stale")
