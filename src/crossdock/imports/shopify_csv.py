"""Shopify's product CSV, with its older and its newer header names.

The rows of a handle are consecutive. The first describes the product; every row with an option value
is a variant, and so is the first row of a product without options; a row with only an image adds it.
"""

from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import chain

import msgspec

from crossdock.imports import fields
from crossdock.imports.grouping import Group, gathered
from crossdock.imports.holding import SHOPIFY, narrowed
from crossdock.imports.items import Finding, Item, Read, RowRefused
from crossdock.imports.keys import derived_key
from crossdock.imports.layouts import SHOPIFY_CSV
from crossdock.imports.odd_cells import Odd, columns_of, read_anyway, without
from crossdock.imports.opening import Source
from crossdock.imports.own_columns import metafield, own_names, read_own
from crossdock.imports.reading import Reading
from crossdock.imports.records import checked_product, checked_variant
from crossdock.imports.tables import Table, TableRow, read_rows
from crossdock.shop.catalogue import Image, Parts, ProductRecord, VariantRecord
from crossdock.shop.stock import StockRecord

# Our name for a column: its header names in plain form, the newer one first.
_NAMES = {
    "handle": ("url handle", "handle"),
    "description": ("description", "body html"),
    "published": ("published on online store", "published"),
    "category": ("product category",),
    "sku": ("sku", "variant sku"),
    "upc": ("barcode", "variant barcode"),
    "price": ("price", "variant price"),
    "compare": ("compare at price", "variant compare at price"),
    "tracker": ("inventory tracker", "variant inventory tracker"),
    "quantity": ("inventory quantity", "variant inventory qty", "variant inventory quantity"),
    "policy": ("continue selling when out of stock", "variant inventory policy"),
    "grams": ("weight value grams", "variant grams"),
    "shipping": ("requires shipping", "variant requires shipping"),
    "image": ("product image url", "image src"),
    "variant_image": ("variant image url", "variant image"),
    "part_number": ("google shopping mpn", "mpn"),
}
_OWN = own_names(
    metafield,
    target_users=(
        "google shopping gender",
        "target gender product metafields shopify target gender",
    ),
)
_STATES = {
    "active": True, "published": True, "draft": False, "archived": False, "unlisted": False,
}  # fmt: skip
_POLICIES = {"continue": True, "deny": False}
_NO_OPTION = ("title", "default title")
_OPTIONS = tuple(f"option{index} {what}" for index in (1, 2, 3) for what in ("name", "value"))
_PRODUCT = {
    "description": _NAMES["description"],
    "brand": ("vendor",),
    "categories": (*_NAMES["category"], "type"),
    "images": _NAMES["image"],
    "option_names": _OPTIONS,
    "tags": ("tags",),
    "enabled": (*_NAMES["published"], "status"),
    "virtual": _NAMES["shipping"],
    "sold_without_stock": _NAMES["policy"],
    **_OWN,
}
_VARIANT = {
    "upc": _NAMES["upc"],
    "part_number": _NAMES["part_number"],
    "options": _OPTIONS,
    "image": _NAMES["variant_image"],
    "retail_minor": _NAMES["price"],
    "sale_minor": _NAMES["price"],
    "cost_minor": ("cost per item",),
    "weight_g": _NAMES["grams"],
    "origin": ("origin",),
    "stock_managed": _NAMES["tracker"],
}
"""The columns that fill each field; a field none of whose columns exist stays unchanged."""
_CELLS = columns_of(
    *(_PRODUCT, _VARIANT, {"stock": _NAMES["quantity"]}),
    together=tuple(names for name, names in _NAMES.items() if name not in {"handle", "sku"}),
)
_KNOWN = frozenset(
    chain(
        ("title", "merchant", "currency", "image alt text", "image position"),
        *_NAMES.values(),
        *_PRODUCT.values(),
        *_VARIANT.values(),
    )
)


def read_shopify_csv(source: Source, reading: Reading) -> Iterator[Item]:
    """The products of the file; if a product's first row is invalid, all its rows are refused."""
    rows = read_rows(source, reading, layout=SHOPIFY_CSV, known=_KNOWN)
    for group in gathered(rows, keys_of=_Keys(), kind=TableRow, window=0):
        if isinstance(group, Finding):
            yield group
        else:
            yield from read_product(group, reading)


@lru_cache(maxsize=8)
def _parts(table: Table) -> Parts:
    parts = narrowed(SHOPIFY, columns=table.columns, product=_PRODUCT, variant=_VARIANT)
    names = table.attributes
    if names is not None and "type" in table.columns:
        names |= {"Type"}
    return msgspec.structs.replace(parts, attributes=names)


class _Keys:
    """The key of each row's product: its handle and the merchant, which only the first row names."""

    def __init__(self) -> None:
        self._handle = ""
        self._merchant = ""

    def __call__(self, row: TableRow) -> tuple[str, ...]:
        handle, merchant = _cell(row, "handle"), row["merchant"]
        if merchant or handle != self._handle:
            self._merchant = merchant
        self._handle = handle
        return (f"{self._merchant}\0{handle}",) if handle else ()


def _cell(row: TableRow, name: str) -> str:
    return row.first(*_NAMES[name])


def read_product(group: Group[TableRow], reading: Reading) -> Iterator[Item]:
    """The product of a handle's rows."""
    rows = group.rows
    head = rows[0]
    try:
        handle = _cell(head, "handle")
        if not handle:
            raise RowRefused("Handle", "is missing")
        option_names = _option_names(rows)
        variants: list[tuple[int, VariantRecord]] = []
        refused: list[Finding] = []
        unread: frozenset[tuple[str, str]] = frozenset()
        make = partial(_variant, handle=handle, option_names=option_names, reading=reading)
        for row in rows:
            try:
                if _is_variant(row, head, option_names):
                    variant, odd = read_anyway(row, make, columns=_CELLS)
                    variants.append((row.number, variant))
                    unread |= odd.unread(variant.sku)
                    yield from odd.findings
            except RowRefused as refusal:
                refused.append(refusal.at(row.number))
        yield from refused
        if not variants:
            if not refused:
                raise RowRefused("", "has no variant")
            return
        record, odd = read_anyway(
            head,
            partial(
                _product,
                handle=handle,
                rows=rows,
                option_names=option_names,
                variants=[variant for _, variant in variants],
                is_complete=group.is_complete and not refused,
                reading=reading,
            ),
            columns=_CELLS,
        )
        yield from odd.findings
        yield Read(
            row=head.number,
            record=record,
            variant_rows=tuple(number for number, _ in variants),
            parts=without(_parts(head.table), unread | odd.unread("")),
        )
    except RowRefused as refusal:
        yield refusal.at(head.number)


def _option_names(rows: list[TableRow]) -> list[str]:
    """The options by position; the name is on the first row, or on the first row that has it."""
    names = []
    for index in (1, 2, 3):
        name = next((text for row in rows if (text := row[f"option{index} name"])), "")
        value = next((text for row in rows if (text := row[f"option{index} value"])), "")
        is_default = (name.casefold(), value.casefold()) == _NO_OPTION
        names.append("" if is_default or not value else name or f"Option {index}")
    return names


def _is_variant(row: TableRow, head: TableRow, option_names: list[str]) -> bool:
    """Whether the row is a variant. Raises RowRefused if it belongs to another product."""
    if row["title"] not in {"", head["title"]}:
        reason = f"is not that of row {head.number}, which has the same handle"
        raise RowRefused("Title", reason, row["title"])
    sku = _cell(row, "sku")
    is_other = row is not head and bool(sku) and sku != _cell(head, "sku")
    if any(option_names):
        return is_other or any(row[f"option{index} value"] for index in (1, 2, 3))
    return row is head or is_other or bool(sku and _cell(row, "price"))


def _variant(
    row: TableRow, odd: Odd, *, handle: str, option_names: list[str], reading: Reading
) -> VariantRecord:
    options = {
        name: text
        for index, name in enumerate(option_names, start=1)
        if name and (text := row[f"option{index} value"])
    }
    retail, sale = _prices(row, reading)
    quantity = fields.quantity(
        _cell(row, "quantity"),
        field="Variant Inventory Qty",
        decimal_comma=reading.decimal_comma,
    )
    sku = _cell(row, "sku") or derived_key(handle, options.values())
    return checked_variant(
        odd,
        sku=sku,
        upc=_cell(row, "upc"),
        part_number=_cell(row, "part_number"),
        options=options,
        image=_cell(row, "variant_image") or None,
        retail_minor=retail,
        sale_minor=sale,
        cost_minor=_amount(row["cost per item"], "Cost per item", reading),
        weight_g=fields.grams(
            _cell(row, "grams"), field="Variant Grams", decimal_comma=reading.decimal_comma
        ),
        origin=row["origin"] or "SC",
        stock_managed=bool(_cell(row, "tracker")),
        stock=() if quantity is None else (StockRecord(pool="own", on_hand=quantity),),
    )


def _prices(row: TableRow, reading: Reading) -> tuple[int | None, int | None]:
    """Retail and sale: with a higher compare-at price, that is the retail and the price is the sale."""
    price = _amount(_cell(row, "price"), "Variant Price", reading)
    compare = _amount(_cell(row, "compare"), "Variant Compare At Price", reading)
    if price is not None and compare is not None and compare > price:
        return compare, price
    return price, None


def _amount(text: str, field: str, reading: Reading) -> int | None:
    return fields.amount(
        text,
        field=field,
        currency=reading.currency,
        decimal_comma=reading.decimal_comma,
    )


def _product(
    head: TableRow,
    odd: Odd,
    *,
    handle: str,
    rows: list[TableRow],
    option_names: list[str],
    variants: list[VariantRecord],
    is_complete: bool,
    reading: Reading,
) -> ProductRecord:
    category, kind = _cell(head, "category"), head["type"]
    path = fields.category_path(category) or ((kind,) if kind else ())
    attributes = head.attributes | ({"Type": kind} if category and kind else {})
    return checked_product(
        odd,
        handle=handle,
        name=head["title"] or handle,
        merchant=head["merchant"] or reading.merchant,
        currency=head["currency"] or reading.currency,
        variants=tuple(variants),
        description=_cell(head, "description"),
        brand=head["vendor"],
        attributes=attributes,
        categories=(path,) if path else (),
        images=_images(rows),
        tags=tuple(dict.fromkeys(fields.split_list(head["tags"]))),
        option_names=tuple(name for name in option_names if name),
        enabled=_is_enabled(head),
        virtual=not fields.flag(_cell(head, "shipping"), field="Requires Shipping", default=True),
        sold_without_stock=fields.flag(
            _cell(head, "policy"),
            field="Variant Inventory Policy",
            default=False,
            also=_POLICIES,
        ),
        is_complete=is_complete,
        **read_own(head.__getitem__, names=_OWN, reading=reading),
    )


def _is_enabled(head: TableRow) -> bool:
    is_active = fields.flag(head["status"], field="Status", default=True, also=_STATES)
    return is_active and fields.flag(_cell(head, "published"), field="Published", default=True)


def _images(rows: list[TableRow]) -> tuple[Image, ...]:
    """The pictures by their positions; one without a position stands where its row does."""
    placed = enumerate((row for row in rows if _cell(row, "image")), start=1)
    found = {}
    for _, row in sorted(placed, key=lambda numbered: _position(numbered[1], numbered[0])):
        url = _cell(row, "image")
        found[url] = Image(url=url, alt=row["image alt text"])
    return tuple(found.values())


def _position(row: TableRow, place: int) -> int:
    text = row["image position"]
    return int(text) if text.isdecimal() and len(text) <= 9 else place
