"""List a shop's orders of all channels."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction

PAGE_MAX = 1_000


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order in a list."""

    id: int
    channel: str
    partner_id: int | None
    partner_order_id: str
    customer_id: int | None
    fulfilment_state: str
    payment_state: str
    currency: str
    total_minor: int
    placed_at: datetime


async def list_orders(
    tx: Transaction,
    *,
    shop_id: int,
    fulfilment_state: str | None = None,
    payment_state: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[OrderRow]:
    """At most `limit` (PAGE_MAX) orders, newest first; pass the last id as `before` for the next page."""
    rows = await tx.all(
        "select id, channel, partner_id, partner_order_id, customer_id, fulfilment_state, payment_state,"
        " currency, total_minor, placed_at from orders"
        " where shop_id = %(shop)s and (%(state)s::text is null or fulfilment_state = %(state)s)"
        " and (%(payment)s::text is null or payment_state = %(payment)s)"
        " and (%(before)s::bigint is null or id < %(before)s)"
        " order by id desc limit %(limit)s",
        {
            "shop": shop_id,
            "state": fulfilment_state,
            "payment": payment_state,
            "before": before,
            "limit": min(limit, PAGE_MAX),
        },
    )
    return [OrderRow(**dict(zip(OrderRow.__struct_fields__, row, strict=True))) for row in rows]
