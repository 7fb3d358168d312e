"""What a reader yields: records, and findings about refused or odd rows."""

import re

import msgspec

from crossdock.errors import CrossdockError
from crossdock.shop.catalogue import (
    BlogPostRecord,
    CategoryRecord,
    MerchantRecord,
    Parts,
    ProductRecord,
)

Record = ProductRecord | CategoryRecord | BlogPostRecord | MerchantRecord

_SHOWN = 80
CONTROL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff\\ufffe\\uffff]")
"""Characters that no text of a catalogue has, since XML has none; they are left out of what is read."""
DROPPED = "has control characters, which are left out"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A refused row, or with `is_warning` one that was accepted although something is odd.

    `row` is the line in JSON Lines, the row of a table (the header is row 1), or the position, from 1,
    of an array's element or a feed's item.
    """

    row: int
    field: str
    reason: str
    value: str = ""
    is_warning: bool = False


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """A record and its position: `row` is its first row, `variant_rows` has one for each variant.

    `parts` is what a product's file has a place for, None for everything. `spare_handle` and
    `spare_keys` are used where the handle or a sku came before, and '' where there is none.
    """

    row: int
    record: Record
    variant_rows: tuple[int, ...] = ()
    parts: Parts | None = None
    spare_handle: str = ""
    spare_keys: tuple[str, ...] = ()


Item = Read | Finding


class Unreadable(CrossdockError):
    """The file cannot be read from `position` on; what came before is kept."""

    def __init__(self, message: str, *, position: str = "") -> None:
        self.position = position
        super().__init__(
            "invalid_input",
            f"{message} ({position})" if position else message,
            {"position": position},
        )


class RowRefused(Exception):
    """Raised while reading one row; the reader turns it into a Finding and continues."""

    def __init__(self, field: str, reason: str, value: object = "") -> None:
        self.field = field
        self.reason = reason
        self.value = shown(value)
        super().__init__(f"{field}: {reason}")

    def at(self, row: int, *, is_warning: bool = False) -> Finding:
        """The finding about that row."""
        return Finding(
            row=row,
            field=self.field,
            reason=self.reason,
            value=self.value,
            is_warning=is_warning,
        )


def _printable(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter.isspace() and letter > "\x7f" else "\ufffd"


def shown(value: object) -> str:
    """A value for a report: one line of at most 80 characters; a longer one is cut and its length added."""
    text = str(value)
    start = "".join(map(_printable, text[:_SHOWN]))
    return start if len(text) <= _SHOWN else f"{start}… ({len(text)} characters)"
