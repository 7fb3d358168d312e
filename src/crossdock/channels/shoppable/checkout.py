"""POST /api/v3/token/{token}/checkout: the cart becomes one order of many merchants (spec 7.1, 7.2)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.shoppable.auth import Authenticator
from crossdock.channels.shoppable.cart_showing import CartShowing
from crossdock.channels.shoppable.checkout_fields import (
    INVALID,
    KNOWN,
    MISSING,
    REQUIRED,
    Fields,
    read_checkout,
    refused,
    wire_name,
)
from crossdock.channels.shoppable.errors import CART_NOT_FOUND, WIRE, WireError
from crossdock.channels.shoppable.numbers import order_number
from crossdock.channels.shoppable.order_answers import WireOrderLine
from crossdock.channels.shoppable.order_showing import KeptLine, KeptOrder
from crossdock.channels.shoppable.orders import OrderCalls
from crossdock.channels.shoppable.routes import Operation, Route, parameter
from crossdock.channels.shoppable.showing import wire_sku
from crossdock.channels.shoppable.wire import answered
from crossdock.errors import CrossdockError
from crossdock.shop.carts import (
    CartLine,
    CartView,
    CheckedOut,
    CheckingOut,
    Checkout,
    check_out,
)
from crossdock.shop.partners import Credential

BELOW = "/api/v3/token"
PATH = f"{BELOW}/{{token}}/checkout"
PERMISSION = "orders.create"
SOURCE: Final = "shoppable"
_ADDRESS_CODES: Final = {"shipping_incomplete": "shipping", "billing_incomplete": "billing"}


class CheckoutCalls:
    """The checkout's call."""

    def __init__(
        self,
        checking_out: CheckingOut,
        *,
        orders: OrderCalls,
        showing: CartShowing,
        provider: str,
    ) -> None:
        self._checking_out = checking_out
        self._orders = orders
        self._showing = showing
        self._provider = provider

    def routes(self, authenticator: Authenticator) -> tuple[Route, ...]:
        """The route of the call, whose token is in its path."""

        async def handle(request: Request) -> Response:
            token = request.path_params["token"]
            credential = await authenticator.by_token(token, permission=PERMISSION)
            return await self.check_out(request, credential)

        return (Route(method="POST", path=PATH, handler=handle, operation=CHECK_OUT),)

    async def check_out(self, request: Request, credential: Credential) -> Response:
        """The lines of the order that the cart became. Raises WireError 400, or NotFound for the cart."""
        fields = read_checkout(
            await request.body(),
            content_type=request.headers.get("content-type", ""),
            now=self._checking_out.carts.clock.now(),
        )
        try:
            done = await self.place(fields, credential)
        except CrossdockError as error:
            raise told(error) from None
        return answered(await self._orders.lines(done.order_id, partner=credential.partner))

    async def place(
        self,
        fields: Fields,
        credential: Credential,
        *,
        expected_total_minor: int | None = None,
        accepted: Mapping[int, int] | None = None,
    ) -> CheckedOut:
        """Place the order. Raises as the core's `check_out` does."""
        kept = KeptOrder(
            cart_id=fields.cart_id.lower(), campaign=fields.campaign, opt_in=fields.opt_in
        )
        checkout = Checkout(
            cart_id=fields.cart_id,
            billing=fields.billing,
            shipping=fields.shipping,
            card=fields.card,
            provider=self._provider,
            source=SOURCE,
            language=fields.language,
            is_test=credential.is_test,
            currency=fields.currency,
            expected_total_minor=expected_total_minor,
            accepted=accepted or {},
            channel_data=msgspec.to_builtins(kept),
        )
        return await check_out(
            self._checking_out,
            partner=credential.partner,
            checkout=checkout,
            line_data=self._kept,
        )

    def _kept(self, cart: CartView, line: CartLine) -> Mapping[str, Any]:
        color, size = self._showing.choice(line)
        kept = KeptLine(
            product_name=line.product_name,
            brand=line.brand,
            color=color,
            size=size,
            part_number=line.part_number,
            merchant_sku=line.merchant_sku or line.sku,
            url=cart.page(line),
            image=self._showing.picture(line.image),
        )
        found: dict[str, Any] = msgspec.to_builtins(kept)
        return found


def told(error: CrossdockError) -> CrossdockError:
    """What the caller is told: which fields, which SKUs, or which order there is already."""
    if isinstance(error, WireError):
        return error
    if error.data.get("field") == "currency":
        return refused({"currency": INVALID}, text=error.message)
    _, _, text = WIRE[error.code]
    if error.code in _ADDRESS_CODES:
        kind = _ADDRESS_CODES[error.code]
        wrong = {wire_name(kind, field): MISSING for field in error.data["fields"]}
        return refused(wrong, text=text)
    if error.code == "stock_limit_exceeded":
        skus = [wire_sku(line["variant_id"]) for line in error.data["lines"]]
        return WireError(400, text, status=400, body={"outOfStockItems": skus})
    if error.code == "cart_ordered":
        number = order_number(error.data["order_id"])
        return WireError(400, text, status=400, body={"number": number})
    if error.code == "payment_declined":
        return refused({"card_number": "declined"}, text=text)
    return error


def wrong_fields(error: CrossdockError) -> Mapping[str, str]:
    """What is wrong with which field, as the wire names it; empty where no field is."""
    shown = told(error)
    return shown.body.get("fields", {}) if isinstance(shown, WireError) else {}


_STRINGS = {name: {"type": "string"} for name in KNOWN}
CHECK_OUT = Operation(
    operation_id="checkOut",
    summary="Check a cart out",
    description=(
        "One request, one order, a part for each merchant: the stock is held, the card authorised, "
        "the order placed and the payment captured, or nothing of it. Wrong fields are in `fields`, "
        "SKUs that are short in `outOfStockItems`. A cart that was checked out before is refused with "
        "the order's `number`, by which the order feed has a lost answer. `shipping_country_code` is the "
        "billing country unless given. The card goes to the payment provider and is kept nowhere."
    ),
    answers=(list[WireOrderLine],),
    errors=(CART_NOT_FOUND, 400),
    parameters=(parameter("token", "The token.", place="path"),),
    body={
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": list(REQUIRED),
                    "properties": _STRINGS,
                }
            }
        },
    },
    security=[],
)
