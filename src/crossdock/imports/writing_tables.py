"""The writer interface, and CSV rows that are safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from crossdock.imports.tables import guard_cell
from crossdock.shop.catalogue import Parts, ProductRecord, VariantRecord


class Writer(Protocol):
    """Writes a file of products in pieces; `parts` are the fields that the format can express."""

    parts: Parts
    attributes_left_out: Sequence[str]

    def held(self, product: ProductRecord) -> Sequence[VariantRecord]:
        """The product's variants that are written; without any, the product is left out."""

    def start(self) -> str:
        """What precedes the first product."""

    def product(self, product: ProductRecord) -> str:
        """One product."""

    def again(self, product: ProductRecord) -> ProductRecord | None:
        """The product as an import into an empty shop makes it, None for one that is not written."""

    def missing(self, product: ProductRecord) -> Iterable[str]:
        """What the receiver needs of the product and it does not have."""

    def end(self) -> str:
        """What follows the last product."""


class TableText:
    """Rows by column name as CSV text; the cost of a row depends on its cells, not on the columns."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._places = {name: place for place, name in enumerate(columns)}
        self._empty = [""] * len(columns)

    def header(self) -> str:
        """The header row."""
        return self._text([[guard_cell(name) for name in self._columns]])

    def rows(self, rows: Iterable[Mapping[str, str]]) -> str:
        """The rows; a missing column is an empty cell."""
        return self._text(map(self._cells, rows))

    def _cells(self, row: Mapping[str, str]) -> list[str]:
        cells = self._empty.copy()
        for name, text in row.items():
            if text:
                cells[self._places[name]] = guard_cell(text)
        return cells

    def _text(self, rows: Iterable[Sequence[str]]) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\r\n").writerows(rows)
        return buffer.getvalue()


def sold_variants(product: ProductRecord) -> list[VariantRecord]:
    """The variants that are not disabled."""
    return [variant for variant in product.variants if variant.enabled]


def on_hand(variant: VariantRecord, pool: str) -> int | None:
    """The pool's quantity on hand, or None if it has no level."""
    return next((record.on_hand for record in variant.stock if record.pool == pool), None)


def number_text(value: int | None) -> str:
    """A number as text, or an empty cell."""
    return "" if value is None else str(value)
