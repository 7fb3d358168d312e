"""The fields of products, Skus, merchants and categories (spec sections 2, 3)."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.pictures import Pictures
from crossdock.channels.shoppo.rows import MerchantRow, ProductRow, SkuRow, SpecRow
from crossdock.channels.shoppo.shipping import shipping_configs, shipping_price, shipping_time
from crossdock.channels.shoppo.subjects import Call, Read
from crossdock.channels.shoppo.wire import INT_MAX, amount, seconds
from crossdock.shop.catalogue import GoodsCategory
from crossdock.shop.search import OptionNames, Traits, keyword, traits_of

FEATURES_MAX: Final = 5
UNCOUNTED: Final = 999_999
"""The inventory of what is not counted."""

_BATTERY = frozenset({"hasbattery", "battery"})
_ANSWERS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_MM_PER_INCH = Decimal("25.4")
_G_PER_POUND = Decimal("453.59237")
_HUNDREDTH = Decimal("0.01")


def product_fields(pictures: Pictures) -> Mapping[str, Read]:
    """The readings of Product."""
    return {
        "id": lambda row, call: call.ids.encode(row.kind, row.number, row.place),
        "originalId": lambda row, call: call.ids.encode(Kind.PRODUCT, row.record.id),
        "isSnapshot": lambda row, _: row.is_snapshot,
        "brand": lambda row, _: row.record.brand,
        "coverImage": lambda row, _: pictures.of_product(row)[0],
        "coverVideo": lambda row, _: pictures.video_of(row),
        "consumerCategories": lambda row, _: row.record.categories,
        "description": lambda row, _: row.record.description,
        "enabled": lambda row, _: row.record.enabled,
        "features": lambda row, _: row.record.features[:FEATURES_MAX],
        "extraImages": lambda row, _: pictures.of_product(row)[1:],
        "name": lambda row, _: row.record.name,
        "inventory": _product_inventory,
        "skus": lambda row, _: row.skus,
        "whiteBackgroundImage": lambda row, _: pictures.of_product(row)[0],
        "identifier": lambda row, _: row.record.handle,
        "tags": lambda row, _: row.record.tags,
        "categoryId": _category_id,
        "merchant": lambda row, _: _merchant(row),
        "upc": _upc,
        "hasBattery": _has_battery,
        "targetUserType": lambda row, _: row.record.target_users.upper(),
        "timeCreated": lambda row, _: seconds(row.record.created_at),
        "timeUpdated": lambda row, _: seconds(row.record.updated_at),
    }


def sku_fields(pictures: Pictures, *, options: OptionNames) -> Mapping[str, Read]:
    """The readings of Sku."""
    return {
        "id": lambda row, call: call.ids.encode(row.kind, row.number, row.place),
        "originalId": lambda row, call: call.ids.encode(Kind.SKU, row.record.id),
        "isSnapshot": lambda row, _: row.is_snapshot,
        "color": lambda row, _: _traits(row, options).color,
        "coverImage": lambda row, _: pictures.of_sku(row),
        "enabled": lambda row, _: row.record.enabled,
        "height": lambda row, _: _inches(row.record.height_mm),
        "inventory": lambda row, _: sku_inventory(row),
        "length": lambda row, _: _inches(row.record.length_mm),
        "msrp": lambda row, call: amount(row.record.retail_minor, call.partner.currency),
        "price": lambda row, call: amount(row.record.price_minor, call.partner.currency),
        "product": lambda row, _: row.product,
        "shippingConfig": lambda row, _: shipping_configs(row.product.record),
        "shippingPrice": shipping_price,
        "shippingTime": lambda row, _: shipping_time(row.product.record.shipping_days),
        "size": lambda row, _: _size(row, options),
        "weight": lambda row, _: _number(row.record.weight_g, _G_PER_POUND),
        "width": lambda row, _: _inches(row.record.width_mm),
        "specs": _specs,
        "identifier": lambda row, _: row.record.sku,
        "description": lambda row, _: row.record.name,
        "merchant": lambda row, _: _merchant(row.product),
        "timeCreated": lambda row, _: seconds(row.record.created_at),
        "timeUpdated": lambda row, _: seconds(row.record.updated_at),
    }


MERCHANT_FIELDS: Mapping[str, Read] = {
    "id": lambda row, call: call.ids.encode(Kind.MERCHANT, row.number),
    "name": lambda row, _: row.name,
}
SPEC_FIELDS: Mapping[str, Read] = {
    "name": lambda row, _: row.name,
    "value": lambda row, _: row.value,
}


def _category(row: GoodsCategory, call: Call) -> str:
    return call.ids.encode(Kind.CATEGORY, row.id)


CATEGORY_FIELDS: Mapping[str, Read] = {
    "id": _category,
    "originalId": _category,
    "categoryId": lambda row, _: str(row.id),
    "path": lambda row, _: " > ".join(row.path),
}


def sku_inventory(row: SkuRow) -> int:
    """How many may be sold: none of what is out of sale, UNCOUNTED of what is not counted."""
    record = row.record
    if not record.enabled:
        return 0
    return UNCOUNTED if record.quantity is None else min(max(record.quantity, 0), INT_MAX)


def _product_inventory(row: ProductRow, _call: Call) -> int:
    return min(sum(sku_inventory(each) for each in row.skus), INT_MAX)


def _category_id(row: ProductRow, _call: Call) -> str | None:
    categories = row.record.categories
    return str(categories[0].id) if categories else None


def _upc(row: ProductRow, _call: Call) -> str | None:
    return next((each.record.upc for each in row.skus if each.record.upc), None)


def _has_battery(row: ProductRow, _call: Call) -> bool | None:
    """What an attribute of about this name says."""
    for name, value in row.record.attributes.items():
        if keyword(name).replace(" ", "").replace("_", "") in _BATTERY:
            return _ANSWERS.get(keyword(str(value)))
    return None


def _merchant(row: ProductRow) -> MerchantRow:
    return MerchantRow(row.record.merchant_id, row.record.merchant)


def _traits(row: SkuRow, options: OptionNames) -> Traits:
    record = row.record
    return traits_of(options, row.product.record.attributes, record.attributes, record.options)


def _size(row: SkuRow, options: OptionNames) -> str | None:
    """The options beside the colour, else the size among the attributes."""
    chosen = [
        text
        for name, text in row.record.options.items()
        if text and keyword(name) not in options.color
    ]
    return " / ".join(chosen) or _traits(row, options).size or None


def _specs(row: SkuRow, _call: Call) -> list[SpecRow]:
    """Options, then attributes; the Sku's own before those of its product."""
    told: dict[str, Any] = {}
    for labels in (row.record.options, row.record.attributes, row.product.record.attributes):
        for name, value in labels.items():
            told.setdefault(name, value)
    return [SpecRow(name, str(value)) for name, value in told.items()]


def _inches(millimetres: int | None) -> str | None:
    return _number(millimetres, _MM_PER_INCH)


def _number(value: int | None, per_unit: Decimal) -> str | None:
    """A plain number in the default unit, with at most two decimals; None where it is not known."""
    if not value:
        return None
    number = (value / per_unit).quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
    return f"{number:f}".rstrip("0").rstrip(".")
