"""A Google Merchant feed: RSS 2.0 or Atom with elements of the g: namespace, or TSV.

Items with the same item_group_id are the variants of one product; the fields in which they differ are
its options. Any other item is a product with one variant.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import chain
from typing import Self

import msgspec

from crossdock.imports import fields
from crossdock.imports.feed_xml import read_entries
from crossdock.imports.google_details import (
    HANDLE_DETAIL,
    KEY_SECTION,
    OPTION_SECTION,
    SKU_DETAIL,
    long_key,
    packed_details,
)
from crossdock.imports.grouping import Group, gathered
from crossdock.imports.holding import GOOGLE, narrowed
from crossdock.imports.items import Finding, Item, Read, RowRefused, Unreadable
from crossdock.imports.keys import derived_key
from crossdock.imports.layouts import GOOGLE_TABLE, foreign, found_names
from crossdock.imports.merged_orders import merged, pictures
from crossdock.imports.odd_cells import Odd, columns_of, read_anyway, without
from crossdock.imports.opening import Source
from crossdock.imports.reading import Reading
from crossdock.imports.records import checked_product, checked_variant
from crossdock.imports.tables import Table, bare_number, read_rows
from crossdock.shop.catalogue import Image, Parts, ProductRecord, VariantRecord, slug_of
from crossdock.shop.stock import StockRecord

OPTION_FIELDS = ("color", "size", "material", "pattern", "gender", "age_group", "size_type")
KEPT_FIELDS = (
    "condition",
    "multipack",
    "energy_efficiency_class",
    "adult",
    "unit_pricing_measure",
    "availability_date",
)
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime(2999, 1, 1, tzinfo=UTC)
"""Stands for a sale's missing start or end: a feed has both dates or neither."""
_PRICE = re.compile(r"(?:([A-Za-z]{3}) ?)?([0-9.,]+)(?: ?([A-Za-z]{3}))?", re.ASCII)
_STATUS = {
    "in_stock": "instock", "out_of_stock": "outofstock", "preorder": "onbackorder",
    "backorder": "onbackorder", "available_for_order": "instock", "limited_availability": "instock",
}  # fmt: skip
_USUAL = ("condition", "new")
"""What an item says where there is nothing to say."""
_DETAIL = "product detail"
_OPTION_COLUMNS = (_DETAIL, *(name.replace("_", " ") for name in OPTION_FIELDS))
_SALE = ("sale price effective date",)
_PRODUCT = {
    "description": ("description",),
    "brand": ("brand",),
    "categories": ("product type", "google product category"),
    "images": ("image link", "additional image link"),
    "option_names": _OPTION_COLUMNS,
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
_CELLS = columns_of(_PRODUCT, _VARIANT, together=(("sale price", *_SALE),))
_KNOWN = frozenset(
    chain(
        ("id", "title", "item group id", "item group title", "external seller id"),
        ("link", "identifier exists"),
        (name.replace("_", " ") for name in KEPT_FIELDS),
        *_PRODUCT.values(),
        *_VARIANT.values(),
    )
)
_TELLING = frozenset(
    {"price", "sale_price", "availability", "condition", "gtin", "mpn", "brand", "image_link"}
    | {"item_group_id", "google_product_category", "product_type", "quantity"}
)
_HELD_MAX = 20


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


def read_google_merchant(source: Source, reading: Reading) -> Iterator[Item]:
    """The products of the feed."""
    start = source.stream.peek(256)[:256].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    is_xml = start.startswith(b"<")
    if is_xml and not reading.map.is_empty:
        raise Unreadable("A map applies to tables and JSON only, not to an XML feed")
    entries = _xml_entries(source) if is_xml else _table_entries(source, reading)
    for group in gathered(entries, keys_of=_keys, kind=Entry):
        if isinstance(group, Finding):
            yield group
        else:
            yield from read_group(group, reading)


def _xml_entries(source: Source) -> Iterator[Entry | Finding]:
    """The feed's items. Raises Unreadable if none of the first ones has a Google element."""
    entries = _numbered(source)
    held: list[Entry] = []
    for entry in entries:
        if isinstance(entry, Finding):
            yield entry
            continue
        held.append(entry)
        if _TELLING & entry.texts.keys():
            yield from held
            yield from entries
            return
        if len(held) == _HELD_MAX:
            break
    if held:
        raise foreign(
            "google-merchant",
            found=f"a feed whose items have {found_names(list(held[0].texts)) or 'nothing'}",
        )


def _numbered(source: Source) -> Iterator[Entry | Finding]:
    number = 0
    for found in read_entries(source):
        if isinstance(found, Finding):
            yield found
            continue
        number += 1
        yield Entry(number, found[0], found[1], {})


def _table_entries(source: Source, reading: Reading) -> Iterator[Entry | Finding]:
    for row in read_rows(source, reading, layout=GOOGLE_TABLE, known=_KNOWN, delimiters="\t,;|"):
        if isinstance(row, Finding):
            yield row
            continue
        names = {name.replace(" ", "_"): text for name, text in row.cells.items()}
        lists = {"additional_image_link"}
        texts = {n: fields.split_list(t) if n in lists else [t] for n, t in names.items()}
        details = packed_details(names.get("product_detail", ""))
        yield Entry(row.number, texts, details, row.attributes, _parts(row.table))


@lru_cache(maxsize=8)
def _parts(table: Table) -> Parts:
    """The fields that a table has columns for; an XML feed may have all of them."""
    parts = narrowed(GOOGLE, columns=table.columns, product=_PRODUCT, variant=_VARIANT)
    names = table.attributes
    if _DETAIL in table.columns:
        names = None
    elif names is not None:
        known = (*OPTION_FIELDS, *KEPT_FIELDS)
        names |= {name for name in known if name.replace("_", " ") in table.columns}
    return msgspec.structs.replace(parts, attributes=names)


def _keys(entry: Entry) -> tuple[str, ...]:
    group = entry["item_group_id"]
    return (f"{entry['external_seller_id']}\0{group}",) if group else ()


def read_group(group: Group[Entry], reading: Reading) -> Iterator[Item]:
    """The product of a group's items."""
    is_complete = group.is_complete
    head = group.rows[0]
    option_names = _option_names(group.rows)
    variants: list[tuple[int, VariantRecord]] = []
    unread: frozenset[tuple[str, str]] = frozenset()
    kept: list[Entry] = []
    make = partial(_variant, option_names=option_names, reading=reading)
    for entry in group.rows:
        try:
            variant, odd = read_anyway(entry, make, columns=_CELLS)
        except RowRefused as refusal:
            is_complete = False
            yield refusal.at(entry.number)
            continue
        variants.append((entry.number, variant))
        kept.append(entry)
        unread |= odd.unread(variant.sku)
        yield from odd.findings
    if not variants:
        return
    make_product = partial(
        _product,
        entries=group.rows,
        option_names=option_names,
        variants=[v for _, v in variants],
        reading=reading,
        is_complete=is_complete,
    )
    try:
        record, odd = read_anyway(head, make_product, columns=_CELLS)
    except RowRefused as refusal:
        yield refusal.at(head.number)
        return
    yield from odd.findings
    is_counted = any(_quantity(entry) for entry in group.rows)
    has_cost = any(entry["cost_of_goods_sold"] for entry in group.rows)
    parts = _told(head.parts, is_counted=is_counted, has_cost=has_cost)
    yield Read(
        row=head.number,
        record=record,
        variant_rows=tuple(number for number, _ in variants),
        spare_handle="" if head["item_group_id"] else _spare(head),
        spare_keys=tuple(map(_spare, kept)),
        parts=without(parts, unread | odd.unread("")),
    )


def _quantity(entry: Entry) -> str:
    return entry["quantity"] or entry["sell_on_google_quantity"]


@lru_cache(maxsize=32)
def _told(parts: Parts, *, is_counted: bool, has_cost: bool) -> Parts:
    """Without a quantity nothing is said of whether stock is counted, nor of a cost without one."""
    untold = frozenset() if is_counted else frozenset({"stock_managed"})
    untold |= frozenset() if has_cost else frozenset({"cost_minor"})
    return msgspec.structs.replace(parts, variant=parts.variant - untold)


def _option_names(entries: list[Entry]) -> list[str]:
    """What is detailed as an option, in that order, and the fields that differ inside the group."""
    detailed = merged(
        [[name for section, name, _ in e.details if section == OPTION_SECTION] for e in entries]
    )
    differing = [name for name in OPTION_FIELDS if len({entry[name] for entry in entries}) > 1]
    return list(dict.fromkeys(detailed + differing))


def _variant(entry: Entry, odd: Odd, *, option_names: list[str], reading: Reading) -> VariantRecord:
    detailed = {name: value for section, name, value in entry.details if section == OPTION_SECTION}
    options = {
        name: text for name in option_names if (text := entry[name] or detailed.get(name, ""))
    }
    quantity = fields.quantity(
        _quantity(entry), field="quantity", decimal_comma=reading.decimal_comma
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


def _handle(entry: Entry) -> str:
    """The key of its product: the group's, its own, or what its title makes."""
    title = entry["title"]
    given = long_key(entry.details, HANDLE_DETAIL) or entry["item_group_id"]
    return given or bare_number(entry["id"]) or (slug_of(title) if title else "")


def _spare(entry: Entry) -> str:
    """The key of an item whose id is another's too."""
    return f"{_handle(entry)}-{slug_of(entry['title'])}"


def _length(entry: Entry, field: str, reading: Reading) -> int | None:
    return fields.millimetres(
        entry[field], field=field, unit="", decimal_comma=reading.decimal_comma
    )


def _price(entry: Entry, field: str, reading: Reading) -> int | None:
    """Parse '105.29 USD' or 'USD 105.29'. Raises RowRefused for a currency other than the shop's."""
    text = entry[field]
    if not text:
        return None
    match = _PRICE.fullmatch(text)
    if match is None:
        raise RowRefused(field, "is not an amount with a currency", text)
    currency = (match[1] or match[3] or reading.currency).upper()
    if currency != reading.currency:
        raise RowRefused(field, f"is not in the shop's currency, which is {reading.currency}", text)
    return fields.amount(
        match[2],
        field=field,
        currency=currency,
        decimal_comma=reading.decimal_comma,
    )


def _dates(text: str, reading: Reading) -> tuple[datetime | None, datetime | None]:
    if not text:
        return None, None
    start, _, end = text.partition("/")
    name = "sale_price_effective_date"
    starts_at = fields.moment(start.strip(), field=name, zone=reading.zone)
    ends_at = fields.moment(end.strip(), field=name, zone=reading.zone, is_end=True)
    return None if starts_at == ALWAYS else starts_at, None if ends_at == NEVER else ends_at


def _product(
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
        is_complete=is_complete,
    )
