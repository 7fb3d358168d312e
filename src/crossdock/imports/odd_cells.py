"""One odd cell costs that cell and a warning: a row is read again without it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, Self, TypeVar

import msgspec

from crossdock.imports.items import Finding, RowRefused
from crossdock.imports.layouts import plain_name
from crossdock.shop.catalogue import Parts


class Odd(msgspec.Struct):
    """What was odd about one row: warnings, and the fields of its record that stay as they were.

    `others` are fields of other records, each with its sku.
    """

    row: int
    findings: list[Finding] = []
    fields: set[str] = set()
    others: set[tuple[str, str]] = set()

    def add(
        self,
        refusal: RowRefused,
        fields: Collection[str],
        *,
        what: str = "the value",
        with_it: Sequence[str] = (),
    ) -> None:
        """Take in what would have refused the row, and the columns that are left out with it."""
        finding = refusal.at(self.row, is_warning=True)
        others = f", and with it {' and '.join(with_it)}" if with_it else ""
        reason = f"{finding.reason.rstrip('.')}; {what} is left out{others}"
        self.findings.append(msgspec.structs.replace(finding, reason=reason))
        self.fields.update(fields)

    def unread(self, sku: str) -> frozenset[tuple[str, str]]:
        """The fields as `Parts.unread` has them, '' for the product's."""
        return frozenset((sku, name) for name in self.fields)


def without(parts: Parts, unread: frozenset[tuple[str, str]]) -> Parts:
    """The parts that could be read."""
    return msgspec.structs.replace(parts, unread=parts.unread | unread) if unread else parts


class Cells(Protocol):
    """A row whose cells can be taken out, by their plain names."""

    @property
    def number(self) -> int:
        """Where it stands in the file."""

    def holds(self, column: str) -> bool:
        """Whether the cell has something in it."""

    def without(self, columns: Collection[str]) -> Self:
        """The row with these cells empty."""


Row = TypeVar("Row", bound=Cells)
Made = TypeVar("Made")
Columns = Mapping[str, tuple[frozenset[str], tuple[str, ...]]]
"""By a column's plain name: the fields that it fills, and the columns that mean nothing without it."""


def columns_of(
    *filled: Mapping[str, Sequence[str]], together: Sequence[tuple[str, ...]] = ()
) -> Columns:
    """The columns by name; those of `together` are only taken out together."""
    fields: dict[str, set[str]] = {}
    for parts in filled:
        for field, columns in parts.items():
            for column in columns:
                fields.setdefault(column, set()).add(field)
    groups = {column: group for group in together for column in group}
    found = {}
    for column in fields.keys() | groups.keys():
        group = groups.get(column, (column,))
        names = frozenset(name for one in group for name in fields.get(one, ()))
        found[column] = (names, group)
    return found


def read_anyway(
    row: Row, make: Callable[[Row, Odd], Made], *, columns: Columns
) -> tuple[Made, Odd]:
    """What is made of the row, without the cells that cannot be read, and what there is to say.

    Raises RowRefused where the row means nothing without the cell.
    """
    odd = Odd(row.number)
    while True:
        try:
            return make(row, odd), odd
        except RowRefused as refusal:
            fields, group = columns.get(plain_name(refusal.field), (frozenset(), ()))
            if not any(map(row.holds, group)):
                raise
            odd.add(
                refusal, fields, with_it=_with_it(row, group, refused=plain_name(refusal.field))
            )
            row = row.without(group)


def _with_it(row: Cells, group: Sequence[str], *, refused: str) -> list[str]:
    """The other cells that mean nothing without the refused one; none if it has another name here."""
    return [name for name in group if name != refused and row.holds(name) and row.holds(refused)]
