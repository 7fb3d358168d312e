"""The columns of a Google feed, and one item of it by their names."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import chain
from typing import Self

import msgspec

from crossdock.imports.holding import GOOGLE, narrowed
from crossdock.imports.odd_cells import columns_of
from crossdock.imports.shipping_terms import COLUMNS
from crossdock.imports.tables import Table
from crossdock.shop.catalogue import Parts

OPTION_FIELDS = ("color", "size", "material", "pattern", "gender", "age_group", "size_type")
KEPT_FIELDS = (
    "condition",
    "multipack",
    "energy_efficiency_class",
    "adult",
    "unit_pricing_measure",
    "availability_date",
)
_DETAIL = "product detail"
_OPTION_COLUMNS = (_DETAIL, *(name.replace("_", " ") for name in OPTION_FIELDS))
_HIGHLIGHT = "product highlight"
_SALE = ("sale price effective date",)
_PRODUCT = {
    "description": ("description",),
    "brand": ("brand",),
    "categories": ("product type", "google product category"),
    "images": ("image link", "additional image link"),
    "option_names": _OPTION_COLUMNS,
    "shipping_terms": tuple(COLUMNS),
    "target_users": (_DETAIL, "gender"),
    "features": (_HIGHLIGHT,),
}
_VARIANT = {
    "upc": ("gtin",),
    "part_number": ("mpn",),
    "options": _OPTION_COLUMNS,
    "image": ("image link",),
    "retail_minor": ("price",),
    "sale_minor": ("sale price",),
    "sale_starts_at": _SALE,
    "sale_ends_at": _SALE,
    "cost_minor": ("cost of goods sold",),
    "weight_g": ("shipping weight",),
    "length_mm": ("shipping length",),
    "width_mm": ("shipping width",),
    "height_mm": ("shipping height",),
    "stock_managed": ("quantity", "sell on google quantity"),
    "stock_status": ("availability",),
}
"""The columns that fill each field; a field none of whose columns exist stays unchanged."""
CELLS = columns_of(_PRODUCT, _VARIANT, together=(("sale price", *_SALE),))
KNOWN = frozenset(
    chain(
        ("id", "title", "item group id", "item group title", "external seller id"),
        ("link", "identifier exists"),
        (name.replace("_", " ") for name in KEPT_FIELDS),
        *_PRODUCT.values(),
        *_VARIANT.values(),
    )
)


class Entry(msgspec.Struct, frozen=True):
    """One item: texts by field name (with '_' between words), lists for repeatable fields."""

    number: int
    texts: Mapping[str, list[str]]
    details: list[tuple[str, str, str]]
    attributes: dict[str, str]
    parts: Parts = GOOGLE

    def __getitem__(self, name: str) -> str:
        found = self.texts.get(name)
        return found[0] if found else ""

    def holds(self, column: str) -> bool:
        """Whether the item has an element for that column."""
        return column.replace(" ", "_") in self.texts

    def without(self, columns: Collection[str]) -> Self:
        """The item without these."""
        names = {column.replace(" ", "_") for column in columns}
        texts = {name: found for name, found in self.texts.items() if name not in names}
        return msgspec.structs.replace(self, texts=texts)


@lru_cache(maxsize=8)
def parts_of(table: Table) -> Parts:
    """The fields that a table has columns for; an XML feed may have all of them."""
    parts = narrowed(GOOGLE, columns=table.columns, product=_PRODUCT, variant=_VARIANT)
    names = table.attributes
    if _DETAIL in table.columns:
        names = None
    elif names is not None:
        known = (*OPTION_FIELDS, *KEPT_FIELDS)
        names |= {name for name in known if name.replace("_", " ") in table.columns}
    return msgspec.structs.replace(parts, attributes=names)
