"""Movements of a product's stock: the entries that changed what can be sold of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.paging import PlacePage

MovementKind = Literal["restock", "sale", "reservation", "adjustment", "transfer"]


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A change of what is available of a variant; `quantity` is signed. At most one id names its cause."""

    id: int
    variant_id: int
    kind: MovementKind
    quantity: int
    pool: str
    reason: str
    order_id: int | None
    transfer_id: int | None
    created_at: datetime


async def list_movements(
    tx: Transaction, *, shop_id: int, variant_ids: Sequence[int], page: PlacePage
) -> list[Movement]:
    """A page of the movements of these variants, the newest first, one more than its size."""
    values = {**page.bounds(), "shop": shop_id, "variants": list(variant_ids)}
    rows = await tx.all(_MOVEMENTS, values)
    return [Movement(**dict(zip(Movement.__struct_fields__, row, strict=True))) for row in rows]


_MOVEMENTS = """
    select e.id, e.variant_id,
           case when e.kind in ('hold', 'release', 'expire') then 'reservation'
                when e.kind in ('commit', 'ship') then 'sale'
                when e.kind = 'adjust' then 'adjustment'
                when e.kind = 'transfer' then 'transfer' else 'restock' end,
           e.on_hand_delta - e.held_delta - e.committed_delta, e.pool, e.reason, e.order_id, e.transfer_id,
           e.created_at
    from stock_entries e
    where e.shop_id = %(shop)s and e.variant_id = any(%(variants)s)
      and e.on_hand_delta <> e.held_delta + e.committed_delta
      and (e.created_at, e.id) < (%(after_time)s::timestamptz, %(after_id)s)
      and (e.created_at, e.id) > (%(before_time)s::timestamptz, %(before_id)s)
    order by e.created_at desc, e.id desc limit %(size)s
"""
