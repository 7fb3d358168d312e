"""The webhooks of all channels side by side, and pauses by hand."""

from datetime import datetime
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound

SINGLE_MAX: Final = 200


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription of any channel, without its secret. It is told of nothing while `paused_at` is set.

    One with an `invoice_id` hears of that invoice alone.
    """

    id: int
    channel: str
    url: str
    names: list[str]
    invoice_id: int | None
    paused_at: datetime | None
    failing_since: datetime | None
    created_at: datetime


async def list_webhook_endpoints(tx: Transaction, *, shop_id: int) -> list[WebhookEndpoint]:
    """The shop's webhooks of all channels, the newest first; a channel bounds how many it has.

    After them those of a single invoice that are paused, at most SINGLE_MAX; others of these are in no list.
    """
    rows = await tx.all(_ENDPOINTS, {"shop": shop_id, "most": SINGLE_MAX})
    names = WebhookEndpoint.__struct_fields__
    return [WebhookEndpoint(**dict(zip(names, row, strict=True))) for row in rows]


async def pause_webhook(
    tx: Transaction, *, shop_id: int, subscription_id: int, is_paused: bool, now: datetime
) -> None:
    """Pause a webhook or end its pause. What happens meanwhile is not queued, and stands in the channel's feed.

    Raises NotFound `not_found`.
    """
    changed = await tx.run(
        """update webhook_subscriptions
           set paused_at = case when %(paused)s then coalesce(paused_at, %(now)s) end, updated_at = %(now)s,
               failing_since = case when %(paused)s then failing_since end,
               last_failed_at = case when %(paused)s then last_failed_at end
           where shop_id = %(shop)s and id = %(id)s and deleted_at is null""",
        {"shop": shop_id, "id": subscription_id, "paused": is_paused, "now": now},
    )
    if not changed:
        raise NotFound("not_found", f"There is no webhook {subscription_id}.")


_ENDPOINTS = """
    select * from (
    select id, channel, url, names, invoice_id, paused_at, failing_since, created_at
    from webhook_subscriptions where shop_id = %(shop)s and deleted_at is null and invoice_id is null
    union all (
        select id, channel, url, names, invoice_id, paused_at, failing_since, created_at
        from webhook_subscriptions
        where shop_id = %(shop)s and deleted_at is null and invoice_id is not null and paused_at is not null
        order by id desc limit %(most)s)) w
    order by w.invoice_id is not null, w.id desc
"""
