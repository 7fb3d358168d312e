"""What the console's home shows of a shop, and how far a new shop is; both only read."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.stock import COUNT_LOW

DAYS: Final = 7


class ChannelSales(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel sold today and in the last DAYS days, today included; cancelled and test orders are left out."""

    channel: str
    orders_today: int
    today_minor: int
    orders: int
    total_minor: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the shop now.

    `low_stock` counts levels at or below their warning level, as `list_low` lists them. `event_lag_s` is the age of
    the oldest event without its number, `delivery_lag_s` how long the oldest due delivery has been due; 0 for none.
    """

    low_stock: int
    failed_deliveries: int
    event_lag_s: int
    delivery_lag_s: int


class FirstSteps(msgspec.Struct, frozen=True, kw_only=True):
    """Which steps from an empty shop to a partner's first order are done."""

    sender: bool
    catalogue: bool
    stock: bool
    customer: bool
    partner: bool
    call: bool
    order: bool

    @property
    def done(self) -> int:
        """How many."""
        return sum(msgspec.structs.astuple(self))

    @property
    def are_over(self) -> bool:
        """Whether all are done."""
        return self.done == len(self.__struct_fields__)


async def read_sales(
    tx: Transaction, *, shop_id: int, time_zone: str, now: datetime
) -> list[ChannelSales]:
    """Sales by channel, the largest first; days begin at midnight of the time zone."""
    values = {"shop": shop_id, "zone": time_zone, "now": now, "since": now - timedelta(days=DAYS)}
    rows = await tx.all(_SALES, values)
    return [
        ChannelSales(**dict(zip(ChannelSales.__struct_fields__, row, strict=True))) for row in rows
    ]


async def read_overview(tx: Transaction, *, shop_id: int, now: datetime) -> Overview:
    """The state of the shop."""
    row = await tx.one(_OVERVIEW, {"shop": shop_id, "now": now})
    assert row is not None
    return Overview(**dict(zip(Overview.__struct_fields__, row, strict=True)))


async def read_first_steps(tx: Transaction, *, shop_id: int) -> FirstSteps:
    """How far the shop is."""
    row = await tx.one(_STEPS, {"shop": shop_id})
    assert row is not None
    return FirstSteps(**dict(zip(FirstSteps.__struct_fields__, row, strict=True)))


# The days come first, by their index: asked for together, all orders of the shop may be read for them.
_SALES: Final = """
    with recent as materialized (
        select shop_id, channel, total_minor, currency, fulfilment_state, is_test, parent_id, placed_at
        from orders where placed_at >= %(since)s),
    bounds as (
        select date_trunc('day', %(now)s at time zone %(zone)s) at time zone %(zone)s as today,
               (date_trunc('day', %(now)s at time zone %(zone)s) - interval '6 days') at time zone %(zone)s as since
    )
    select o.channel, count(*) filter (where o.placed_at >= b.today),
           coalesce(sum(o.total_minor) filter (where o.placed_at >= b.today), 0)::bigint,
           count(*), sum(o.total_minor)::bigint
    from recent o, bounds b
    where o.shop_id = %(shop)s and o.placed_at >= b.since
      and o.fulfilment_state <> 'cancelled' and not o.is_test and o.parent_id is null
      and o.currency = (select currency from shops where id = %(shop)s)
    group by o.channel order by 5 desc, 1
"""
_OVERVIEW: Final = f"""
    select ({COUNT_LOW}),
           (select count(*) from deliveries where shop_id = %(shop)s and status = 'failed'),
           coalesce((select extract(epoch from %(now)s - min(created_at)) from events
                     where shop_id = %(shop)s and sequence is null), 0)::bigint,
           greatest(coalesce((select extract(epoch from %(now)s - min(next_attempt_at)) from deliveries
                     where shop_id = %(shop)s and status in ('queued', 'sending')), 0), 0)::bigint
"""
_STEPS: Final = """
    select (select sender ->> 'postcode' <> '' and sender ->> 'city' <> '' and sender ? 'country'
            from shops where id = %(shop)s) is true,
           exists (select from variants where shop_id = %(shop)s),
           exists (select from stock_levels where shop_id = %(shop)s and on_hand > 0),
           exists (select from customers where shop_id = %(shop)s and deleted_at is null and active),
           exists (select from partners where shop_id = %(shop)s and active),
           exists (select from credential_secrets k join credentials c on c.id = k.credential_id
                   where c.shop_id = %(shop)s and k.last_used_at is not null),
           exists (select from orders where shop_id = %(shop)s and partner_id is not null)
"""
