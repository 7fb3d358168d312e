"""Authentication: read the four headers, build the canonical message, verify it (spec section 2)."""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from crossdock.channels.shoppex_partner.errors import WireError
from crossdock.channels.shoppex_partner.settings import ShoppexPartnerSettings
from crossdock.errors import Refused
from crossdock.kit.clock import Clock
from crossdock.kit.languages import english
from crossdock.shop.partners import Credential, Signatures, Spend, Spending

KEY, TIMESTAMP, NONCE, SIGNATURE = (
    b"x-shoppex-key",
    b"x-shoppex-timestamp",
    b"x-shoppex-nonce",
    b"x-shoppex-signature",
)
HEADER_NAMES = {
    KEY: "X-Shoppex-Key",
    TIMESTAMP: "X-Shoppex-Timestamp",
    NONCE: "X-Shoppex-Nonce",
    SIGNATURE: "X-Shoppex-Signature",
}
KEY_LENGTH_MAX = 128
NONCE_LENGTH_MAX = 255
KEY_SYNTAX = re.compile(rf"[A-Za-z0-9_-]{{1,{KEY_LENGTH_MAX}}}")
_TIMESTAMP_SYNTAX = re.compile(r"[0-9]{10}", re.ASCII)
NONCE_SYNTAX = re.compile(
    rf"[\x21-\x7e]{{1,{NONCE_LENGTH_MAX}}}"
)  # the seed gives none: base64 and {GUID} are sent

RawHeaders = Iterable[tuple[bytes, bytes]]


class SignedHeaders(msgspec.Struct, frozen=True):
    """The four headers as received, stripped."""

    key: str
    timestamp: str
    nonce: str
    signature: str


class Authenticator:
    """Authenticates requests of this channel."""

    def __init__(
        self,
        signatures: Signatures,
        *,
        clock: Clock,
        settings: ShoppexPartnerSettings,
        rate_limit_per_minute: int,
    ) -> None:
        self._signatures = signatures
        self._clock = clock
        self._settings = settings
        self._rate_limit_per_minute = rate_limit_per_minute

    async def authenticate(
        self,
        *,
        method: str,
        route: str,
        headers: RawHeaders,
        body: bytes,
        spend: Spend | None = None,
    ) -> Credential:
        """The caller's credential; its nonce is spent. For `spend` see Signatures.verify.

        The checks run in the order of spec 2.5. Raises WireError for headers and timestamp, Refused for
        key, signature and nonce; all of them are 401.
        """
        try:
            signed = read_headers(headers)
            check_timestamp(
                signed.timestamp, now=self._clock.now(), window_s=self._settings.signature_window_s
            )
        except WireError as error:
            await self._signatures.note_refused(key_of(headers), _VERDICTS[error.wire_code])
            raise
        if not KEY_SYNTAX.fullmatch(signed.key):
            raise Refused("credential_unknown")
        return await self._signatures.verify(
            public_key=signed.key,
            sign=signer(canonical_message(method, route, signed, body)),
            signature=signed.signature,
            nonce=signed.nonce,
            nonce_ttl_s=self._settings.nonce_ttl_s,
            rate_limit_per_minute=self._rate_limit_per_minute,
            spend=spend,
            mistakes=lambda: mistakes(method, route, signed, body),
        )

    async def spend_early(self, spending: Spending) -> str:
        """Spend a nonce by itself, without waiting for the disk."""
        return await self._signatures.spend_early(spending)

    async def settle(self) -> None:
        """Wait until every nonce spent so far is durable."""
        await self._signatures.settle()


_VERDICTS = {
    "partner_auth_missing_headers": english(
        "One of the four headers is missing, empty, sent twice or malformed."
    ),
    "partner_auth_invalid_timestamp": english("The timestamp is no Unix time in whole seconds."),
    "partner_auth_expired_timestamp": english(
        "The timestamp is too far from the server's time: the partner's clock is wrong, or the call was sent late."
    ),
}


def key_of(headers: RawHeaders) -> str:
    """The key that a call names, '' for none."""
    named = [value.decode("latin-1").strip(" \t") for name, value in headers if name == KEY]
    return named[0] if named and KEY_SYNTAX.fullmatch(named[0]) else ""


def require(credential: Credential, permission: str) -> None:
    """Raise Refused `permission_denied` unless the partner has the permission."""
    if permission not in credential.partner.permissions:
        raise Refused("permission_denied", data={"permission": permission})


def read_headers(headers: RawHeaders) -> SignedHeaders:
    """The four headers; an absent, empty, repeated or malformed one counts as missing."""
    found: dict[bytes, str] = {}
    repeated = set()
    for name, value in headers:
        if name in HEADER_NAMES:
            if name in found:
                repeated.add(name)
            found[name] = value.decode("latin-1").strip(" \t")
    missing = [
        text for name, text in HEADER_NAMES.items() if not found.get(name) or name in repeated
    ]
    if not missing and not NONCE_SYNTAX.fullmatch(found[NONCE]):
        missing = [HEADER_NAMES[NONCE]]
    if missing:
        raise WireError(
            "partner_auth_missing_headers",
            f"Missing, empty, repeated or malformed: {', '.join(missing)}.",
        )
    return SignedHeaders(found[KEY], found[TIMESTAMP], found[NONCE], found[SIGNATURE])


def check_timestamp(text: str, *, now: datetime, window_s: int) -> None:
    """Raise WireError unless `text` is Unix seconds within the window (inclusive)."""
    if not _TIMESTAMP_SYNTAX.fullmatch(text):
        raise WireError("partner_auth_invalid_timestamp")
    if abs(int(now.timestamp()) - int(text)) > window_s:
        raise WireError("partner_auth_expired_timestamp")


def canonical_message(method: str, route: str, signed: SignedHeaders, body: bytes) -> bytes:
    """The signed message: five lines without a trailing newline, the last the hash of the raw body."""
    body_hash = hashlib.sha256(body).hexdigest()
    message = f"{method}\n{route}\n{signed.timestamp}\n{signed.nonce}\n{body_hash}"
    return message.encode("latin-1")


def mistakes(
    method: str, route: str, signed: SignedHeaders, body: bytes
) -> list[tuple[str, Callable[[bytes], str]]]:
    """Common mistakes in signing, each with the signature that it makes."""
    right = canonical_message(method, route, signed, body)

    def message(*, route: str = route, body: bytes = body) -> bytes:
        return canonical_message(method, route, signed, body)

    tried = [
        (english("The signed route begins with /wp-json."), message(route="/wp-json" + route)),
        (english("The signed route ends with a slash."), message(route=route + "/")),
        (english("The signed message ends with a newline."), right + b"\n"),
        (english("The signed body is empty, the sent one is not."), message(body=b"")),
        (
            english("The signed body lacks the newline at the end of the sent one."),
            message(body=body.rstrip(b"\r\n")),
        ),
        (
            english("The signed body has a newline at its end, the sent one has not."),
            message(body=body + b"\n"),
        ),
        (
            english("The signed method is in lower case."),
            canonical_message(method.lower(), route, signed, body),
        ),
    ]
    return [(text, signer(each)) for text, each in tried if each != right]


def signer(message: bytes) -> Callable[[bytes], str]:
    """A function from a secret to the correct signature of `message`, lower-case hex."""
    return lambda secret: hmac.new(secret, message, hashlib.sha256).hexdigest()
