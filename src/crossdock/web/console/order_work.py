"""Pick and pack an order on its page: by a scanner, by quantities, with serials; and take it back."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import CrossdockError, Invalid
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext
from crossdock.kit.numbers import read_number
from crossdock.shop.orders import OrderView, Quantities, read_order
from crossdock.shop.people import Visit
from crossdock.shop.warehouse import (
    capture_serials,
    left_to_pack,
    left_to_pick,
    pack_lines,
    pick_lines,
    pick_scanned,
    read_serials,
    rehearse_sending,
    send_packages,
    unpack_package,
    unpick_lines,
)
from crossdock.web.console.confirming import ask, is_sure, told_of, undo_query
from crossdock.web.console.order_paths import ORDERS, number_of, order_of, to_order
from crossdock.web.console.order_questions import sending_question
from crossdock.web.console.order_words import FULFILMENT, WORK_DONE
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, Told, Undo, redirect

FIELDS_MAX: Final = 2_100
"""An order of a thousand lines, with a quantity and the serials of each."""
_LINE = re.compile(r"line\.([0-9]{1,5})")
_PAGE = "/work"


class WorkPages:
    """The page on which an order is picked and packed. Everything on it works by keyboard alone."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def show(self, request: Request) -> Response:
        """The lines with what is to be picked and packed; the field that a scanner types into has the focus."""
        visit = await self._gate.require_person(request, right="orders.fulfil")
        return await self._page(visit, order_of(request), done=told_of(visit, request, WORK_DONE))

    async def scan(self, request: Request) -> Response:
        """Pick one unit of the line with the scanned code; a wrong code is told on the page itself."""
        visit, form = await self._gate.require_form(request, right="orders.fulfil")
        order_id = order_of(request)
        try:
            async with self._db.begin() as tx:
                line_no = await pick_scanned(
                    tx,
                    shop_id=visit.person.shop_id,
                    order_id=order_id,
                    code=form.get("code", ""),
                    now=self._clock.now(),
                )
        except CrossdockError as error:
            if error.code not in {"invalid_input", "stock_insufficient"}:
                raise
            return await self._page(visit, order_id, wrong=why(error), status=400)
        return _to(visit, order_id, "picked", back="unpick", lines={line_no: 1})

    async def pick(self, request: Request) -> Response:
        """Pick the quantities of the form; all that is left if it says so."""
        visit, form = await self._form(request)
        shop_id, order_id = visit.person.shop_id, order_of(request)
        async with self._db.begin() as tx:
            wanted = _quantities(form)
            if form.get("all") == "yes":
                wanted = await left_to_pick(tx, shop_id=shop_id, order_id=order_id)
            await pick_lines(
                tx, shop_id=shop_id, order_id=order_id, quantities=wanted, now=self._clock.now()
            )
        return _to(visit, order_id, "picked", back="unpick", lines=wanted)

    async def unpick(self, request: Request) -> Response:
        """Put picked units that are in no package back on the shelf: the quantities of the form."""
        visit, form = await self._form(request)
        wanted = _quantities(form)
        async with self._db.begin() as tx:
            await unpick_lines(
                tx,
                shop_id=visit.person.shop_id,
                order_id=order_of(request),
                quantities=wanted,
                now=self._clock.now(),
            )
        return _to(visit, order_of(request), "unpicked", back="pick", lines=wanted)

    async def serials(self, request: Request) -> Response:
        """Note the serials of a picked line, one a line of the text."""
        visit, form = await self._form(request)
        order_id = order_of(request)
        texts = [text for text in form.get("serials", "").splitlines() if text.strip()]
        if not texts:
            raise Invalid("invalid_input", gettext("Enter a serial number."), {"field": "serials"})
        async with self._db.begin() as tx:
            await capture_serials(
                tx,
                shop_id=visit.person.shop_id,
                order_id=order_id,
                line_no=number_of(form.get("line", "")),
                serials=texts,
                box=self._services.box,
                now=self._clock.now(),
            )
        return to_order(order_id, "serials", page=_PAGE)

    async def pack(self, request: Request) -> Response:
        """Pack the quantities of the form into a new package."""
        visit, form = await self._form(request)
        shop_id, order_id = visit.person.shop_id, order_of(request)
        async with self._db.begin() as tx:
            wanted = _quantities(form)
            if form.get("all") == "yes":
                wanted = await left_to_pack(tx, shop_id=shop_id, order_id=order_id)
            package_id = await pack_lines(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                quantities=wanted,
                weight_g=_whole(form.get("weight", ""), field="weight"),
                now=self._clock.now(),
            )
        return _to(visit, order_id, "packed", back=f"packages/{package_id}/unpack", lines={})

    async def unpack(self, request: Request) -> Response:
        """Open a package that has not left."""
        visit, _form = await self._form(request)
        shop_id, order_id = visit.person.shop_id, order_of(request)
        package_id = number_of(request.path_params["package"])
        async with self._db.begin() as tx:
            order = await read_order(tx, shop_id=shop_id, order_id=order_id, sections=("packages",))
            await unpack_package(tx, shop_id=shop_id, package_id=package_id, now=self._clock.now())
        lines = next((each.lines for each in order.packages if each.id == package_id), {})
        return _to(visit, order_id, "unpacked", back="pack", lines=lines)

    async def ship(self, request: Request) -> Response:
        """Book a package with a carrier and ship it; asked first."""
        visit, form = await self._form(request)
        shop_id, order_id = visit.person.shop_id, order_of(request)
        package_id = number_of(request.path_params["package"])
        booking, carrier = self._services.booking, form.get("carrier", "")
        if not is_sure(form):
            told = await rehearse_sending(
                booking, shop_id=shop_id, order_id=order_id, package_id=package_id, carrier=carrier
            )
            back = f"{ORDERS}/{order_id}{_PAGE}"
            question = sending_question(told, order_id=order_id, back=back)
            return ask(self._pages, request, visit=visit, form=form, question=question)
        await send_packages(
            booking, shop_id=shop_id, order_id=order_id, package_id=package_id, carrier=carrier
        )
        return to_order(order_id, "sent", page=_PAGE)

    async def _form(self, request: Request) -> tuple[Visit, Form]:
        return await self._gate.require_form(request, right="orders.fulfil", fields_max=FIELDS_MAX)

    async def _page(
        self,
        visit: Visit,
        order_id: int,
        *,
        done: Told | None = None,
        wrong: str = "",
        status: int = 200,
    ) -> Response:
        shop_id = visit.person.shop_id
        async with self._db.statement() as tx:
            order = await read_order(
                tx, shop_id=shop_id, order_id=order_id, sections=("lines", "packages")
            )
            noted = await read_serials(
                tx, shop_id=shop_id, order_id=order_id, box=self._services.box
            )
        packed = _packed(order)
        goods = [line for line in order.lines if not line.virtual]
        to_pick = {line.line_no: line.quantity - line.cancelled - line.picked for line in goods}
        to_pack = {line.line_no: line.picked - packed.get(line.line_no, 0) for line in goods}
        return self._pages.page(
            "order_work.html",
            visit=visit,
            status=status,
            order=order,
            noted={line_no: len(serials) for line_no, serials in noted.items()},
            to_pick=to_pick,
            to_pack=to_pack,
            left_to_pick=sum(to_pick.values()),
            left_to_pack=sum(to_pack.values()),
            waiting=[package for package in order.packages if package.state == "packed"],
            names={line.line_no: line.name for line in order.lines},
            carriers=self._services.booking.carriers.names,
            fulfilment=FULFILMENT,
            done=done,
            wrong=wrong,
        )


def quantities_of(form: Form, *, prefix: str = "line") -> Iterator[tuple[int, int]]:
    """The (line, quantity) pairs of a form whose fields are `line.1`, `line.2` ...; none for an empty field or a 0."""
    for name, text in form.items():
        head, _, number = name.partition(".")
        if head == prefix and _LINE.fullmatch(f"line.{number}"):
            many = _whole(text, field=name)
            if many:
                yield int(number), many


def _to(visit: Visit, order_id: int, done: str, *, back: str, lines: Mapping[int, int]) -> Response:
    """Lead to the page, which says what was done and offers the form that takes it back."""
    here = f"{ORDERS}/{order_id}{_PAGE}"
    fields = {f"line.{line_no}": str(many) for line_no, many in lines.items()}
    undo = undo_query(visit, Undo(action=f"{here}/{back}", fields=fields))
    return redirect(f"{here}?done={done}{undo}")


def _quantities(form: Form) -> Quantities:
    return dict(quantities_of(form))


def _whole(text: str, *, field: str) -> int:
    """A whole number; 0 for an empty field. Raises Invalid `invalid_input`."""
    wanted = text.strip()
    if not wanted:
        return 0
    number = read_number(wanted, digits_max=9)
    if number is None:
        raise Invalid("invalid_input", gettext("A quantity is a whole number."), {"field": field})
    return number


def _packed(order: OrderView) -> dict[int, int]:
    """How many of each line are in packages."""
    found: dict[int, int] = {}
    for package in order.packages:
        if package.state != "cancelled":
            for line_no, many in package.lines.items():
                found[line_no] = found.get(line_no, 0) + many
    return found
