"""Signs requests as a partner does, for examples and the sandbox."""

import msgspec

from crossdock.channels.shoppex_partner.auth import SignedHeaders, canonical_message, signer
from crossdock.channels.shoppex_partner.explain import ROUTES

_REST = "/wp-json"


class SignedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A signed request: the path after the base URL, and the headers."""

    path: str
    headers: dict[str, str]


def sign_request(
    *, key: str, secret: bytes, method: str, timestamp: int, nonce: str, body: bytes
) -> SignedCall:
    """Sign a request (GET lists products, POST creates an order) as in spec 2.3."""
    route = ROUTES[method]
    signed = SignedHeaders(key, str(timestamp), nonce, "")
    message = canonical_message(method, route, signed, body)
    headers = {
        "Content-Type": "application/json",
        "X-Shoppex-Key": key,
        "X-Shoppex-Timestamp": str(timestamp),
        "X-Shoppex-Nonce": nonce,
        "X-Shoppex-Signature": signer(message)(secret),
    }
    return SignedCall(path=_REST + route, headers=headers)
