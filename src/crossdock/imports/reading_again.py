"""What an import into an empty shop makes of a product as a writer wrote it.

The difference is what an export has left out; and what of a stored product a file shows as it would
show it now, an import leaves as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from crossdock.imports.google_columns import Entry
from crossdock.imports.google_merchant import read_group
from crossdock.imports.grouping import Group
from crossdock.imports.items import Item, Read
from crossdock.imports.layouts import SHOPIFY_CSV, WOOCOMMERCE_CSV, Layout
from crossdock.imports.reading import Reading
from crossdock.imports.shopify_csv import read_product
from crossdock.imports.tables import TableRow, row_of
from crossdock.imports.woocommerce_csv import read_family
from crossdock.shop.catalogue import (
    PRODUCT_PARTS,
    VARIANT_PARTS,
    ProductRecord,
    VariantRecord,
)

Row = TypeVar("Row")


def shopify_again(rows: Iterable[Mapping[str, str]], reading: Reading) -> ProductRecord | None:
    """The product of these rows, None without any."""
    read = _rows(rows, reading, SHOPIFY_CSV)
    return _record(read_product(_group(read), reading)) if read else None


def woocommerce_again(rows: Iterable[Mapping[str, str]], reading: Reading) -> ProductRecord | None:
    """The product of these rows, None without any."""
    read = _rows(rows, reading, WOOCOMMERCE_CSV)
    return _record(read_family(_group(read), reading)) if read else None


def google_again(
    items: Iterable[tuple[Sequence[tuple[str, str]], list[tuple[str, str, str]]]], reading: Reading
) -> ProductRecord | None:
    """The product of these items, None without any."""
    entries = []
    for number, (elements, details) in enumerate(items, start=1):
        texts: dict[str, list[str]] = {}
        for name, text in elements:
            texts.setdefault(name, []).append(text)
        entries.append(Entry(number, texts, details, {}))
    return _record(read_group(_group(entries), reading)) if entries else None


def left_out(
    product: ProductRecord, held: Sequence[VariantRecord], again: ProductRecord | None
) -> Iterator[str]:
    """The fields that come back otherwise, in the words of JSON Lines; once for each variant."""
    if again is None:
        yield "products that no import takes"
        return
    for name in ("handle", "name", "merchant", *PRODUCT_PARTS):
        before, after = getattr(product, name), getattr(again, name)
        if before != after:
            yield _said(name, before, after)
    found = {variant.sku: variant for variant in again.variants}
    for variant in held:
        if variant.sku in found:
            yield from _of_variant(variant, found[variant.sku])
        else:
            yield "variants.sku"


def _said(name: str, before: object, after: object) -> str:
    if isinstance(before, tuple) and isinstance(after, tuple):
        if name in {"categories", "option_names", "images"} and after == before[: len(after)]:
            most = len(after)
            return f"{name} after the first{f' {most}' if most > 1 else ''}" if most else name
        if name == "images" and [i.url for i in before] == [i.url for i in after]:
            pairs = list(zip(before, after, strict=True))
            parts = ("alt", "variant_sku")
            lost = [at for at in parts if any(getattr(i, at) != getattr(j, at) for i, j in pairs)]
            return " and ".join(f"images.{part}" for part in lost)
    return name


def _of_variant(variant: VariantRecord, again: VariantRecord) -> Iterator[str]:
    for name in VARIANT_PARTS:
        if getattr(variant, name) != getattr(again, name):
            yield f"variants.{name}"
    counts = {record.pool: record.on_hand for record in again.stock}
    for record in variant.stock:
        if counts.get(record.pool, 0) != record.on_hand:
            yield f"variants.stock of the pool {record.pool}"
    if any(r.warning_level or r.best_before or r.best_before_alert for r in variant.stock):
        yield "variants.stock but for on_hand"


def _group(rows: list[Row]) -> Group[Row]:
    group: Group[Row] = Group("", 0)
    group.rows = rows
    return group


def _rows(rows: Iterable[Mapping[str, str]], reading: Reading, layout: Layout) -> list[TableRow]:
    return [row_of(row, number, reading, layout) for number, row in enumerate(rows, start=2)]


def _record(items: Iterator[Item]) -> ProductRecord | None:
    for item in items:
        if isinstance(item, Read) and isinstance(item.record, ProductRecord):
            return item.record
    return None
