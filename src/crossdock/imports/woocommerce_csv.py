"""WooCommerce's product CSV: simple products, variable products and their variations.

A variation names its parent by SKU or as 'id:123'; parent and variations may be in any order, within
a bounded distance. Lists are comma-separated; a backslash escapes a comma.
"""

import re
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import chain

import msgspec

from crossdock.imports import fields
from crossdock.imports.grouping import WINDOW_ROWS, Group, gathered
from crossdock.imports.holding import WOOCOMMERCE, narrowed
from crossdock.imports.items import Finding, Item, Read, RowRefused
from crossdock.imports.keys import derived_key
from crossdock.imports.layouts import WOOCOMMERCE_CSV
from crossdock.imports.odd_cells import Odd, columns_of, read_anyway, without
from crossdock.imports.opening import Source
from crossdock.imports.own_columns import EXTENSIONS, meta, own_names, read_own
from crossdock.imports.reading import Reading
from crossdock.imports.records import checked_product, checked_variant
from crossdock.imports.tables import Table, TableRow, read_rows
from crossdock.imports.woocommerce_values import (
    LENGTHS,
    WEIGHTS,
    amount_of,
    is_published,
    length_of,
    read_stock,
    weight_of,
    with_line_ends,
)
from crossdock.shop.catalogue import Image, Parts, ProductRecord, VariantRecord, slug_of

_SOLD = frozenset({"simple", "variable", "variation"})
_UPC = (
    "gtin upc ean or isbn",
    *("meta global unique id", "meta gtin", "meta upc", "meta ean"),
    *("gtin", "ean", "upc"),
)
_MERCHANT = ("meta merchant", "merchant", "store")
_PART_NUMBER = ("meta part number", "meta mpn")
_ORIGIN = ("meta origen", "meta origin")
_BRAND = ("brands", "brand")
_OWN = own_names(meta, **EXTENSIONS)
_OPTIONS = ("attribute 1 name",)
_PRODUCT = {
    "description": ("description", "short description"),
    "brand": _BRAND,
    "categories": ("categories",),
    "images": ("images",),
    "option_names": _OPTIONS,
    "tags": ("tags",),
    "enabled": ("published",),
    "virtual": ("type",),
    "sold_without_stock": ("backorders allowed",),
    "related_handles": ("upsells",),
    "featured": ("is featured",),
    "sort": ("position",),
    **_OWN,
}
_VARIANT = {
    "upc": _UPC,
    "part_number": _PART_NUMBER,
    "merchant_sku": ("meta merchant sku",),
    "options": _OPTIONS,
    "image": ("images",),
    "retail_minor": ("regular price",),
    "sale_minor": ("sale price",),
    "sale_starts_at": ("date sale price starts",),
    "sale_ends_at": ("date sale price ends",),
    "weight_g": tuple(f"weight {unit}" for unit in WEIGHTS),
    "length_mm": tuple(f"length {unit}" for unit in LENGTHS),
    "width_mm": tuple(f"width {unit}" for unit in LENGTHS),
    "height_mm": tuple(f"height {unit}" for unit in LENGTHS),
    "origin": _ORIGIN,
    "stock_managed": ("stock",),
    "stock_status": ("in stock",),
    "enabled": ("published",),
}
"""The columns that fill each field; a field none of whose columns exist stays unchanged."""
_SALE_COLUMNS = ("sale price", "date sale price starts", "date sale price ends")
"""A sale whose time cannot be read is none: it would begin at once, or never end."""
_CELLS = columns_of(
    _PRODUCT, _VARIANT, {"stock_managed": ("stock", "meta stock sc")}, together=(_SALE_COLUMNS,)
)
_NUMBERED = ("name", "value s", "visible", "global", "default")
_KNOWN = frozenset(
    chain(
        ("id", "type", "sku", "name", "parent", "meta handle", "meta currency", "meta stock sc"),
        (f"attribute {n} {what}" for n in range(1, 1_000) for what in _NUMBERED),
        _MERCHANT,
        *_PRODUCT.values(),
        *_VARIANT.values(),
    )
)
SHORT = "Short description"
"""The attribute that keeps it where there is a description beside it."""
_ATTRIBUTE = re.compile(r"attribute (\d{1,4}) name")


def read_woocommerce_csv(source: Source, reading: Reading) -> Iterator[Item]:
    """The products of the file."""
    for group in gathered(
        read_rows(source, reading, layout=WOOCOMMERCE_CSV, known=_KNOWN),
        keys_of=_keys,
        kind=TableRow,
    ):
        if isinstance(group, Finding):
            yield group
        else:
            yield from read_family(group, reading)


@lru_cache(maxsize=8)
def _parts(table: Table, *, is_simple: bool) -> Parts:
    """The fields of a simple product's row, which is also its only variant's, with one cell for both."""
    parts = narrowed(WOOCOMMERCE, columns=table.columns, product=_PRODUCT, variant=_VARIANT)
    variant = parts.variant - {"image"} if is_simple else parts.variant
    return msgspec.structs.replace(
        parts,
        variant=variant,
        attributes=None if _OPTIONS[0] in table.columns else table.attributes,
        shares_enabled=is_simple and "enabled" in parts.product,
    )


def _kinds(row: TableRow) -> set[str]:
    return {word.strip() for word in (row["type"] or "simple").casefold().split(",")}


def _is_variation(row: TableRow) -> bool:
    return "variation" in _kinds(row) or bool(row["parent"])


def _keys(row: TableRow) -> list[str]:
    """What links a row to others: its own SKU and id for a parent, the parent's for a variation."""
    if _is_variation(row):
        return [row["parent"]] if row["parent"] else []
    if "variable" in _kinds(row):
        return [key for key in (row["sku"], row["id"] and f"id:{row['id']}") if key]
    return []


def read_family(group: Group[TableRow], reading: Reading) -> Iterator[Item]:
    """The products of rows that belong together."""
    parents = [row for row in group.rows if not _is_variation(row)]
    variations = [row for row in group.rows if _is_variation(row)]
    if not parents:
        reason = f"has no such row in the file, or not within {WINDOW_ROWS} rows"
        for row in variations:
            yield RowRefused("Parent", reason, row["parent"]).at(row.number)
        return
    for parent, mine in _families(parents, variations):
        try:
            yield from _read_product(parent, mine, reading, is_complete=group.is_complete)
        except RowRefused as refusal:
            yield refusal.at(parent.number)


def _families(
    parents: list[TableRow], variations: list[TableRow]
) -> list[tuple[TableRow, list[TableRow]]]:
    """Each parent with its variations; of parents that share a sku, the first has those that name it."""
    ids = {f"id:{row['id']}": place for place, row in reversed(list(enumerate(parents)))}
    families: list[tuple[TableRow, list[TableRow]]] = [(row, []) for row in parents]
    for row in variations:
        families[ids.get(row["parent"], 0)][1].append(row)
    return families


def _read_product(
    head: TableRow, variations: list[TableRow], reading: Reading, *, is_complete: bool
) -> Iterator[Item]:
    kinds = _kinds(head)
    if not kinds & _SOLD:
        raise RowRefused("Type", "is not simple, variable or variation", head["type"])
    variants: list[tuple[int, VariantRecord]] = []
    varying = dict.fromkeys(name for row in variations for name in _attributes(row))
    option_names = list(dict.fromkeys([n for n in _attributes(head) if n in varying] + [*varying]))
    unread: frozenset[tuple[str, str]] = frozenset()
    spare: list[str] = []
    said: list[Finding] = []
    weight, odd = read_anyway(head, partial(weight_of, reading=reading), columns=_CELLS)
    if "variable" in kinds:
        yield from odd.findings  # a simple product's row says it itself
    for row in variations if "variable" in kinds else [head]:
        make = partial(
            _variant,
            head=head,
            head_weight=None if odd.fields else weight,
            is_variation=row is not head,
            reading=reading,
        )
        try:
            variant, odd = read_anyway(row, make, columns=_CELLS)
        except RowRefused as refusal:
            is_complete = False
            yield refusal.at(row.number)
            continue
        variants.append((row.number, variant))
        spare.append(_id(row))
        unread |= odd.unread(variant.sku)
        said += odd.findings
    yield from said
    if not variants:
        if is_complete:
            raise RowRefused("Type", "is variable and has no variation", head["type"])
        return
    record, odd = read_anyway(
        head,
        partial(
            _product,
            option_names=option_names,
            variants=[v for _, v in variants],
            reading=reading,
            is_complete=is_complete,
        ),
        columns=_CELLS,
    )
    # A simple product's row was read as its variant before.
    yield from (finding for finding in odd.findings if finding not in said)
    parts = _parts(head.table, is_simple="variable" not in kinds)
    yield Read(
        row=head.number,
        record=record,
        variant_rows=tuple(number for number, _ in variants),
        spare_handle=_id(head) or slug_of(head["name"]),
        spare_keys=tuple(spare),
        parts=without(parts, unread | odd.unread("")),
    )


def _attributes(row: TableRow) -> dict[str, str]:
    found = {}
    for name, text in row.cells.items():
        if text and (match := _ATTRIBUTE.fullmatch(name)):
            value = row[f"attribute {match[1]} value s"]
            if value:
                found[text] = value
    return found


def _variant(
    row: TableRow,
    odd: Odd,
    *,
    head: TableRow,
    head_weight: int | None,
    is_variation: bool,
    reading: Reading,
) -> VariantRecord:
    """A row's variant; one without a weight has its parent's, and its own stays if that cannot be read (None)."""
    weight = weight_of(row, odd, reading=reading) or head_weight
    if weight is None:
        odd.fields.add("weight_g")
    images = fields.split_list(row["images"])
    options = _attributes(row) if is_variation else {}
    origin = row.first(*_ORIGIN) or head.first(*_ORIGIN)
    return checked_variant(
        odd,
        sku=row["sku"] or _key(row, head, options),
        upc=row.first(*_UPC),
        part_number=row.first(*_PART_NUMBER),
        merchant_sku=row["meta merchant sku"],
        options={name: _single(value) for name, value in options.items()},
        image=images[0] if images and is_variation else None,
        retail_minor=amount_of(row, column="regular price", reading=reading),
        sale_minor=amount_of(row, column="sale price", reading=reading),
        sale_starts_at=fields.moment(
            row["date sale price starts"], field="Date sale price starts", zone=reading.zone
        ),
        sale_ends_at=fields.moment(
            row["date sale price ends"],
            field="Date sale price ends",
            zone=reading.zone,
            is_end=True,
        ),
        weight_g=weight or 0,
        length_mm=length_of(row, side="length", reading=reading),
        width_mm=length_of(row, side="width", reading=reading),
        height_mm=length_of(row, side="height", reading=reading),
        origin=origin or "SC",
        enabled=is_published(row),
        **read_stock(row, odd, origin=origin or "SC", reading=reading),
    )


def _id(row: TableRow) -> str:
    return f"id-{row['id']}" if row["id"] else ""


def _handle(head: TableRow) -> str:
    return head["meta handle"] or head["sku"] or _id(head) or slug_of(head["name"])


def _key(row: TableRow, head: TableRow, options: dict[str, str]) -> str:
    """The key of a row without a sku: its parent's and its attributes, or its id."""
    if options:
        return derived_key(_handle(head), map(_single, options.values()))
    return _id(row) or ("" if row is not head and head["name"] else slug_of(row["name"]))


def _single(value: str) -> str:
    """A variation's attribute value, which is a single one even if it contains commas."""
    parts = fields.split_list(value)
    return parts[0] if len(parts) == 1 else value


def _product(
    head: TableRow,
    odd: Odd,
    *,
    option_names: list[str],
    variants: list[VariantRecord],
    reading: Reading,
    is_complete: bool,
) -> ProductRecord:
    kinds = _kinds(head)
    attributes = {
        name: text for name, text in _attributes(head).items() if name not in option_names
    }
    paths = (fields.category_path(path) for path in fields.split_list(head["categories"]))
    description = with_line_ends(head["description"])
    short = with_line_ends(head["short description"])
    if description and short:
        attributes[SHORT] = short
    return checked_product(
        odd,
        handle=_handle(head),
        name=head["name"],
        merchant=head.first(*_MERCHANT) or reading.merchant,
        currency=head["meta currency"] or reading.currency,
        variants=tuple(variants),
        description=description or short,
        brand=head.first(*_BRAND),
        attributes=attributes | head.attributes,
        categories=tuple(dict.fromkeys(path for path in paths if path)),
        images=tuple(Image(url=url) for url in dict.fromkeys(fields.split_list(head["images"]))),
        tags=tuple(dict.fromkeys(fields.split_list(head["tags"]))),
        related_handles=tuple(dict.fromkeys(fields.split_list(head["upsells"]))),
        option_names=tuple(option_names),
        enabled=is_published(head),
        featured=fields.flag(head["is featured"], field="Is featured?", default=False),
        virtual="virtual" in kinds,
        sold_without_stock=fields.flag(
            head["backorders allowed"],
            field="Backorders allowed?",
            default=False,
            also={"notify": True},
        ),
        sort=int(fields.number(head["position"], field="Position") or 0),
        is_complete=is_complete,
        **read_own(head.__getitem__, names=_OWN, reading=reading),
    )
