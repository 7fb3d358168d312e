"""Verify a signed call and spend its nonce."""

import hmac
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.batching import Batcher
from crossdock.shop.partners.callers import Callers, Lookup
from crossdock.shop.partners.model import Credential, Partner, Secret

_DUMMY = b"no such partner, but the same work"
_SPEND = "select place, outcome from spend_nonces(%s, %s, %s, %s, %s, %s)"
_SPEND_EARLY = "select place, outcome from spend_nonces_early(%s, %s, %s, %s, %s, %s)"

Sign = Callable[[bytes], str]
Mistakes = Callable[[], Iterable[tuple[str, Sign]]]
"""Common mistakes in signing, each as an English sentence with the signature that it makes."""


class Spending(msgspec.Struct, frozen=True):
    """A nonce to be spent for a call of `credential`, which may call `limit` times a minute (0: no limit)."""

    credential: Credential
    nonce: str
    expires_at: datetime
    limit: int


Spend = Callable[[Spending], Awaitable[str]]
"""Spends a nonce without waiting for the disk; answers what `spend_nonces` does."""


class Signatures:
    """Callers that sign; the statement that counts the call also spends the nonce."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self._spend = Batcher(self._flush)
        self._spend_early = Batcher(self._flush_early)
        self._settle = Batcher(self._flush_log)

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
        spend: Spend | None = None,
        mistakes: Mistakes | None = None,
    ) -> Credential:
        """Verify a signature and spend its nonce; returns the credential.

        Where a protocol leaves the spending to the partner, `spends` says whether this one does.
        A caller with a `spend` of its own (`spend_early`, or a statement that does more) commits
        something before it answers, or else calls `settle`: the nonce is spent for every worker at
        once, and on the disk with that commit.

        `sign(secret)` returns the expected signature in lower-case hex. Raises Refused with
        credential_unknown, credential_signature, nonce_reused, or credential_stale if the partner
        changed twice meanwhile, and Unavailable rate_limited. `mistakes` are tried when the signature of a
        watched partner does not match.
        """

        def mistake(credential: Credential) -> str:
            return self._mistake(credential, signature, sign=sign, mistakes=mistakes)

        async def match(credential: Credential | None) -> Secret | None:
            if credential is None:
                _equal(sign(_DUMMY), signature)
                return None
            return self.match(credential, sign, signature)

        async def ask(credential: Credential, limit: int) -> str:
            if spends is not None and not spends(credential.partner):
                return await self._callers.confirm(credential, limit)
            expires_at = self._callers.clock.now() + timedelta(seconds=nonce_ttl_s)
            spending = Spending(credential, nonce, expires_at, limit)
            if spend is None:
                return await self._spend(spending)
            outcome = await spend(spending)
            if outcome == "limited":
                await self.settle()
            return outcome

        return await self._callers.admit(
            Lookup("signature", public_key),
            match=match,
            mismatch="credential_signature",
            rate_limit_per_minute=rate_limit_per_minute,
            ask=ask,
            mistake=mistake,
        )

    async def note_refused(self, public_key: str, verdict: str) -> None:
        """Tell who watches the caller with this key that a call was refused before its signature was looked at."""
        await self._callers.note_refused(public_key, verdict)

    def _mistake(
        self, credential: Credential, signature: str, *, sign: Sign, mistakes: Mistakes | None
    ) -> str:
        """The first mistake that explains the signature, tried with the partner's secrets."""
        if any(_equal(sign(each.value), signature) for each in credential.secrets):
            return ""  # nothing is wrong with it, or its secret is over
        for text, made in mistakes() if mistakes else ():
            if any(_equal(made(each.value), signature) for each in credential.secrets):
                return text
        return ""

    async def spend_early(self, spending: Spending) -> str:
        """Spend a nonce together with others', without waiting for the disk."""
        return await self._spend_early(spending)

    async def settle(self) -> None:
        """Wait until all spent nonces are on disk."""
        await self._settle(None)

    async def peek(self, public_key: str) -> Credential | None:
        """The current credential, without spending a nonce; for diagnosing a request."""
        return await self._callers.known(Lookup("signature", public_key), cached=False)

    def match(self, credential: Credential, sign: Sign, signature: str) -> Secret | None:
        """The valid secret that matches `signature`; compares with all of them."""
        found = None
        for secret in credential.secrets:
            right = _equal(sign(secret.value), signature)
            if right and self._callers.is_live(secret):
                found = secret
        return found

    async def _flush(self, batch: list[Spending]) -> list[str]:
        return await self._run_spending(_SPEND, batch)

    async def _flush_early(self, batch: list[Spending]) -> list[str]:
        return await self._run_spending(_SPEND_EARLY, batch)

    async def _flush_log(self, callers: list[None]) -> list[None]:
        async with self._callers.db.statement() as tx:
            await tx.run("select settle_nonces()")
        return callers

    async def _run_spending(self, statement: str, batch: list[Spending]) -> list[str]:
        async with self._callers.db.statement() as tx:
            rows = await tx.all(
                statement,
                (
                    [s.credential.id for s in batch],
                    [s.credential.partner.revision for s in batch],
                    [s.nonce for s in batch],
                    [s.expires_at for s in batch],
                    [s.limit for s in batch],
                    self._callers.clock.now(),
                ),
            )
        return [outcome for _, outcome in rows]


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.lower().encode())


async def is_nonce_spent(tx: Transaction, *, credential_id: int, nonce: str, now: datetime) -> bool:
    """Whether this credential used the nonce within its lifetime. Spends nothing."""
    found = await tx.value(
        "select true from nonces where credential_id = %s and nonce = %s and expires_at >= %s",
        (credential_id, nonce, now),
    )
    return bool(found)
