"""Authenticate by bearer token, of which only a hash is stored."""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from crossdock.errors import Refused, Unavailable
from crossdock.kit.crypto import constant_time_equal, hash_key
from crossdock.shop.partners.callers import Ask, Callers, Lookup
from crossdock.shop.partners.model import Credential, Secret

_WINDOW_S, _PACED_S = 60, 1
_SHAPE = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}", re.ASCII)
_SLACK = timedelta(milliseconds=1)


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's limit: calls a minute, how many it may send at once now, when it may send all of them again."""

    per_minute: int
    left: int
    full_at: datetime


class Metered(NamedTuple):
    """A caller that was let in; `meter` None has no limit.

    `goods_version`, None where it was not asked for, is that of the shop's goods; `moved_version` also changes when
    stock moves without a change of what can be sold, as when it is shipped.
    """

    credential: Credential
    meter: Meter | None
    goods_version: int | None
    moved_version: int = 0


class BearerTokens:
    """Callers with a bearer token; all tokens of the channel begin with `prefix`."""

    def __init__(self, callers: Callers, *, prefix: str = "") -> None:
        self._callers = callers
        self._prefix = prefix

    async def verify(
        self,
        *,
        token: str,
        rate_limit_per_minute: int,
        key: str | None = None,
        burst: int | None = None,
    ) -> Credential:
        """The credential with this token, its call counted.

        Pass `key` if the protocol also sends the token's key. With `burst` calls are let through
        steadily, so many at once after a pause, instead of so many in each minute. Raises Refused
        with credential_unknown, credential_signature for a valid token of another key,
        credential_stale if the partner changed twice meanwhile, and Unavailable rate_limited.
        """

        async def confirm(credential: Credential, limit: int) -> str:
            return await self._callers.confirm_paced(credential, limit, burst=burst or 1)

        return await self._admit(
            token,
            key=key,
            rate_limit_per_minute=rate_limit_per_minute,
            ask=None if burst is None else confirm,
            retry_after_s=_WINDOW_S if burst is None else _PACED_S,
        )

    async def verify_reader(
        self,
        *,
        token: str,
        rate_limit_per_minute: int,
        key: str | None = None,
        burst: int | None = None,
    ) -> tuple[Credential, int]:
        """`verify`, and the version of the shop's goods when the call was let in; one statement tells both."""
        version = 0

        async def confirm(credential: Credential, limit: int) -> str:
            nonlocal version
            if burst is None:
                outcome, version = await self._callers.confirm_reader(credential, limit)
            else:
                outcome, version = await self._callers.confirm_paced_reader(
                    credential, limit, burst=burst
                )
            return outcome

        credential = await self._admit(
            token,
            key=key,
            rate_limit_per_minute=rate_limit_per_minute,
            ask=confirm,
            retry_after_s=_WINDOW_S if burst is None else _PACED_S,
        )
        return credential, version

    async def verify_metered(
        self, *, token: str, rate_limit_per_minute: int, burst: int, reads_goods: bool = False
    ) -> Metered:
        """`verify` with a burst, and what is left of the limit.

        With `reads_goods` the same statement tells the versions of the shop's goods. A refusal for too many
        calls has the meter in its data.
        """
        limited, busy_until, version, moved = 0, None, None, 0

        async def confirm(credential: Credential, limit: int) -> str:
            nonlocal limited, busy_until, version, moved
            limited = limit
            if reads_goods:
                outcome, busy_until, version, moved = await self._callers.confirm_metered_reader(
                    credential, limit, burst=burst
                )
            else:
                outcome, busy_until = await self._callers.confirm_metered(
                    credential, limit, burst=burst
                )
            return outcome

        try:
            credential = await self._admit(
                token,
                rate_limit_per_minute=rate_limit_per_minute,
                ask=confirm,
                retry_after_s=_PACED_S,
            )
        except Unavailable as limit_met:
            if busy_until is not None:
                limit_met.data["meter"] = self._meter(limited, burst, busy_until)
            raise
        meter = self._meter(limited, burst, busy_until) if busy_until else None
        return Metered(credential, meter, version, moved)

    def _meter(self, per_minute: int, burst: int, busy_until: datetime) -> Meter:
        """What is left of a burst whose calls keep the caller busy until then."""
        each = timedelta(minutes=1) / per_minute
        busy = max(busy_until - self._callers.clock.now(), timedelta())
        left = (each * burst - busy + _SLACK) // each
        return Meter(per_minute=per_minute, left=max(0, min(burst, left)), full_at=busy_until)

    async def _admit(
        self,
        token: str,
        *,
        rate_limit_per_minute: int,
        ask: Ask | None,
        key: str | None = None,
        retry_after_s: int = _WINDOW_S,
    ) -> Credential:
        if not token.startswith(self._prefix) or not _SHAPE.fullmatch(token):
            raise Refused("credential_unknown")
        token_hash = hash_key(token)

        async def match(credential: Credential | None) -> Secret | None:
            return self._match(credential, token_hash, key=key)

        return await self._callers.admit(
            Lookup("bearer", token_hash),
            match=match,
            mismatch="credential_unknown",
            rate_limit_per_minute=rate_limit_per_minute,
            ask=ask,
            retry_after_s=retry_after_s,
        )

    def is_familiar(self, token: str) -> bool:
        """Whether this process has let in a call with this token lately; nothing is asked, nothing counted."""
        return self._callers.is_cached(Lookup("bearer", hash_key(token)))

    async def is_disabled(self, token: str) -> bool:
        """Whether a token that `verify` does not know is one of a disabled key or partner."""
        if not token.startswith(self._prefix) or not _SHAPE.fullmatch(token):
            return False
        return await self._callers.is_disabled(hash_key(token))

    def _match(
        self, credential: Credential | None, token_hash: bytes, *, key: str | None
    ) -> Secret | None:
        """The valid secret with this hash; compares with all of them."""
        if credential is None:
            return None
        found = None
        for secret in credential.secrets:
            right = constant_time_equal(secret.value, token_hash)
            if right and self._callers.is_live(secret):
                found = secret
        is_own = key is None or constant_time_equal(key, credential.public_key)
        if found and not is_own:
            raise Refused("credential_signature", "The token belongs to another key.")
        return found
