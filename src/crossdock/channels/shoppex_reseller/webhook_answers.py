"""What is told of webhooks and their deliveries."""

from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.wire import seconds
from crossdock.shop.webhooks import LoggedWebhook, Subscription

STATUSES: Final = {
    "PENDING": ("queued", "sending"),
    "SUCCESS": ("sent",),
    "FAILED": ("failed", "withdrawn"),
}
"""The statuses of the log, and those of deliveries that each stands for."""

_SHOWN: Final = {kept: shown.lower() for shown, statuses in STATUSES.items() for kept in statuses}


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription; `paused_at` is set while nothing is sent to it.

    One with a `payment_uniqid` hears of that payment alone.
    """

    id: str
    uniqid: str
    url: str
    events: list[str]
    payment_uniqid: str | None
    paused_at: int | None
    created_at: int | None
    updated_at: int | None


class NewWebhook(Webhook, frozen=True, kw_only=True):
    """A subscription with the secret that signs its calls, which no later answer has: null in a repeated one."""

    secret: str | None


class WebhookLog(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery; from `request_headers` on it is about the last attempt. Signatures are hidden."""

    id: str
    uniqid: str
    delivery_id: str
    webhook_uniqid: str
    event_type: str
    url: str
    payload: dict[str, Any]
    status: str
    attempt: int
    request_headers: dict[str, str] | None
    response: str
    response_headers: dict[str, str] | None
    status_code: int | None
    duration_ms: int | None
    error_message: str | None
    created_at: int | None
    delivered_at: int | None


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, by its number in the shop."""

    sequence: int
    event: str
    data: dict[str, Any]
    created_at: int | None


class Queued(msgspec.Struct, frozen=True):
    """What became of a test."""

    message: str


def _facts(webhook: Subscription, ids: WireIds) -> dict[str, Any]:
    own_id, invoice = ids.write(Kind.WEBHOOK, webhook.id), webhook.invoice_id
    return {
        "id": own_id,
        "uniqid": own_id,
        "url": webhook.url,
        "events": webhook.names,
        "payment_uniqid": None if invoice is None else ids.write(Kind.INVOICE, invoice),
        "paused_at": seconds(webhook.paused_at),
        "created_at": seconds(webhook.created_at),
        "updated_at": seconds(webhook.updated_at),
    }


def shown(webhook: Subscription, ids: WireIds) -> Webhook:
    """A subscription as it is told."""
    return Webhook(**_facts(webhook, ids))


def with_secret(webhook: Subscription, secret: str, ids: WireIds) -> NewWebhook:
    """A subscription with its new secret."""
    return NewWebhook(**_facts(webhook, ids), secret=secret)


def logged(row: LoggedWebhook, ids: WireIds) -> WebhookLog:
    """A delivery as the log tells it."""
    own_id = ids.write(Kind.WEBHOOK_LOG, row.id)
    return WebhookLog(
        id=own_id,
        uniqid=own_id,
        delivery_id=row.wire_id,
        webhook_uniqid=ids.write(Kind.WEBHOOK, int(row.target)),
        event_type=row.payload["event"],
        url=row.url,
        payload={name: row.payload[name] for name in ("event", "data", "created_at")},
        status=_SHOWN[row.status],
        attempt=row.attempts,
        request_headers=row.request_headers,
        response=row.answer,
        response_headers=row.answer_headers,
        status_code=row.http_status,
        duration_ms=row.took_ms,
        error_message=row.last_error or None,
        created_at=seconds(row.queued_at),
        delivered_at=seconds(row.sent_at),
    )
