"""The log of a channel's webhook deliveries, test deliveries, repeats by hand, and the end of a pause."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.shop.deliveries import (
    LoggedDelivery,
    page_deliveries,
    queue_delivery,
    repeat_delivery,
    resend_failed,
)
from crossdock.shop.webhooks.calling import IS_TEST
from crossdock.shop.webhooks.dialect import Dialect, Message
from crossdock.shop.webhooks.relaying import call_payload
from crossdock.shop.webhooks.subscribing import Subscription, read_subscription


class LoggedWebhook(LoggedDelivery, frozen=True, kw_only=True):
    """A delivery with the URL of its subscription as it is now, and the id of the delivery on the wire."""

    url: str
    wire_id: str


async def page_webhook_log(
    tx: Transaction,
    *,
    dialect: Dialect,
    shop_id: int,
    subscription_id: int | None = None,
    name: str | None = None,
    statuses: tuple[str, ...] | None = None,
    delivery_id: int | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[LoggedWebhook], int]:
    """Deliveries, newest first, and how many there are in all."""
    rows, total = await page_deliveries(
        tx,
        shop_id=shop_id,
        kind=dialect.kind,
        target=None if subscription_id is None else str(subscription_id),
        statuses=statuses,
        holding=None if name is None else {"event": name},
        delivery_id=delivery_id,
        limit=limit,
        offset=offset,
    )
    targets = sorted({int(row.target) for row in rows})
    found = await tx.all(
        "select w.id, w.url, s.id_key from webhook_subscriptions w join shops s on s.id = w.shop_id"
        " where w.shop_id = %s and w.id = any(%s)",
        (shop_id, targets),
    )
    known = {str(target): (url, key) for target, url, key in found}
    logged = []
    for row in rows:
        url, key = known[row.target]
        facts = {field: getattr(row, field) for field in LoggedDelivery.__struct_fields__}
        wire_id = dialect.wire_id(key, delivery_id=row.id)
        logged.append(LoggedWebhook(**facts, url=url, wire_id=wire_id))
    return logged, total


async def read_logged_webhook(
    tx: Transaction, *, dialect: Dialect, shop_id: int, delivery_id: int
) -> LoggedWebhook:
    """One delivery. Raises NotFound `not_found`."""
    rows, _ = await page_webhook_log(tx, dialect=dialect, shop_id=shop_id, delivery_id=delivery_id)
    if not rows:
        raise NotFound("not_found", f"There is no delivery {delivery_id}.")
    return rows[0]


async def send_test(
    tx: Transaction,
    *,
    dialect: Dialect,
    shop_id: int,
    subscription_id: int,
    name: str | None = None,
    now: datetime,
) -> int:
    """Queue a delivery with made-up data, to a paused subscription as well; the delivery's number.

    Without a name it is the first that the subscription hears. Raises NotFound `not_found`, Invalid
    `invalid_input` for a name that there is not.
    """
    subscription = await read_subscription(
        tx, dialect=dialect, shop_id=shop_id, subscription_id=subscription_id
    )
    name = subscription.names[0] if name is None else name
    if name not in dialect.names:
        raise Invalid("invalid_input", f"there is no event {name!r}", {"field": "event"})
    message = Message(name=name, data=dialect.sample(name, now=now), happened_at=now)
    delivery_id = await queue_delivery(
        tx,
        shop_id=shop_id,
        kind=dialect.kind,
        target=str(subscription_id),
        subject_id=None,
        payload={**call_payload(message), IS_TEST: True},
        now=now,
    )
    return int(delivery_id or 0)


async def retry_webhook(
    tx: Transaction, *, dialect: Dialect, shop_id: int, delivery_id: int, now: datetime
) -> LoggedWebhook:
    """Send a delivery again under its id, whether it arrived or failed; one that waits is left.

    Raises NotFound `not_found`, Refused `order_state` for one that was withdrawn.
    """
    await repeat_delivery(tx, shop_id=shop_id, kind=dialect.kind, delivery_id=delivery_id, now=now)
    return await read_logged_webhook(tx, dialect=dialect, shop_id=shop_id, delivery_id=delivery_id)


async def resume_webhook(
    tx: Transaction,
    *,
    dialect: Dialect,
    shop_id: int,
    subscription_id: int,
    resends: bool = False,
    now: datetime,
) -> tuple[Subscription, list[int]]:
    """End a pause; with `resends` also queue again what failed. The subscription, and what was queued.

    What happened during the pause was not queued and stands in the feed. Raises NotFound `not_found`.
    """
    await tx.run(
        "update webhook_subscriptions set paused_at = null, failing_since = null, last_failed_at = null,"
        " updated_at = %s where shop_id = %s and channel = %s and id = %s and deleted_at is null",
        (now, shop_id, dialect.channel, subscription_id),
    )
    subscription = await read_subscription(
        tx, dialect=dialect, shop_id=shop_id, subscription_id=subscription_id
    )
    resent: list[int] = []
    if resends:
        resent = await resend_failed(
            tx, shop_id=shop_id, now=now, kind=dialect.kind, target=str(subscription_id)
        )
    return subscription, resent
