"""May this partner place this order? Every rule in its order, and nothing written."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from crossdock.errors import Conflict, NotFound, Refused
from crossdock.kit.money import MINOR_MAX
from crossdock.shop.customers import missing_fields
from crossdock.shop.orders.model import (
    OrderContext,
    OrderCustomer,
    OrderItem,
    OrderRequest,
    OrderVariant,
)
from crossdock.shop.partners import Partner
from crossdock.shop.stock import purchase_limit


def check_order(
    context: OrderContext,
    *,
    partner: Partner,
    request: OrderRequest,
    own_requires_stock: bool = False,
) -> tuple[OrderCustomer, int]:
    """The customer and the subtotal in minor units, or the first rule that says no.

    The order of the rules is spec shoppex_partner 4.2: the number unused, the customer there
    and active, billing then shipping complete, every variant known, the stock rule, the amount
    rule. An error's data names all offending variants.
    """
    if context.existing:
        raise order_exists(context.existing.id, context.existing.order_key)
    customer = _check_customer(context.customer, partner)
    variants = {variant.id: variant for variant in context.variants}
    unknown = sorted({i.variant_id for i in request.items} - variants.keys())
    if unknown:
        raise NotFound("variant_not_found", data={"variant_ids": unknown})
    if not partner.backorder:
        _check_stock(request.items, variants, own_requires_stock)
    subtotal = sum(variants[i.variant_id].price_minor * i.quantity for i in request.items)
    _check_amount(subtotal, partner)
    return customer, subtotal


def order_exists(order_id: int, order_key: str) -> Conflict:
    """The refusal of a number that was used before, with the order that has it."""
    return Conflict("partner_order_exists", data={"order_id": order_id, "order_key": order_key})


def quantities(items: Sequence[OrderItem]) -> dict[int, int]:
    """How many of each variant over all items: the same variant twice counts as the sum."""
    wanted: Counter[int] = Counter()
    for item in items:
        wanted[item.variant_id] += item.quantity
    return dict(wanted)


def _check_customer(customer: OrderCustomer | None, partner: Partner) -> OrderCustomer:
    if partner.customer_id is None:
        raise Refused("customer_not_configured")
    if customer is None:
        raise NotFound("customer_not_found")
    if not customer.active:
        raise Refused("customer_inactive")
    if missing := missing_fields(customer.billing, contact=True):
        raise Refused("billing_incomplete", data={"fields": list(missing)})
    if missing := missing_fields(customer.shipping, contact=False):
        raise Refused("shipping_incomplete", data={"fields": list(missing)})
    return customer


def _check_stock(
    items: Sequence[OrderItem], variants: dict[int, OrderVariant], own_requires_stock: bool
) -> None:
    supplier_only: list[int] = []
    short: list[dict[str, Any]] = []
    for variant_id, wanted in sorted(quantities(items).items()):
        limit = purchase_limit(
            variants[variant_id].availability(),
            backorder=False,
            own_requires_stock=own_requires_stock,
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


def _check_amount(subtotal: int, partner: Partner) -> None:
    low, high = partner.min_amount_minor, partner.max_amount_minor
    ceiling = MINOR_MAX if high is None else min(high, MINOR_MAX)
    if subtotal < (low or 0) or subtotal > ceiling:
        data = {"subtotal_minor": subtotal, "min_amount_minor": low, "max_amount_minor": high}
        raise Refused("order_amount_not_allowed", data=data | {"currency": partner.currency})
