"""Maps that only name columns, as a form can ask for them; anything more is written as TOML."""

import json
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from crossdock.imports.items import Unreadable
from crossdock.imports.layouts import plain_name
from crossdock.imports.mapping import AttributeRules, FieldMap, FileRules, RowRules, parse_map

USUAL_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shopify-csv": (
            *("Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Tags", "Image Src"),
            *("Variant SKU", "Variant Barcode", "Variant Price", "Variant Compare At Price"),
            *("Variant Inventory Qty", "Option1 Name", "Option1 Value", "Variant Grams", "Status"),
        ),
        "woocommerce-csv": (
            *("ID", "Type", "SKU", "Name", "Parent", "Description", "Categories", "Tags", "Images"),
            *("Regular price", "Sale price", "Stock", "In stock?", "Published", "Weight (kg)"),
        ),
        "google-merchant": (
            *("id", "title", "description", "item_group_id", "brand", "gtin", "mpn", "image_link"),
            *("price", "sale_price", "quantity", "availability", "product_type", "color", "size"),
        ),
    }
)
"""The fields of each table format that most files have."""


class PlainMap(msgspec.Struct, frozen=True, kw_only=True):
    """The column of each field, and whether numbers are written as 1.234,56."""

    columns: dict[str, str] = {}
    decimal_comma: bool = False


def usual_columns(file_format: str, columns: tuple[str, ...]) -> dict[str, str]:
    """The usual fields of a format, each with the file's column of that name, or ''."""
    names = {plain_name(column): column for column in columns}
    return {field: names.get(plain_name(field), "") for field in USUAL_FIELDS.get(file_format, ())}


def write_plain_map(chosen: PlainMap) -> str:
    """The map as TOML; '' for one that says nothing."""
    parts = ["[file]\ndecimal_comma = true\n"] if chosen.decimal_comma else []
    lines = [f"{_text(field)} = {_text(column)}" for field, column in chosen.columns.items()]
    if lines:
        parts.append("\n".join(("[fields]", *lines, "")))
    return "\n".join(parts)


def read_plain_map(source: str) -> PlainMap | None:
    """The plain map that a text is, or None where it says more, or is no map."""
    try:
        found = parse_map(source.encode())
    except Unreadable:
        return None
    columns = {field: column for field, column in found.fields.items() if isinstance(column, str)}
    comma = found.file.decimal_comma
    plain = FieldMap(
        file=FileRules(decimal_comma=comma),
        rows=RowRules(),
        fields=dict(columns),
        attributes=AttributeRules(),
        source=found.source,
    )
    return PlainMap(columns=columns, decimal_comma=comma) if plain == found else None


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
