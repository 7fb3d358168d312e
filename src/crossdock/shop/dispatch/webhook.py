"""Orders as signed JSON to a URL, in the manner of the Standard Webhooks specification.

Headers: `webhook-id` is the same for every attempt of one order, `webhook-timestamp` the attempt's
Unix time, `webhook-signature` is 'v1,' and the base64 of HMAC-SHA256 over 'id.timestamp.body'
with the bytes that the secret carries in base64 after 'whsec_'.

| answer | meaning |
|---|---|
| 2xx | sent; a JSON body with `id` names the order on the other side |
| 409 | sent: the receiver knows this id already |
| 408, 425, 429, 5xx, none | try again, not before `Retry-After` |
| 3xx | permanent: redirects are not followed |
| 410 and any other 4xx | permanent |
"""

import base64
import binascii
import hashlib
import hmac
from typing import Any

import msgspec

from crossdock.errors import Invalid
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.kit.outbound import Answer, Outbound, OutboundError, Refused
from crossdock.shop.deliveries import Permanent, Retryable, Sent
from crossdock.shop.dispatch.contract import DispatchOrder

# The public start of every secret.
SECRET_PREFIX = "whsec_"  # nosec B105
_TRY_AGAIN = frozenset({408, 425, 429})
_RETRY_AFTER_MAX_S = 86_400


class WebhookSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Where the orders go."""

    url: str


class WebhookConnector:
    """Posts each order to one URL."""

    def __init__(
        self, settings: WebhookSettings, *, secret: str, outbound: Outbound, clock: Clock
    ) -> None:
        self._settings = settings
        self._key = secret_bytes(secret)
        self._outbound = outbound
        self._clock = clock

    async def send(self, order: DispatchOrder) -> Sent:
        message_id = f"dispatch_{order.shop_id}_{order.reference}"
        answer = await self._post(message_id, _body(order))
        if answer.is_success or answer.status == 409:
            return Sent(_external_id(answer) or message_id, answer.status, answer.text())
        raise _failure(answer)

    async def test(self) -> str:
        answer = await self._post("dispatch_test", {"type": "dispatch.test", "data": {}})
        if not answer.is_success:
            raise _failure(answer)
        return f"the receiver answered {answer.status} to a signed message of type dispatch.test"

    async def _post(self, message_id: str, body: dict[str, Any]) -> Answer:
        content = msgspec.json.encode(body)
        timestamp = int(self._clock.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(
                self._key, message_id=message_id, timestamp=timestamp, body=content
            ),
        }
        try:
            return await self._outbound.request(
                "POST", self._settings.url, headers=headers, content=content
            )
        except Refused as error:
            raise Permanent(str(error)) from error
        except OutboundError as error:
            raise Retryable(str(error)) from error


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


def _body(order: DispatchOrder) -> dict[str, Any]:
    facts = msgspec.to_builtins(order)
    for inner in ("may_exist", "shop_id", "part"):
        facts.pop(inner)
    return {"type": "dispatch.order", "timestamp": facts["placed_at"], "data": facts}


def _external_id(answer: Answer) -> str:
    found = answer.json()
    value = found.get("id") if isinstance(found, dict) else None
    return str(value)[:200] if isinstance(value, str | int) else ""


def _failure(answer: Answer) -> Permanent | Retryable:
    message = f"the receiver answered {answer.status}: {answer.text()}"
    if answer.status in _TRY_AGAIN or answer.status >= 500:
        wait_s = _retry_after_s(answer)
        return Retryable(message, retry_after_s=wait_s, status=answer.status, answer=answer.text())
    return Permanent(message, status=answer.status, answer=answer.text())


def _retry_after_s(answer: Answer) -> int:
    text = answer.headers.get("retry-after", "")
    return min(int(text), _RETRY_AFTER_MAX_S) if text.isascii() and text.isdigit() else 0
