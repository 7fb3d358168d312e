"""The terms of an invitation or a relationship, as merchants send them (spec section 6.3)."""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.programs import MODES, MODES_READ
from crossdock.shop.resellers import ProductTerms, ResellerTerms

PRODUCTS_MAX: Final = 1_000
_NO_PRODUCT: Final = "is no product of the shop"
_TWICE: Final = "is named twice"

_NUMBER: Final = {"type": ["number", "null"], "minimum": 0}
_PERCENT: Final = _NUMBER | {"maximum": 100}
_WHOLE: Final = {"type": ["integer", "null"], "minimum": 0}
TERMS: Final[dict[str, dict[str, Any]]] = {
    "mode": {"type": "string", "enum": [*MODES]},
    "custom_commission_percent": _PERCENT,
    "custom_wholesale_discount_percent": _PERCENT,
    "purchase_limit_daily": _WHOLE,
    "purchase_limit_monthly": _WHOLE,
}
ACCESS: Final[dict[str, dict[str, Any]]] = {
    "product_ids": {"type": ["array", "null"], "items": {"type": "string"}},
    "product_access": {
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "required": ["product_id"],
            "properties": {
                "product_id": {"type": "string"},
                "commission_percent_override": _PERCENT,
                "wholesale_price_override": _NUMBER,
                "min_quantity": _WHOLE | {"minimum": 1},
                "max_quantity": _WHOLE | {"minimum": 1},
                "auto_fulfilled_enabled": {"type": "boolean", "default": True},
                "min_resale_price": _NUMBER,
                "max_resale_price": _NUMBER,
            },
        },
    },
}


class ReadTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms, and the name of the field that each of their products came from, in their order."""

    terms: ResellerTerms
    names: tuple[str, ...]


def read_terms(call: Call, fields: Fields) -> ReadTerms:
    """The terms of a body, after what else was read of it. Raises WireError VALIDATION_ERROR."""
    read: dict[str, tuple[str, Any]] = {
        "mode": ("mode", fields.choice("mode", MODES_READ)),
        "custom_commission_percent": (
            "commission_bp",
            fields.percent("custom_commission_percent", nullable=True),
        ),
        "custom_wholesale_discount_percent": (
            "discount_bp",
            fields.percent("custom_wholesale_discount_percent", nullable=True),
        ),
        "purchase_limit_daily": (
            "limit_daily",
            fields.whole("purchase_limit_daily", nullable=True),
        ),
        "purchase_limit_monthly": (
            "limit_monthly",
            fields.whole("purchase_limit_monthly", nullable=True),
        ),
    }
    products = _read_products(call, fields)
    fields.check()
    given = {name: value for field, (name, value) in read.items() if fields.given(field)}
    chosen: tuple[ProductTerms, ...] | UnsetType | None = (
        tuple(terms for _, terms in products.values()) if isinstance(products, dict) else products
    )
    names = tuple(name for name, _ in products.values()) if isinstance(products, dict) else ()
    return ReadTerms(terms=ResellerTerms(**given, products=chosen), names=names)


def _read_products(
    call: Call, fields: Fields
) -> dict[int, tuple[str, ProductTerms]] | UnsetType | None:
    """By product: where it was named, and its terms. UNSET without a list, None for every product."""
    plain = fields.texts("product_ids", most=PRODUCTS_MAX, nullable=True)
    listed = fields.objects("product_access", most=PRODUCTS_MAX, nullable=True)
    if plain is None and listed is None:
        named = fields.given("product_ids") or fields.given("product_access")
        return None if named else UNSET
    found: dict[int, tuple[str, ProductTerms]] = {}
    for place, each in enumerate(listed or ()):
        terms = _read_access(call, each)
        if terms is not None and terms.product_id in found:
            each.refuse("product_id", _TWICE)
        elif terms is not None:
            found[terms.product_id] = (f"product_access[{place}].product_id", terms)
    seen: set[int] = set()
    for place, text in enumerate(plain or ()):
        product_id = call.ids.find(Kind.PRODUCT, text)
        if product_id is None or product_id in seen:
            fields.refuse(f"product_ids[{place}]", _NO_PRODUCT if product_id is None else _TWICE)
            continue
        seen.add(product_id)
        found.setdefault(product_id, (f"product_ids[{place}]", ProductTerms(product_id=product_id)))
    return found


def _read_access(call: Call, fields: Fields) -> ProductTerms | None:
    """A product with its terms; None where its id is wrong, which is noted."""
    text = fields.text("product_id", required=True)
    product_id = None if text is None else call.ids.find(Kind.PRODUCT, text)
    if text is not None and product_id is None:
        fields.refuse("product_id", _NO_PRODUCT)
    auto_fulfilled = fields.flag("auto_fulfilled_enabled")
    terms = ProductTerms(
        product_id=product_id or 0,
        commission_bp=fields.percent("commission_percent_override", nullable=True),
        wholesale_minor=_price(call, fields, "wholesale_price_override"),
        min_quantity=fields.whole("min_quantity", least=1, nullable=True),
        max_quantity=fields.whole("max_quantity", least=1, nullable=True),
        auto_fulfilled=auto_fulfilled is not False,
        min_resale_minor=_price(call, fields, "min_resale_price"),
        max_resale_minor=_price(call, fields, "max_resale_price"),
    )
    for name in terms.crossed:
        upper = name.replace("_minor", "_price")
        fields.refuse(upper, f"must not be less than {upper.replace('max_', 'min_')}")
    return None if product_id is None else terms


def _price(call: Call, fields: Fields, name: str) -> int | None:
    return fields.amount(name, currency=call.currency, nullable=True)
