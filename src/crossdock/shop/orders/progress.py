"""Quantities picked, shipped, returned and cancelled of an order's lines, and the state changes that follow.

The caller holds the order's lock (`lock_order`). `quantities` maps line numbers to quantities.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.orders.moving import move_order, touch_order
from crossdock.shop.stock import Posting, post_stock, sell_serials

Quantities = Mapping[int, int]
"""How many of which line, by line number."""


async def note_picked(
    tx: Transaction, *, shop_id: int, order_id: int, quantities: Quantities
) -> int | None:
    """Add to the picked quantities; returns the first line with less left to pick, else None.

    If it returns a line, the caller must roll back.
    """
    for line_no, quantity in sorted(quantities.items()):
        done = await tx.run(
            "update order_lines set picked = picked + %s"
            " where shop_id = %s and order_id = %s and line_no = %s"
            " and picked + cancelled + %s <= quantity",
            (quantity, shop_id, order_id, line_no, quantity),
        )
        if not done:
            return line_no
    return None


async def note_unpicked(
    tx: Transaction, *, shop_id: int, order_id: int, quantities: Quantities, now: datetime
) -> None:
    """Take from the picked quantities; an order in fulfilment of which nothing is picked is released again."""
    await tx.run(_TAKE_PICKED, _values(shop_id, order_id, quantities))
    untouched = await tx.value(
        "select o.fulfilment_state = 'in_fulfilment' and not exists (select 1 from order_lines l"
        " where l.shop_id = o.shop_id and l.order_id = o.id and l.picked > 0)"
        " from orders o where o.shop_id = %s and o.id = %s",
        (shop_id, order_id),
    )
    if untouched:
        await move_order(tx, shop_id=shop_id, order_id=order_id, to="processing", now=now)


async def note_shipped(
    tx: Transaction, *, shop_id: int, order_id: int, quantities: Quantities, now: datetime
) -> str:
    """Add to the shipped quantities, take them from the levels, move lines and order; returns the order's state.

    Managed stock leaves on hand and committed together, so what is available does not change. Raises
    Refused `stock_insufficient` for stock that is not on hand. Lines of variants with serials in stock
    get the oldest ones.
    """
    await tx.run(_ADD_SHIPPED, _values(shop_id, order_id, quantities))
    target = await _follow(tx, shop_id=shop_id, order_id=order_id, now=now)
    postings = await _leave_levels(tx, shop_id=shop_id, order_id=order_id, quantities=quantities)
    await post_stock(
        tx, shop_id=shop_id, postings=postings, reason="shipped", order_id=order_id, now=now
    )
    await _sell_serials(tx, shop_id=shop_id, order_id=order_id, quantities=quantities, now=now)
    return target


async def _sell_serials(
    tx: Transaction, *, shop_id: int, order_id: int, quantities: Quantities, now: datetime
) -> None:
    """Sell serials for what was taken from the own pool; other pools have none."""
    rows = await tx.all(_SERIAL_LINES, _values(shop_id, order_id, quantities))
    sold = [(line_no, variant_id, quantity) for line_no, variant_id, quantity in rows]
    await sell_serials(tx, shop_id=shop_id, order_id=order_id, sold=sold, now=now)


async def note_returned(
    tx: Transaction, *, shop_id: int, order_id: int, quantities: Quantities, now: datetime
) -> None:
    """Add to the returned quantities; a completely returned line moves to `returned`."""
    await tx.run(_ADD_RETURNED, _values(shop_id, order_id, quantities))
    await _move_returned(tx, shop_id=shop_id, order_id=order_id, now=now)


async def note_cancelled(
    tx: Transaction, *, shop_id: int, order_id: int, now: datetime
) -> dict[int, int]:
    """Cancel the units that have not left of a partly shipped order; returns the quantities by line.

    The order moves to `shipped`, and so do lines of which something has left; the others move to
    `cancelled`. No unit may be picked that has not left.
    """
    rows = await tx.all(_CANCEL_LEFT, (shop_id, order_id))
    await _follow(tx, shop_id=shop_id, order_id=order_id, now=now)
    await _move_returned(tx, shop_id=shop_id, order_id=order_id, now=now)
    return dict(sorted(rows))


async def cancel_lines(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> list[int]:
    """Cancel what is left of an order of which nothing has left; the numbers of the lines. The caller moves it."""
    rows = await tx.all(_CANCEL_LEFT, (shop_id, order_id))
    lines = sorted(line_no for line_no, _ in rows)
    await move_order(
        tx, shop_id=shop_id, order_id=order_id, axis="line", lines=lines, to="cancelled", now=now
    )
    return lines


async def _move_returned(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    lines = await tx.value(
        "select array_agg(line_no) from order_lines where shop_id = %s and order_id = %s"
        " and returned = quantity - cancelled and state = 'shipped'",
        (shop_id, order_id),
    )
    if lines:
        await move_order(
            tx, shop_id=shop_id, order_id=order_id, axis="line", lines=lines, to="returned", now=now
        )


def _values(shop_id: int, order_id: int, quantities: Quantities) -> dict[str, Any]:
    return {
        "shop": shop_id,
        "order": order_id,
        "lines": list(quantities),
        "quantities": list(quantities.values()),
    }


async def _follow(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> str:
    """Move lines and order to the states that follow from their quantities; returns the order's state."""
    row = await tx.one(_SHIPPED, (shop_id, order_id))
    assert row is not None  # the order is there: it is locked
    state, is_whole, shipped, partly, cancelled = row
    moves = ((shipped, "shipped"), (partly, "partially_shipped"), (cancelled, "cancelled"))
    for lines, to in moves:
        if lines:
            await move_order(
                tx, shop_id=shop_id, order_id=order_id, axis="line", lines=lines, to=to, now=now
            )
    target = "shipped" if is_whole else "partially_shipped"
    if target == state:
        await touch_order(tx, shop_id=shop_id, order_id=order_id, now=now)
    else:
        await move_order(tx, shop_id=shop_id, order_id=order_id, to=target, now=now)
    return target


async def _leave_levels(
    tx: Transaction, *, shop_id: int, order_id: int, quantities: Quantities
) -> list[Posting]:
    """The postings of managed stock, own pool first; marks the order's share as shipped."""
    rows = await tx.all(_LEAVE, _values(shop_id, order_id, quantities))
    return [
        Posting(variant_id=variant_id, pool=pool, kind="ship", on_hand=-part, committed=-part)
        for variant_id, pool, part in rows
    ]


_TAKE_PICKED = """
    update order_lines l set picked = l.picked - x.quantity
    from unnest(%(lines)s::smallint[], %(quantities)s::bigint[]) as x (line_no, quantity)
    where l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = x.line_no
"""
_ADD_SHIPPED = """
    update order_lines l set shipped = l.shipped + x.quantity
    from unnest(%(lines)s::smallint[], %(quantities)s::bigint[]) as x (line_no, quantity)
    where l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = x.line_no
"""
_CANCEL_LEFT = """
    update order_lines set cancelled = quantity - shipped
    where shop_id = %s and order_id = %s and shipped + cancelled < quantity
    returning line_no, cancelled
"""
_SERIAL_LINES = """
    select l.line_no, l.variant_id, x.quantity
    from unnest(%(lines)s::smallint[], %(quantities)s::bigint[]) as x (line_no, quantity)
    join order_lines l on l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = x.line_no
    where exists (
        select 1 from serials s where s.shop_id = l.shop_id and s.variant_id = l.variant_id
    ) and (
        select bool_and(a.pool = 'own') from order_allocations a
        where a.shop_id = l.shop_id and a.order_id = l.order_id and a.variant_id = l.variant_id)
"""
_ADD_RETURNED = """
    update order_lines l set returned = l.returned + x.quantity
    from unnest(%(lines)s::smallint[], %(quantities)s::bigint[]) as x (line_no, quantity)
    where l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = x.line_no
"""

_SHIPPED = """
    select o.fulfilment_state, l.is_whole, l.shipped, l.partly, l.cancelled
    from orders o cross join lateral (
        select bool_and(l.shipped + l.cancelled = l.quantity) as is_whole,
               array_agg(l.line_no) filter (
                   where l.shipped > 0 and l.shipped + l.cancelled = l.quantity
                     and l.state in ('open', 'partially_shipped')) as shipped,
               array_agg(l.line_no) filter (
                   where l.shipped between 1 and l.quantity - l.cancelled - 1 and l.state = 'open') as partly,
               array_agg(l.line_no) filter (where l.cancelled = l.quantity and l.state = 'open') as cancelled
        from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id
    ) l
    where o.shop_id = %s and o.id = %s
"""

# Of each variant what is wanted, laid over what is still committed of it, pool by pool.
_LEAVE = """
    with wanted as (
        select l.variant_id, sum(x.quantity) as quantity
        from unnest(%(lines)s::smallint[], %(quantities)s::bigint[]) as x (line_no, quantity)
        join order_lines l on l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = x.line_no
        group by l.variant_id
    ), share as (
        select a.variant_id, a.pool, w.quantity, a.quantity - a.shipped as left_here,
               coalesce(sum(a.quantity - a.shipped) over (
                   partition by a.variant_id order by a.pool rows between unbounded preceding and 1 preceding), 0)
                   as left_before
        from order_allocations a join wanted w using (variant_id)
        where a.shop_id = %(shop)s and a.order_id = %(order)s and a.status = 'committed'
    ), part as (
        select variant_id, pool, least(left_here, greatest(quantity - left_before, 0))::bigint as quantity from share
    )
    update order_allocations a
    set shipped = a.shipped + p.quantity,
        status = case when a.shipped + p.quantity = a.quantity then 'shipped' else a.status end
    from part p
    where a.shop_id = %(shop)s and a.order_id = %(order)s and a.variant_id = p.variant_id and a.pool = p.pool
      and p.quantity > 0
    returning a.variant_id, a.pool, p.quantity
"""
