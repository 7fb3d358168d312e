"""Single lines of an order, and its returns: cancel, refund, register, receive."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.gate import Gate
from crossdock.kit.languages import gettext
from crossdock.kit.numbers import read_number
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import (
    REFUND_REASONS,
    LineView,
    OrderView,
    cancel_line,
    plan_line_refund,
    read_order,
    read_reason,
    refund_line,
    rehearse,
)
from crossdock.shop.warehouse import (
    ReturnItem,
    announce_return,
    list_returnable,
    receive_return,
)
from crossdock.web.console.code_words import word
from crossdock.web.console.confirming import Effect, ask, is_sure
from crossdock.web.console.effect_words import cancelling_effects
from crossdock.web.console.order_paths import ORDERS, number_of, order_of, to_order
from crossdock.web.console.order_questions import refund_question
from crossdock.web.console.order_work import FIELDS_MAX, quantities_of
from crossdock.web.console.rendering import Pages

_REASON_MAX: Final = 200
_REFUNDABLE: Final = ("paid", "partially_refunded")


class LinePages:
    """The pages of an order's line, and of what comes back."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def show(self, request: Request) -> Response:
        """A line: what cancelling or refunding it would do, and the forms that do it."""
        visit = await self._gate.require_person(request, right="orders.manage")
        order, line = await self._line(request, shop_id=visit.person.shop_id)
        is_paid = order.payment_state in _REFUNDABLE
        return self._pages.page(
            "order_line.html",
            visit=visit,
            order=order,
            line=line,
            cancelling=await self._cancelling(order, line, shop_id=visit.person.shop_id),
            may_refund=is_paid and line.refunded_at is None and line.cancelled < line.quantity,
            may_refund_shipping=is_paid
            and line.refunded_at is not None
            and not line.shipping_refunded
            and line.shipping_minor > 0,
            reasons={name: word(name) for name in REFUND_REASONS},
        )

    async def _cancelling(self, order: OrderView, line: LineView, *, shop_id: int) -> list[Effect]:
        """What cancelling the line would do; nothing where it cannot be cancelled."""
        cancel = partial(
            cancel_line,
            shop_id=shop_id,
            order_id=order.id,
            line_no=line.line_no,
            reason="out_of_stock",
            now=self._clock.now(),
        )
        try:
            told = await rehearse(self._db, shop_id=shop_id, order_id=order.id, move=cancel)
        except Refused:
            return []
        effects = cancelling_effects(told, currency=order.currency)
        if told.after.fulfilment == "cancelled":
            text = gettext("It is the last line, so the whole order is cancelled.")
            effects.append(Effect(gettext("Order"), text))
        return effects

    async def cancel(self, request: Request) -> Response:
        """Cancel the line; what was paid for it goes back."""
        visit, form = await self._gate.require_form(request, right="orders.manage")
        order_id = order_of(request)
        async with self._db.begin() as tx:
            done = await cancel_line(
                tx,
                shop_id=visit.person.shop_id,
                order_id=order_id,
                line_no=number_of(request.path_params["line"]),
                reason=read_reason(form.get("reason", "")),
                now=self._clock.now(),
            )
        if done.given_back:
            await settle_every_payment(self._services.paying)
        return to_order(order_id, "line_cancelled")

    async def refund(self, request: Request) -> Response:
        """Refund the line, with its shipping if asked; its goods stay as they are. It says first how much that is."""
        visit, form = await self._gate.require_form(request, right="orders.manage")
        shop_id, order_id = visit.person.shop_id, order_of(request)
        line_no = number_of(request.path_params["line"])
        reason = read_reason(form.get("reason", ""))
        with_shipping = form.get("with_shipping") == "yes"
        if not is_sure(form):
            plan = partial(
                plan_line_refund,
                shop_id=shop_id,
                order_id=order_id,
                line_no=line_no,
                reason=reason,
                with_shipping=with_shipping,
                now=self._clock.now(),
            )
            order, _line = await self._line(request, shop_id=shop_id)
            told = await rehearse(self._db, shop_id=shop_id, order_id=order_id, move=plan)
            back = f"{ORDERS}/{order_id}/lines/{line_no}"
            question = refund_question(told, order, back=back)
            return ask(self._pages, request, visit=visit, form=form, question=question)
        await refund_line(
            self._services.paying,
            shop_id=shop_id,
            order_id=order_id,
            line_no=line_no,
            reason=reason,
            with_shipping=with_shipping,
        )
        return to_order(order_id, "line_refunded")

    async def ask_return(self, request: Request) -> Response:
        """What can come back, and the form that registers it."""
        visit = await self._gate.require_person(request, right="orders.fulfil")
        shop_id, order_id = visit.person.shop_id, order_of(request)
        async with self._db.statement() as tx:
            order = await read_order(tx, shop_id=shop_id, order_id=order_id, sections=("lines",))
            left = await list_returnable(tx, shop_id=shop_id, order_id=order_id)
        return self._pages.page(
            "order_return.html", visit=visit, order=order, left=left, is_any=any(left.values())
        )

    async def register(self, request: Request) -> Response:
        """Register what a buyer sends back."""
        visit, form = await self._gate.require_form(
            request, right="orders.fulfil", fields_max=FIELDS_MAX
        )
        order_id = order_of(request)
        items = [
            ReturnItem(line_no=line_no, quantity=many) for line_no, many in quantities_of(form)
        ]
        async with self._db.begin() as tx:
            await announce_return(
                tx,
                shop_id=visit.person.shop_id,
                order_id=order_id,
                items=items,
                reason=form.get("reason", "").replace("\x00", "").strip()[:_REASON_MAX],
                now=self._clock.now(),
            )
        return to_order(order_id, "return_registered")

    async def ask_receive(self, request: Request) -> Response:
        """What was registered, and how much of it goes back on the shelf."""
        visit = await self._gate.require_person(request, right="orders.fulfil")
        async with self._db.statement() as tx:
            order = await read_order(
                tx,
                shop_id=visit.person.shop_id,
                order_id=order_of(request),
                sections=("lines", "returns"),
            )
        return_id = number_of(request.path_params["back"])
        back = next((each for each in order.returns if each.id == return_id), None)
        if back is None:
            raise NotFound("not_found", gettext("There is no such return."))
        return self._pages.page("order_receive.html", visit=visit, order=order, back=back)

    async def receive(self, request: Request) -> Response:
        """Receive a return; the quantities of the form go back on the shelf."""
        visit, form = await self._gate.require_form(
            request, right="orders.fulfil", fields_max=FIELDS_MAX
        )
        order_id, return_id = order_of(request), number_of(request.path_params["back"])
        async with self._db.begin() as tx:
            order = await read_order(
                tx, shop_id=visit.person.shop_id, order_id=order_id, sections=("returns",)
            )
            if return_id not in {each.id for each in order.returns}:
                raise NotFound("not_found", gettext("There is no such return."))
            await receive_return(
                tx,
                shop_id=visit.person.shop_id,
                return_id=return_id,
                restocked=dict(quantities_of(form)),
                serials=_numbers(form.get("serials", "")),
                now=self._clock.now(),
            )
        return to_order(order_id, "received")

    async def _line(self, request: Request, *, shop_id: int) -> tuple[OrderView, LineView]:
        line_no = number_of(request.path_params["line"])
        async with self._db.statement() as tx:
            order = await read_order(
                tx, shop_id=shop_id, order_id=order_of(request), sections=("lines",)
            )
        line = next((each for each in order.lines if each.line_no == line_no), None)
        if line is None:
            raise NotFound("not_found", gettext("The order has no such line."))
        return order, line


def worth_of(order: OrderView, lines: Mapping[int, int]) -> int:
    """What these quantities of lines cost without their shipping, in minor units, rounded down."""
    return sum(
        (line.total_minor - line.shipping_minor) * lines[line.line_no] // line.quantity
        for line in order.lines
        if line.line_no in lines
    )


def _numbers(text: str) -> list[int]:
    """Numbers of licence keys, apart by blanks or commas. Raises Invalid `invalid_input`."""
    found = []
    for written in text.replace(",", " ").split():
        number = read_number(written)
        if number is None:
            message = gettext("Name licence keys by their numbers.")
            raise Invalid("invalid_input", message, {"field": "serials"})
        found.append(number)
    return found
