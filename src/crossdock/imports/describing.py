"""The reference of our JSON Lines, made from the structures that decode them.

`python -m crossdock.imports.describing docs/reference` writes jsonl.md and jsonl.schema.json.
"""

import json
import sys
import types
import typing
from pathlib import Path
from typing import Any

import msgspec

from crossdock.imports.jsonl import BlogPostLine, CategoryLine, Line, MerchantLine, ProductLine
from crossdock.shop.catalogue import ExtraHandling, Image, Promotion, VariantRecord
from crossdock.shop.stock import StockRecord

_SHOWN: tuple[tuple[str, Any], ...] = (
    ('Product: `"type": "product"`', ProductLine),
    ("Variant", VariantRecord),
    ("Stock of a variant", StockRecord),
    ("Promotion of a variant", Promotion),
    ("Image of a product", Image),
    ("Extra handling of a product", ExtraHandling),
    ('Category: `"type": "category"`', CategoryLine),
    ('Merchant: `"type": "merchant"`', MerchantLine),
    ('Blog post: `"type": "blog_post"`', BlogPostLine),
)

MEANINGS: dict[str, dict[str, str]] = {
    "ProductLine": {
        "handle": "The product's stable key inside its merchant; the same handle updates the product.",
        "name": "The name in the shop's main language.",
        "merchant": "The seller's name, made when there is none; empty is the import's `--merchant`, "
        "or the shop's name.",
        "currency": "Must be the shop's; empty is the shop's.",
        "variants": "What is sold and counted; at least one.",
        "description": "HTML, cleaned on the way in.",
        "brand": "The maker.",
        "translations": "By language: `name` and `description`.",
        "attributes": "Free specs by name, colour and material among them.",
        "categories": "Paths of names from the root; missing nodes are made.",
        "images": "Pictures in order.",
        "tags": "Words to find it by.",
        "related_handles": "Handles of related products of the merchant.",
        "option_names": "The options in the order in which a variant's name says them.",
        "extra_handling": "What handling costs beyond shipping.",
        "enabled": "Whether it is for sale at all.",
        "featured": "Whether the shop shows it first.",
        "virtual": "Whether nothing is shipped.",
        "sold_without_stock": "Whether it is sold when there is none.",
        "requires_serial": "Whether each unit comes with a serial or key.",
        "sort": "Position in lists; smaller is earlier.",
        "is_complete": "False leaves variants that the line does not speak of as they are; otherwise "
        "they are disabled.",
    },
    "VariantRecord": {
        "sku": "The variant's key inside the merchant; the same sku updates it, even from another product.",
        "merchant_sku": "The merchant's own number.",
        "part_number": "The maker's number.",
        "upc": "GTIN of 8, 12, 13 or 14 digits, kept as given; a wrong check digit is a warning.",
        "options": "A value for each of the product's `option_names`.",
        "attributes": "Specs of this variant only.",
        "image": "Address of its own picture.",
        "retail_minor": "The usual price in minor units (1999 is 19.99 USD); without one it is not listed.",
        "sale_minor": "The price while the sale runs.",
        "sale_starts_at": "Start of the sale; null is always.",
        "sale_ends_at": "End of the sale, exclusive; null is never.",
        "cost_minor": "What it costs the shop.",
        "vat_bp": "VAT rate in basis points; 2100 is 21 %.",
        "weight_g": "Weight in grams.",
        "length_mm": "Length in millimetres.",
        "width_mm": "Width in millimetres.",
        "height_mm": "Height in millimetres.",
        "origin": "`SC` own warehouse, `*` own warehouse and supplier, anything else the supplier.",
        "stock_managed": "Whether its stock is counted.",
        "stock_status": "A status that overrules what the quantities say; null lets them speak.",
        "enabled": "Whether it is for sale.",
        "stock": "What each pool holds; a pool that is left out stays as it is.",
        "promotions": "Prices for a time; they replace those of before.",
    },
    "StockRecord": {
        "pool": "`own` or `supplier`.",
        "on_hand": "Units there; the difference to before is one adjusting entry.",
        "warning_level": "Units that are not promised to anybody.",
        "best_before": "The date on the goods.",
        "best_before_alert": "What to tell buyers about it.",
    },
    "Promotion": {
        "price_minor": "The price in minor units.",
        "starts_at": "Start, inclusive.",
        "ends_at": "End, exclusive.",
    },
    "Image": {
        "url": "Its address.",
        "alt": "What it shows, in words.",
        "variant_sku": "Set where it shows one variant only.",
    },
    "ExtraHandling": {
        "price_minor": "The amount in minor units.",
        "description": "The reason, by language.",
    },
    "CategoryLine": {
        "path": "Names from the root, its own last.",
        "names": "Its name by language.",
        "descriptions": "HTML by language.",
        "images": "Addresses by role, such as `icon`.",
        "enabled": "Whether it is shown.",
        "sort": "Position among its siblings.",
    },
    "MerchantLine": {
        "name": "The name; merchants are the same when the words of their names are.",
        "email": "Where it is reached.",
        "country": "ISO 3166, two letters.",
        "terms": "Anything that a channel wants to know of it.",
        "enabled": "Whether its goods are for sale.",
    },
    "BlogPostLine": {
        "slug": "The post's key, together with its language.",
        "title": "The title.",
        "content": "HTML, cleaned on the way in.",
        "language": "The language of this text.",
        "published_at": "When it appears.",
        "image": "Address of its picture.",
        "enabled": "Whether it is shown.",
    },
}

_INTRODUCTION = """# JSON Lines

`crossdock import --format jsonl` reads one JSON object a line, or one array of such objects, in UTF-8
or UTF-16, plain or packed; `crossdock export --format jsonl` writes it and leaves nothing out. A line
may have up to 4 MB. Unknown fields are refused, so that a slip of the pen is noticed. Moments are
ISO 8601 with a zone; amounts are whole minor units.

```json
{"type": "product", "handle": "mug", "name": "Mug", "option_names": ["Colour"],
 "categories": [["Kitchen", "Mugs"]],
 "variants": [{"sku": "MUG-RED", "options": {"Colour": "Red"}, "retail_minor": 1999,
               "stock": [{"pool": "own", "on_hand": 12}]}]}
```

(one line in the file). **Short form.** A line without `type` is a product. A product without
`variants` has one, whose fields stand beside its own; then `handle` may be left out for one made of
the sku, `category_path` is one path, and `on_hand` and `supplier_on_hand` are stock. `retail`, `sale`
and `cost` are amounts in major units, as a number or a text, in place of the `_minor` fields.

```json
{"sku": "POT-1", "name": "Pot", "retail": "24.50", "on_hand": 4}
```

The same as a JSON Schema of the long form: [jsonl.schema.json](jsonl.schema.json). This page is made
from the code: `python -m crossdock.imports.describing docs/reference`.
"""


def reference() -> str:
    """The page: a table of fields for each structure."""
    parts = [_INTRODUCTION]
    for title, kind in _SHOWN:
        parts.append(f"\n## {title}\n\n| field | type | default | meaning |\n|---|---|---|---|\n")
        parts.extend(_row(field, kind) for field in msgspec.structs.fields(kind))
    return "".join(parts)


def schema() -> str:
    """The JSON Schema of a line in its long form."""
    document = msgspec.json.schema(Line)
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _row(field: Any, kind: Any) -> str:
    meaning = MEANINGS[kind.__name__][field.name]
    default = "required" if field.required else f"`{_default(field)}`"
    return f"| `{field.name}` | {_type_name(field.type)} | {default} | {meaning} |\n"


def _default(field: Any) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return json.dumps(value)


def _type_name(kind: Any) -> str:
    """A type in words of JSON, with its bounds."""
    if typing.get_origin(kind) is typing.Annotated:
        base, *notes = typing.get_args(kind)
        return _type_name(base) + "".join(map(_bounds, notes))
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type_name(part) for part in arguments)
    if origin is tuple:
        return f"array of {_type_name(arguments[0])}"
    if origin is dict:
        return "object"
    names = {str: "text", int: "integer", bool: "boolean", type(None): "null"}
    return names.get(kind, getattr(kind, "__name__", str(kind)).removesuffix("Record").lower())


def _bounds(note: Any) -> str:
    found = []
    if note.max_length is not None:
        found.append(f"up to {note.max_length}")
    if note.ge is not None:
        found.append(f"from {note.ge}")
    if note.le is not None:
        found.append(f"to {note.le}")
    return f" ({' '.join(found)})" if found else ""


def write(folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "jsonl.md").write_text(reference(), encoding="utf-8")
    (folder / "jsonl.schema.json").write_text(schema(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
