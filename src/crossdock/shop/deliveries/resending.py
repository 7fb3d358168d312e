"""Resend failed deliveries: one, or all of a time range."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused

RANGE_MAX = 100_000


async def resend_delivery(
    tx: Transaction, *, shop_id: int, delivery_id: int, now: datetime
) -> None:
    """Queue a failed delivery again; its sender first looks up what earlier attempts created.

    Raises Refused `order_state` for one that is sent, withdrawn, or still being tried.
    """
    found = await tx.all(
        _RESEND + " and id = %(id)s returning id", {"shop": shop_id, "now": now, "id": delivery_id}
    )
    if not found:
        raise Refused("order_state", "Only a failed delivery can be sent again.")


async def repeat_delivery(
    tx: Transaction, *, shop_id: int, kind: str, delivery_id: int, now: datetime
) -> bool:
    """Queue a delivery of this kind again whether it was sent or failed; False if it still waits.

    For kinds whose receivers drop what they know by its id. Raises NotFound `not_found`, Refused
    `order_state` for one that was withdrawn.
    """
    status = await tx.value(
        "select status from deliveries where shop_id = %s and kind = %s and id = %s for no key update",
        (shop_id, kind, delivery_id),
    )
    if status is None:
        raise NotFound("not_found", f"There is no delivery {delivery_id}.")
    if status == "withdrawn":
        raise Refused("order_state", "A withdrawn delivery cannot be sent again.")
    if status not in {"sent", "failed"}:
        return False
    await tx.run(_REPEAT, {"shop": shop_id, "id": delivery_id, "now": now})
    return True


async def resend_failed(
    tx: Transaction,
    *,
    shop_id: int,
    now: datetime,
    kind: str | None = None,
    target: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[int]:
    """Requeue the failed deliveries queued from `since` to before `until`; returns their ids.

    At most RANGE_MAX, oldest first. With `newest_wins`, a delivery that is older than the last one
    sent for its object is withdrawn when it is claimed.
    """
    rows = await tx.all(
        _RESEND + _IN_RANGE,
        {
            "shop": shop_id,
            "now": now,
            "kind": kind,
            "target": target,
            "since": since,
            "until": until,
            "limit": RANGE_MAX,
        },
    )
    return sorted(int(row[0]) for row in rows)


_RESEND = """
    update deliveries set status = 'queued', attempts = 0, next_attempt_at = least(%(now)s, now()),
           updated_at = %(now)s, last_error = case when last_error = '' then 'resent by hand' else last_error end
    where shop_id = %(shop)s and status = 'failed'
"""
_REPEAT = """
    update deliveries set status = 'queued', attempts = 0, next_attempt_at = least(%(now)s, now()), sent_at = null,
           updated_at = %(now)s, last_error = case when last_error = '' then 'resent by hand' else last_error end
    where shop_id = %(shop)s and id = %(id)s
"""
_IN_RANGE = """
    and id in (
        select id from deliveries
        where shop_id = %(shop)s and status = 'failed'
          and (%(kind)s::text is null or kind = %(kind)s) and (%(target)s::text is null or target = %(target)s)
          and (%(since)s::timestamptz is null or queued_at >= %(since)s)
          and (%(until)s::timestamptz is null or queued_at < %(until)s)
        order by id limit %(limit)s for no key update)
    returning id
"""
