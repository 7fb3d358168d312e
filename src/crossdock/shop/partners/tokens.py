"""Authenticate by bearer token, of which only a hash is stored."""

import re

from crossdock.errors import Refused
from crossdock.kit.crypto import constant_time_equal, hash_key
from crossdock.shop.partners.callers import Ask, Callers, Lookup
from crossdock.shop.partners.model import Credential, Secret

_WINDOW_S, _PACED_S = 60, 1
_SHAPE = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}", re.ASCII)


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
