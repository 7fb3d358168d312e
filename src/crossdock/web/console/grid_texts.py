"""The texts of the grid's fields, and of rows that were copied out of a spreadsheet."""

import re
from collections.abc import Mapping
from typing import Final

from crossdock.errors import CrossdockError, Invalid
from crossdock.gate import Form
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.money import format_minor, parse_typed_amount
from crossdock.kit.numbers import read_number
from crossdock.shop.warehouse import GridRow, RowEdit
from crossdock.web.console.refusing import why

COLUMNS: Final = {
    "price": lazy("Price"),
    "sale": lazy("Sale"),
    "cost": lazy("Cost"),
    "on_hand": lazy("On hand"),
    "warning": lazy("Warning level"),
}
"""The columns after the SKU, in the order in which they are pasted."""
_FIELDS: Final = {
    "price": "retail_minor",
    "sale": "sale_minor",
    "cost": "cost_minor",
    "on_hand": "on_hand",
    "warning": "warning_level",
}
_AMOUNTS: Final = ("price", "sale", "cost")
_VARIANT: Final = re.compile(r"shown\.on_hand\.([1-9][0-9]{0,17})")
_CURRENCY: Final = re.compile(r"\s*\([A-Z]{3}\)$")
_SHOWN: Final = "shown."

Pasted = Mapping[str, str]
"""The pasted texts of a row by column."""


def texts_of_row(row: GridRow, *, currency: str) -> dict[str, str]:
    """What the fields of a row show."""
    texts = {}
    for name, field in _FIELDS.items():
        value = getattr(row, field)
        is_amount = name in _AMOUNTS and value is not None
        texts[name] = format_minor(value, currency) if is_amount else _plain(value)
    return texts


def variants_in(form: Form) -> list[int]:
    """The variants whose rows the form has."""
    return [int(found[1]) for found in map(_VARIANT.fullmatch, form) if found]


def typed_in(form: Form, variant_id: int, stored: Mapping[str, str]) -> dict[str, str]:
    """What the fields of a row hold; what is stored for a field that the form lacks."""
    return {name: form.get(f"{name}.{variant_id}", stored[name]).strip() for name in COLUMNS}


def seen_in(form: Form, variant_id: int, stored: Mapping[str, str]) -> dict[str, str]:
    """What the row showed when the form was opened."""
    return {name: form.get(f"{_SHOWN}{name}.{variant_id}", stored[name]) for name in COLUMNS}


def edits_in(form: Form, *, currency: str) -> tuple[dict[int, RowEdit], dict[int, str]]:
    """The rows of the form that were changed, and what is wrong with those that cannot be read."""
    edits: dict[int, RowEdit] = {}
    mistakes: dict[int, str] = {}
    nothing = dict.fromkeys(COLUMNS, "")
    for variant_id in variants_in(form):
        seen = seen_in(form, variant_id, nothing)
        typed = typed_in(form, variant_id, seen)
        if typed == seen:
            continue
        try:
            edits[variant_id] = RowEdit(
                seen=_row(seen, currency=currency), wanted=_row(typed, currency=currency)
            )
        except CrossdockError as error:
            mistakes[variant_id] = why(error)
    return edits, mistakes


def changed_in(form: Form) -> Form:
    """The fields that were changed, for the log of acts."""
    return {
        name: text
        for name, text in form.items()
        if not name.startswith(_SHOWN) and text.strip() != form.get(f"{_SHOWN}{name}", "")
    }


def read_pasted(text: str, *, most: int) -> dict[str, Pasted]:
    """The rows of a spreadsheet by SKU: the columns that a first line names, else all in the order of COLUMNS.

    An empty cell leaves what is stored. Raises Invalid `invalid_input` for nothing, for too many rows, and for a SKU
    that is named twice.
    """
    lines = [_cells(line) for line in text.replace("\x00", "").splitlines() if line.strip()]
    names = list(COLUMNS)
    if lines and lines[0][0].casefold() == "sku":
        names, lines = [_column(title) for title in lines[0][1:]], lines[1:]
    if not lines:
        raise _wrong(gettext("Paste at least one row, with its SKU first."))
    if len(lines) > most:
        raise _wrong(gettext("Paste at most %(most)s rows at once.") % {"most": most})
    found: dict[str, Pasted] = {}
    for sku, *cells in lines:
        if sku in found:
            raise _wrong(gettext("The SKU %(sku)s is in two rows.") % {"sku": sku})
        found[sku] = {name: cell for name, cell in zip(names, cells, strict=False) if cell}
    return found


def _column(title: str) -> str:
    """The column that a title names, in English or the reader's language, as the grid's own heads do."""
    wanted = _CURRENCY.sub("", title).casefold()
    for name, label in COLUMNS.items():
        if wanted in {name, name.replace("_", " "), str(label).casefold()}:
            return name
    names = ", ".join(map(str, COLUMNS.values()))
    text = gettext("%(title)s is no column; these are: %(names)s.")
    raise _wrong(text % {"title": title or "–", "names": names})


def _wrong(message: str) -> Invalid:
    return Invalid("invalid_input", message, {"field": "pasted"})


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("\t" if "\t" in line else ";")]


def _row(texts: Mapping[str, str], *, currency: str) -> GridRow:
    price, sale, cost = (
        parse_typed_amount(texts[name], currency=currency) if texts[name] else None
        for name in _AMOUNTS
    )
    return GridRow(
        retail_minor=price,
        sale_minor=sale,
        cost_minor=cost,
        on_hand=_whole(texts["on_hand"]),
        warning_level=_whole(texts["warning"]),
    )


def _whole(text: str) -> int:
    number = read_number(text, digits_max=12)
    if number is None:
        message = gettext("%(text)s is no whole number.") % {"text": text or "–"}
        raise Invalid("invalid_input", message)
    return number


def _plain(value: int | None) -> str:
    return "" if value is None else str(value)
