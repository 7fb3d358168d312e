"""Access tokens: what a caller gets for its name and password, good for a while (spec shoppable 8.1)."""

import re
from datetime import datetime, timedelta

import msgspec

from crossdock.errors import Refused
from crossdock.kit.crypto import constant_time_equal, hash_key
from crossdock.kit.ids import Ids
from crossdock.shop.partners.callers import Callers, Lookup
from crossdock.shop.partners.keeping import TOKEN_LENGTH
from crossdock.shop.partners.managing import touch_partner
from crossdock.shop.partners.model import Credential, Secret
from crossdock.shop.partners.passwords import Passwords

LIVE_MAX = 100
"""How many tokens of one credential are good at once; a further one ends the oldest."""

_SHAPE = re.compile(rf"[A-Za-z0-9]{{{TOKEN_LENGTH}}}")


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """A new token, which cannot be read again. Its repr hides it."""

    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"AccessToken(expires_at={self.expires_at})"


class AccessTokens:
    """Gives tokens to callers with name and password, and authenticates calls with them.

    Only a token's hash is stored. It ends after `ttl_s` seconds, and at once when its credential is
    disabled or one of that credential's passwords is revoked.
    """

    def __init__(self, callers: Callers, *, passwords: Passwords, ids: Ids, ttl_s: int) -> None:
        self._callers = callers
        self._passwords = passwords
        self._ids = ids
        self._ttl = timedelta(seconds=ttl_s)

    async def issue(
        self, *, name: str, password: str, rate_limit_per_minute: int, source: str = ""
    ) -> AccessToken:
        """A token for a correct pair. Raises as `Passwords.verify` does."""
        credential = await self._passwords.verify(
            name=name,
            password=password,
            rate_limit_per_minute=rate_limit_per_minute,
            source=source,
        )
        token, now = self._ids.random_token(TOKEN_LENGTH), self._callers.clock.now()
        issued = AccessToken(token=token, expires_at=now + self._ttl)
        values = {
            "hash": hash_key(token),
            "credential": credential.id,
            "now": now,
            "expires": issued.expires_at,
            "most": LIVE_MAX - 1,
        }
        async with self._callers.db.begin() as tx:
            if await tx.run(_END_OLDEST, values):  # no process takes them from its cache any more
                await touch_partner(tx, partner_id=credential.partner.id)
            await tx.run(_ADD, values)
        return issued

    async def verify(self, *, token: str, rate_limit_per_minute: int) -> Credential:
        """The credential that got this token, its call counted.

        Raises Refused with credential_unknown, also for a token that ended; credential_stale if the
        partner changed twice meanwhile, and Unavailable rate_limited.
        """
        if not _SHAPE.fullmatch(token):
            raise Refused("credential_unknown")
        token_hash = hash_key(token)

        async def match(credential: Credential | None) -> Secret | None:
            for secret in credential.secrets if credential else ():
                if constant_time_equal(secret.value, token_hash) and self._callers.is_live(secret):
                    return secret
            return None

        return await self._callers.admit(
            Lookup("access", token_hash),
            match=match,
            mismatch="credential_unknown",
            rate_limit_per_minute=rate_limit_per_minute,
        )


_END_OLDEST = """
    delete from access_tokens where token_hash in (
        select token_hash from access_tokens where credential_id = %(credential)s
        order by issued_at desc, token_hash offset %(most)s for update skip locked)
"""
_ADD = """
    insert into access_tokens (token_hash, credential_id, issued_at, expires_at)
    values (%(hash)s, %(credential)s, %(now)s, %(expires)s)
"""
