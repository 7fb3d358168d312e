"""The rules for placing an order, one function each; every channel applies its own list of them.

A rule raises or returns None. An error's data lists all variants concerned.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec

from crossdock.errors import NotFound, Refused
from crossdock.kit.money import MINOR_MAX
from crossdock.kit.texts import has_ink
from crossdock.shop.catalogue import ships_to
from crossdock.shop.customers import Address, missing_fields
from crossdock.shop.orders.draft import Take
from crossdock.shop.orders.model import (
    OrderContext,
    OrderCustomer,
    OrderItem,
    OrderRequest,
    OrderVariant,
)
from crossdock.shop.orders.placing import order_exists
from crossdock.shop.partners import Partner
from crossdock.shop.stock import Availability, purchase_limit, taking


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The input of the rules: the partner, the request and the context."""

    partner: Partner
    request: OrderRequest
    context: OrderContext
    own_requires_stock: bool = False

    @property
    def variants(self) -> dict[int, OrderVariant]:
        """The variants that the partner may see, by id."""
        return {variant.id: variant for variant in self.context.variants}

    @property
    def customer(self) -> OrderCustomer:
        """The customer. Raises NotFound `customer_not_found`."""
        if self.context.customer is None:
            raise NotFound("customer_not_found")
        return self.context.customer

    @property
    def is_shipped(self) -> bool:
        """Whether anything of it is shipped."""
        return any(variant.shipped for variant in self.context.variants)

    @property
    def shipping(self) -> Address:
        """Where the order goes: as it was asked for, else to the customer."""
        return self.request.shipping or self.customer.shipping


_FILLED = (
    "first_name", "last_name", "address_1", "city", "state", "postcode", "country", "phone",
)  # fmt: skip
Rule = Callable[[Asked], None]


def number_is_unused(asked: Asked) -> None:
    """The partner's order number was never used. Raises Conflict `partner_order_exists`."""
    if existing := asked.context.existing:
        raise order_exists(existing.id, existing.order_key)


def customer_is_active(asked: Asked) -> None:
    """The partner has a customer who may buy.

    Raises Refused `customer_not_configured` or `customer_inactive`, NotFound `customer_not_found`.
    """
    if asked.partner.customer_id is None:
        raise Refused("customer_not_configured")
    if not asked.customer.active:
        raise Refused("customer_inactive")


def billing_is_complete(asked: Asked) -> None:
    """The customer can be billed. Raises Refused `billing_incomplete` with the `fields`."""
    require_billing(asked.customer.billing)


def shipping_is_complete(asked: Asked) -> None:
    """The customer can be shipped to. Raises Refused `shipping_incomplete` with the `fields`."""
    require_shipping(asked.customer.shipping)


def what_is_shipped_has_an_address(asked: Asked) -> None:
    """The customer can be shipped to, unless all goods are virtual. Raises as `shipping_is_complete`."""
    if asked.is_shipped:
        shipping_is_complete(asked)


def variants_are_known(asked: Asked) -> None:
    """The partner may see every variant. Raises NotFound `variant_not_found`."""
    unknown = sorted({i.variant_id for i in asked.request.items} - asked.variants.keys())
    if unknown:
        raise NotFound("variant_not_found", data={"variant_ids": unknown})


def all_enabled(asked: Asked) -> None:
    """Every variant, its product and its merchant are for sale. Raises Refused `variant_disabled`."""
    disabled = [each.id for each in asked.context.variants if not each.enabled]
    if disabled:
        raise Refused("variant_disabled", data={"variant_ids": disabled})


def all_ship_there(asked: Asked) -> None:
    """Every variant is shipped to the country of the address. Raises Refused `country_not_served`."""
    country = asked.shipping.country
    unserved = [v.id for v in asked.context.variants if not ships_to(country, served=v.ships_to)]
    if unserved:
        raise Refused("country_not_served", data={"variant_ids": unserved, "country": country})


def address_is_filled(asked: Asked) -> None:
    """Everything of the address is given but for its second line, unless all goods are virtual.

    Raises Refused `shipping_incomplete`.
    """
    if not asked.is_shipped:
        return
    missing = [name for name in _FILLED if not has_ink(getattr(asked.shipping, name))]
    if missing:
        raise Refused("shipping_incomplete", data={"fields": missing})


def origin_rule(asked: Asked) -> None:
    """No quantity exceeds the purchase limit of its variant (see `purchase_limit`).

    Raises Refused `backorder_not_allowed`, `stock_limit_exceeded` with the `limits`.
    """
    if asked.partner.backorder:
        return
    supplier_only: list[int] = []
    short: list[dict[str, Any]] = []
    variants = asked.variants
    for variant_id, wanted in sorted(quantities(asked.request.items).items()):
        limit = purchase_limit(
            variants[variant_id].availability(),
            backorder=False,
            own_requires_stock=asked.own_requires_stock,
        )
        if not limit.allowed:
            supplier_only.append(variant_id)
        elif limit.quantity is not None and wanted > limit.quantity:
            short.append({"variant_id": variant_id, "limit": limit.quantity, "asked": wanted})
    if supplier_only:
        raise Refused("backorder_not_allowed", data={"variant_ids": supplier_only})
    if short:
        ids = [entry["variant_id"] for entry in short]
        raise Refused("stock_limit_exceeded", data={"variant_ids": ids, "limits": short})


def amount_is_in_range(asked: Asked) -> None:
    """The item total is in the range of the partner's terms. Raises Refused `order_amount_not_allowed`."""
    variants, partner = asked.variants, asked.partner
    subtotal = sum(variants[i.variant_id].price_minor * i.quantity for i in asked.request.items)
    require_amount(subtotal, partner=partner, currency=partner.currency)


def require_billing(address: Address) -> None:
    """The address can be billed. Raises Refused `billing_incomplete` with the `fields`."""
    if missing := missing_fields(address, contact=True):
        raise Refused("billing_incomplete", data={"fields": list(missing)})


def require_shipping(address: Address) -> None:
    """The address can be shipped to. Raises Refused `shipping_incomplete` with the `fields`."""
    if missing := missing_fields(address, contact=False):
        raise Refused("shipping_incomplete", data={"fields": list(missing)})


def require_amount(subtotal_minor: int, *, partner: Partner, currency: str) -> None:
    """What the goods cost is in the range of the partner's terms.

    Raises Refused `order_amount_not_allowed` with the `subtotal_minor` and the terms.
    """
    low, high = partner.min_amount_minor, partner.max_amount_minor
    ceiling = MINOR_MAX if high is None else min(high, MINOR_MAX)
    if subtotal_minor < (low or 0) or subtotal_minor > ceiling:
        data = {"subtotal_minor": subtotal_minor, "min_amount_minor": low, "max_amount_minor": high}
        raise Refused("order_amount_not_allowed", data=data | {"currency": currency})


def take_of(stock: Availability, *, backorder: bool, is_held: bool = False) -> Take | None:
    """How a line takes stock: never below zero without backorder, not at all if stock is not managed.

    With `is_held` what is taken without backorder was held before.
    """
    mode = taking(stock, backorder=backorder)
    if mode == "none":
        return None
    if backorder or mode != "own":
        return cast(Take, mode)
    return "hold" if is_held else "own_capped"


def quantities(items: Sequence[OrderItem]) -> dict[int, int]:
    """The quantity of each variant, summed over all items."""
    wanted: Counter[int] = Counter()
    for item in items:
        wanted[item.variant_id] += item.quantity
    return dict(wanted)
