"""List the orders that staff work on."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.orders import OPEN


class WorkSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An order in the work list: units ordered, picked and shipped, and its packages but for opened ones."""

    id: int
    partner: str
    partner_order_id: str
    state: str
    placed_at: datetime
    quantity: int
    picked: int
    shipped: int
    packages: int


async def list_work(
    tx: Transaction, *, shop_id: int, state: str | None = None, limit: int = 100
) -> list[WorkSummary]:
    """The oldest orders in that state; without a state, the oldest that are neither shipped nor cancelled."""
    rows = await tx.all(_LIST, (shop_id, [state] if state else list(OPEN), limit))
    return [
        WorkSummary(**dict(zip(WorkSummary.__struct_fields__, row, strict=True))) for row in rows
    ]


_LIST = """
    select o.id, coalesce(p.name, ''), o.partner_order_id, o.fulfilment_state, o.placed_at,
           l.quantity, l.picked, l.shipped,
           (select count(*) from packages k
            where k.shop_id = o.shop_id and k.order_id = o.id and k.state <> 'cancelled')
    from orders o
    left join partners p on p.shop_id = o.shop_id and p.id = o.partner_id
    cross join lateral (
        select coalesce(sum(quantity), 0)::bigint as quantity, coalesce(sum(picked), 0)::bigint as picked,
               coalesce(sum(shipped), 0)::bigint as shipped
        from order_lines where shop_id = o.shop_id and order_id = o.id
    ) l
    where o.shop_id = %s and o.fulfilment_state = any(%s)
    order by o.id limit %s
"""
