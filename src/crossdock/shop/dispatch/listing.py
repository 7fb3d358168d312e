"""List dispatches with their states and errors."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """The state of an order's dispatch."""

    shop_id: int
    order_id: int
    partner_order_id: str
    connector: str
    status: str
    attempts: int
    external_id: str | None
    last_error: str
    next_attempt_at: datetime | None
    sent_at: datetime | None
    updated_at: datetime


async def list_dispatches(
    tx: Transaction, *, shop_id: int, status: str | None = None, limit: int = 100
) -> list[Dispatch]:
    """The shop's dispatches, the newest order first."""
    rows = await tx.all(
        _DISPATCH + " and (%(status)s::text is null or d.status = %(status)s)"
        " order by d.subject_id desc, d.id desc limit %(limit)s",
        {"shop": shop_id, "status": status, "limit": limit},
    )
    return [_dispatch(row) for row in rows]


async def show_dispatch(tx: Transaction, *, shop_id: int, order_id: int) -> Dispatch:
    """One order's dispatch. Raises NotFound `order_not_found` when there is none."""
    row = await tx.one(
        _DISPATCH + " and d.subject_id = %(order)s order by d.id desc limit 1",
        {"shop": shop_id, "order": order_id},
    )
    if row is None:
        raise NotFound("order_not_found", f"Order {order_id} has no dispatch.")
    return _dispatch(row)


def _dispatch(row: tuple[object, ...]) -> Dispatch:
    return msgspec.convert(dict(zip(Dispatch.__struct_fields__, row, strict=True)), Dispatch)


_DISPATCH = """
    select d.shop_id, d.subject_id, o.partner_order_id, d.target, d.status, d.attempts, d.result,
           d.last_error, d.next_attempt_at, d.sent_at, d.updated_at
    from deliveries d join orders o on o.shop_id = d.shop_id and o.id = d.subject_id
    where d.shop_id = %(shop)s and d.kind = 'dispatch'
"""
