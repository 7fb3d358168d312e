"""What decides whether a relationship may buy a product, and at which price (spec shoppex_reseller 9.1, 9.4)."""

from typing import Literal

import msgspec

from crossdock.errors import Invalid, NotFound, Refused
from crossdock.kit.money import exponent
from crossdock.shop.catalogue import CustomField
from crossdock.shop.orders import DraftLine, Snapshot
from crossdock.shop.resellers.model import BUYS_STOCK, Mode, Status

LimitUnit = Literal["units", "amount"]
"""What purchase limits count: units of goods, or major units of the shop's currency."""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """The variant that is bought: `unit_minor` a unit instead of `base_minor`; `available` may be sold."""

    id: int
    merchant_id: int
    name: str
    sku: str
    upc: str
    origin: str
    image: str | None
    vat_bp: int
    is_sold: bool
    has_serials: bool
    available: int
    base_minor: int | None
    unit_minor: int | None


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """The product that is bought, with what is agreed for it; `discount_bp` None where a price is."""

    name: str
    has_variants: bool
    is_allowed: bool
    auto_fulfilled: bool
    min_quantity: int | None
    max_quantity: int | None
    discount_bp: int | None
    custom_fields: tuple[CustomField, ...]
    variant: Variant | None


class Buying(msgspec.Struct, frozen=True, kw_only=True):
    """What the SQL function `reseller_buying` reads; what was bought is 0 where no limit asks for it."""

    reseller_id: int
    status: Status
    mode: Mode = "affiliate"
    email: str = ""
    limit_daily: int | None = None
    limit_monthly: int | None = None
    units_today: int = 0
    units_this_month: int = 0
    minor_today: int = 0
    minor_this_month: int = 0
    program_enabled: bool = False
    currency: str = ""
    product: Product | None = None


def require_mode(facts: Buying) -> None:
    """Raise Refused `reseller_mode` where the relationship buys no stock."""
    if facts.mode not in BUYS_STOCK:
        raise Refused("reseller_mode")


def require_product(facts: Buying) -> Product:
    """The product. Raises NotFound `variant_not_found`."""
    if facts.product is None:
        raise NotFound("variant_not_found", "There is no such product.")
    return facts.product


def unnamed_variant() -> Invalid:
    """The error where a variant is not the product's, or must be named and is not."""
    return Invalid("invalid_input", "Name a variant of the product.", {"field": "variant_id"})


def require_serials(variant: Variant) -> int:
    """The price of a unit in minor units. Raises Refused `product_not_fulfillable` for what is not sold as serials."""
    if not variant.is_sold or not variant.has_serials or variant.unit_minor is None:
        raise Refused("product_not_fulfillable")
    return variant.unit_minor


def serials_line(variant: Variant, *, product_id: int, quantity: int) -> DraftLine:
    """The line of an order that takes serials. Raises as `require_serials` does."""
    return DraftLine(
        variant=Snapshot(
            variant_id=variant.id,
            product_id=product_id,
            merchant_id=variant.merchant_id,
            sku=variant.sku,
            upc=variant.upc,
            origin=variant.origin,
            image=variant.image,
            vat_bp=variant.vat_bp,
        ),
        name=variant.name,
        quantity=quantity,
        unit_price_minor=require_serials(variant),
        take="serials",
    )


def require_bounds(product: Product, *, quantity: int) -> None:
    """Raise Refused `quantity_out_of_range` outside what one purchase may have."""
    least, most = product.min_quantity, product.max_quantity
    if (least is not None and quantity < least) or (most is not None and quantity > most):
        raise Refused("quantity_out_of_range", data={"min_quantity": least, "max_quantity": most})


def require_quantity(
    facts: Buying, product: Product, *, quantity: int, total_minor: int, limits: LimitUnit
) -> None:
    """Raise Refused `quantity_out_of_range` or `purchase_limit_exceeded`, with the bounds that hold.

    A limit of an amount, and what of it is used, are told in minor units.
    """
    require_bounds(product, quantity=quantity)
    if limits == "units":
        scale, adds = 1, quantity
        used = facts.units_today, facts.units_this_month
    else:
        scale, adds = 10 ** exponent(facts.currency), total_minor
        used = facts.minor_today, facts.minor_this_month
    for limit, before in zip((facts.limit_daily, facts.limit_monthly), used, strict=True):
        if limit is not None and before + adds > limit * scale:
            raise Refused("purchase_limit_exceeded", data={"limit": limit * scale, "used": before})
