"""Rows of CSV and TSV files: bounded, mapped, and unescaped where a spreadsheet guard was added."""

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Self

import msgspec

from crossdock.imports.encodings import bounded_lines, detect_encoding, start_of_text
from crossdock.imports.items import CONTROL, DROPPED, Finding, RowRefused, Unreadable, shown
from crossdock.imports.layouts import WOOCOMMERCE_CSV, Layout, check_header, plain_name
from crossdock.imports.map_checking import check_sources, check_targets
from crossdock.imports.opening import Source
from crossdock.imports.reading import Reading
from crossdock.imports.recognising import find_delimiter, refuse_markup
from crossdock.imports.woocommerce_headers import translated
from crossdock.kit.spreadsheets import FORMULA_STARTS
from crossdock.shop.catalogue import html_once, plain_text

CELL_MAX = 2**20
"""Maximum length of a cell, in characters."""
COLUMNS_MAX = 10_000
_GUARDED = re.compile(f"'+{FORMULA_STARTS}")
_RISKY = re.compile(f"'*{FORMULA_STARTS}")
_NUMERAL = re.compile(r"'+[0-9][0-9.,:/ \-]*", re.ASCII)
"""Digits that a spreadsheet's apostrophe keeps from being a number."""
_AS_TEXT = re.compile(r'="([^"]*)"')
"""The same, written as a formula."""
_SEPARATOR = re.compile(r'"?sep=(.)"?')
"""A separator hint that a spreadsheet may write before the header."""
_CSV_REASONS = {
    "unexpected end of data": "a quoted cell has no closing quote",
    "field larger than": f"a cell has more than {CELL_MAX} characters, or no closing quote",
    "expected after": "text follows a closing quote; a quote inside a cell is written twice",
}
_BLANK = ',;|" \t\r\n'


class Table(msgspec.Struct, frozen=True):
    """The columns of a table in plain form, mapped ones included, and the attributes they fill.

    `attributes` is None if a map makes attributes of any name.
    """

    columns: frozenset[str]
    attributes: frozenset[str] | None
    html: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    def tidy(self, column: str, text: str) -> str:
        """The text of a cell without what its writer left in it."""
        if "&" not in text and "  " not in text and text.isascii():
            return text
        if column in self.html:
            return html_once(text)
        return text if column in self.paths else plain_text(text)


class TableRow(msgspec.Struct, frozen=True):
    """A row by column names in plain form (see `plain_name`); `number` 1 is the header."""

    table: Table
    number: int
    cells: dict[str, str]
    attributes: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")

    def holds(self, column: str) -> bool:
        """Whether the cell has something in it."""
        return bool(self.cells.get(column))

    def without(self, columns: Collection[str]) -> Self:
        """The row with these cells empty."""
        cells = {name: text for name, text in self.cells.items() if name not in columns}
        return msgspec.structs.replace(self, cells=cells)

    def first(self, *names: str) -> str:
        """The first non-empty one of these columns."""
        cells = self.cells
        for name in names:
            if text := cells.get(name):
                return text
        return ""


def guard_cell(text: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if _RISKY.match(text) or _NUMERAL.fullmatch(text) else text


def bare_cell(text: str) -> str:
    """The text that `guard_cell` was given, without white space around it.

    An apostrophe before digits goes too, which Shopify and spreadsheets put there.
    """
    text = text.strip()
    if text[:1] == "'" and (_GUARDED.match(text) or _NUMERAL.fullmatch(text)):
        return text[1:].strip()
    if text[:2] == '="' and (match := _AS_TEXT.fullmatch(text)):
        return match[1].strip()
    return text


def bare_number(text: str) -> str:
    """Digits without a spreadsheet's apostrophe; another text as it is."""
    return text[1:].strip() if text[:1] == "'" and _NUMERAL.fullmatch(text) else text


def read_rows(
    source: Source,
    reading: Reading,
    *,
    layout: Layout,
    known: Collection[str],
    delimiters: str = ",;\t|",
) -> Iterator[TableRow | Finding]:
    """The rows after the header, mapped.

    Raises Unreadable if the table is malformed; at once if its header belongs to another format or
    does not fit the map, or if the map does not fit the `known` columns.
    """
    check_targets(reading.map, known=known)
    lists = _lists(source, reading, layout=layout, delimiters=delimiters)
    _, names = next(lists)
    header = _header(names, layout, reading, known)
    table = _table(header, layout, reading)
    for number, cells in lists:
        if any(cells):
            yield from _row(cells, header, number, reading, table)


def row_of(row: Mapping[str, str], number: int, reading: Reading, layout: Layout) -> TableRow:
    """A row as a writer has it, as it is read."""
    header = [name for name, text in row.items() if text]
    cells = {name: bare_cell(guard_cell(row[name])) for name in header}
    plain = {plain_name(name): text for name, text in cells.items()}
    table = Table(frozenset(plain), frozenset(), layout.html, layout.paths)
    tidy = {name: table.tidy(name, text) for name, text in plain.items()}
    return TableRow(table, number, tidy, _metafields(cells))


def _lists(
    source: Source, reading: Reading, *, layout: Layout, delimiters: str
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row with its number, the header first."""
    csv.field_size_limit(CELL_MAX)
    encoding = reading.map.encoding or detect_encoding(source.stream)
    refuse_markup(start_of_text(source.stream, encoding=encoding), format_name=layout.format)
    lines = bounded_lines(source.stream, encoding=encoding)
    start, first = _start(lines)
    delimiter = reading.map.file.delimiter
    if match := _SEPARATOR.fullmatch(first.rstrip("\r\n")):
        delimiter = delimiter or match[1]
        skipped, first = _start(lines)
        start += skipped
    delimiter = delimiter or find_delimiter(first, candidates=delimiters)
    lists = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    number, lines_before = start - 1, 0
    try:
        for number, cells in enumerate(lists, start=start):
            yield number, cells
            lines_before = lists.line_num
    except csv.Error as error:
        raise Unreadable(
            f"The table is malformed: {_csv_reason(error)}",
            position=f"row {number + 1}, which begins in line {start + lines_before}",
        ) from error


def _csv_reason(error: csv.Error) -> str:
    text = str(error)
    return next((reason for start, reason in _CSV_REASONS.items() if start in text), text)


def _start(lines: Iterator[str]) -> tuple[int, str]:
    """The first non-empty line with its number: the header."""
    for number, line in enumerate(lines, start=1):
        if line.strip(_BLANK):
            return number, line.lstrip("\ufeff")
    raise Unreadable("The file is empty")


def _header(
    cells: list[str], layout: Layout, reading: Reading, known: Collection[str]
) -> list[str]:
    names = [plain_text(bare_cell(cell)) for cell in cells]
    if len(names) > COLUMNS_MAX:
        raise Unreadable(f"There are more than {COLUMNS_MAX} columns", position="row 1")
    check_sources(reading.map, names)
    check_header(names, layout=layout, mapped=reading.map.fields)
    if layout.format == WOOCOMMERCE_CSV.format:
        found = translated(names)
        reading.notes.columns = found.names
        reading.notes.decimal_comma = bool(found.language)
    _refuse_repeats(names, reading, known)
    reading.notes.columns_unread = _unread(names, reading, known)
    return names


def _unread(names: list[str], reading: Reading, known: Collection[str]) -> list[str]:
    """The columns that the format does not use; those that only a map reads are not listed."""
    if not reading.map.is_empty:
        return []
    return [
        name
        for name in names
        if name and _plain(name, reading) not in known and not _METAFIELD.match(name)
    ]


def _refuse_repeats(names: list[str], reading: Reading, known: Collection[str]) -> None:
    """Raises Unreadable if two columns have the same name."""
    places: dict[str, int] = {}
    for place, name in enumerate((_plain(name, reading) for name in names), start=1):
        if name in known and name in places:
            raise Unreadable(
                f"The column {shown(names[place - 1])} occurs twice, as "
                f"column {places[name]} and column {place}; remove one of them"
            )
        places[name] = place


def _table(header: list[str], layout: Layout, reading: Reading) -> Table:
    attributes = reading.map.attribute_names(header)
    if attributes is not None:
        attributes |= frozenset(match[1] for name in header if (match := _METAFIELD.match(name)))
    columns = frozenset(_plain(name, reading) for name in (*header, *reading.map.fields))
    return Table(columns, attributes, layout.html, layout.paths)


def _row(
    cells: list[str], header: list[str], number: int, reading: Reading, table: Table
) -> Iterator[TableRow | Finding]:
    """The row, after a warning about each cell with characters that no text has."""
    try:
        if len(cells) != len(header):
            raise RowRefused("", f"has {len(cells)} cells where the header has {len(header)}")
        row = {
            name: bare_cell(cell) for name, cell in zip(header, cells, strict=True) if cell and name
        }
        for name, text in row.items():
            if not text.isprintable() and CONTROL.search(text):
                yield RowRefused(name, DROPPED, text).at(number, is_warning=True)
                row[name] = CONTROL.sub("", text).strip()
        if (mapped := _mapped(row, number, reading, table)) is not None:
            yield mapped
    except RowRefused as refusal:
        yield refusal.at(number)


def _mapped(row: Mapping[str, str], number: int, reading: Reading, table: Table) -> TableRow | None:
    attributes: dict[str, str] = {}
    if not reading.map.is_empty:
        mapped = reading.map.apply_to_row(row, currency=reading.currency)
        if mapped is None:
            return None
        attributes = reading.map.attributes_of(row)
        row = mapped
    cells = {}
    for name, text in row.items():
        plain = _plain(name, reading)
        cells[plain] = table.tidy(plain, text)
    attributes = {plain_text(name): plain_text(text) for name, text in attributes.items()}
    return TableRow(table, number, cells, attributes | _metafields(row))


_PLAIN_NAMES: dict[str, str] = {}


def _plain(name: str, reading: Reading) -> str:
    """The column's plain English name."""
    if name in reading.notes.columns:
        return reading.notes.columns[name]
    plain = _PLAIN_NAMES.get(name)
    if plain is None:
        if len(_PLAIN_NAMES) > COLUMNS_MAX:
            _PLAIN_NAMES.clear()
        plain = _PLAIN_NAMES[name] = plain_name(name)
    return plain


METAFIELDS = "crossdock"
"""The namespace of the metafields that are fields of ours, not attributes."""
_METAFIELD = re.compile(rf"(.+) \(product\.metafields\.(?!{METAFIELDS}\.)[^()]*\)$", re.DOTALL)


def _metafields(row: Mapping[str, str]) -> dict[str, str]:
    """Shopify's metafield columns, such as 'Colour (product.metafields.shopify.color)'."""
    return {
        plain_text(match[1]): plain_text(text)
        for name, text in row.items()
        if text and ".metafields." in name and (match := _METAFIELD.match(name))
    }
