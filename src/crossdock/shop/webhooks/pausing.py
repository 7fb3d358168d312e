"""The webhooks of all channels side by side, and pauses by hand."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription of any channel, without its secret. It is told of nothing while `paused_at` is set."""

    id: int
    channel: str
    url: str
    names: list[str]
    paused_at: datetime | None
    failing_since: datetime | None
    created_at: datetime


async def list_webhook_endpoints(tx: Transaction, *, shop_id: int) -> list[WebhookEndpoint]:
    """The shop's webhooks of all channels, the newest first; a channel bounds how many it has.

    Those of a single invoice are in no list.
    """
    rows = await tx.all(
        "select id, channel, url, names, paused_at, failing_since, created_at from webhook_subscriptions"
        " where shop_id = %s and deleted_at is null and invoice_id is null order by id desc",
        (shop_id,),
    )
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
