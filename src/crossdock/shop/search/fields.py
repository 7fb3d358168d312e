"""The fields of a document in the index, and what each may be asked (spec shoppable 4.3).

| kind | indexed as | a query compares |
|---|---|---|
| text | its words, in order | words, phrases, patterns |
| exact | the whole value, folded | whole values, patterns |
| number | an integer; money in minor units, times in seconds | ranges, values |

A document is a SKU; `varies` says that the field can differ between the SKUs of one product.
"""

from typing import Final, Literal

import msgspec

Field = Literal[
    "everything",
    "name",
    "brand",
    "category",
    "merchant",
    "color",
    "size",
    "material",
    "description",
    "attributes",
    "coupon",
    "sku",
    "upc",
    "part_number",
    "merchant_sku",
    "merchant_item_id",
    "product_id",
    "variant_id",
    "merchant_id",
    "category_id",
    "coupon_kind",
    "currency",
    "on_sale",
    "price",
    "retail_price",
    "sale_price",
    "shipping_charge",
    "ship_free_min",
    "ship_flat_rate",
    "modified",
]

Kind = Literal["text", "exact", "number"]


class FieldKind(msgspec.Struct, frozen=True, kw_only=True):
    """How a field is indexed; a `searched` one answers queries that name no field."""

    kind: Kind
    varies: bool = False
    searched: bool = False


FIELDS: Final[dict[Field, FieldKind]] = {
    # Name, brand, category and description together: a word counts the same wherever it is.
    "everything": FieldKind(kind="text", searched=True),
    "name": FieldKind(kind="text", searched=True),
    "brand": FieldKind(kind="text", searched=True),
    "category": FieldKind(kind="text", searched=True),
    "merchant": FieldKind(kind="text", searched=True),
    "color": FieldKind(kind="text", searched=True, varies=True),
    "material": FieldKind(kind="text", searched=True, varies=True),
    "description": FieldKind(kind="text", searched=True),
    "attributes": FieldKind(kind="text", searched=True),
    "size": FieldKind(kind="text", varies=True),
    "coupon": FieldKind(kind="text"),
    "sku": FieldKind(kind="exact", searched=True, varies=True),
    "upc": FieldKind(kind="exact", searched=True, varies=True),
    "part_number": FieldKind(kind="exact", searched=True, varies=True),
    "merchant_sku": FieldKind(kind="exact", searched=True, varies=True),
    "merchant_item_id": FieldKind(kind="exact", searched=True),
    "product_id": FieldKind(kind="exact"),
    "variant_id": FieldKind(kind="exact", varies=True),
    "merchant_id": FieldKind(kind="exact"),
    "category_id": FieldKind(kind="exact"),
    "coupon_kind": FieldKind(kind="exact"),
    "currency": FieldKind(kind="exact"),
    "on_sale": FieldKind(kind="exact", varies=True),
    "price": FieldKind(kind="number", varies=True),
    "retail_price": FieldKind(kind="number", varies=True),
    "sale_price": FieldKind(kind="number", varies=True),
    "shipping_charge": FieldKind(kind="number"),
    "ship_free_min": FieldKind(kind="number"),
    "ship_flat_rate": FieldKind(kind="number"),
    "modified": FieldKind(kind="number"),
}
SEARCHED: Final = tuple(name for name, field in FIELDS.items() if field.searched)
IDENTIFIERS: Final = tuple(name for name in SEARCHED if FIELDS[name].kind == "exact")
VARYING: Final = frozenset(name for name, field in FIELDS.items() if field.varies)
