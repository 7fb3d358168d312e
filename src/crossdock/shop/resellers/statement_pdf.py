"""A statement as PDF, A4: whose it is, its sums, then its lines with the balance after each.

Lengths are micrometres, sizes of letters tenths of a point.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crossdock.errors import Invalid
from crossdock.kit.display import moment_text, money_text
from crossdock.kit.money import format_minor
from crossdock.shop.resellers.stating import Purse, Statement, StatementLine

if TYPE_CHECKING:
    from fpdf import FPDF

    from crossdock.shop.warehouse import LabelFonts

STATEMENT_LINES_MAX = 5_000
WORDS = {
    "fulfilment": "Goods delivered",
    "top_up": "Top-up",
    "adjustment": "Adjustment",
    "sale": "Order",
    "sale_taken_back": "Goods taken back",
    "stock_refund": "Stock revoked",
    "commission_earned": "Commission",
    "commission_reversed": "Taken back",
    "payout": "Paid out",
}
_TITLES: dict[Purse, str] = {
    "prepaid": "Statement of the prepaid balance",
    "commission": "Statement of commission",
}
_MM = 1_000
_LEFT, _RIGHT, _TOP, _BOTTOM = 18 * _MM, 192 * _MM, 22 * _MM, 277 * _MM
_ROW = 6_200
_CELL = 85

Colour = tuple[int, int, int]
_INK, _SOFT, _RULE, _ACCENT = (22, 33, 31), (82, 96, 93), (216, 224, 224), (11, 107, 98)


class _Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the lines: its title, and where it begins and ends."""

    title: str
    left: int
    right: int
    is_number: bool = False


_COLUMNS = (
    _Column(title="Date (UTC)", left=_LEFT, right=48 * _MM),
    _Column(title="What", left=50 * _MM, right=82 * _MM),
    _Column(title="Reference", left=84 * _MM, right=134 * _MM),
    _Column(title="Amount", left=136 * _MM, right=162 * _MM, is_number=True),
    _Column(title="Balance", left=164 * _MM, right=_RIGHT, is_number=True),
)


def statement_pdf(
    statement: Statement, lines: Sequence[StatementLine], *, fonts: "LabelFonts", now: datetime
) -> bytes:
    """The file. Raises Invalid `invalid_input` for more than STATEMENT_LINES_MAX lines, which CSV takes."""
    if len(lines) > STATEMENT_LINES_MAX:
        message = f"A PDF has at most {STATEMENT_LINES_MAX} lines; choose a shorter time, or CSV."
        raise Invalid("invalid_input", message, {"field": "format"})
    from fpdf import FPDF

    pdf = FPDF(unit="mm", format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_title(f"Statement of {statement.shop} for {statement.email}")
    pdf.set_creation_date(now)
    page = _Page(pdf, fonts=fonts)
    page.begin()
    _head(page, statement, now=now)
    _sums(page, statement, lines)
    _table(page, lines)
    page.number_pages(f"{statement.shop} · {statement.email}")
    return bytes(pdf.output())


def _head(page: "_Page", statement: Statement, *, now: datetime) -> None:
    page.text(statement.shop, at=_LEFT, size=170, bold=True, until=_RIGHT)
    page.down(8 * _MM)
    page.text(_TITLES[statement.purse], at=_LEFT, size=110, colour=_ACCENT)
    page.down(11 * _MM)
    facts = (
        ("Reseller", statement.email),
        ("Period", _period(statement)),
        ("Currency", statement.currency),
        ("Made", f"{moment_text(now.astimezone(UTC))} UTC"),
    )
    for name, value in facts:
        page.text(name, at=_LEFT, size=90, colour=_SOFT)
        page.text(value, at=44 * _MM, size=90, until=_RIGHT)
        page.down(5 * _MM)
    page.down(4 * _MM)


def _sums(page: "_Page", statement: Statement, lines: Sequence[StatementLine]) -> None:
    came = sum(line.amount_minor for line in lines if line.amount_minor > 0)
    went = sum(line.amount_minor for line in lines if line.amount_minor < 0)
    boxes = (
        ("Opening balance", statement.opening_minor),
        ("Came in", came),
        ("Went out", went),
        ("Closing balance", statement.opening_minor + came + went),
    )
    width = (_RIGHT - _LEFT) // len(boxes)
    page.rule(_RULE)
    page.down(6 * _MM)
    for place, (name, _) in enumerate(boxes):
        page.text(name, at=_LEFT + place * width, size=_CELL, colour=_SOFT)
    page.down(6_500)
    for place, (_, minor) in enumerate(boxes):
        amount = money_text(minor, statement.currency)
        until = _LEFT + (place + 1) * width - 2 * _MM
        page.text(amount, at=_LEFT + place * width, size=130, bold=True, until=until)
    page.down(5 * _MM)
    page.rule(_RULE)
    page.down(9 * _MM)


def _table(page: "_Page", lines: Sequence[StatementLine]) -> None:
    _titles(page)
    if not lines:
        page.down(_ROW + 2 * _MM)
        page.text("Nothing was posted in this period.", at=_LEFT, size=90, colour=_SOFT)
        return
    for line in lines:
        if page.is_full():
            page.begin()
            _titles(page)
        page.down(_ROW)
        cells = (
            f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M}",
            WORDS.get(line.kind, line.kind.replace("_", " ").capitalize()),
            _reference(line),
            format_minor(line.amount_minor, line.currency),
            format_minor(line.balance_minor, line.currency),
        )
        for column, text in zip(_COLUMNS, cells, strict=True):
            page.cell(text, column)
        page.rule(_RULE, below=2 * _MM)


def _titles(page: "_Page") -> None:
    for column in _COLUMNS:
        page.cell(column.title, column, bold=True, colour=_SOFT)
    page.rule(_INK, below=2 * _MM)


def _period(statement: Statement) -> str:
    until = f"before {moment_text(statement.until.astimezone(UTC))} UTC"
    if statement.since is None:
        return f"from the beginning to {until}"
    return f"from {moment_text(statement.since.astimezone(UTC))} to {until}"


def _reference(line: StatementLine) -> str:
    """What the line is about in few words: the order in the reseller's shop, or the shop's; else why it was posted."""
    order = f"order {line.order_id}" if line.kind.startswith("commission_") else ""
    parts = (line.external_order_id or order, f"entry {line.entry_id}", line.reason)
    return " · ".join(part for part in parts if part)


class _Page:
    """Writes on the pages of a file from the top down; `y` is the next line's baseline."""

    def __init__(self, pdf: "FPDF", *, fonts: "LabelFonts") -> None:
        self._pdf = pdf
        self._fonts = fonts
        self._families: dict[Path, str] = {}
        self.y = _TOP

    def begin(self) -> None:
        """Go on at the top of a new page."""
        self._pdf.add_page()
        self.y = _TOP

    def down(self, by: int) -> None:
        """Go down."""
        self.y += by

    def is_full(self) -> bool:
        """Whether no line fits on the page any more."""
        return self.y + _ROW > _BOTTOM

    def rule(self, colour: Colour, *, below: int = 0) -> None:
        """A line across the page, so far below the baseline."""
        self._pdf.set_draw_color(*colour)
        self._pdf.set_line_width(200 / _MM)
        y = (self.y + below) / _MM
        self._pdf.line(_LEFT / _MM, y, _RIGHT / _MM, y)

    def cell(
        self, text: str, column: _Column, *, bold: bool = False, colour: Colour = _INK
    ) -> None:
        """A text in a column; numbers end at its right edge."""
        width = column.right - column.left
        shown = self._cut(text, size=_CELL, bold=bold, width=width)
        at = column.left
        if column.is_number:
            at = column.right - self._width(shown, size=_CELL, bold=bold)
        self.text(shown, at=at, size=_CELL, bold=bold, colour=colour)

    def text(
        self,
        text: str,
        *,
        at: int,
        size: int,
        bold: bool = False,
        colour: Colour = _INK,
        until: int | None = None,
    ) -> None:
        """A text from `at` on, cut where it would go beyond `until`."""
        shown = self._printable(text)
        if until is not None:
            shown = self._cut(shown, size=size, bold=bold, width=until - at)
        self._pdf.set_text_color(*colour)
        for run in self._fonts.runs(shown, bold=bold):
            self._pdf.set_font(self._family(run.path), size=size / 10)
            self._pdf.text(at / _MM, self.y / _MM, run.text)
            at += self._width(run.text, size=size, bold=bold)

    def number_pages(self, title: str) -> None:
        """Write the title and the page's number at the foot of each."""
        last = self._pdf.pages_count
        for number in range(1, last + 1):
            self._pdf.page = number
            self.y = _BOTTOM + 9 * _MM
            told = f"Page {number} of {last}"
            at = _RIGHT - self._width(told, size=80, bold=False)
            self.text(title, at=_LEFT, size=80, colour=_SOFT, until=at - 4 * _MM)
            self.text(told, at=at, size=80, colour=_SOFT)

    def _cut(self, text: str, *, size: int, bold: bool, width: int) -> str:
        shown = self._printable(text)
        if self._width(shown, size=size, bold=bold) <= width:
            return shown
        while shown and self._width(f"{shown}…", size=size, bold=bold) > width:
            shown = shown[:-1]
        return f"{shown.rstrip()}…"

    def _width(self, text: str, *, size: int, bold: bool) -> int:
        return self._fonts.width_um(text, size=size, bold=bold)

    def _printable(self, text: str) -> str:
        """The text with a question mark for each character that no font has."""
        missing = set(self._fonts.missing(text))
        return "".join("?" if each in missing else each for each in text) if missing else text

    def _family(self, path: Path) -> str:
        if path not in self._families:
            self._families[path] = f"face{len(self._families)}"
            self._pdf.add_font(self._families[path], "", path)
        return self._families[path]
