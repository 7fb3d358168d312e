"""What writers share: rows of CSV that no spreadsheet runs."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from crossdock.imports.tables import guard_cell
from crossdock.shop.catalogue import ProductRecord, VariantRecord

ATTRIBUTES_MAX = 300
"""How many attributes get a column of their own in a table; further ones are left out."""


class Writer(Protocol):
    """Makes a file of products, piece by piece."""

    def start(self) -> str:
        """What stands before the first product."""

    def product(self, product: ProductRecord) -> str:
        """One product."""

    def end(self) -> str:
        """What stands after the last."""


class TableText:
    """Rows by column names, as CSV text."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns

    def header(self) -> str:
        """The row of names."""
        return self._text([self._columns])

    def rows(self, rows: Iterable[Mapping[str, str]]) -> str:
        """The rows; a column that a row does not have is empty."""
        return self._text([[row.get(name, "") for name in self._columns] for row in rows])

    def _text(self, rows: Iterable[Iterable[str]]) -> str:
        buffer = io.StringIO()
        table = csv.writer(buffer, lineterminator="\r\n")
        for row in rows:
            table.writerow([guard_cell(cell) for cell in row])
        return buffer.getvalue()


def sold_variants(product: ProductRecord) -> list[VariantRecord]:
    """The variants that are not disabled."""
    return [variant for variant in product.variants if variant.enabled]


def on_hand(variant: VariantRecord, pool: str) -> int | None:
    """What the pool holds, or None where it has no level."""
    return next((record.on_hand for record in variant.stock if record.pool == pool), None)


def number_text(value: int | None) -> str:
    """A number, or an empty cell."""
    return "" if value is None else str(value)
