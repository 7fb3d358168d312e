"""A partner's orders as a feed: by date in pages, or whatever changed after a number."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.shop.orders.standing import LineProgress, progress_of
from crossdock.shop.orders.viewing import EventView, OrderView, Section, read_orders

FEED_MAX = 1_000
FED_KINDS = frozenset(
    {
        *("order.placed", "order.picked", "order.unpicked", "order.lines_moved", "order.shipped"),
        *("order.completed", "order.cancelled", "order.address_changed"),
        *("dispatch.sent", "dispatch.failed"),
    }
)
"""The events that the feed tells of; an attempt to dispatch that is not the last is none."""

_SECTIONS: tuple[Section, ...] = ("lines", "parts", "timeline")


class FedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the feed with how far its lines are; `sequence` is the number of its newest change.

    It is 0 for an order whose change has no number yet, which only pages by date can have.
    """

    order: OrderView
    sequence: int
    lines: tuple[LineProgress, ...]


class Fed(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, and the number to continue from: all that changed up to it was told."""

    orders: tuple[FedOrder, ...]
    upto: int


async def read_changed_orders(
    tx: Transaction,
    *,
    shop_id: int,
    partner_id: int,
    after: int,
    limit: int,
) -> Fed:
    """The partner's orders that changed after this number, each as it was at its newest numbered change.

    They come in the order of these changes, at most `limit` (FEED_MAX). A reader that continues from
    `upto` skips nothing and is told nothing twice, however many orders arrive meanwhile: an order
    comes again after another change. Raises Invalid `invalid_input` for a number that none has yet:
    a reader of another shop, or of one that was restored, would be told that nothing is new.
    """
    # The last number first: whatever is numbered between the two reads belongs to the next call.
    last = int(await tx.value("select last_sequence from shops where id = %s", (shop_id,)))
    if after > last:
        raise Invalid("invalid_input", f"The last change has number {last}.")
    limit = min(limit, FEED_MAX)
    rows = await tx.all(
        "select order_id, sequence from changed_orders(%s, %s, %s, %s)",
        (shop_id, partner_id, after, limit),
    )
    sequences: dict[int, int] = dict(rows)
    orders = await read_orders(tx, shop_id=shop_id, order_ids=list(sequences), sections=_SECTIONS)
    fed = tuple(_fed(order, sequences[order.id], upto=sequences[order.id]) for order in orders)
    newest = max(sequences.values(), default=after)
    return Fed(orders=fed, upto=newest if len(rows) == limit else max(last, newest))


async def read_order_page(
    tx: Transaction,
    *,
    shop_id: int,
    partner_id: int,
    start: datetime,
    end: datetime,
    offset: int,
    limit: int,
) -> tuple[FedOrder, ...]:
    """The partner's orders that were placed between two moments, both inclusive, oldest first, as they are now."""
    rows = await tx.all(
        "select id from orders where shop_id = %s and partner_id = %s and placed_at between %s and %s"
        " order by placed_at, id offset %s limit %s",
        (shop_id, partner_id, start, end, offset, min(limit, FEED_MAX)),
    )
    orders = await read_orders(
        tx, shop_id=shop_id, order_ids=[order_id for (order_id,) in rows], sections=_SECTIONS
    )
    return tuple(_fed(order, _newest(order), upto=None) for order in orders)


def _fed(order: OrderView, sequence: int, *, upto: int | None) -> FedOrder:
    return FedOrder(order=order, sequence=sequence, lines=progress_of(order, upto=upto))


def _newest(order: OrderView) -> int:
    return max((event.sequence or 0 for event in order.timeline if _is_told(event)), default=0)


def _is_told(event: EventView) -> bool:
    """Whether the event is a change of the order in the feed: the twin of `alters_feed` in feed.sql."""
    return event.kind in FED_KINDS and bool(event.payload.get("final", True))
