"""List a shop's orders of all channels."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.paging import PlacePage
from crossdock.shop.orders.browsing import States
from crossdock.shop.orders.viewing import OrderView, read_orders

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


async def page_orders(
    tx: Transaction,
    *,
    shop_id: int,
    merchant_ids: Sequence[int] | None,
    page: PlacePage,
    states: Sequence[States] | None = None,
) -> list[OrderView]:
    """A page of a shop's orders of all channels with their lines, the newest first, one more than its size.

    Only orders of these merchants' goods alone (None: all), in one of these states. Ids grow with time, so that
    the page is found by them.
    """
    rows = await tx.all(
        _PAGE,
        {
            **page.bounds(),
            "shop": shop_id,
            "merchants": None if merchant_ids is None else list(merchant_ids),
            "payments": None if states is None else [payment for payment, _ in states],
            "fulfilments": None if states is None else [fulfilment for _, fulfilment in states],
        },
    )
    found = [order_id for (order_id,) in rows]
    if not found:
        return []
    return await read_orders(
        tx, shop_id=shop_id, order_ids=found, sections=("lines", "has_variants")
    )


_PAGE = """
    select o.id from orders o
    where o.shop_id = %(shop)s and o.id < %(after_id)s and o.id > %(before_id)s
      and (%(payments)s::text[] is null or (o.payment_state, o.fulfilment_state) in (
          select * from unnest(%(payments)s::text[], %(fulfilments)s::text[])))
      and (%(merchants)s::bigint[] is null or not exists (
          select 1 from order_parts p where p.shop_id = o.shop_id and p.order_id = o.id
            and not sees_merchant(%(merchants)s::bigint[], p.merchant_id)))
    order by o.id desc limit %(size)s
"""
