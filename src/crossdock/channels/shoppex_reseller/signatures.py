"""The headers of a webhook's call, and its two signatures (spec sections 11.4, 11.5).

The second is `v1,t=<seconds>,h=<hex>`: HMAC-SHA256 with the secret over 'id.seconds.body'. The first is
HMAC-SHA512 over the body alone; it is sent for receivers that know no other. Bodies have no escaped
slashes, so that its variant for receivers that undo them is the same.
"""

import hashlib
import hmac

from crossdock.shop.webhooks import Attempt

USER_AGENT = "Shoppex-Webhook/1.0"
HIDDEN = frozenset(
    {"x-shoppex-signature", "x-shoppex-signature-v2", "x-shoppex-unescaped-signature"}
)
"""Headers that the log does not keep."""


def sign(attempt: Attempt) -> dict[str, str]:
    """The headers of one call."""
    timestamp = int(attempt.now.timestamp())
    legacy = legacy_signature(attempt.secret, body=attempt.body)
    digest = signature(
        attempt.secret,
        delivery_id=attempt.delivery_id,
        timestamp=timestamp,
        body=attempt.body,
    )
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Shoppex-Event": attempt.name,
        "X-Shoppex-Delivery": attempt.delivery_id,
        "X-Shoppex-Timestamp": str(timestamp),
        "X-Shoppex-Signature-V2": f"v1,t={timestamp},h={digest}",
        "X-Shoppex-Signature-V2-Algorithm": "HMAC-SHA256",
        "X-Shoppex-Signature": legacy,
        "X-Shoppex-Unescaped-Signature": legacy,
    }


def signature(secret: str, *, delivery_id: str, timestamp: int, body: bytes) -> str:
    """The `h` of the second scheme."""
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def legacy_signature(secret: str, *, body: bytes) -> str:
    """The first scheme."""
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()
