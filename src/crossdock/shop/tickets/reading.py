"""Read tickets and their comments, each by a fixed number of statements."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.shop.tickets.model import Comment, Ticket
from crossdock.shop.tickets.states import TicketKind

PAGE_MAX = 1_000

Place = tuple[datetime, int]
"""Where a ticket is in a list: when it was opened, and its id."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which tickets of a list: after and before these places, `limit` from its start or its end."""

    limit: int
    after: Place | None = None
    before: Place | None = None
    from_end: bool = False


class TicketPage(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets of a list, newest first, and whether there are more; `total` if it was asked for."""

    tickets: tuple[Ticket, ...]
    has_next: bool
    has_previous: bool
    total: int | None


class CommentSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Which comments of a ticket: after and before these numbers, `limit` from the oldest or the newest."""

    limit: int = PAGE_MAX
    after: int | None = None
    before: int | None = None
    from_end: bool = False


class CommentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Comments of a ticket, oldest first, and whether there are more."""

    comments: tuple[Comment, ...]
    has_next: bool
    has_previous: bool
    total: int


async def read_ticket(
    tx: Transaction,
    *,
    shop_id: int,
    ticket_id: int,
    partner_id: int | None = None,
    kind: TicketKind | None = None,
) -> Ticket:
    """One ticket. Raises NotFound `not_found`, also for another partner's or one of another kind."""
    found = await read_tickets(
        tx, shop_id=shop_id, ticket_ids=[ticket_id], partner_id=partner_id, kind=kind
    )
    if not found:
        raise NotFound("not_found", f"There is no ticket {ticket_id}.")
    return found[0]


async def read_tickets(
    tx: Transaction,
    *,
    shop_id: int,
    ticket_ids: Sequence[int],
    partner_id: int | None = None,
    kind: TicketKind | None = None,
) -> list[Ticket]:
    """Those of the tickets that are there, and the partner's and of the kind if these are given, by id."""
    rows = await tx.all(
        _TICKET + " and t.id = any(%(ids)s) order by t.id",
        {"shop": shop_id, "partner": partner_id, "kind": kind, "ids": list(ticket_ids)},
    )
    return [_ticket(row) for row in rows]


async def list_order_tickets(tx: Transaction, *, shop_id: int, order_id: int) -> list[Ticket]:
    """The tickets about lines of this order, newest first."""
    rows = await tx.all(
        _TICKET + _OF_ORDER + _NEWEST_FIRST,
        {"shop": shop_id, "partner": None, "kind": None, "order": order_id},
    )
    return [_ticket(row) for row in rows]


async def list_tickets(
    tx: Transaction,
    *,
    shop_id: int,
    span: Span,
    partner_id: int | None = None,
    kind: TicketKind | None = None,
    states: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    counts: bool = False,
) -> TicketPage:
    """Tickets newest first, opened from `since` (inclusive) to `until` (exclusive); `counts` adds the total.

    Two statements at most. A ticket that is opened meanwhile moves no page. Raises Invalid
    `invalid_input` for a limit that is not within PAGE_MAX.
    """
    _check_limit(span.limit)
    after, before = span.after or (None, None), span.before or (None, None)
    values = {
        "shop": shop_id,
        "partner": partner_id,
        "kind": kind,
        "states": None if states is None else list(states),
        "since": since,
        "until": until,
        "after_time": after[0],
        "after_id": after[1],
        "before_time": before[0],
        "before_id": before[1],
        "limit": span.limit + 1,
    }
    way = " order by t.created_at, t.id" if span.from_end else _NEWEST_FIRST
    rows = await tx.all(_TICKET + _LISTED + _BETWEEN + way + " limit %(limit)s", values)
    total = await tx.value(_COUNT + _LISTED, values) if counts else None
    rows, has_next, has_previous = _cut(rows, span)
    return TicketPage(
        tickets=tuple(_ticket(row) for row in rows),
        has_next=has_next,
        has_previous=has_previous,
        total=total,
    )


async def list_comments(
    tx: Transaction, *, shop_id: int, ticket_ids: Sequence[int], span: CommentSpan
) -> dict[int, CommentPage]:
    """The comments of each ticket that is there, oldest first, by one statement for all.

    Raises Invalid `invalid_input` for a limit that is not within PAGE_MAX.
    """
    _check_limit(span.limit)
    rows = await tx.all(
        _COMMENTS,
        {
            "shop": shop_id,
            "ids": list(ticket_ids),
            "after": span.after,
            "before": span.before,
            "sign": -1 if span.from_end else 1,
            "limit": span.limit + 1,
        },
    )
    found: dict[int, tuple[int, list[tuple[Any, ...]]]] = {}
    for ticket_id, total, *comment in rows:
        own = found.setdefault(ticket_id, (total, []))[1]
        if comment[0] is not None:
            own.append(tuple(comment))
    return {ticket_id: _comments(rows, total, span) for ticket_id, (total, rows) in found.items()}


async def read_comment(
    tx: Transaction, *, shop_id: int, ticket_id: int, number: int
) -> Comment | None:
    """The comment with this number of the ticket, None if there is none."""
    span = CommentSpan(limit=1, after=number - 1)
    pages = await list_comments(tx, shop_id=shop_id, ticket_ids=[ticket_id], span=span)
    found = pages[ticket_id].comments if ticket_id in pages else ()
    return found[0] if found else None


def _comments(rows: list[tuple[Any, ...]], total: int, span: CommentSpan) -> CommentPage:
    rows, has_next, has_previous = _cut(rows, span)
    names = Comment.__struct_fields__
    return CommentPage(
        comments=tuple(Comment(**dict(zip(names, row, strict=True))) for row in rows),
        has_next=has_next,
        has_previous=has_previous,
        total=total,
    )


def _cut(
    rows: list[tuple[Any, ...]], span: Span | CommentSpan
) -> tuple[list[tuple[Any, ...]], bool, bool]:
    """The rows in the list's order without the one too many, and whether there are later and earlier ones.

    A place that the list continues after is of a ticket or comment, none of which is ever deleted.
    """
    has_more = len(rows) > span.limit
    rows = rows[: span.limit]
    if span.from_end:
        return rows[::-1], span.before is not None, has_more or span.after is not None
    return rows, has_more or span.before is not None, span.after is not None


def _check_limit(limit: int) -> None:
    if not 0 <= limit <= PAGE_MAX:
        raise Invalid("invalid_input", f"A page has 0 to {PAGE_MAX} entries.")


def _ticket(row: tuple[Any, ...]) -> Ticket:
    return msgspec.convert(dict(zip(Ticket.__struct_fields__, row, strict=True)), Ticket)


_TICKET = """
    select t.id, t.partner_id, t.kind, t.state, t.reason, t.problem_type, t.item_delivery, t.first_name,
           t.last_name, t.email, t.remark, t.image_ids,
           (select coalesce(jsonb_agg(jsonb_build_object('order_id', l.order_id, 'line_no', l.line_no)
                                      order by l.position), '[]')
            from ticket_lines l where l.shop_id = t.shop_id and l.ticket_id = t.id),
           coalesce((select p.email from people p where p.id = t.assignee_id), ''), t.comment_count, t.created_at,
           t.updated_at
    from tickets t
    where t.shop_id = %(shop)s and (%(partner)s::bigint is null or t.partner_id = %(partner)s)
      and (%(kind)s::text is null or t.kind = %(kind)s)
"""
_OF_ORDER = """
    and t.id in (select l.ticket_id from ticket_lines l
                 where l.shop_id = t.shop_id and l.order_id = %(order)s)
"""
_COUNT = """
    select count(*) from tickets t
    where t.shop_id = %(shop)s and (%(partner)s::bigint is null or t.partner_id = %(partner)s)
      and (%(kind)s::text is null or t.kind = %(kind)s)
"""
_LISTED = """
    and (%(states)s::text[] is null or t.state = any(%(states)s))
    and (%(since)s::timestamptz is null or t.created_at >= %(since)s)
    and (%(until)s::timestamptz is null or t.created_at < %(until)s)
"""
_BETWEEN = """
    and (%(after_time)s::timestamptz is null or (t.created_at, t.id) < (%(after_time)s, %(after_id)s::bigint))
    and (%(before_time)s::timestamptz is null or (t.created_at, t.id) > (%(before_time)s, %(before_id)s::bigint))
"""
_NEWEST_FIRST = " order by t.created_at desc, t.id desc"
_COMMENTS = """
    select t.id, t.comment_count, c.number, c.id, c.author, coalesce(p.email, ''), c.content, c.created_at
    from tickets t
    left join lateral (
        select c.* from ticket_comments c
        where c.shop_id = t.shop_id and c.ticket_id = t.id
          and (%(after)s::integer is null or c.number > %(after)s)
          and (%(before)s::integer is null or c.number < %(before)s)
        order by c.number * %(sign)s limit %(limit)s
    ) c on true
    left join people p on p.id = c.person_id
    where t.shop_id = %(shop)s and t.id = any(%(ids)s)
    order by t.id, c.number * %(sign)s
"""
