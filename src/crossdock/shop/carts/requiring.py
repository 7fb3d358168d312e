"""What has to be right about a cart before it can be checked out."""

from collections.abc import Mapping

from crossdock.errors import Invalid, Refused
from crossdock.shop.carts.model import CartLine, CartView, MissingLine
from crossdock.shop.orders import require_amount
from crossdock.shop.partners import Partner


def require_currency(cart: CartView, *, currency: str) -> None:
    """The cart is in this currency, if any is asked for. Raises Invalid `invalid_input` with the cart's."""
    if currency not in {"", cart.currency}:
        message = f"The cart is in {cart.currency}."
        raise Invalid("invalid_input", message, {"field": "currency", "currency": cart.currency})


def require_lines(cart: CartView, *, partner: Partner, accepted: Mapping[int, int]) -> None:
    """What the shopper put into the cart, or accepted of it, can be bought, and the partner may sell its amount."""
    left = {line.variant_id: line.quantity for line in cart.lines if line.quantity < line.wanted}
    left |= {line.variant_id: 0 for line in cart.missing}
    short = [variant_id for variant_id, few in left.items() if accepted.get(variant_id) != few]
    if not cart.lines and not short:
        raise Refused("cart_empty")
    if short:
        raise refused_as_short(cart, variant_ids=short)
    require_amount(cart.subtotal_minor, partner=partner, currency=cart.currency)


def refused_as_short(cart: CartView, *, variant_ids: list[int]) -> Refused:
    """The refusal of a cart of which there is not enough: each line with how many there are."""
    left = {line.variant_id: line.quantity for line in cart.lines}
    every: list[CartLine | MissingLine] = [*cart.lines, *cart.missing]
    lines = [
        {
            "variant_id": line.variant_id,
            "merchant_id": line.merchant_id,
            "sku": line.sku,
            "wanted": line.wanted,
            "limit": left.get(line.variant_id, 0),
        }
        for line in every
        if line.variant_id in variant_ids
    ]
    data = {"variant_ids": sorted(variant_ids), "lines": lines}
    return Refused("stock_limit_exceeded", data=data)
