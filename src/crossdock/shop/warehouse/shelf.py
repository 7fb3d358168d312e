"""Never pick or pack more than is on hand.

Units that were picked or packed and have not left are still on hand, so the units of all orders together
are compared with the level. Variants without counted stock have no limit.
"""

from collections.abc import Sequence
from typing import Any, Literal

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.orders import Quantities

Step = Literal["picked", "packed"]


async def lock_shelf(tx: Transaction, *, shop_id: int, order_id: int, lines: Sequence[int]) -> None:
    """Lock the levels of the lines' variants, in the order in which postings lock them."""
    await tx.run(_LOCK, {"shop": shop_id, "order": order_id, "lines": list(lines)})


async def refuse_beyond_shelf(
    tx: Transaction, *, shop_id: int, order_id: int, quantities: Quantities, step: Step
) -> None:
    """Refuse quantities that were written just now if more is picked or packed than is on hand.

    Raises Refused `stock_insufficient` with the `field` of the first such line; the transaction must then
    be rolled back. The caller holds the locks of `lock_shelf`.
    """
    values: dict[str, Any] = {"shop": shop_id, "order": order_id, "lines": list(quantities)}
    row = await tx.one(_BEYOND_PICKED if step == "picked" else _BEYOND_PACKED, values)
    if row is None:
        return
    line_nos, beyond = row
    wanted = sum(quantities[line_no] for line_no in line_nos)
    left = max(wanted - beyond, 0)
    raise Refused(
        "stock_insufficient",
        f"Of line {line_nos[0]} {left} can be {step}: no more are on hand for it.",
        {"field": f"lines.{line_nos[0]}"},
    )


_LOCK = """
    select 1 from stock_levels s
    where s.shop_id = %(shop)s and s.variant_id in (
        select l.variant_id from order_lines l
        where l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = any(%(lines)s::bigint[]))
    order by s.variant_id, s.pool for no key update
"""

# What each order has taken of a variant is laid over its share, pool by pool, as shipping does.
_BEYOND = """
    with wanted as (
        select l.variant_id, array_agg(l.line_no order by l.line_no) as lines from order_lines l
        where l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = any(%(lines)s::bigint[])
        group by l.variant_id
    ), taken as (
        {taken}
    ), share as (
        select t.variant_id, a.pool, t.quantity, a.quantity - a.shipped as left_here,
               coalesce(sum(a.quantity - a.shipped) over (
                   partition by t.order_id, t.variant_id order by a.pool
                   rows between unbounded preceding and 1 preceding), 0) as left_before
        from taken t
        join order_allocations a on a.shop_id = %(shop)s and a.order_id = t.order_id and a.variant_id = t.variant_id
        where a.status = 'committed'
    ), off as (
        select s.variant_id, s.pool, sum(least(s.left_here, greatest(s.quantity - s.left_before, 0))) as quantity
        from share s group by s.variant_id, s.pool
    )
    select w.lines, sum(o.quantity - coalesce(l.on_hand, 0))::bigint
    from off o join wanted w using (variant_id)
    left join stock_levels l on l.shop_id = %(shop)s and l.variant_id = o.variant_id and l.pool = o.pool
    where o.quantity > coalesce(l.on_hand, 0)
    group by w.lines order by w.lines limit 1
"""
_BEYOND_PICKED = _BEYOND.format(
    taken="""select l.order_id, l.variant_id, sum(l.picked - l.shipped) as quantity
        from order_lines l join wanted using (variant_id)
        where l.shop_id = %(shop)s and l.picked > l.shipped group by l.order_id, l.variant_id"""
)
_BEYOND_PACKED = _BEYOND.format(
    taken="""select l.order_id, l.variant_id, sum(k.quantity) as quantity
        from order_lines l join wanted using (variant_id)
        cross join lateral (
            select pl.quantity from packages p
            join package_lines pl on pl.shop_id = p.shop_id and pl.package_id = p.id and pl.line_no = l.line_no
            where p.shop_id = l.shop_id and p.order_id = l.order_id and p.state = 'packed'
        ) k
        where l.shop_id = %(shop)s and l.picked > l.shipped group by l.order_id, l.variant_id"""
)
