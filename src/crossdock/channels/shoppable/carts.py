"""GET /v3/cart and POST /v3/cart/put/bundling: seven calls (spec 6.1, 6.4)."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from crossdock.channels.plumbing import Unreadable, as_list, read_document, whole
from crossdock.channels.shoppable.auth import Authenticator, Called
from crossdock.channels.shoppable.cart_answers import WireCart, WireDone, WireNewCart
from crossdock.channels.shoppable.cart_showing import CartShowing
from crossdock.channels.shoppable.errors import CART_NOT_FOUND, INVALID_PARAMETER, refusal
from crossdock.channels.shoppable.routes import Operation, Route, parameter
from crossdock.channels.shoppable.wire import answered
from crossdock.shop.carts import (
    CartItem,
    Carts,
    CartView,
    clear_cart,
    create_cart,
    delete_cart,
    put_items,
    read_cart,
    remove_items,
)
from crossdock.shop.catalogue import VariantName, merchants_in_sight
from crossdock.shop.partners import Credential

PATH = "/v3/cart"
PERMISSION = "carts.write"
_QUANTITY = re.compile(r"([0-9]{1,100})(?:\.0{1,20})?", re.ASCII)
_PUT = f"{PATH}/{{cart_id}}/put/{{sku}}/qty/{{qty}}"


class CartCalls:
    """The cart's calls."""

    def __init__(self, carts: Carts, *, showing: CartShowing) -> None:
        self._carts = carts
        self._showing = showing

    def routes(self, authenticator: Authenticator) -> tuple[Route, ...]:
        """The routes of all calls; GET changes carts by design of the protocol."""

        def route(
            path: str, called: Called, operation: Operation, *, method: str = "GET", **more: Any
        ) -> Route:
            handler = authenticator.guarded(called, permission=PERMISSION)
            return Route(method=method, path=path, handler=handler, operation=operation, **more)

        one = f"{PATH}/{{cart_id}}"
        return (
            route(PATH, self.create, CREATE),
            route(_PUT, self.put, PUT),
            # As clients of version 2 still write it.
            route(f"{_PUT}/idLookupType/sku/productId/{{again}}", self.put, PUT, is_hidden=True),
            route(f"{PATH}/put/bundling", self.bundle, BUNDLE, method="POST"),
            route(f"{one}/delete/{{sku}}", self.remove, REMOVE),
            route(f"{one}/clear", self.clear, CLEAR),
            route(f"{one}/deleteCart", self.delete, DELETE),
            route(one, self.fetch, FETCH),
        )

    async def create(self, _request: Request, credential: Credential) -> Response:
        """A new cart in the short form, with the merchants that the token may sell."""
        partner = credential.partner
        cart = await create_cart(self._carts, partner=partner)
        async with self._carts.db.statement() as tx:
            merchants = await merchants_in_sight(
                tx, shop_id=partner.shop_id, merchant_ids=partner.merchant_ids
            )
        return answered(self._showing.new_cart(cart, partner=partner, merchants=merchants))

    async def fetch(self, request: Request, credential: Credential) -> Response:
        """The cart at the prices of now."""
        cart = await read_cart(
            self._carts, partner=credential.partner, cart_id=_part(request, "cart_id")
        )
        return self._told(cart, credential)

    async def put(self, request: Request, credential: Credential) -> Response:
        """Set the quantity of one SKU. Raises WireError 50000 for one that is no whole number."""
        quantity = _QUANTITY.fullmatch(_part(request, "qty"))
        if quantity is None:
            raise refusal(INVALID_PARAMETER, "qty")
        item = CartItem(variant=_variant(_part(request, "sku")), quantity=int(quantity[1]))
        return await self._put(_part(request, "cart_id"), [item], credential)

    async def bundle(self, request: Request, credential: Credential) -> Response:
        """Set the quantities of several SKUs; others stay. Raises WireError 50000 for another body."""
        body = await request.body()
        content_type = request.headers.get("content-type", "")
        cart_id, items = read_bundle(body, content_type=content_type)
        return await self._put(cart_id, items, credential)

    async def remove(self, request: Request, credential: Credential) -> Response:
        """Take a SKU out, with all its quantity."""
        cart = await remove_items(
            self._carts,
            partner=credential.partner,
            cart_id=_part(request, "cart_id"),
            variants=[_variant(_part(request, "sku"))],
        )
        return self._told(cart, credential)

    async def clear(self, request: Request, credential: Credential) -> Response:
        """Take everything out."""
        cart_id = _part(request, "cart_id")
        await clear_cart(self._carts, partner=credential.partner, cart_id=cart_id)
        return answered(WireDone(code=200, message="The cart is empty."))

    async def delete(self, request: Request, credential: Credential) -> Response:
        """Delete the cart."""
        cart_id = _part(request, "cart_id")
        await delete_cart(self._carts, partner=credential.partner, cart_id=cart_id)
        return answered(WireDone(code=200, message="The cart is deleted."))

    async def _put(
        self, cart_id: str, items: Iterable[CartItem], credential: Credential
    ) -> Response:
        cart = await put_items(
            self._carts, partner=credential.partner, cart_id=cart_id, items=list(items)
        )
        return self._told(cart, credential)

    def _told(self, cart: CartView, credential: Credential) -> Response:
        return answered(self._showing.cart(cart, partner=credential.partner))


def read_bundle(body: bytes, *, content_type: str) -> tuple[str, list[CartItem]]:
    """The cart and the quantities of a bundle. Raises WireError 50000 for a body of another shape."""
    try:
        document = read_document(body, content_type=content_type)
    except Unreadable:
        raise refusal(INVALID_PARAMETER, "body") from None
    if not isinstance(document, dict) or not isinstance(document.get("id"), str):
        raise refusal(INVALID_PARAMETER, "id")
    items = as_list(document.get("items"))
    if not isinstance(items, list):
        raise refusal(INVALID_PARAMETER, "items")
    return document["id"], [_item(item) for item in items]


def _item(item: Any) -> CartItem:
    if not isinstance(item, dict):
        raise refusal(INVALID_PARAMETER, "items")
    sku, quantity = item.get("sku"), whole(item.get("qty"))
    if isinstance(sku, bool) or not isinstance(sku, str | int):
        raise refusal(INVALID_PARAMETER, "sku")
    if quantity is None or quantity < 0:
        raise refusal(INVALID_PARAMETER, "qty")
    return CartItem(variant=_variant(str(sku)), quantity=quantity)


def _variant(sku: str) -> VariantName:
    return VariantName("id", sku.strip())


def _part(request: Request, name: str) -> str:
    """A part of the path, decoded: with percent signs in it a path arrives as it was sent."""
    return unquote(request.path_params[name]).strip()


_CART_ID = parameter("cart_id", "The cart.", place="path")
_SKU = parameter("sku", "The SKU, as `id` in catalogue and product.", place="path")
_ERRORS = (CART_NOT_FOUND, INVALID_PARAMETER, 400)
_WHOLE_CART = "The answer is the whole cart at the prices of now."
_MISSING = (
    "A SKU that does not exist or cannot be bought is not in the answer; more than there is, or than "
    "a line may have, is lowered to that."
)
CREATE = Operation(
    operation_id="createCart",
    summary="Create a cart",
    description="An empty cart, good for years, with the merchants that the token may sell.",
    answers=(WireNewCart,),
)
FETCH = Operation(
    operation_id="fetchCart",
    summary="Read a cart",
    description="The cart with its lines by merchant. Lines that cannot be bought now are left out.",
    answers=(WireCart,),
    errors=(CART_NOT_FOUND,),
    parameters=(_CART_ID,),
)
PUT = Operation(
    operation_id="putIntoCart",
    summary="Set the quantity of a SKU",
    description=f"Calling twice is the same as once; 0 takes it out. {_MISSING} {_WHOLE_CART}",
    answers=(WireCart,),
    errors=_ERRORS,
    parameters=(
        _CART_ID,
        _SKU,
        parameter("qty", "How many.", place="path", schema={"type": "integer", "minimum": 0}),
    ),
)
BUNDLE = Operation(
    operation_id="bundleIntoCart",
    summary="Set the quantities of several SKUs",
    description=f"SKUs that are not named stay as they are. {_MISSING} {_WHOLE_CART}",
    answers=(WireCart,),
    errors=_ERRORS,
    body={
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["id", "items"],
                    "properties": {
                        "id": {"type": "string", "description": "The cart."},
                        "items": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["sku", "qty"],
                                "properties": {
                                    "sku": {"type": "string"},
                                    "qty": {"type": "integer", "minimum": 0},
                                },
                            },
                        },
                    },
                }
            }
        },
    },
)
REMOVE = Operation(
    operation_id="removeFromCart",
    summary="Take a SKU out",
    description=f"With all its quantity; one that is not there is fine. {_WHOLE_CART}",
    answers=(WireCart,),
    errors=(CART_NOT_FOUND, 400),
    parameters=(_CART_ID, _SKU),
)
CLEAR = Operation(
    operation_id="clearCart",
    summary="Take everything out",
    description="The cart stays, empty.",
    answers=(WireDone,),
    errors=(CART_NOT_FOUND, 400),
    parameters=(_CART_ID,),
)
DELETE = Operation(
    operation_id="deleteCart",
    summary="Delete a cart",
    description="Later calls with it answer 40002; an order that was made of it stays.",
    answers=(WireDone,),
    errors=(CART_NOT_FOUND,),
    parameters=(_CART_ID,),
)
