"""The orders of all channels: the board, an order's page, and what staff do with it."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crossdock.compose import Services
from crossdock.gate import Gate
from crossdock.kit.money import format_minor
from crossdock.kit.spreadsheets import shown_text
from crossdock.shop.dispatch import resend
from crossdock.shop.orders import (
    BOARD_MAX,
    CANCELLABLE,
    COUNT_MAX,
    NOTE_MAX,
    WORKABLE,
    BoardRow,
    BoardView,
    OrderView,
    Section,
    count_board,
    deliver_order,
    note_order,
    read_board,
    read_order,
    rehearse,
    release_order,
)
from crossdock.shop.payments import Payment, list_payments
from crossdock.shop.people import Visit
from crossdock.shop.warehouse import (
    read_label,
    rehearse_sending,
    send_everything,
    send_packages,
)
from crossdock.web.console.board_address import COLUMNS, VIEW_NAMES, BoardAddress, read_address
from crossdock.web.console.confirming import ask, is_sure
from crossdock.web.console.list_columns import read_columns
from crossdock.web.console.order_beside import read_beside
from crossdock.web.console.order_bulk import ACTIONS
from crossdock.web.console.order_lines import worth_of
from crossdock.web.console.order_money import left_to_refund
from crossdock.web.console.order_paths import ORDERS, number_of, order_of, to_order
from crossdock.web.console.order_questions import delivery_question, sending_question
from crossdock.web.console.order_words import DONE, FULFILMENT, PAYMENT, RETURNS, happening, who
from crossdock.web.console.rendering import HEADERS, Pages

_SECTIONS: Final[tuple[Section, ...]] = (
    "lines",
    "parts",
    "packages",
    "checkpoints",
    "returns",
    "timeline",
)
_FILE_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "placed": ("placed_at", "is_late"),
    "from": ("channel", "partner", "partner_order_id"),
    "for": ("buyer", "country"),
    "fulfilment": ("fulfilment_state", "lines", "units", "shipped"),
    "payment": ("payment_state",),
    "total": ("currency", "total_minor"),
}
"""What each column of the board is in a file; the order's number and whether it is a test are always there."""


class OrderPages:
    """The board and the pages of orders. Every write is followed by the order's page, which says what was done."""

    def __init__(
        self, gate: Gate, pages: Pages, *, services: Services, channels: Sequence[str]
    ) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._channels = channels
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def board(self, request: Request) -> Response:
        """A view of the board, with its filters and its search in the address."""
        visit = await self._gate.require_person(request, right="orders.read")
        address = read_address(request.query_params)
        shop_id, now = visit.person.shop_id, self._clock.now()
        async with self._db.statement() as tx:
            rows, has_more = await read_board(
                tx, shop_id=shop_id, filters=address.filters, before=address.before, now=now
            )
            counts = await count_board(tx, shop_id=shop_id, now=now)
        return self._pages.page(
            "orders.html",
            visit=visit,
            address=address,
            rows=rows,
            older=address.older(rows[-1].id) if has_more else None,
            counts=counts,
            count_max=COUNT_MAX,
            views=VIEW_NAMES,
            channels=self._channels,
            columns=read_columns(request, COLUMNS),
            fulfilment=FULFILMENT,
            payment=PAYMENT,
            actions={name: each for name, each in ACTIONS.items() if visit.person.may(each.right)},
        )

    async def board_file(self, request: Request) -> Response:
        """All orders of a view with its columns as CSV, streamed."""
        visit = await self._gate.require_person(request, right="orders.read")
        address = read_address(request.query_params)
        return StreamingResponse(
            self._csv(visit.person.shop_id, address),
            media_type="text/csv; charset=utf-8",
            headers={**HEADERS, "Content-Disposition": 'attachment; filename="orders.csv"'},
        )

    async def show(self, request: Request) -> Response:
        """An order's page."""
        visit = await self._gate.require_person(request, right="orders.read")
        order_id, shop_id = order_of(request), visit.person.shop_id
        async with self._db.statement() as tx:
            order = await read_order(tx, shop_id=shop_id, order_id=order_id, sections=_SECTIONS)
            payments = await list_payments(tx, shop_id=shop_id, order_id=order_id)
            beside = await read_beside(tx, order=order, person=visit.person)
        return self._pages.page(
            "order.html",
            visit=visit,
            order=order,
            beside=beside,
            payments=payments,
            may=_possible(order, payments),
            carriers=self._services.booking.carriers.names,
            fulfilment=FULFILMENT,
            payment=PAYMENT,
            happening=happening,
            who=who,
            note_max=NOTE_MAX,
            names={line.line_no: line.name for line in order.lines},
            returns=RETURNS,
            worth=_worth,
            done=DONE.get(request.query_params.get("done", ""), ""),
        )

    async def release(self, request: Request) -> Response:
        """Release the order if its stock is there; else it is reserved."""
        visit, _form = await self._gate.require_form(request, right="orders.fulfil")
        order_id = order_of(request)
        async with self._db.begin() as tx:
            state = await release_order(
                tx, shop_id=visit.person.shop_id, order_id=order_id, now=self._clock.now()
            )
        return to_order(order_id, "released" if state == "processing" else "reserved")

    async def send(self, request: Request) -> Response:
        """Ship the packed packages, or pick, pack and ship all that is left; asked first."""
        visit, form = await self._gate.require_form(request, right="orders.fulfil")
        order_id, is_all = order_of(request), form.get("all") == "yes"
        shop_id, carrier = visit.person.shop_id, form.get("carrier", "")
        if not is_sure(form):
            told = await rehearse_sending(
                self._services.booking,
                shop_id=shop_id,
                order_id=order_id,
                packs_all=is_all,
                carrier=carrier,
            )
            question = sending_question(told, order_id=order_id, back=f"{ORDERS}/{order_id}")
            return ask(self._pages, request, visit=visit, form=form, question=question)
        send = send_everything if is_all else send_packages
        await send(self._services.booking, shop_id=shop_id, order_id=order_id, carrier=carrier)
        return to_order(order_id, "sent")

    async def deliver(self, request: Request) -> Response:
        """Deliver what no warehouse sends: its serials are mailed to the buyer; asked first."""
        visit, form = await self._gate.require_form(
            request, right="orders.fulfil", personal=("note",)
        )
        order_id = order_of(request)
        deliver = partial(
            deliver_order,
            shop_id=visit.person.shop_id,
            order_id=order_id,
            mailing=self._services.mailing,
            note=form.get("note", "").strip()[:NOTE_MAX],
            now=self._clock.now(),
        )
        if not is_sure(form):
            told = await rehearse(
                self._db, shop_id=visit.person.shop_id, order_id=order_id, move=deliver
            )
            question = delivery_question(told, order_id=order_id, back=f"{ORDERS}/{order_id}")
            return ask(self._pages, request, visit=visit, form=form, question=question)
        async with self._db.begin() as tx:
            await deliver(tx)
        return to_order(order_id, "delivered")

    async def note(self, request: Request) -> Response:
        """Write a note that only staff see."""
        visit, form = await self._gate.require_form(
            request, right="orders.fulfil", personal=("note",)
        )
        order_id = order_of(request)
        async with self._db.begin() as tx:
            await note_order(
                tx,
                shop_id=visit.person.shop_id,
                order_id=order_id,
                text=form.get("note", ""),
                now=self._clock.now(),
            )
        return to_order(order_id, "noted")

    async def resend(self, request: Request) -> Response:
        """Queue the order's failed dispatch again."""
        visit, _form = await self._gate.require_form(request, right="orders.fulfil")
        order_id = order_of(request)
        async with self._db.begin() as tx:
            await resend(tx, shop_id=visit.person.shop_id, order_id=order_id, now=self._clock.now())
        return to_order(order_id, "resent")

    async def label(self, request: Request) -> Response:
        """A package's label as PDF."""
        visit = await self._gate.require_person(request, right="labels.print")
        package_id = number_of(request.path_params["package"])
        async with self._db.statement() as tx:
            data = await read_label(
                tx, shop_id=visit.person.shop_id, package_id=package_id, kind=".pdf"
            )
        return Response(data, media_type="application/pdf", headers={"Cache-Control": "no-store"})

    async def count(self, visit: Visit) -> Mapping[BoardView, str]:
        """How many orders each view of the board has, for the home page; those above COUNT_MAX as '1000+'."""
        async with self._db.statement() as tx:
            counts = await count_board(tx, shop_id=visit.person.shop_id, now=self._clock.now())
        return {
            view: f"{many}+" if many == COUNT_MAX else str(many) for view, many in counts.items()
        }

    async def _csv(self, shop_id: int, address: BoardAddress) -> AsyncIterator[str]:
        names = _file_fields(address)
        yield _csv_line(["total" if name == "total_minor" else name for name in names])
        before = None
        while True:
            async with self._db.statement() as tx:
                rows, has_more = await read_board(
                    tx,
                    shop_id=shop_id,
                    filters=address.filters,
                    before=before,
                    limit=BOARD_MAX,
                    now=self._clock.now(),
                )
            yield "".join(_csv_line(_cells(row, names)) for row in rows)
            if not has_more:
                return
            before = rows[-1].id


def _possible(order: OrderView, payments: list[Payment]) -> Mapping[str, bool]:
    """What the order's page offers."""
    is_delivered = order.release_policy == "delivered"
    open_lines = [line for line in order.lines if line.shipped + line.cancelled < line.quantity]
    in_work = not is_delivered and order.fulfilment_state in WORKABLE
    return {
        "release": order.fulfilment_state in {"waiting_for_release", "reserved"}
        and order.payment_state != "awaiting"
        and not is_delivered,
        "deliver": _is_to_deliver(order)
        if is_delivered
        else in_work and any(line.virtual for line in open_lines),
        "send": in_work and not all(line.virtual for line in open_lines),
        "work": in_work and not all(line.virtual for line in order.lines),
        "send_packed": any(package.state == "packed" for package in order.packages),
        "return": any(line.shipped > line.returned for line in order.lines),
        "resend": _has_failed(order),
        "pay": order.payment_state in {"awaiting", "authorised"},
        "cancel": order.fulfilment_state in CANCELLABLE,
        "close": not is_delivered
        and order.fulfilment_state in {"in_fulfilment", "partially_shipped"}
        and bool(open_lines),
        "refund": left_to_refund(payments) > 0,
    }


def _is_to_deliver(order: OrderView) -> bool:
    """Whether an order that no warehouse sends is to be delivered."""
    return order.payment_state in {"paid", "partially_refunded"} and order.fulfilment_state in {
        "waiting_for_release",
        "partially_shipped",
    }


def _has_failed(order: OrderView) -> bool:
    """Whether the last attempt to dispatch the order was its last one, and failed."""
    tries = [event for event in order.timeline if event.kind.startswith("dispatch.")]
    return bool(tries) and tries[-1].payload.get("final") is True


def _worth(order: OrderView, lines: Mapping[int, int]) -> str:
    return format_minor(worth_of(order, lines), order.currency)


def _file_fields(address: BoardAddress) -> list[str]:
    """What the file has of each order, in its order: all, or what the chosen columns show."""
    hidden = {
        name
        for column, names in _FILE_FIELDS.items()
        if address.columns and column not in address.columns
        for name in names
    }
    return [name for name in BoardRow.__struct_fields__ if name not in hidden]


def _cells(row: BoardRow, names: Sequence[str]) -> list[Any]:
    shown = {
        "total_minor": format_minor(row.total_minor, row.currency),
        "placed_at": row.placed_at.isoformat(),
    }
    return [_plain(shown.get(name, getattr(row, name))) for name in names]


def _plain(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown_text(value) if isinstance(value, str) else value


def _csv_line(cells: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
