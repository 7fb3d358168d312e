"""Prove that a signed call comes from its partner, once, and spend its nonce."""

import hmac
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused, Unavailable
from crossdock.kit.batching import Batcher
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.shop.partners.model import Credential, Partner, Secret
from crossdock.shop.partners.reading import read_credential

_DUMMY = Secret(id=0, value=b"no such partner, but the same work", expires_at=None)
_CACHED_MAX = 10_000
_MARK_EVERY = timedelta(seconds=60)
_SPEND = "select place, outcome from spend_nonces(%s, %s, %s, %s, %s, %s)"
_SPEND_EARLY = "select place, outcome from spend_nonces_early(%s, %s, %s, %s, %s, %s)"

Sign = Callable[[bytes], str]


class _Spending(msgspec.Struct, frozen=True):
    credential: Credential
    nonce: str
    expires_at: datetime
    limit: int


class Verifier:
    """Checks signatures against cached credentials; a cached one is never believed without asking.

    The statement that spends the nonce also compares the revision at which the credential was
    read, so that a disabled key or a withdrawn permission counts from the next call on, in every
    worker, without a further round trip.
    """

    def __init__(self, db: Database, *, channel: str, box: SecretBox, clock: Clock) -> None:
        self._db = db
        self._channel = channel
        self._box = box
        self._clock = clock
        self._cache: OrderedDict[str, Credential] = OrderedDict()
        self._marked: dict[int, datetime] = {}
        self._spend = Batcher(self._flush)
        self._spend_early = Batcher(self._flush_early)
        self._settle = Batcher(self._flush_log)
        self._confirm = Batcher(self._flush_without_nonces)

    async def verify(
        self,
        *,
        public_key: str,
        sign: Sign,
        signature: str,
        nonce: str,
        nonce_ttl_s: int,
        rate_limit_per_minute: int,
        spends: Callable[[Partner], bool] | None = None,
        settles: bool = False,
    ) -> Credential:
        """The credential whose secret made `signature`, with `nonce` spent.

        Where a protocol leaves the spending to the partner, `spends` says whether this one does.
        A caller that `settles` commits something of its own before it answers, or else calls
        `settle`: the nonce is spent for every worker at once, and on the disk with that commit.

        `sign(secret)` gives the right signature for a secret, as lower-case hex. Raises Refused
        with credential_unknown, credential_signature, nonce_reused, or credential_stale where the
        partner changed twice meanwhile, Unavailable rate_limited.
        """
        outcome = "stale"
        for cached in (True, False):
            known = await self._read(public_key, cached=cached)
            credential, secret = await self._matching(public_key, known, sign, signature)
            limit = _limit_of(credential, default=rate_limit_per_minute)
            expires_at = self._clock.now() + timedelta(seconds=nonce_ttl_s)
            spend = self._spend_early if settles else self._spend
            ask = spend if spends is None or spends(credential.partner) else self._confirm
            outcome = await ask(_Spending(credential, nonce, expires_at, limit))
            if outcome != "stale":
                break
        if settles and outcome == "limited":
            await self.settle()
        _judge(outcome)
        await self._mark_used(secret)
        return credential

    async def settle(self) -> None:
        """Wait until every nonce that was spent so far is on the disk."""
        await self._settle(None)

    async def peek(self, public_key: str) -> Credential | None:
        """The credential as it is now, read afresh; nothing is spent. For explaining a request."""
        return await self._read(public_key, cached=False)

    async def _read(self, public_key: str, *, cached: bool) -> Credential | None:
        if cached and (known := self._cache.get(public_key)):
            self._cache.move_to_end(public_key)
            return known
        async with self._db.statement() as tx:
            read = await read_credential(
                tx, channel=self._channel, public_key=public_key, box=self._box
            )
        if read is None:
            self._cache.pop(public_key, None)
            return None
        self._cache[public_key] = read
        if len(self._cache) > _CACHED_MAX:
            self._cache.popitem(last=False)
        return read

    async def _matching(
        self, public_key: str, credential: Credential | None, sign: Sign, signature: str
    ) -> tuple[Credential, Secret]:
        if credential and (secret := self.match(credential, sign, signature)):
            return credential, secret
        if credential is None:
            _equal(sign(_DUMMY.value), signature)
            raise Refused("credential_unknown")
        fresh = await self._read(public_key, cached=False)
        if fresh is None:
            raise Refused("credential_unknown")
        if fresh.secrets != credential.secrets and (secret := self.match(fresh, sign, signature)):
            return fresh, secret
        raise Refused("credential_signature")

    def match(self, credential: Credential, sign: Sign, signature: str) -> Secret | None:
        """The live secret that made `signature`, comparing with every one of them."""
        now = self._clock.now()
        found = None
        for secret in credential.secrets:
            right = _equal(sign(secret.value), signature)
            if right and (secret.expires_at is None or now < secret.expires_at):
                found = secret
        return found

    async def _flush(self, batch: list[_Spending]) -> list[str]:
        return await self._run_spending(_SPEND, batch)

    async def _flush_early(self, batch: list[_Spending]) -> list[str]:
        return await self._run_spending(_SPEND_EARLY, batch)

    async def _flush_log(self, callers: list[None]) -> list[None]:
        async with self._db.statement() as tx:
            await tx.run("select settle_nonces()")
        return callers

    async def _run_spending(self, statement: str, batch: list[_Spending]) -> list[str]:
        async with self._db.statement() as tx:
            rows = await tx.all(
                statement,
                (
                    [s.credential.id for s in batch],
                    [s.credential.partner.revision for s in batch],
                    [s.nonce for s in batch],
                    [s.expires_at for s in batch],
                    [s.limit for s in batch],
                    self._clock.now(),
                ),
            )
        return [outcome for _, outcome in rows]

    async def _flush_without_nonces(self, batch: list[_Spending]) -> list[str]:
        async with self._db.statement() as tx:
            rows = await tx.all(
                "select place, outcome from confirm_calls(%s, %s, %s, %s)",
                (
                    [s.credential.id for s in batch],
                    [s.credential.partner.revision for s in batch],
                    [s.limit for s in batch],
                    self._clock.now(),
                ),
            )
        return [outcome for _, outcome in rows]

    async def _mark_used(self, secret: Secret) -> None:
        now = self._clock.now()
        last = self._marked.get(secret.id)
        if last is not None and abs(now - last) < _MARK_EVERY:
            return
        self._marked[secret.id] = now
        async with self._db.statement() as tx:
            await tx.run(
                "update credential_secrets set last_used_at = %s where id = %s", (now, secret.id)
            )


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.lower().encode())


def _limit_of(credential: Credential, *, default: int) -> int:
    own = credential.partner.settings.get("rate_limit_per_minute")
    return own if isinstance(own, int) else default


def _judge(outcome: str) -> None:
    if outcome == "reused":
        raise Refused("nonce_reused")
    if outcome == "limited":
        raise Unavailable("rate_limited", data={"retry_after_s": 60})
    if outcome not in {"spent", "live"}:
        raise Refused("credential_stale")


async def is_nonce_spent(tx: Transaction, *, credential_id: int, nonce: str, now: datetime) -> bool:
    """Whether the nonce was used by this credential and its time is not over. Spends nothing."""
    found = await tx.value(
        "select true from nonces where credential_id = %s and nonce = %s and expires_at >= %s",
        (credential_id, nonce, now),
    )
    return bool(found)
