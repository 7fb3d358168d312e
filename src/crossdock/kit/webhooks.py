"""Signatures of outgoing messages, in the manner of the Standard Webhooks specification."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from crossdock.errors import Invalid
from crossdock.kit.ids import Ids

# The public start of every secret.
SECRET_PREFIX = "whsec_"  # nosec B105


def signed_headers(key: bytes, *, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message; the id is the same for every attempt, the time the attempt's."""
    timestamp = int(now.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(key, message_id=message_id, timestamp=timestamp, body=body),
    }


def sign(key: bytes, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` of one message."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def new_secret(ids: Ids) -> str:
    """A fresh signing secret: 'whsec_' and 32 random letters and digits in base64."""
    return SECRET_PREFIX + base64.b64encode(ids.random_token(32).encode()).decode()


def secret_bytes(secret: str) -> bytes:
    """The signing key in a secret. Raises Invalid `invalid_input` when it is not of the right form."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) < 24:
        raise Invalid("invalid_input", "a webhook secret is whsec_ and at least 24 bytes in base64")
    return key
