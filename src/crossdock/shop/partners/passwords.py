"""Authenticate by name and password, of which only an Argon2id hash is stored."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import structlog

from crossdock.errors import Unavailable
from crossdock.kit.callers import caller_network
from crossdock.kit.passwords import Hasher
from crossdock.shop.partners.callers import Callers, Lookup
from crossdock.shop.partners.guesses import Counted, Guesses
from crossdock.shop.partners.model import Credential, Secret

log = structlog.get_logger("crossdock.partners")

PROOF_KEPT = timedelta(minutes=5)
SOURCE_SHARE = 6  # free failures of a source over all names, as a multiple
NAME_SHARE = 20  # free failures of a name over all sources, as a multiple
_PROOFS_MAX = 10_000
_NAME_LENGTH_MAX = 200


class Passwords:
    """Callers with name and password. A correct pair is cached for five minutes under a keyed hash.

    The cache only says which secret the pair matched; whether that secret is still valid is checked
    on every call. Answer and work for a wrong pair are the same for known and unknown names.
    """

    def __init__(self, callers: Callers, *, free_failures: int, longest_wait_s: int) -> None:
        self._callers = callers
        self._hasher = Hasher()
        self._free = free_failures
        self._guesses = Guesses(longest_wait_s=longest_wait_s)
        self._proofs: OrderedDict[bytes, tuple[int, datetime]] = OrderedDict()
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def verify(
        self, *, name: str, password: str, rate_limit_per_minute: int, source: str = ""
    ) -> Credential:
        """The credential with this name and password, its call counted.

        `source` is the caller's network address. Raises Refused with credential_unknown, or
        credential_stale if the partner changed twice meanwhile, and Unavailable rate_limited
        after too many calls or too many wrong pairs.
        """
        name = name if _can_be_name(name) else ""
        pair = self._callers.box.keyed_hash(
            f"{self._callers.channel}\0{name}\0{password}", purpose="password proof"
        )

        async def match(credential: Credential | None) -> Secret | None:
            if found := self._remembered(pair, credential):
                return found
            turn = self._turns.setdefault(pair, asyncio.Lock())
            async with turn:
                return self._remembered(pair, credential) or await self._prove(
                    credential, pair, password=password, counted=self._counted(name, source)
                )

        return await self._callers.admit(
            Lookup("password", name),
            match=match,
            mismatch="credential_unknown",
            rate_limit_per_minute=rate_limit_per_minute,
        )

    async def _prove(
        self,
        credential: Credential | None,
        pair: bytes,
        *,
        password: str,
        counted: Sequence[Counted],
    ) -> Secret | None:
        """The valid secret that matches the password; takes the same time without a credential."""
        try:
            self._guesses.begin(counted, now=self._callers.clock.now())
        except Unavailable:
            log.warning("password held back", channel=self._callers.channel)
            raise
        secrets = [s for s in credential.secrets if self._callers.is_live(s)] if credential else []
        for secret in secrets:
            if await self._hasher.verify(password, known=secret.value.decode()):
                self._guesses.forgive(counted)
                self._remember(pair, secret)
                return secret
        if not secrets:
            await self._hasher.verify(password, known=None)
        log.warning("password refused", channel=self._callers.channel)
        return None

    def _remembered(self, pair: bytes, credential: Credential | None) -> Secret | None:
        secret_id, until = self._proofs.get(pair, (0, None))
        if credential is None or until is None:
            return None
        if not until - PROOF_KEPT <= self._callers.clock.now() < until:
            return None
        live = (s for s in credential.secrets if s.id == secret_id and self._callers.is_live(s))
        return next(live, None)

    def _remember(self, pair: bytes, secret: Secret) -> None:
        self._proofs[pair] = (secret.id, self._callers.clock.now() + PROOF_KEPT)
        self._proofs.move_to_end(pair)
        if len(self._proofs) > _PROOFS_MAX:
            self._proofs.popitem(last=False)

    def _counted(self, name: str, source: str) -> tuple[Counted, ...]:
        """The counts: the name from this source, the source for all names, the name from all sources."""
        source = caller_network(source)
        if not source:
            return (Counted(f"name {name}", self._free),)
        return (
            Counted(f"pair {source} {name}", self._free),
            Counted(f"source {source}", self._free * SOURCE_SHARE),
            Counted(f"name {name}", self._free * NAME_SHARE),
        )


def _can_be_name(text: str) -> bool:
    return 0 < len(text) <= _NAME_LENGTH_MAX and text.isprintable()
