"""A Google Merchant feed: RSS 2.0 or Atom with elements of the g: namespace, or TSV.

Items with the same item_group_id are the variants of one product; the fields in which they differ are
its options. Any other item is a product with one variant.
"""

from collections.abc import Iterator
from functools import lru_cache, partial

import msgspec

from crossdock.imports import fields
from crossdock.imports.feed_xml import read_entries
from crossdock.imports.google_columns import CELLS, KNOWN, OPTION_FIELDS, Entry, parts_of
from crossdock.imports.google_details import (
    OPTION_SECTION,
    USERS_DETAIL,
    long_key,
    packed_details,
)
from crossdock.imports.google_values import make_product, make_variant, quantity_text, spare_key
from crossdock.imports.grouping import Group, gathered
from crossdock.imports.items import Finding, Item, Read, RowRefused, Unreadable
from crossdock.imports.layouts import GOOGLE_TABLE, foreign, found_names
from crossdock.imports.merged_orders import merged
from crossdock.imports.odd_cells import read_anyway, without
from crossdock.imports.opening import Source
from crossdock.imports.reading import Reading
from crossdock.imports.shipping_terms import COLUMNS
from crossdock.imports.tables import read_rows
from crossdock.shop.catalogue import Parts, ProductRecord, VariantRecord

SHIPPING = tuple(column.replace(" ", "_") for column in COLUMNS)
_TELLING = frozenset(
    {"price", "sale_price", "availability", "condition", "gtin", "mpn", "brand", "image_link"}
    | {"item_group_id", "google_product_category", "product_type", "quantity"}
)
_SELDOM = frozenset({"shipping_terms", "target_users", "features"})
_HELD_MAX = 20


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
    for row in read_rows(source, reading, layout=GOOGLE_TABLE, known=KNOWN, delimiters="\t,;|"):
        if isinstance(row, Finding):
            yield row
            continue
        names = {name.replace(" ", "_"): text for name, text in row.cells.items()}
        lists = {"additional_image_link", "product_highlight", *SHIPPING}
        texts = {n: fields.split_list(t) if n in lists else [t] for n, t in names.items()}
        details = packed_details(names.get("product_detail", ""))
        yield Entry(row.number, texts, details, row.attributes, parts_of(row.table))


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
    make = partial(make_variant, option_names=option_names, reading=reading)
    for entry in group.rows:
        try:
            variant, odd = read_anyway(entry, make, columns=CELLS)
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
    make_head = partial(
        make_product,
        entries=group.rows,
        option_names=option_names,
        variants=[v for _, v in variants],
        reading=reading,
        is_complete=is_complete,
    )
    try:
        record, odd = read_anyway(head, make_head, columns=CELLS)
    except RowRefused as refusal:
        yield refusal.at(head.number)
        return
    yield from odd.findings
    is_counted = any(quantity_text(entry) for entry in group.rows)
    has_cost = any(entry["cost_of_goods_sold"] for entry in group.rows)
    parts = _told(head.parts, is_counted=is_counted, has_cost=has_cost, seldom=_said(head, record))
    yield Read(
        row=head.number,
        record=record,
        variant_rows=tuple(number for number, _ in variants),
        spare_handle="" if head["item_group_id"] else spare_key(head),
        spare_keys=tuple(map(spare_key, kept)),
        parts=without(parts, unread | odd.unread("")),
    )


@lru_cache(maxsize=32)
def _told(parts: Parts, *, is_counted: bool, has_cost: bool, seldom: frozenset[str]) -> Parts:
    """Without a quantity nothing is said of whether stock is counted, nor of a cost without one.

    Nor is anything of the fields that few feeds have, but for the `seldom` ones that are there.
    """
    untold = frozenset() if is_counted else frozenset({"stock_managed"})
    untold |= frozenset() if has_cost else frozenset({"cost_minor"})
    product = parts.product - (_SELDOM - seldom)
    return msgspec.structs.replace(parts, product=product, variant=parts.variant - untold)


def _said(head: Entry, record: ProductRecord) -> frozenset[str]:
    """Which of the fields that few feeds have are in the item of this product."""
    is_named = bool(long_key(head.details, USERS_DETAIL))
    found = {"target_users"} if is_named or record.target_users != "unknown" else set()
    found |= {"shipping_terms"} if record.shipping_terms else set()
    return frozenset(found | ({"features"} if record.features else set()))


def _option_names(entries: list[Entry]) -> list[str]:
    """What is detailed as an option, in that order, and the fields that differ inside the group."""
    detailed = merged(
        [[name for section, name, _ in e.details if section == OPTION_SECTION] for e in entries]
    )
    differing = [name for name in OPTION_FIELDS if len({entry[name] for entry in entries}) > 1]
    return list(dict.fromkeys(detailed + differing))
