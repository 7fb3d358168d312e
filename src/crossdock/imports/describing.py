"""Generates the reference of the JSON Lines format from the structs that decode it.

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
from crossdock.shop.catalogue import (
    CustomField,
    ExtraHandling,
    Image,
    Promotion,
    ShippingTerm,
    VariantRecord,
)
from crossdock.shop.stock import StockRecord

_SHOWN: tuple[tuple[str, Any], ...] = (
    ('Product: `"type": "product"`', ProductLine),
    ("Variant", VariantRecord),
    ("Stock of a variant", StockRecord),
    ("Promotion of a variant", Promotion),
    ("Image of a product", Image),
    ("Extra handling of a product", ExtraHandling),
    ("Shipping terms of a product", ShippingTerm),
    ("Custom field of a product", CustomField),
    ('Category: `"type": "category"`', CategoryLine),
    ('Merchant: `"type": "merchant"`', MerchantLine),
    ('Blog post: `"type": "blog_post"`', BlogPostLine),
)

MEANINGS: dict[str, dict[str, str]] = {
    "ProductLine": {
        "handle": "The product's key, unique per merchant; an existing handle is updated.",
        "name": "The name in the shop's default language.",
        "merchant": "The seller's name; created if unknown. Default: the import's `--merchant`, "
        "else the shop's name.",
        "currency": "Must be the shop's currency, which is the default.",
        "variants": "What is sold and counted; at least one.",
        "description": "HTML; sanitised on import.",
        "brand": "The brand.",
        "translations": "By language: `name` and `description`.",
        "attributes": "Free attributes by name, such as colour and material.",
        "categories": "Paths of names from the root; missing categories are created.",
        "images": "Images, in order.",
        "video": "URL of a film about it, an MP4 file; empty without one.",
        "tags": "Search terms.",
        "related_handles": "Handles of related products of the merchant.",
        "option_names": "The options, in the order in which they appear in a variant's name.",
        "extra_handling": "Handling charges in addition to shipping.",
        "enabled": "Whether it is for sale at all.",
        "featured": "Whether the shop features it.",
        "virtual": "Whether nothing is shipped.",
        "sold_without_stock": "Whether it is sold when out of stock.",
        "requires_serial": "Whether each unit comes with a serial or key.",
        "shipping_minor": "What shipping one unit costs in addition to the merchant's flat rate, in minor units.",
        "free_shipping": "Whether its shipping costs the buyer nothing.",
        "shipping_days": "The least and the most days that shipping takes, such as `[3, 10]`.",
        "shipping_terms": "Shipping to some countries: price and time instead of the product's own.",
        "ships_to": "The only countries that it is shipped to, ISO 3166, two letters; empty: everywhere.",
        "target_users": "Whom it is made for.",
        "features": "What speaks for it, in a few words each; at most five.",
        "sort": "Position in lists; smaller is earlier.",
        "quantity_min": "The least that one order has of it; null: 1.",
        "quantity_max": "The most that one order has of it; null: any quantity.",
        "custom_fields": "What a buyer fills in with an order; different names, at most twenty.",
        "is_complete": "If false, variants missing from the line stay unchanged; otherwise "
        "they are disabled.",
    },
    "VariantRecord": {
        "sku": "The variant's key, unique per merchant; an existing SKU is updated, even in another product.",
        "merchant_sku": "The merchant's own SKU.",
        "part_number": "The manufacturer's part number (MPN).",
        "upc": "GTIN of 8, 12, 13 or 14 digits, kept as given; a wrong check digit is a warning.",
        "options": "A value for each of the product's `option_names`.",
        "attributes": "Attributes of this variant only.",
        "image": "URL of the variant's own image.",
        "retail_minor": "The usual price in minor units (1999 is 19.99 USD); without it the variant is not listed.",
        "sale_minor": "The price during the sale.",
        "sale_starts_at": "Start of the sale; null means already started.",
        "sale_ends_at": "End of the sale, exclusive; null means no end.",
        "cost_minor": "The shop's purchase cost.",
        "vat_bp": "VAT rate in basis points; 2100 is 21 %.",
        "weight_g": "Weight in grams.",
        "length_mm": "Length in millimetres.",
        "width_mm": "Width in millimetres.",
        "height_mm": "Height in millimetres.",
        "origin": "`SC` own warehouse, `*` own warehouse and supplier, anything else the supplier.",
        "stock_managed": "Whether its stock is counted.",
        "stock_status": "Overrides the status derived from the quantities; null derives it.",
        "enabled": "Whether it is for sale.",
        "stock": "The quantity in each pool; a pool that is left out stays unchanged.",
        "promotions": "Prices for a limited time; they replace the existing ones.",
    },
    "StockRecord": {
        "pool": "`own` or `supplier`.",
        "on_hand": "Units in the pool; the difference is posted as one adjust entry.",
        "warning_level": "Units that are kept back and never promised.",
        "best_before": "The best-before date printed on the goods.",
        "best_before_alert": "A notice about that date for buyers.",
    },
    "Promotion": {
        "price_minor": "The price in minor units.",
        "starts_at": "Start, inclusive.",
        "ends_at": "End, exclusive.",
    },
    "Image": {
        "url": "Its address.",
        "alt": "Alternative text.",
        "variant_sku": "Set if the image shows one variant only.",
    },
    "ShippingTerm": {
        "courier": "The courier's code; its first two letters are the country of destination.",
        "price_minor": "What shipping one unit costs, in minor units.",
        "days": "The least and the most days; null: as the product says.",
    },
    "CustomField": {
        "name": "What it is called, and the name under which an order has the answer.",
        "type": "How it is filled in.",
        "required": "Whether it must be filled in; a checkbox must be ticked then.",
        "placeholder": "What an empty field shows.",
        "regex": "Regular expression that is found somewhere in the answer, without references back and looks "
        "ahead; empty: any answer.",
    },
    "ExtraHandling": {
        "price_minor": "The amount in minor units.",
        "description": "The reason, by language.",
    },
    "CategoryLine": {
        "path": "Names from the root down to this category.",
        "names": "Its name by language.",
        "descriptions": "HTML by language.",
        "images": "URLs by role, such as `icon`.",
        "enabled": "Whether it is shown.",
        "sort": "Position among its siblings.",
    },
    "MerchantLine": {
        "name": "The name, which identifies the merchant; case and punctuation are ignored.",
        "email": "Contact address.",
        "country": "ISO 3166, two letters.",
        "terms": "Free data for channels.",
        "shipping_flat_minor": "What the merchant asks for shipping an order, in minor units of the shop's currency.",
        "free_shipping_from_minor": "Goods of this value are shipped free; null: never free by value.",
        "commission_bp": "The shop's share of what the merchant sells, in basis points.",
        "customer_service_url": "Page of the merchant's customer service.",
        "return_policy_url": "Page of the merchant's return policy.",
        "connector": "Connector that its orders go to; empty is the shop's default.",
        "enabled": "Whether its products are for sale.",
    },
    "BlogPostLine": {
        "slug": "The post's key, together with `language`.",
        "title": "The title.",
        "content": "HTML; sanitised on import.",
        "language": "The language of this text.",
        "published_at": "When it is published.",
        "image": "URL of the image.",
        "enabled": "Whether it is shown.",
    },
}

_INTRODUCTION = """# JSON Lines

`crossdock import --format jsonl` reads UTF-8 or UTF-16, plain or compressed: one JSON object per line,
or one array of such objects. `crossdock export --format jsonl` writes it without loss. A line may have
up to 4 MB. Unknown fields are refused, so that a misspelt name is noticed. Times are ISO 8601; one without a time
zone is in the shop's, and an end that is a day alone is the end of that day. Amounts are whole minor units.

```json
{"type": "product", "handle": "mug", "name": "Mug", "option_names": ["Colour"],
 "categories": [["Kitchen", "Mugs"]],
 "variants": [{"sku": "MUG-RED", "options": {"Colour": "Red"}, "retail_minor": 1999,
               "stock": [{"pool": "own", "on_hand": 12}]}]}
```

(one line in the file). **Short form.** A line without `type` is a product. A product without
`variants` has exactly one, whose fields are written next to the product's; `handle` then defaults to
one derived from the SKU, `category_path` is one path, and `on_hand` and `supplier_on_hand` are stock.
`retail`, `sale` and `cost` are amounts in major units, as a number or a string, instead of `_minor`.

```json
{"sku": "POT-1", "name": "Pot", "retail": "24.50", "on_hand": 4}
```

The long form as a JSON Schema: [jsonl.schema.json](jsonl.schema.json). This page is generated:
`python -m crossdock.imports.describing docs/reference`.
"""


def reference() -> str:
    """The Markdown page: a table of fields for each struct."""
    parts = [_INTRODUCTION]
    for title, kind in _SHOWN:
        parts.append(f"\n## {title}\n\n| field | type | default | meaning |\n|---|---|---|---|\n")
        parts.extend(_row(field, kind) for field in msgspec.structs.fields(kind))
    return "".join(parts)


def schema() -> str:
    """The JSON Schema of one line in the long form."""
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
    """A type in JSON's terms, with its bounds."""
    if typing.get_origin(kind) is typing.Annotated:
        base, *notes = typing.get_args(kind)
        return _type_name(base) + "".join(map(_bounds, notes))
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type_name(part) for part in arguments)
    if origin is tuple:
        of = "array of" if arguments[1] is Ellipsis else f"array of {len(arguments)}:"
        return f"{of} {_type_name(arguments[0])}"
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
