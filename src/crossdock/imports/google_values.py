"""What one item of a Google feed says of a variant, and the first one of its product."""

from datetime import UTC, datetime

from crossdock.imports import fields
from crossdock.imports.google_columns import KEPT_FIELDS, OPTION_FIELDS, Entry
from crossdock.imports.google_details import (
    HANDLE_DETAIL,
    KEY_SECTION,
    OPTION_SECTION,
    SKU_DETAIL,
    USERS_DETAIL,
    long_key,
)
from crossdock.imports.items import RowRefused
from crossdock.imports.keys import derived_key
from crossdock.imports.merged_orders import pictures
from crossdock.imports.odd_cells import Odd
from crossdock.imports.own_columns import USERS
from crossdock.imports.reading import Reading
from crossdock.imports.records import checked_product, checked_variant
from crossdock.imports.shipping_terms import COLUMNS, read_terms
from crossdock.imports.tables import bare_number
from crossdock.shop.catalogue import (
    Image,
    ProductRecord,
    ShippingTerm,
    VariantRecord,
    slug_of,
)
from crossdock.shop.stock import StockRecord

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime(2999, 1, 1, tzinfo=UTC)
"""Stands for a sale's missing start or end: a feed has both dates or neither."""
_STATUS = {
    "in_stock": "instock", "out_of_stock": "outofstock", "preorder": "onbackorder",
    "backorder": "onbackorder", "available_for_order": "instock", "limited_availability": "instock",
}  # fmt: skip
_FEATURES_MAX = 5
_USUAL = ("condition", "new")
"""What an item says where there is nothing to say."""


def make_variant(
    entry: Entry, odd: Odd, *, option_names: list[str], reading: Reading
) -> VariantRecord:
    detailed = {name: value for section, name, value in entry.details if section == OPTION_SECTION}
    options = {
        name: text for name in option_names if (text := entry[name] or detailed.get(name, ""))
    }
    quantity = fields.quantity(
        quantity_text(entry), field="quantity", decimal_comma=reading.decimal_comma
    )
    starts_at, ends_at = _dates(entry["sale_price_effective_date"], reading)
    status = entry["availability"].casefold().replace(" ", "_").replace("-", "_")
    if status and status not in _STATUS:
        raise RowRefused("availability", "is not a known availability", entry["availability"])
    retail = _price(entry, "price", reading)
    sale = _price(entry, "sale_price", reading)
    return checked_variant(
        odd,
        sku=long_key(entry.details, SKU_DETAIL)
        or bare_number(entry["id"])
        or derived_key(_handle(entry), options.values()),
        upc=bare_number(entry["gtin"]),
        part_number=bare_number(entry["mpn"]),
        options=options,
        image=entry["image_link"] or None,
        retail_minor=retail,
        sale_minor=sale,
        sale_starts_at=starts_at if sale is not None else None,
        sale_ends_at=ends_at if sale is not None else None,
        cost_minor=_price(entry, "cost_of_goods_sold", reading),
        weight_g=fields.grams(
            entry["shipping_weight"],
            field="shipping_weight",
            unit="",
            decimal_comma=reading.decimal_comma,
        ),
        length_mm=_length(entry, "shipping_length", reading),
        width_mm=_length(entry, "shipping_width", reading),
        height_mm=_length(entry, "shipping_height", reading),
        stock_managed=quantity is not None or "stock_managed" in odd.fields,
        stock_status=_STATUS.get(status),
        stock=() if quantity is None else (StockRecord(pool="own", on_hand=quantity),),
    )


def quantity_text(entry: Entry) -> str:
    """The number of units, under either of its names."""
    return entry["quantity"] or entry["sell_on_google_quantity"]


def _handle(entry: Entry) -> str:
    """The key of its product: the group's, its own, or what its title makes."""
    title = entry["title"]
    given = long_key(entry.details, HANDLE_DETAIL) or entry["item_group_id"]
    return given or bare_number(entry["id"]) or (slug_of(title) if title else "")


def spare_key(entry: Entry) -> str:
    """The key of an item whose id is another's too."""
    return f"{_handle(entry)}-{slug_of(entry['title'])}"


def _length(entry: Entry, field: str, reading: Reading) -> int | None:
    return fields.millimetres(
        entry[field], field=field, unit="", decimal_comma=reading.decimal_comma
    )


def _price(entry: Entry, name: str, reading: Reading) -> int | None:
    return fields.price(
        entry[name], field=name, currency=reading.currency, decimal_comma=reading.decimal_comma
    )


def _dates(text: str, reading: Reading) -> tuple[datetime | None, datetime | None]:
    if not text:
        return None, None
    start, _, end = text.partition("/")
    name = "sale_price_effective_date"
    starts_at = fields.moment(start.strip(), field=name, zone=reading.zone)
    ends_at = fields.moment(end.strip(), field=name, zone=reading.zone, is_end=True)
    return None if starts_at == ALWAYS else starts_at, None if ends_at == NEVER else ends_at


def make_product(
    head: Entry,
    odd: Odd,
    *,
    entries: list[Entry],
    option_names: list[str],
    variants: list[VariantRecord],
    reading: Reading,
    is_complete: bool,
) -> ProductRecord:
    constant = {
        name: head[name]
        for name in (*OPTION_FIELDS, *KEPT_FIELDS)
        if name not in option_names and head[name] and (name, head[name]) != _USUAL
    }
    own = {OPTION_SECTION, KEY_SECTION}
    detailed = {name: value for section, name, value in head.details if section not in own}
    texts = head.texts.get("product_type") or head.texts.get("google_product_category") or []
    paths = (fields.category_path(text) for text in texts if not text.isdigit())
    urls = pictures([(e["image_link"], e.texts.get("additional_image_link", [])) for e in entries])
    name = head["item_group_title"] or head["title"]
    users = long_key(head.details, USERS_DETAIL)
    gender = constant.get("gender", "")
    if users and users == USERS.get(gender.casefold()):
        del constant["gender"]
    return checked_product(
        odd,
        handle=_handle(head),
        name=name,
        merchant=head["external_seller_id"] or reading.merchant,
        currency=reading.currency,
        variants=tuple(variants),
        description="" if head["description"] in {name, head["title"]} else head["description"],
        brand=head["brand"],
        attributes=constant | detailed | head.attributes,
        categories=tuple(dict.fromkeys(path for path in paths if path)),
        images=tuple(Image(url=url) for url in urls),
        option_names=tuple(option_names),
        shipping_terms=_terms(head, reading),
        target_users=users or USERS.get(gender.casefold(), "unknown"),
        features=tuple(dict.fromkeys(head.texts.get("product_highlight", [])))[:_FEATURES_MAX],
        is_complete=is_complete,
    )


def _terms(head: Entry, reading: Reading) -> tuple[ShippingTerm, ...]:
    for column, parts in COLUMNS.items():
        if texts := head.texts.get(column.replace(" ", "_")):
            return read_terms(texts, field=column, reading=reading, parts=parts)
    return ()
