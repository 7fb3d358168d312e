"""Tickets: what partners' customers complain of or ask (spec section 11)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from crossdock.channels.shoppo.connections import LENGTH, Connection, connection, read_paging
from crossdock.channels.shoppo.errors import WireError, bad_input
from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.order_rows import ItemRow, order_row, sections_of
from crossdock.channels.shoppo.ranges import read_range
from crossdock.channels.shoppo.rows import ImageRow, kept_image
from crossdock.channels.shoppo.subjects import Call, Load, Subject
from crossdock.channels.shoppo.ticket_fields import (
    ROWS,
    TICKET_TYPES,
    TYPES,
    Comments,
    ReplyPayload,
    TicketPayload,
    TicketRow,
)
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.kit.clock import Clock
from crossdock.shop.media import read_images, use_images
from crossdock.shop.orders import read_orders
from crossdock.shop.tickets import (
    KINDS,
    NewTicket,
    Span,
    Ticket,
    TicketKind,
    TicketLine,
    list_tickets,
    open_ticket,
    read_tickets,
    reply,
)

_TICKETS = "ticket"
_ID_MAX = 2**63 - 1
_MICROSECOND = timedelta(microseconds=1)
_FIELDS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "lines": "orderItemIds",
    "image_ids": "imageIds",
    "content": "replyContent",
}


class Tickets:
    """The subject of tickets; `images_base` is what the addresses of images start with."""

    def __init__(self, db: Database, *, clock: Clock, images_base: str) -> None:
        self._db = db
        self._clock = clock
        self._images_base = images_base

    def subject(self) -> Subject:
        """The types, the lists, the tickets by id, and what partners do with them."""
        queries: dict[str, Load] = {}
        mutations: dict[str, Load] = {"replyCustomerServiceTicket": self.reply}
        for kind in KINDS:
            name = TYPES[kind][0].lower() + TYPES[kind][1:]
            queries |= {f"{name}List": self._list(kind), name: self._one(kind)}
            mutations[f"create{TYPES[kind]}"] = self._create(kind)
        return Subject(
            types=TICKET_TYPES,
            queries=queries,
            mutations=mutations,
            rows={row: TYPES[kind] for kind, row in ROWS.items()},
            nodes={Kind.TICKET: self.node},
        )

    def _list(self, kind: TicketKind) -> Load:
        async def load(
            call: Call, arguments: Mapping[str, Any], names: frozenset[str]
        ) -> Connection:
            """A page of the caller's tickets of the kind."""
            paging = read_paging(arguments, listed=_TICKETS)
            since, until = read_range(arguments.get("filters") or {}, "timeCreatedRange") or (
                None,
                None,
            )
            span = Span(
                limit=paging.size,
                after=paging.after,
                before=paging.before,
                from_end=paging.is_last,
            )
            async with self._db.statement() as tx:
                page = await list_tickets(
                    tx,
                    shop_id=call.partner.shop_id,
                    partner_id=call.partner.id,
                    kind=kind,
                    span=span,
                    since=since,
                    until=None if until is None else until + _MICROSECOND,
                    counts=LENGTH in names,
                )
                rows = await self._rows(tx, call, page.tickets, names)
            return connection(
                rows,
                paging=paging,
                has_more=page.has_previous if paging.is_last else page.has_next,
                length=-1 if page.total is None else page.total,
                listed=_TICKETS,
                place=lambda row: (row.ticket.created_at, row.ticket.id),
            )

        return load

    def _one(self, kind: TicketKind) -> Load:
        async def load(
            call: Call, arguments: Mapping[str, Any], names: frozenset[str]
        ) -> TicketRow | None:
            """A ticket of the caller's of the kind."""
            found = call.ids.decode(arguments["ticketId"])
            if found is None or found[0] != Kind.TICKET:
                return None
            return await self._read(call, found[1], names, kind=kind)

        return load

    async def node(
        self, call: Call, number: int, place: int, names: frozenset[str]
    ) -> TicketRow | None:
        """A ticket of the caller's, of any kind."""
        return await self._read(call, number, names)

    def _create(self, kind: TicketKind) -> Load:
        async def load(
            call: Call, arguments: Mapping[str, Any], names: frozenset[str]
        ) -> TicketPayload:
            """Open a ticket of the kind."""
            ticket = _new_ticket(call, arguments, kind=kind)
            async with self._db.begin() as tx:
                try:
                    ticket_id = await open_ticket(
                        tx,
                        shop_id=call.partner.shop_id,
                        partner_id=call.partner.id,
                        ticket=ticket,
                        images=use_images,
                        now=self._clock.now(),
                    )
                except (Invalid, NotFound) as error:
                    raise _refusal(error) from error
            return TicketPayload(await self._read_known(call, ticket_id, names))

        return load

    async def reply(
        self, call: Call, arguments: Mapping[str, Any], names: frozenset[str]
    ) -> ReplyPayload:
        """replyCustomerServiceTicket."""
        ticket_id, _ = _number(call, arguments["ticketId"], kind=Kind.TICKET, field="ticketId")
        async with self._db.begin() as tx:
            try:
                await reply(
                    tx,
                    shop_id=call.partner.shop_id,
                    partner_id=call.partner.id,
                    ticket_id=ticket_id,
                    content=arguments["replyContent"],
                    now=self._clock.now(),
                )
            except (Invalid, NotFound) as error:
                raise _refusal(error) from error
        return ReplyPayload(success=True)

    async def _read(
        self, call: Call, ticket_id: int, names: frozenset[str], *, kind: TicketKind | None = None
    ) -> TicketRow | None:
        if ticket_id > _ID_MAX:
            return None
        async with self._db.statement() as tx:
            found = await read_tickets(
                tx,
                shop_id=call.partner.shop_id,
                partner_id=call.partner.id,
                ticket_ids=[ticket_id],
                kind=kind,
            )
            rows = await self._rows(tx, call, found, names)
        return rows[0] if rows else None

    async def _read_known(self, call: Call, ticket_id: int, names: frozenset[str]) -> TicketRow:
        row = await self._read(call, ticket_id, names)
        if row is None:
            raise NotFound("not_found")
        return row

    async def _rows(
        self, tx: Transaction, call: Call, tickets: Sequence[Ticket], names: frozenset[str]
    ) -> list[TicketRow]:
        """The tickets with their items and images, if these are selected; two statements for all."""
        items = await self._items(tx, call, tickets, names) if "orderItems" in names else {}
        images = await self._images(tx, call, tickets) if "images" in names else {}
        comments = Comments(
            self._db,
            shop_id=call.partner.shop_id,
            ticket_ids=[ticket.id for ticket in tickets],
        )
        return [
            ROWS[ticket.kind](
                ticket,
                [items[line] for line in ticket.lines if line in items],
                [images[each] for each in ticket.image_ids if each in images],
                comments,
            )
            for ticket in tickets
        ]

    async def _items(
        self, tx: Transaction, call: Call, tickets: Sequence[Ticket], names: frozenset[str]
    ) -> dict[TicketLine, ItemRow]:
        order_ids = sorted({line.order_id for ticket in tickets for line in ticket.lines})
        if not order_ids:
            return {}
        orders = await read_orders(
            tx, shop_id=call.partner.shop_id, order_ids=order_ids, sections=sections_of(names)
        )
        return {
            TicketLine(view.id, item.line.line_no): item
            for view in orders
            for item in order_row(view).items
        }

    async def _images(
        self, tx: Transaction, call: Call, tickets: Sequence[Ticket]
    ) -> dict[int, ImageRow]:
        image_ids = sorted({each for ticket in tickets for each in ticket.image_ids})
        if not image_ids:
            return {}
        found = await read_images(
            tx,
            shop_id=call.partner.shop_id,
            partner_id=call.partner.id,
            image_ids=image_ids,
        )
        return {image.id: kept_image(image, base=self._images_base) for image in found}


def _new_ticket(call: Call, arguments: Mapping[str, Any], *, kind: TicketKind) -> NewTicket:
    lines = _numbers(call, arguments, "orderItemIds", kind=Kind.ORDER_ITEM)
    images = _numbers(call, arguments, "imageIds", kind=Kind.IMAGE)
    problem, delivery = arguments.get("problemType"), arguments.get("itemDeliveryStatus")
    return NewTicket(
        kind=kind,
        first_name=arguments["firstName"],
        last_name=arguments["lastName"],
        email=arguments["email"],
        reason=arguments.get("reason") or "",
        problem_type=problem and problem.lower(),
        item_delivery=delivery and delivery.lower(),
        remark=arguments.get("remark") or "",
        lines=tuple(TicketLine(order_id, line_no) for order_id, line_no in lines),
        image_ids=tuple(number for number, _ in images),
    )


def _numbers(
    call: Call, arguments: Mapping[str, Any], field: str, *, kind: Kind
) -> list[tuple[int, int]]:
    """What the ids in this argument stand for; null members are refused."""
    ids = arguments.get(field) or []
    if None in ids:
        raise bad_input(f"{field} has a null.", field=field)
    return [_number(call, text, kind=kind, field=field) for text in ids]


def _number(call: Call, text: str, *, kind: Kind, field: str) -> tuple[int, int]:
    found = call.ids.decode(text)
    if found is None or found[0] != kind or found[1] > _ID_MAX:
        raise WireError("NOT_FOUND", f"{field} names nothing.", field=field)
    return found[1], found[2]


def _refusal(error: Invalid | NotFound) -> WireError:
    """The core's refusal of a field under the field's name here."""
    given = str(error.data.get("field", "ticket_id"))
    field = _FIELDS.get(given, given)
    if isinstance(error, NotFound):
        field = "ticketId" if given == "ticket_id" else field
        return WireError("NOT_FOUND", f"{field} names nothing.", field=field)
    return bad_input(f"{field}: {error.message}", field=field)
