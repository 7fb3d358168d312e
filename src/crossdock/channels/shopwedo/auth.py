"""Authentication by the token in the body (spec section 3)."""

import hashlib
import hmac
import math
import re
from collections.abc import Callable
from datetime import datetime

import msgspec

from crossdock.channels.shopwedo.errors import WireError
from crossdock.errors import Refused
from crossdock.kit.clock import Clock
from crossdock.kit.languages import english
from crossdock.shop.partners import Credential, Partner, Signatures

AGE_MAX_S = 900
_SHOP_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?([eE]\+?[0-9]{1,2})?", re.ASCII)
LENGTH_MAX = 256


class AuthObject(msgspec.Struct, frozen=True):
    """The four properties, each with the literal text that was sent and hashed."""

    shopid: str
    timestamp: str
    salt: str
    token: str


class Authenticator:
    """Authenticates calls of this channel."""

    def __init__(
        self, signatures: Signatures, *, clock: Clock, skew_s: int, rate_limit_per_minute: int
    ) -> None:
        self._signatures = signatures
        self._clock = clock
        self._skew_s = skew_s
        self._rate_limit_per_minute = rate_limit_per_minute

    async def authenticate(self, auth: dict[str, str]) -> Credential:
        """The caller's credential. Raises WireError or Refused; all of them are 401.

        With the partner's setting `replay_cache`, each (shop id, timestamp, salt) is accepted once. By
        default a salt may be repeated, because clients of this API reuse them.
        """
        try:
            found = read_auth(auth)
            check_timestamp(found.timestamp, now=self._clock.now(), skew_s=self._skew_s)
        except WireError as error:
            key = auth.get("shopid", "")
            if _SHOP_ID.fullmatch(key):
                await self._signatures.note_refused(key, _VERDICTS[error.word])
            raise
        # Joined as they are signed: the token is valid for any split of the two.
        nonce = hashlib.sha256(f"{found.timestamp}{found.salt}".encode()).hexdigest()
        return await self._signatures.verify(
            public_key=found.shopid,
            sign=signer(found),
            signature=found.token,
            nonce=nonce,
            nonce_ttl_s=2 * AGE_MAX_S,
            rate_limit_per_minute=self._rate_limit_per_minute,
            spends=_keeps_replay_cache,
            mistakes=lambda: mistakes(found),
        )


_VERDICTS = {
    "auth_invalid": english("The auth object is incomplete, or one of its values is malformed."),
    "auth_timestamp_in_future": english(
        "The timestamp is in the future: the partner's clock is fast."
    ),
    "auth_expired": english(
        "The timestamp is older than 15 minutes: the partner's clock is slow, or the call was sent late."
    ),
}


def _keeps_replay_cache(partner: Partner) -> bool:
    return partner.settings.get("replay_cache") is True


def read_auth(auth: dict[str, str]) -> AuthObject:
    """The auth object's properties. Raises WireError if one is missing or the shop id is not a number."""
    values = [auth.get(name, "") for name in AuthObject.__struct_fields__]
    if not all(values) or any(len(value) > LENGTH_MAX for value in values):
        raise WireError("auth_invalid", "shopid, timestamp, salt and token are needed")
    if any("\ud800" <= sign <= "\udfff" for value in values for sign in value):
        raise WireError("auth_invalid", "auth holds half a character")
    found = AuthObject(*values)
    if not _SHOP_ID.fullmatch(found.shopid):
        raise Refused("credential_unknown")
    return found


def check_timestamp(text: str, *, now: datetime, skew_s: float) -> None:
    """Refuse a timestamp older than 15 minutes or in the future; exactly 15 minutes is accepted."""
    if not _TIMESTAMP.fullmatch(text):
        raise WireError("auth_invalid", "timestamp must be Unix seconds")
    sent, current = float(text), now.timestamp()
    if sent > current + skew_s:
        raise WireError("auth_timestamp_in_future")
    if math.floor(current) - sent > AGE_MAX_S:
        raise WireError("auth_expired")


def mistakes(auth: AuthObject) -> list[tuple[str, Callable[[bytes], str]]]:
    """Common mistakes in making the token, each with the token that it makes."""
    shop, timestamp, salt = auth.shopid.encode(), auth.timestamp.encode(), auth.salt.encode()

    def made(*, kind: str, message: Callable[[bytes], bytes]) -> Callable[[bytes], str]:
        return lambda key: hmac.new(key, message(key), kind).hexdigest()

    def right(key: bytes) -> bytes:
        return shop + key + timestamp + salt

    return [
        (
            english("The token's text lacks the shop key."),
            made(kind="sha512", message=lambda _key: shop + timestamp + salt),
        ),
        (
            english("The token's text has the salt before the timestamp."),
            made(kind="sha512", message=lambda key: shop + key + salt + timestamp),
        ),
        (
            english("The token's text has no salt."),
            made(kind="sha512", message=lambda key: shop + key + timestamp),
        ),
        (
            english("The token is made with SHA-256 instead of SHA-512."),
            made(kind="sha256", message=right),
        ),
        (
            english("The token is a plain SHA-512, not an HMAC with the shop key."),
            lambda key: hashlib.sha512(right(key)).hexdigest(),
        ),
    ]


def signer(auth: AuthObject) -> Callable[[bytes], str]:
    """A function from the shop's key to the correct token, lower-case hex of HMAC-SHA512."""

    def sign(key: bytes) -> str:
        message = auth.shopid.encode() + key + auth.timestamp.encode() + auth.salt.encode()
        return hmac.new(key, message, hashlib.sha512).hexdigest()

    return sign
