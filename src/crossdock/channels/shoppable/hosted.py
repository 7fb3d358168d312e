"""GET and POST /checkout: the hosted checkout, pages that a shopper's browser is sent to (spec 7.3).

| step | its form is bound to | answers |
|---|---|---|
| the link | - | the cart, and the form for the delivery |
| delivery | token, cart, and what was shown | what it costs at that address, and the form for the payment |
| pay | the same, and the total | 303 to the confirmation, or the form again |

A form is good for half an hour, and every step first looks whether the cart was ordered already, so that
a form sent twice leads to the one order.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.contract import Handler
from crossdock.channels.shoppable.auth import Authenticator
from crossdock.channels.shoppable.checkout import PERMISSION, CheckoutCalls, wrong_fields
from crossdock.channels.shoppable.checkout_fields import (
    cleaned,
    is_delivered_to,
    read_delivery,
    read_fields,
)
from crossdock.channels.shoppable.errors import WireError
from crossdock.channels.shoppable.hosted_fields import (
    DELIVERY,
    PAYMENT_ORDER,
    checkout_of,
    delivery_of,
    mistakes_of,
)
from crossdock.channels.shoppable.hosted_messages import EMPTY, GONE, ORDERED
from crossdock.channels.shoppable.hosted_pages import DONE_PATH, PATH, HostedPages, Told, Visit
from crossdock.channels.shoppable.hosted_state import (
    FORM_S,
    RECEIPT_S,
    FormState,
    Links,
    Sealing,
)
from crossdock.channels.shoppable.numbers import order_number
from crossdock.errors import CrossdockError
from crossdock.gate import Form, buyer_language, read_form
from crossdock.kit.languages import lazy, speak, speaking
from crossdock.shop.carts import CartView, CheckingOut, quote, read_cart
from crossdock.shop.orders import read_order
from crossdock.shop.partners import Partner
from crossdock.shop.shops import read_shop_by_id

_TEXT_MAX: Final = 2_000
_CAMPAIGN_MAX: Final = 500
_FRAMES: Final = frozenset({"", "0", "false"})
_WAITING: Final = frozenset(
    {"busy", "payment_unsettled", "database_unavailable", "outcome_unknown"}
)
_TOO_OLD: Final = lazy("This page was open for a long time. Check what you see below, then go on.")
_CHANGED: Final = lazy(
    "The price of your order changed. Nothing was charged. Check the new total, then pay."
)
_SHORT: Final = lazy(
    "Some of it sold out meanwhile. Nothing was charged. Check what is left, then pay."
)
_NOT_YET: Final = lazy("No order was placed so far. If you pay now, your card is charged once.")
_AMOUNT: Final = lazy("This shop takes no order of this amount. Nothing was charged.")
_NOTICES: Final = {
    "cart_changed": _CHANGED,
    "order_amount_not_allowed": _AMOUNT,
    "stock_limit_exceeded": _SHORT,
}


class HostedCheckout:
    """The steps of the hosted checkout."""

    def __init__(
        self,
        checking_out: CheckingOut,
        *,
        authenticator: Authenticator,
        checkouts: CheckoutCalls,
        sealing: Sealing,
        pages: HostedPages,
    ) -> None:
        self._checking_out = checking_out
        self._authenticator = authenticator
        self._checkouts = checkouts
        self._sealing = sealing
        self._pages = pages

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """The pages by method and path. Their queries hold secrets, which no log has."""
        shown = {PATH: self.open, f"{PATH}/": self.open, DONE_PATH: self.done}
        return {
            ("POST", PATH): self._guarded(self.step),
            ("POST", f"{PATH}/"): self._guarded(self.step),
            **{
                (method, path): self._guarded(page)
                for path, page in shown.items()
                for method in ("GET", "HEAD")
            },
        }

    async def open(self, request: Request) -> Response:
        """The page that a link opens. Raises Refused for the token, NotFound for the cart."""
        query = {name: text[:_TEXT_MAX] for name, text in cleaned(request.query_params).items()}
        state = FormState(
            token=query.get("apiToken", ""),
            cart_id=query.get("cart", ""),
            opened_at=self._pages.now(),
            campaign=query.get("campaign", "")[:_CAMPAIGN_MAX],
            may_be_framed=query.get("noiframe", "") in _FRAMES,
            links=Links(
                publisher_checkout=query.get("publisherCheckout", ""),
                return_to_site=query.get("returnToSite", ""),
                order_complete=query.get("orderComplete", ""),
            ),
        )
        visit = await self._visit(request, state)
        if visit.cart.order_id is not None:
            number = order_number(visit.cart.order_id)
            return self._pages.message(ORDERED, visit=visit, number=number)
        return self._delivery(visit, delivery_of({}))

    async def step(self, request: Request) -> Response:
        """The next step after a form. Raises Refused for a form that is not one of these pages."""
        form = cleaned(await read_form(request))
        visit = await self._visit(request, self._sealing.open_form(form.get("form", "")))
        is_old = self._pages.now() - visit.state.opened_at > FORM_S
        if visit.cart.order_id is not None:
            return await self._ordered(visit, visit.cart.order_id, is_old=is_old)
        wanted = form.get("step", "")
        if wanted == "delivery":
            return await self._deliver(visit, form, is_old=is_old)
        if wanted == "pay" and visit.state.delivery:
            return await self._pay(visit, form, is_old=is_old)
        if wanted == "look" and visit.state.delivery:
            return await self._payment(visit, {}, told=Told(notices=[_NOT_YET]))
        return self._delivery(visit, visit.state.delivery or delivery_of({}))

    async def _ordered(self, visit: Visit, order_id: int, *, is_old: bool) -> Response:
        """The confirmation for the form that led to the order; any other learns its number alone.

        Whoever was shown the cart once has a form of it, not only the buyer.
        """
        partner = visit.partner
        async with self._checking_out.carts.db.statement() as tx:
            order = await read_order(
                tx, order_id=order_id, shop_id=partner.shop_id, partner_id=partner.id, sections=()
            )
        if is_old or not is_delivered_to(order.shipping, visit.state.delivery):
            return self._pages.message(ORDERED, visit=visit, number=order_number(order_id))
        return self._pages.to_receipt(visit, order_id)

    async def done(self, request: Request) -> Response:
        """The confirmation of an order, for an hour."""
        receipt = self._sealing.open_receipt(request.query_params.get("receipt", ""))
        async with self._checking_out.carts.db.statement() as tx:
            shop = await read_shop_by_id(tx, shop_id=receipt.shop_id)
            speak(buyer_language(request, of_shop=shop.languages))
            if self._pages.now() - receipt.made_at > RECEIPT_S:
                return self._pages.expired(receipt, GONE, shop=shop)
            order = await read_order(
                tx,
                order_id=receipt.order_id,
                shop_id=receipt.shop_id,
                partner_id=receipt.partner_id,
                sections=("lines", "parts"),
            )
        speak(buyer_language(request, of_shop=shop.languages, named=order.language))
        return self._pages.confirmation(receipt, order, shop=shop)

    async def _visit(self, request: Request, state: FormState) -> Visit:
        """The visit; from here on the shopper's language is spoken, or the shop's."""
        credential = await self._authenticator.by_token(state.token, permission=PERMISSION)
        cart = await self._cart(credential.partner, state)
        async with self._checking_out.carts.db.statement() as tx:
            shop = await read_shop_by_id(tx, shop_id=credential.partner.shop_id)
        speak(buyer_language(request, of_shop=shop.languages))
        return Visit(state=state, credential=credential, cart=cart, shop=shop)

    async def _cart(self, partner: Partner, state: FormState) -> CartView:
        return await read_cart(self._checking_out.carts, partner=partner, cart_id=state.cart_id)

    async def _deliver(self, visit: Visit, form: Form, *, is_old: bool) -> Response:
        values = delivery_of(form)
        try:
            read_delivery(values)
        except WireError as error:
            found = mistakes_of(error.body["fields"], names=DELIVERY)
            return self._delivery(visit, values, told=Told(mistakes=found, code=422))
        if is_old:
            return self._delivery(visit, values, told=Told(notices=[_TOO_OLD]))
        return await self._payment(visit.having(delivery=values, total_minor=0), {})

    async def _pay(self, visit: Visit, form: Form, *, is_old: bool) -> Response:
        if is_old:
            return await self._payment(visit, form, told=Told(notices=[_TOO_OLD]))
        state = visit.state
        given = checkout_of(
            form, delivery=state.delivery, cart_id=visit.cart.id, campaign=state.campaign
        )
        now = self._checking_out.carts.clock.now()
        try:
            fields = read_fields(given, now=now, regions_by_country=True)
            done = await self._checkouts.place(
                fields,
                visit.credential,
                expected_total_minor=state.total_minor,
                accepted={variant: quantity for variant, (_, quantity) in state.shown.items()},
            )
        except CrossdockError as error:
            return await self._refused(visit, form, error)
        return self._pages.to_receipt(visit, done.order_id)

    async def _refused(self, visit: Visit, form: Form, error: CrossdockError) -> Response:
        """The payment's form with what is wrong, or the page that the shopper gets instead."""
        if error.code == "cart_ordered":
            return await self._ordered(visit, error.data["order_id"], is_old=False)
        if error.code in _WAITING:
            return self._pages.waiting(visit, retry_after_s=error.data.get("retry_after_s", 2))
        if wrong := wrong_fields(error):
            shown = Told(mistakes=mistakes_of(wrong, names=PAYMENT_ORDER), code=422)
        elif text := _NOTICES.get(error.code):
            shown = Told(notices=[text], code=409)
        else:
            raise error
        cart = await self._cart(visit.partner, visit.state)
        return await self._payment(msgspec.structs.replace(visit, cart=cart), form, told=shown)

    def _delivery(
        self, visit: Visit, values: Mapping[str, str], *, told: Told | None = None
    ) -> Response:
        if not visit.cart.lines:
            return self._pages.message(EMPTY, visit=visit)
        return self._pages.delivery(visit, values, told=told or Told())

    async def _payment(self, visit: Visit, form: Form, *, told: Told | None = None) -> Response:
        if not visit.cart.lines:
            return self._pages.message(EMPTY, visit=visit)
        shipping = read_delivery(visit.state.delivery)
        bill = await quote(
            self._checking_out, partner=visit.partner, cart=visit.cart, shipping=shipping
        )
        is_changed = visit.state.total_minor not in {0, bill.total_minor}
        told = told or Told()
        if is_changed and _CHANGED not in told.notices:
            told = msgspec.structs.replace(told, notices=[*told.notices, _CHANGED])
        return self._pages.payment(visit, form, told=told, shipping=shipping, bill=bill)

    def _guarded(self, handler: Handler) -> Handler:
        """The handler, whose refusals are pages for people."""

        async def handle(request: Request) -> Response:
            with speaking(buyer_language(request)):
                try:
                    return await handler(request)
                except CrossdockError as error:
                    return self._pages.refusal(error)

        return handle
