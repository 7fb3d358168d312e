"""What moves an order's money: pay, cancel, close short, refund. Each says what it does to stock and money first."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Refused
from crossdock.gate import Form, Gate
from crossdock.kit.money import parse_typed_amount
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import (
    CANCELLABLE,
    REFUND_REASONS,
    RETURNABLE,
    Cancelled,
    Closed,
    OrderView,
    Rehearsed,
    cancel_order,
    pay_order,
    read_order,
    read_reason,
    refund_order,
    rehearse,
    rehearse_payment,
)
from crossdock.shop.payments import Payment, list_payments
from crossdock.shop.people import Visit
from crossdock.shop.warehouse import close_short, refund_with_goods, rehearse_refund
from crossdock.web.console.confirming import Effect, ask, is_sure
from crossdock.web.console.effect_words import cancelling_effects
from crossdock.web.console.order_paths import ORDERS, order_of, to_order
from crossdock.web.console.order_questions import payment_question, refund_question
from crossdock.web.console.rendering import Pages

_REASON_MAX: Final = 200
_REFUNDABLE: Final = ("captured", "partially_refunded")


class OrderMoneyPages:
    """The pages that ask before money moves, and what they do."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def pay(self, request: Request) -> Response:
        """Capture the card, or record a bank transfer; asked first."""
        visit, form = await self._gate.require_form(request, right="orders.manage")
        shop_id, order_id = visit.person.shop_id, order_of(request)
        reference = form.get("reference", "")
        if not is_sure(form):
            told = await rehearse_payment(
                self._db,
                shop_id=shop_id,
                order_id=order_id,
                reference=reference,
                now=self._clock.now(),
            )
            order, _payments = await self._read(request, shop_id)
            question = payment_question(told, order, back=f"{ORDERS}/{order_id}")
            return ask(self._pages, request, visit=visit, form=form, question=question)
        await pay_order(
            self._services.paying, shop_id=shop_id, order_id=order_id, reference=reference
        )
        return to_order(order_id, "paid")

    async def ask_cancel(self, request: Request) -> Response:
        """What cancelling would do, and the form that does it."""
        visit = await self._gate.require_person(request, right="orders.manage")
        order, _payments = await self._read(request, visit.person.shop_id)
        try:
            told = await self._rehearse(visit, order, partial(cancel_order, now=self._clock.now()))
        except Refused:
            told = []
        return self._pages.page(
            "order_cancel.html", visit=visit, order=order, told=told, reasons=REFUND_REASONS
        )

    async def cancel(self, request: Request) -> Response:
        """Cancel the order and give its money back."""
        return await self._end(request, cancel_order, done="cancelled")

    async def ask_close(self, request: Request) -> Response:
        """What closing the order short would do, and the form that does it."""
        visit = await self._gate.require_person(request, right="orders.manage")
        order, _payments = await self._read(request, visit.person.shop_id)
        told = await self._rehearse(visit, order, partial(close_short, now=self._clock.now()))
        return self._pages.page(
            "order_close.html", visit=visit, order=order, told=told, reasons=REFUND_REASONS
        )

    async def close(self, request: Request) -> Response:
        """Cancel what has not left and give its money back."""
        return await self._end(request, close_short, done="closed")

    async def _end(
        self, request: Request, end: Callable[..., Awaitable[Any]], *, done: str
    ) -> Response:
        visit, form = await self._gate.require_form(request, right="orders.manage")
        order_id = order_of(request)
        async with self._db.begin() as tx:
            await end(
                tx,
                shop_id=visit.person.shop_id,
                order_id=order_id,
                reason=_reason(form),
                refund_reason=read_reason(form.get("refund_reason", "")),
                now=self._clock.now(),
            )
        await settle_every_payment(self._services.paying)
        return to_order(order_id, done)

    async def ask_refund(self, request: Request) -> Response:
        """What is left to refund, and the form that asks for it."""
        visit = await self._gate.require_person(request, right="orders.manage")
        order, payments = await self._read(request, visit.person.shop_id)
        return self._pages.page(
            "order_refund.html",
            visit=visit,
            order=order,
            left_minor=left_to_refund(payments),
            may_take_back=order.fulfilment_state in (*CANCELLABLE, *RETURNABLE),
            amount=request.query_params.get("amount", "")[:20],
        )

    async def refund(self, request: Request) -> Response:
        """Refund an amount, or all that is left, and take the goods back if asked; it says first what that does."""
        visit, form = await self._gate.require_form(request, right="orders.manage")
        order, _payments = await self._read(request, visit.person.shop_id)
        text, takes_goods = form.get("amount", "").strip(), form.get("goods_back") == "yes"
        amount_minor = parse_typed_amount(text, currency=order.currency) if text else None
        if not is_sure(form):
            told = await rehearse_refund(
                self._services.paying,
                shop_id=visit.person.shop_id,
                order_id=order.id,
                amount_minor=amount_minor,
                takes_goods=takes_goods,
            )
            question = refund_question(told, order, back=f"{ORDERS}/{order.id}/refund")
            return ask(self._pages, request, visit=visit, form=form, question=question)
        give = refund_with_goods if takes_goods else refund_order
        await give(
            self._services.paying,
            shop_id=visit.person.shop_id,
            order_id=order.id,
            amount_minor=amount_minor,
        )
        return to_order(order.id, "refunded")

    async def _rehearse(
        self, visit: Visit, order: OrderView, move: "Callable[..., Awaitable[Cancelled | Closed]]"
    ) -> list[Effect]:
        shop_id = visit.person.shop_id
        told: Rehearsed[Cancelled | Closed] = await rehearse(
            self._db,
            shop_id=shop_id,
            order_id=order.id,
            move=partial(move, shop_id=shop_id, order_id=order.id),
        )
        return cancelling_effects(told, currency=order.currency)

    async def _read(self, request: Request, shop_id: int) -> tuple[OrderView, list[Payment]]:
        order_id = order_of(request)
        async with self._db.statement() as tx:
            order = await read_order(tx, shop_id=shop_id, order_id=order_id)
            return order, await list_payments(tx, shop_id=shop_id, order_id=order_id)


def left_to_refund(payments: list[Payment]) -> int:
    """What of the captured money is neither refunded nor being refunded."""
    return sum(
        each.captured_minor - each.refunded_minor - each.refunding_minor - each.refund_due_minor
        for each in payments
        if each.state in _REFUNDABLE
    )


def _reason(form: Form) -> str:
    return form.get("reason", "").replace("\x00", "").strip()[:_REASON_MAX]
