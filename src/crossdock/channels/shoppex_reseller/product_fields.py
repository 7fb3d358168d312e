"""The fields of products and variants, as they are told and as they are sent (spec sections 10, 13)."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.fields import Fields, first_given
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.openapi import AMOUNT, FLAG, TEXT, WHOLE
from crossdock.channels.shoppex_reseller.order_terms import (
    TERMS_SENT,
    ShownCustomField,
    read_order_terms,
    shown_custom_fields,
)
from crossdock.channels.shoppex_reseller.wire import number, seconds
from crossdock.kit.money import format_minor
from crossdock.shop.catalogue import (
    UNLIMITED,
    OwnedProduct,
    OwnedVariant,
    ProductChanges,
    ProductDraft,
)
from crossdock.shop.stock import QUANTITY_MAX, SERIALS_MAX

SERIALS: Final = "SERIALS"
SERVICE: Final = "SERVICE"
_HIDING: Final = ("unlisted", "private", "on_hold")
_ALIASES: Final = (
    ("on_hold", "onHold"),
    ("title", "name"),
    ("quantity_min", "quantityMin"),
    ("quantity_max", "quantityMax"),
    ("custom_fields", "customFields"),
)
_TYPES: Final = {SERIALS: SERIALS, SERVICE: SERVICE}


class ShownVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant of a product that has variants; -1 in stock is without end."""

    id: str
    uniqid: str
    product_id: str
    product_uniqid: str
    title: str
    sku: str
    price: Decimal | None
    cost: Decimal | None
    currency: str
    stock: int
    available_stock: int
    is_default: bool
    sort_order: int
    created_at: int | None
    updated_at: int | None


class ShownProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product. `price` is the lowest of its variants; -1 in stock is without end."""

    id: str
    uniqid: str
    shop_id: str
    slug: str
    type: str
    title: str
    name: str
    description: str
    currency: str
    price: Decimal | None
    price_display: str | None
    cost: Decimal | None
    image: str | None
    stock: int
    available_stock: int
    on_hold: bool
    quantity_min: int | None
    quantity_max: int | None
    custom_fields: list[ShownCustomField]
    variants: list[ShownVariant]
    created_at: int | None
    updated_at: int | None


class VariantStock(msgspec.Struct, frozen=True, kw_only=True):
    """The stock of a variant; null where it is without end."""

    id: str
    uniqid: str
    title: str
    stock: int | None
    available_stock: int | None
    unlimited: bool


class ProductStock(msgspec.Struct, frozen=True, kw_only=True):
    """The stock of a product; null where it is without end."""

    product_id: str
    product_uniqid: str
    type: str
    stock: int | None
    available_stock: int | None
    unlimited: bool
    variants: list[VariantStock]


SENT: Final[dict[str, dict[str, Any]]] = {
    "title": TEXT,
    "price": AMOUNT,
    "type": {"type": "string", "enum": list(_TYPES)},
    "description": TEXT,
    "currency": TEXT,
    "cost": AMOUNT,
    "stock": {"type": "integer", "minimum": UNLIMITED},
    "serials": {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
    **dict.fromkeys(_HIDING, FLAG),
    **TERMS_SENT,
}
SERIALS_SENT: Final[dict[str, dict[str, Any]]] = {
    "serials": SENT["serials"],
    "remove_duplicates": FLAG,
}
CLAIM_SENT: Final = {"amount": WHOLE}
REMOVAL_SENT: Final = {"serial_ids": {"type": "array", "items": TEXT}}


def type_of(product: OwnedProduct) -> str:
    """What the product is: sold by serials, or anything else."""
    return SERIALS if product.is_serial else SERVICE


def shown_product(call: Call, product: OwnedProduct, *, with_variants: bool = True) -> ShownProduct:
    """A product as it is told."""
    wire_id = call.ids.write(Kind.PRODUCT, product.id)
    price = product.price_minor
    first = product.variants[0]
    return ShownProduct(
        id=wire_id,
        uniqid=wire_id,
        shop_id=call.ids.write(Kind.SHOP, call.shop_id),
        slug=product.handle,
        type=type_of(product),
        title=product.name,
        name=product.name,
        description=product.description,
        currency=call.currency,
        price=number(price, call.currency),
        price_display=None if price is None else format_minor(price, call.currency),
        cost=None if product.has_variants else number(first.cost_minor, call.currency),
        image=product.image,
        stock=UNLIMITED if product.is_unlimited else product.on_hand,
        available_stock=UNLIMITED if product.is_unlimited else product.available,
        on_hold=not product.is_enabled,
        quantity_min=product.order_terms.quantity_min,
        quantity_max=product.order_terms.quantity_max,
        custom_fields=shown_custom_fields(product.order_terms.custom_fields),
        variants=shown_variants(call, product) if with_variants else [],
        created_at=seconds(product.created_at),
        updated_at=seconds(product.updated_at),
    )


def shown_variants(call: Call, product: OwnedProduct) -> list[ShownVariant]:
    """The variants of a product that has variants, in their order."""
    if not product.has_variants:
        return []
    return [_variant(call, product, each, place) for place, each in enumerate(product.variants)]


def _variant(call: Call, product: OwnedProduct, variant: OwnedVariant, place: int) -> ShownVariant:
    product_id, wire_id = (
        call.ids.write(Kind.PRODUCT, product.id),
        call.ids.write(Kind.VARIANT, variant.id),
    )
    return ShownVariant(
        id=wire_id,
        uniqid=wire_id,
        product_id=product_id,
        product_uniqid=product_id,
        title=variant.name,
        sku=variant.sku,
        price=number(variant.price_minor, call.currency),
        cost=number(variant.cost_minor, call.currency),
        currency=call.currency,
        stock=UNLIMITED if variant.is_unlimited else variant.on_hand,
        available_stock=UNLIMITED if variant.is_unlimited else max(0, variant.available),
        is_default=place == 0,
        sort_order=place,
        created_at=seconds(variant.created_at),
        updated_at=seconds(variant.updated_at),
    )


def shown_stock(call: Call, product: OwnedProduct) -> ProductStock:
    """The stock of a product as it is told."""
    wire_id = call.ids.write(Kind.PRODUCT, product.id)
    is_unlimited = product.is_unlimited
    return ProductStock(
        product_id=wire_id,
        product_uniqid=wire_id,
        type=type_of(product),
        stock=None if is_unlimited else product.on_hand,
        available_stock=None if is_unlimited else product.available,
        unlimited=is_unlimited,
        variants=[_variant_stock(call, each) for each in product.variants]
        if product.has_variants
        else [],
    )


def _variant_stock(call: Call, variant: OwnedVariant) -> VariantStock:
    wire_id = call.ids.write(Kind.VARIANT, variant.id)
    return VariantStock(
        id=wire_id,
        uniqid=wire_id,
        title=variant.name,
        stock=None if variant.is_unlimited else variant.on_hand,
        available_stock=None if variant.is_unlimited else max(0, variant.available),
        unlimited=variant.is_unlimited,
    )


def read_draft(call: Call) -> tuple[ProductDraft, list[str]]:
    """A product to add, and its serials. Raises WireError VALIDATION_ERROR."""
    fields = Fields(first_given(call.body, *_ALIASES))
    kind = fields.choice("type", _TYPES, required=True)
    name = fields.text("title", required=True, longest=255)
    price = fields.amount("price", currency=call.currency, required=True)
    stock = _stock(fields)
    serials = serials_of(fields)
    _check_currency(fields, call)
    if kind == SERIALS and stock is not None:
        fields.refuse("stock", "is the number of the serials")
    if kind == SERVICE and serials:
        fields.refuse("serials", f"belong to the type {SERIALS}")
    cost = fields.amount("cost", currency=call.currency, nullable=True)
    description = fields.text("description", nullable=True)
    is_enabled, order_terms = _is_enabled(fields), read_order_terms(fields)
    fields.check()
    draft = ProductDraft(
        name=name or "",
        price_minor=price or 0,
        description=description or "",
        cost_minor=cost,
        sold_by_serials=kind == SERIALS,
        stock=UNLIMITED if kind == SERVICE and stock is None else stock,
        is_enabled=is_enabled is not False,
        order_terms=order_terms,
    )
    return draft, serials or []


def read_changes(call: Call, product: OwnedProduct) -> tuple[ProductChanges, list[str] | None]:
    """What is to be changed of a product, and its new pool. Raises WireError VALIDATION_ERROR."""
    fields = Fields(first_given(call.body, *_ALIASES))
    kind = fields.choice("type", _TYPES)
    if kind is not None and kind != type_of(product):
        fields.refuse("type", "cannot be changed")
    _check_currency(fields, call)
    cost = fields.amount("cost", currency=call.currency, nullable=True)
    name = fields.text("title", longest=255)
    if name == "":
        fields.refuse("title", "must not be empty")
    description = fields.text("description", nullable=True)
    changes = ProductChanges(
        name=name,
        price_minor=fields.amount("price", currency=call.currency),
        description="" if fields.given("description") and description is None else description,
        cost_minor=cost,
        clears_cost=fields.given("cost") and cost is None,
        stock=_stock(fields),
        is_enabled=_is_enabled(fields),
        order_terms=read_order_terms(fields),
    )
    serials = serials_of(fields)
    if changes.stock is not None and product.is_serial:
        fields.refuse("stock", "is the number of the serials")
    if product.has_variants:
        for field in ("price", "cost", "stock", "serials"):
            if fields.given(field):
                fields.refuse(field, "is each variant's own for a product with variants")
    fields.check()
    return changes, serials


def serials_of(fields: Fields, *, required: bool = False) -> list[str] | None:
    """Serials: one text with a line for each, or a list of texts."""
    if fields.is_list("serials"):
        found = fields.texts("serials", most=SERIALS_MAX, required=required)
    else:
        text = fields.text("serials", required=required, longest=SERIALS_MAX * 513)
        found = None if text is None else text.splitlines()
    if found is None:
        return None
    kept = [line.strip() for line in found if line.strip()]
    if len(kept) > SERIALS_MAX:
        fields.refuse("serials", f"must have at most {SERIALS_MAX} entries")
    if required and not kept:
        fields.refuse("serials", "must not be empty")
    return kept


def _stock(fields: Fields) -> int | None:
    return fields.whole("stock", least=UNLIMITED, most=min(QUANTITY_MAX, 10**9), nullable=True)


def _is_enabled(fields: Fields) -> bool | None:
    """False where a flag takes the product out of sale, None where none is there."""
    flags = [fields.flag(name) for name in _HIDING if fields.given(name)]
    return None if not flags else not any(flags)


def _check_currency(fields: Fields, call: Call) -> None:
    currency = fields.text("currency", nullable=True)
    if currency and currency.upper() != call.currency:
        fields.refuse("currency", f"must be the shop's, {call.currency}")
