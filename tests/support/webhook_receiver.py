"""A merchant's server that takes webhooks and believes only what is signed (spec section 11.5)."""

import hashlib
import hmac
import re

from tests.support.hooked import Receiver
from tests.support.simulators.http import Request

_SIGNED = re.compile(r"v1,t=(\d+),h=([0-9a-f]{64})")
TOLERANCE_S = 300


def refusal_of(request: Request, *, secret: str, now: float) -> str:
    """Why a receiver with this secret does not believe the request; '' if it does."""
    headers = request.headers
    found = _SIGNED.fullmatch(headers.get("x-shoppex-signature-v2", ""))
    if not found:
        return "there is no v1 signature"
    timestamp, digest = found.groups()
    if timestamp != headers.get("x-shoppex-timestamp"):
        return "the times differ"
    if abs(now - int(timestamp)) > TOLERANCE_S:
        return "it is too old"
    signed = f"{headers['x-shoppex-delivery']}.{timestamp}.".encode() + request.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, digest):
        return "the signature is another's"
    legacy = hmac.new(secret.encode(), request.body, hashlib.sha512).hexdigest()
    if not hmac.compare_digest(legacy, headers["x-shoppex-signature"]):
        return "the first signature is another's"
    return ""


class MerchantServer(Receiver):
    """Keeps what arrives."""

    def ids(self) -> list[str]:
        """The ids of the deliveries that arrived, in order."""
        return [request.headers["x-shoppex-delivery"] for request in self.requests]

    def names(self) -> list[str]:
        """The events that arrived, in order."""
        return [request.headers["x-shoppex-event"] for request in self.requests]
