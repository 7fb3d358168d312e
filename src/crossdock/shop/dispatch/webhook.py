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

from typing import Any

import msgspec

from crossdock.kit.clock import Clock
from crossdock.kit.numbers import read_number
from crossdock.kit.outbound import Answer, Outbound, OutboundError, Refused
from crossdock.kit.webhooks import secret_bytes, signed_headers
from crossdock.shop.deliveries import Permanent, Retryable, Sent
from crossdock.shop.dispatch.contract import DispatchOrder

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
        headers = {
            "Content-Type": "application/json",
            **signed_headers(self._key, message_id=message_id, now=self._clock.now(), body=content),
        }
        try:
            return await self._outbound.request(
                "POST", self._settings.url, headers=headers, content=content
            )
        except Refused as error:
            raise Permanent(str(error)) from error
        except OutboundError as error:
            raise Retryable(str(error)) from error


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
    return min(read_number(text) or 0, _RETRY_AFTER_MAX_S)
