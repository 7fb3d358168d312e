"""A partner's orders in pages, the newest first, for partners who poll.

They are those that were to be paid later, which have a time to expire at.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.paging import PlacePage
from crossdock.shop.orders.states import OPEN
from crossdock.shop.orders.viewing import OrderView, Section, read_orders

States = tuple[str, str]
"""A payment state and a fulfilment state."""


class OrderFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the partner's orders; all that are given hold, and None of them is any.

    A range includes both of its ends, of which None is open; an order that was not paid is in no range of
    payment times. `states` are pairs of which one holds; without any nothing matches.
    """

    order_ids: tuple[int, ...] | None = None
    number: str | None = None
    variant_ids: tuple[int, ...] | None = None
    paid: tuple[datetime | None, datetime | None] | None = None
    placed: tuple[datetime | None, datetime | None] | None = None
    states: tuple[States, ...] | None = None


async def browse_orders(
    tx: Transaction,
    *,
    shop_id: int,
    partner_id: int,
    page: PlacePage,
    filters: OrderFilters,
    sections: Sequence[Section],
) -> tuple[list[OrderView], bool]:
    """A page of the partner's orders, the newest first, and whether there are more beyond it; two statements.

    Those that are not over are found by an index of their own, however many are over.

    A page continues after a place and not a number, so that what is ordered meanwhile moves nothing.
    """
    values = _filtered(filters) | page.bounds() | {"shop": shop_id, "partner": partner_id}
    rows = await tx.all(_QUERIES[page.is_last, _are_open(filters)], values)
    ids, has_more = page.cut([order_id for (order_id,) in rows])
    found = await read_orders(tx, shop_id=shop_id, order_ids=ids, sections=sections) if ids else []
    return found, has_more


async def count_orders(
    tx: Transaction, *, shop_id: int, partner_id: int, filters: OrderFilters
) -> int:
    """How many of the partner's orders match."""
    values = _filtered(filters) | {"shop": shop_id, "partner": partner_id}
    count: int = await tx.value(_COUNTS[_are_open(filters)], values)
    return count


async def order_of_package(
    tx: Transaction, *, shop_id: int, partner_id: int, package_id: int
) -> int | None:
    """The partner's order that the package belongs to, None for unknown packages and those of others."""
    found: int | None = await tx.value(
        "select o.id from packages k join orders o on o.shop_id = k.shop_id and o.id = k.order_id"
        " where k.shop_id = %s and k.id = %s and o.partner_id = %s",
        (shop_id, package_id, partner_id),
    )
    return found


def _filtered(filters: OrderFilters) -> dict[str, Any]:
    paid, placed = filters.paid or (None, None), filters.placed or (None, None)
    states = filters.states
    return {
        "ids": _listed(filters.order_ids),
        "number": filters.number,
        "variants": _listed(filters.variant_ids),
        "is_paid": filters.paid is not None,
        "paid_from": paid[0], "paid_to": paid[1],
        "placed_from": placed[0], "placed_to": placed[1],
        "payments": None if states is None else [payment for payment, _ in states],
        "fulfilments": None if states is None else [fulfilment for _, fulfilment in states],
    }  # fmt: skip


def _are_open(filters: OrderFilters) -> bool:
    return filters.states is not None and all(each in OPEN for _, each in filters.states)


def _listed(values: tuple[int, ...] | None) -> list[int] | None:
    return None if values is None else list(values)


_MATCHING = """
    from orders o
    where o.shop_id = %(shop)s and o.partner_id = %(partner)s and o.expires_at is not null
      and (%(ids)s::bigint[] is null or o.id = any(%(ids)s::bigint[]))
      and (%(number)s::text is null or o.partner_order_id = %(number)s::text)
      and (%(variants)s::bigint[] is null or exists (
          select 1 from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id
            and l.variant_id = any(%(variants)s::bigint[])))
      and (not %(is_paid)s or o.paid_at between coalesce(%(paid_from)s::timestamptz, '-infinity')
                                            and coalesce(%(paid_to)s::timestamptz, 'infinity'))
      and o.placed_at between coalesce(%(placed_from)s::timestamptz, '-infinity')
                          and coalesce(%(placed_to)s::timestamptz, 'infinity')
      and (%(payments)s::text[] is null or (o.payment_state, o.fulfilment_state) in (
          select * from unnest(%(payments)s::text[], %(fulfilments)s::text[])))
"""
_BETWEEN = """
    and (o.placed_at, o.id) < (%(after_time)s::timestamptz, %(after_id)s::bigint)
    and (o.placed_at, o.id) > (%(before_time)s::timestamptz, %(before_id)s::bigint)
"""
# As the index says it, which the planner compares as a text.
_OPEN = (
    "and o.fulfilment_state in ('waiting_for_release', 'reserved', 'processing', 'in_fulfilment',"
    " 'partially_shipped')"
)
_ORDER, _ORDER_BACK = "o.placed_at desc, o.id desc", "o.placed_at, o.id"
_QUERIES = {
    (False, False): f"select o.id {_MATCHING} {_BETWEEN} order by {_ORDER} limit %(size)s",
    (True, False): f"select o.id {_MATCHING} {_BETWEEN} order by {_ORDER_BACK} limit %(size)s",
    (False, True): f"select o.id {_MATCHING} {_OPEN} {_BETWEEN} order by {_ORDER} limit %(size)s",
    (
        True,
        True,
    ): f"select o.id {_MATCHING} {_OPEN} {_BETWEEN} order by {_ORDER_BACK} limit %(size)s",
}
"""By whether the last ones are asked for, and whether all of them are open."""
_COUNTS = {
    False: f"select count(*) {_MATCHING}",
    True: f"select count(*) {_MATCHING} {_OPEN}",
}
