"""Deliver the lines that are not shipped of orders that a warehouse sends: nobody picks them.

| of the order | its lines that are not shipped are delivered |
| --- | --- |
| nothing else is left | as soon as it is released |
| goods are left to be shipped | with the first package that leaves: until then all of it can be cancelled |
| an outside system has it | there |

Those that have stock, such as serials, follow right after a package: what is short delays no parcel. Staff may
deliver them by hand at any time after the release.
"""

from datetime import datetime
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.alerts import raise_alert
from crossdock.shop.deliveries import keep_here, stays_here
from crossdock.shop.events import Batch
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders.handing_over import Delivery, hand_over
from crossdock.shop.orders.moving import lock_order, move_order
from crossdock.shop.orders.progress import Quantities, note_picked
from crossdock.shop.orders.states import WORKABLE

_HEARD: Final = ("order.placed", "order.released", "order.partially_shipped", "order.lines_moved")


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a line; `stock` if it was taken from a level, `serial` if serials are sold for it."""

    line_no: int
    quantity: int
    stock: bool
    serial: bool


async def take_along(tx: Transaction, *, shop_id: int, order_id: int) -> Quantities:
    """Pick what leaves with a package of the order without being in it; how many of which line.

    The caller holds the order's lock, and ships them.
    """
    left = await _left(tx, shop_id=shop_id, order_id=order_id)
    quantities = {line.line_no: line.quantity for line in left if not line.stock}
    await note_picked(tx, shop_id=shop_id, order_id=order_id, quantities=quantities)
    return quantities


async def deliver_by_hand(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    mailing: Mailing | None,
    note: str,
    now: datetime,
) -> Delivery:
    """Deliver what is left of an order that is not shipped, although goods of it may be waiting.

    A dispatch that failed is withdrawn. Raises NotFound `order_not_found`; Refused `order_state` for an order that is
    not released or of which nothing is left, or that an outside system has, `stock_insufficient` and
    `stock_limit_exceeded`: the transaction must then be rolled back.
    """
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    left = await _left(tx, shop_id=shop_id, order_id=order_id)
    if state not in WORKABLE or not left:
        raise Refused("order_state", f"Nothing of an order that is {state} is left to deliver.")
    await keep_here(tx, shop_id=shop_id, kind="dispatch", subject_id=order_id, now=now)
    if state == "processing":
        await move_order(tx, shop_id=shop_id, order_id=order_id, to="in_fulfilment", now=now)
    return await hand_over(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        quantities={line.line_no: line.quantity for line in left},
        mailing=mailing,
        note=note,
        now=now,
    )


async def deliver_unshipped(
    tx: Transaction, *, shop_id: int, order_id: int, mailing: Mailing, now: datetime
) -> bool:
    """Deliver what is due of an order that is not shipped; False where nothing is delivered.

    The buyer gets a mail if serials are sold with it. If stock for it is gone, an alert is raised.
    """
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    values = {"shop": shop_id, "order": order_id}
    left = await _left(tx, shop_id=shop_id, order_id=order_id)
    if state not in WORKABLE or not left or await tx.value(_WAITS, values):
        return False
    if not await stays_here(tx, shop_id=shop_id, kind="dispatch", subject_id=order_id):
        return False
    if await tx.value(_SHORT, values):
        message = f"Order {order_id} is released, and what is not shipped of it is gone; add some and deliver it."
        await raise_alert(
            tx, shop_id=shop_id, kind="serials_short", message=message, order_id=order_id, now=now
        )
        return False
    await deliver_by_hand(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        mailing=mailing if any(line.serial for line in left) else None,
        note="",
        now=now,
    )
    return True


async def find_unshipped(tx: Transaction, *, batch: Batch) -> dict[int, int]:
    """The orders of which something may be due, each with the number of the first event that told; one statement."""
    told: dict[int, int] = {}
    for event in batch.events:
        if event.kind in _HEARD and event.subject_id is not None:
            told.setdefault(event.subject_id, event.sequence)
    if not told:
        return {}
    values = {"shop": batch.shop_id, "orders": list(told), "states": list(WORKABLE)}
    found = {order_id for (order_id,) in await tx.all(_WITH_SOME, values)}
    return {order_id: sequence for order_id, sequence in told.items() if order_id in found}


async def _left(tx: Transaction, *, shop_id: int, order_id: int) -> list[_Line]:
    rows = await tx.all(_LEFT, {"shop": shop_id, "order": order_id})
    names = _Line.__struct_fields__
    return [_Line(**dict(zip(names, row, strict=True))) for row in rows]


_WITH_SOME: Final = """
    select o.id from unnest(%(orders)s::bigint[]) as w (id)
    join orders o on o.shop_id = %(shop)s and o.id = w.id
    where o.release_policy <> 'delivered' and o.fulfilment_state = any(%(states)s) and exists (
        select 1 from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id
          and l.virtual and l.shipped + l.cancelled < l.quantity)
"""
_LEFT: Final = """
    select l.line_no, l.quantity - l.cancelled - l.shipped, a.is_taken, a.is_taken and exists (
        select 1 from serials s where s.shop_id = l.shop_id and s.variant_id = l.variant_id)
    from orders o join order_lines l on l.shop_id = o.shop_id and l.order_id = o.id
    cross join lateral (select exists (
        select 1 from order_allocations a
        where a.shop_id = l.shop_id and a.order_id = l.order_id and a.variant_id = l.variant_id) as is_taken) a
    where o.shop_id = %(shop)s and o.id = %(order)s and o.release_policy <> 'delivered'
      and l.virtual and l.shipped + l.cancelled < l.quantity
    order by l.line_no
"""
_WAITS: Final = """
    select o.fulfilment_state <> 'partially_shipped' and exists (
        select 1 from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id
          and not l.virtual and l.shipped + l.cancelled < l.quantity)
    from orders o where o.shop_id = %(shop)s and o.id = %(order)s
"""
# What is committed to the order of these lines' variants, and is not there.
_SHORT: Final = """
    select exists (
        select 1 from order_lines l
        join order_allocations a on a.shop_id = l.shop_id and a.order_id = l.order_id and a.variant_id = l.variant_id
        left join stock_levels s on s.shop_id = a.shop_id and s.variant_id = a.variant_id and s.pool = a.pool
        where l.shop_id = %(shop)s and l.order_id = %(order)s and l.virtual and a.status = 'committed'
          and (coalesce(s.on_hand, 0) < a.quantity - a.shipped
               or exists (select 1 from serials x where x.shop_id = a.shop_id and x.variant_id = a.variant_id)
                  and (select count(*) from serials x where x.shop_id = a.shop_id and x.variant_id = a.variant_id
                       and x.sold_at is null) < a.quantity - a.shipped))
"""
