"""The orders of a shop as staff work on them: views of what is to be done, filters, and a search by any number."""

from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.numbers import read_number
from crossdock.shop.orders.placing import STAFF_NAMESPACE

BoardView = Literal[
    "open", "to_release", "to_fulfil", "to_deliver", "late", "unpaid", "failed", "returned", "all"
]
BOARD_VIEWS: tuple[BoardView, ...] = get_args(BoardView)
BOARD_MAX: Final = 200
COUNT_MAX: Final = 1_000
"""Where the counting of a view ends."""
LATE_AFTER: Final = timedelta(days=3)
"""An order that has not left by then is late."""


class BoardFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders; all that are given hold. `search` is a number, a SKU, or a customer's e-mail, '' for any."""

    view: BoardView = "open"
    channel: str | None = None
    fulfilment_state: str | None = None
    payment_state: str | None = None
    search: str = ""


class BoardRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order on the board. `units` are those that are still to be shipped or were; `buyer` is whom it is sent to."""

    id: int
    channel: str
    partner: str
    partner_order_id: str
    buyer: str
    country: str
    fulfilment_state: str
    payment_state: str
    currency: str
    total_minor: int
    lines: int
    units: int
    shipped: int
    is_late: bool
    is_test: bool
    placed_at: datetime


class BoardSum(msgspec.Struct, frozen=True, kw_only=True):
    """All orders that match: how many, the newest one's number, 0 for none, and their totals by currency."""

    orders: int
    newest: int
    money: dict[str, int]


async def read_board(
    tx: Transaction,
    *,
    shop_id: int,
    filters: BoardFilters,
    now: datetime,
    before: int | None = None,
    limit: int = 50,
) -> tuple[list[BoardRow], bool]:
    """At most `limit` (BOARD_MAX) orders, the newest first, and whether there are older ones; one statement.

    Pass the last id as `before` for the next page.
    """
    size = min(limit, BOARD_MAX)
    values = _values(shop_id, filters, now) | {"before": before, "size": size + 1}
    rows = await tx.all(_page(filters), values)
    names = BoardRow.__struct_fields__
    return [BoardRow(**dict(zip(names, row, strict=True))) for row in rows[:size]], len(rows) > size


async def sum_board(
    tx: Transaction, *, shop_id: int, filters: BoardFilters, now: datetime
) -> BoardSum:
    """How many orders match, however many, and what they come to; one statement."""
    rows = await tx.all(_matching(_SUMS, filters), _values(shop_id, filters, now))
    return BoardSum(
        orders=sum(orders for _, orders, _, _ in rows),
        newest=max((newest for _, _, newest, _ in rows), default=0),
        money={currency: total for currency, _, _, total in rows if total},
    )


async def list_matching(
    tx: Transaction, *, shop_id: int, filters: BoardFilters, now: datetime, up_to: int
) -> list[int]:
    """The numbers of all orders that match, up to this one; one statement."""
    values = _values(shop_id, filters, now) | {"up_to": up_to}
    return [order_id for (order_id,) in await tx.all(_matching(_NUMBERS, filters), values)]


async def count_board(tx: Transaction, *, shop_id: int, now: datetime) -> dict[BoardView, int]:
    """How many orders each view has, but for 'all'; at most COUNT_MAX of each are counted. One statement."""
    row = await tx.one(_COUNTS, _values(shop_id, BoardFilters(), now) | {"most": COUNT_MAX})
    assert row is not None
    return dict(zip(_COUNTED, row, strict=True))


def _values(shop_id: int, filters: BoardFilters, now: datetime) -> dict[str, Any]:
    search = filters.search.strip()
    return {
        "shop": shop_id,
        "channel": filters.channel,
        "fulfilment": filters.fulfilment_state,
        "payment": filters.payment_state,
        "late": now - LATE_AFTER,
        "search": search,
        "number": read_number(search) or 0,
        "staff": STAFF_NAMESPACE,
    }


def _page(filters: BoardFilters) -> str:
    return _matching(_PAGE, filters)


def _matching(query: str, filters: BoardFilters) -> str:
    view = [_VIEWS[filters.view]]
    if filters.fulfilment_state in _OPEN_STATES:
        view.append(_OPEN)
    if filters.payment_state == "awaiting":
        view.append(_UNPAID)
    orders = _FOUND_ORDERS if filters.search.strip() else "orders o"
    return query.format(view=" and ".join(view), orders=orders)


# Each set of states is written as the index that finds it has it, or as a part of that.
_OPEN_STATES = (
    "reserved",
    "waiting_for_release",
    "processing",
    "in_fulfilment",
    "partially_shipped",
)
_OPEN = f"o.fulfilment_state in {_OPEN_STATES}"
_UNPAID = "o.payment_state = 'awaiting'"
_WAITING = "o.fulfilment_state in ('reserved', 'waiting_for_release')"
_IN_WORK = "o.fulfilment_state in ('processing', 'in_fulfilment', 'partially_shipped')"
_HAS_GOODS = (
    "exists (select from order_lines g where g.shop_id = o.shop_id and g.order_id = o.id"
    " and not g.virtual and g.shipped + g.cancelled < g.quantity)"
)
# A difference, which no index serves: what is open is few, and the index of days would read all that is old.
_LATE = f"{_OPEN} and %(late)s::timestamptz - o.placed_at > interval '0'"
_VIEWS: dict[BoardView, str] = {
    "open": _OPEN,
    "to_release": f"{_WAITING} and o.release_policy <> 'delivered' and o.payment_state <> 'awaiting'",
    "to_fulfil": f"{_IN_WORK} and o.release_policy <> 'delivered' and {_HAS_GOODS}",
    "to_deliver": f"{_OPEN} and o.release_policy = 'delivered'"
    " and o.payment_state in ('paid', 'partially_refunded')",
    "late": _LATE,
    "unpaid": _UNPAID,
    "failed": "o.id in (select a.order_id from alerts a"
    " where a.shop_id = %(shop)s and a.seen_at is null and a.order_id is not null)",
    "returned": "o.id in (select r.order_id from order_returns r"
    " where r.shop_id = %(shop)s and r.state = 'announced')",
    "all": "true",
}
_FOUND = """
    select i.order_id from partners p join identities i
      on i.shop_id = p.shop_id and i.namespace = 'partner:' || p.id and i.key = %(search)s
     where p.shop_id = %(shop)s
    union all select i.order_id from identities i
     where i.shop_id = %(shop)s and i.namespace = %(staff)s and i.key = %(search)s
    union all select %(number)s::bigint
    union all select k.order_id from packages k
     where k.shop_id = %(shop)s and k.tracking_number = %(search)s and k.tracking_number <> ''
    union all select l.order_id from order_lines l
     where l.shop_id = %(shop)s and l.variant_id in (
         select v.id from variants v where v.shop_id = %(shop)s and v.sku = %(search)s)
    union all select x.id from customers c join orders x on x.shop_id = c.shop_id and x.customer_id = c.id
     where c.shop_id = %(shop)s and lower(c.email) = lower(%(search)s) and c.deleted_at is null
    union all select x.id from orders x
     where x.shop_id = %(shop)s and x.billing ->> 'email' <> ''
       and lower(x.billing ->> 'email') = lower(%(search)s)
"""
# Each that was found is read by its number: as a condition, all orders may be read for it.
_FOUND_ORDERS = f"""
    (select distinct order_id from ({_FOUND}) numbers (order_id)) found
    cross join lateral (select * from orders where shop_id = %(shop)s and id = found.order_id limit 1) o
"""
_MATCH = """
        from {orders}
        where o.shop_id = %(shop)s and {view}
          and (%(channel)s::text is null or o.channel = %(channel)s)
          and (%(fulfilment)s::text is null or o.fulfilment_state = %(fulfilment)s)
          and (%(payment)s::text is null or o.payment_state = %(payment)s)
"""
_NUMBERS = f"select o.id {_MATCH} and o.id <= %(up_to)s order by o.id"
_SUMS = f"""
    select o.currency, count(*), max(o.id), sum(o.total_minor)::bigint {_MATCH} group by o.currency
"""
_PAGE = f"""
    with page as materialized (
        select o.* {_MATCH}
          and (%(before)s::bigint is null or o.id < %(before)s)
        order by o.id desc limit %(size)s
    )
    select o.id, o.channel, coalesce(p.name, ''), o.partner_order_id,
           coalesce(nullif(trim(concat_ws(' ', o.shipping ->> 'first_name', o.shipping ->> 'last_name')), ''),
                    o.shipping ->> 'company', ''),
           coalesce(o.shipping ->> 'country', ''), o.fulfilment_state, o.payment_state, o.currency, o.total_minor,
           l.lines, l.units, l.shipped, {_LATE}, o.is_test, o.placed_at
    from page o
    left join partners p on p.shop_id = o.shop_id and p.id = o.partner_id
    cross join lateral (
        select count(*) as lines, coalesce(sum(quantity - cancelled), 0)::bigint as units,
               coalesce(sum(shipped), 0)::bigint as shipped
        from order_lines where shop_id = o.shop_id and order_id = o.id
    ) l
    order by o.id desc
"""
_COUNTED = tuple(view for view in BOARD_VIEWS if view != "all")
_COUNTS = "select " + ", ".join(
    f"(select count(*) from (select from orders o where o.shop_id = %(shop)s and {_VIEWS[view]}"
    " limit %(most)s) counted)"
    for view in _COUNTED
)
