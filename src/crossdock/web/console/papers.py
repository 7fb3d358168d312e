"""Pick lists and packing slips as PDF, A4. Lengths are millimetres, sizes of letters points."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from crossdock.errors import Invalid
from crossdock.kit.display import country_name, moment_text
from crossdock.kit.languages import gettext
from crossdock.shop.customers import Address
from crossdock.shop.orders import LineView, OrderView, PackageView
from crossdock.shop.warehouse import LabelFonts

PAPERS_MAX: Final = 200
"""Orders on one pick list."""
LINES_MAX: Final = 2_000
"""Lines of goods on one paper."""
_TEXT_MAX: Final = 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 18.0, 192.0, 22.0, 275.0
_SKU, _MANY, _BOX = 110.0, 168.0, 186.0
_INK, _SOFT, _RULE = (22, 33, 31), (82, 96, 93), (200, 208, 208)


def pick_list_pdf(orders: Sequence[OrderView], *, fonts: LabelFonts, now: datetime) -> bytes:
    """What is left to pick of these orders: each with its lines, and a box to tick for each of them.

    Raises Invalid `invalid_input` for more than LINES_MAX lines.
    """
    _check_lines(sum(len(order.lines) for order in orders))
    paper = _Paper(fonts=fonts, title=gettext("Pick list"), now=now)
    paper.heading(gettext("Pick list"), note=moment_text(now))
    for order in orders:
        goods = [line for line in order.lines if not line.virtual]
        lines = [(line, line.quantity - line.cancelled - line.picked) for line in goods]
        lines = [(line, left) for line, left in lines if left > 0]
        if lines:
            paper.section(_title(order), note=_name(order.shipping))
            paper.remark(order.comments)
            for line, left in lines:
                paper.goods(line, left, is_ticked_off=True)
    return paper.bytes()


def packing_slip_pdf(
    order: OrderView, package: PackageView, *, fonts: LabelFonts, now: datetime
) -> bytes:
    """What is in a package, for whoever opens it: no prices, for the goods may be a present.

    Raises Invalid `invalid_input` for more than LINES_MAX lines.
    """
    _check_lines(len(order.lines))
    paper = _Paper(fonts=fonts, title=gettext("Packing slip"), now=now)
    paper.heading(order.shop_name, note=gettext("Packing slip"))
    for text in _address(order.shipping, language=order.language or "en"):
        paper.plain(text)
    paper.section(_title(order), note=package.tracking_number)
    for line in order.lines:
        if many := package.lines.get(line.line_no):
            paper.goods(line, many)
    return paper.bytes()


def _check_lines(count: int) -> None:
    if count > LINES_MAX:
        text = gettext("A paper has at most %(count)s lines of goods; choose fewer orders.")
        raise Invalid("invalid_input", text % {"count": LINES_MAX})


def _title(order: OrderView) -> str:
    text = gettext("Order %(number)s") % {"number": order.id}
    return f"{text} · {order.partner_order_id}" if order.partner_order_id else text


def _name(address: Address) -> str:
    return address.company or f"{address.first_name} {address.last_name}".strip()


def _address(a: Address, *, language: str) -> list[str]:
    parts = [
        f"{a.first_name} {a.last_name}".strip(),
        *(a.company, a.address_1, a.address_2),
        f"{a.postcode} {a.city}".strip(),
        *(a.state, country_name(a.country, language=language if len(language) == 2 else "en")),
    ]
    return [part for part in parts if part]


class _Paper:
    """Pages that are filled from top to bottom."""

    def __init__(self, *, fonts: LabelFonts, title: str, now: datetime) -> None:
        from fpdf import FPDF

        self._pdf: FPDF = FPDF(unit="mm", format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_title(title)
        self._pdf.set_creation_date(now)
        self._fonts = fonts
        self._families: dict[Path, str] = {}
        self._page()

    def bytes(self) -> bytes:
        """The file."""
        return bytes(self._pdf.output())

    def heading(self, text: str, *, note: str) -> None:
        """The paper's title, with a note at the right."""
        self._write(text, at=_LEFT, size=17, bold=True, until=130)
        self._write(note, at=132, size=10, colour=_SOFT, until=_RIGHT)
        self._down(10)

    def section(self, text: str, *, note: str) -> None:
        """A title between two rules; it stays with the line that follows."""
        self._room(24)
        self._down(5)
        self._write(text, at=_LEFT, size=12, bold=True, until=130)
        self._write(note, at=132, size=9, colour=_SOFT, until=_RIGHT)
        self._down(2.5)
        self._pdf.set_draw_color(*_RULE)
        self._pdf.line(_LEFT, self._y, _RIGHT, self._y)
        self._down(6)

    def plain(self, text: str) -> None:
        """A line of text."""
        self._room(6)
        self._write(text, at=_LEFT, size=10, until=_RIGHT)
        self._down(5)

    def remark(self, text: str) -> None:
        """What a buyer or staff wrote, line by line; nothing for ''."""
        for row in text.splitlines()[:10]:
            self._room(6)
            self._write(row, at=_LEFT, size=9, colour=_SOFT, until=_RIGHT)
            self._down(5)

    def goods(self, line: LineView, many: int, *, is_ticked_off: bool = False) -> None:
        """A line of goods with its quantity; with a box to tick if asked."""
        self._room(8)
        self._write(line.name, at=_LEFT, size=10, until=_SKU - 3)
        self._write(line.sku, at=_SKU, size=9, colour=_SOFT, until=_MANY - 4)
        self._write(f"{many} ×", at=_MANY, size=11, bold=True, until=_BOX - 2)
        if is_ticked_off:
            self._pdf.rect(_BOX, self._y - 3.6, 4.2, 4.2)
        self._down(7)

    def _page(self) -> None:
        self._pdf.add_page()
        self._y = _TOP

    def _room(self, height: float) -> None:
        if self._y + height > _BOTTOM:
            self._page()

    def _down(self, height: float) -> None:
        self._y += height

    def _write(
        self,
        text: str,
        *,
        at: float,
        until: float,
        size: float,
        bold: bool = False,
        colour: tuple[int, int, int] = _INK,
    ) -> None:
        """Text on the present line; what does not fit before `until` is cut."""
        self._pdf.set_text_color(*colour)
        x = at
        for run in self._fonts.runs(text[:_TEXT_MAX], bold=bold):
            self._pdf.set_font(self._family(run.path), size=size)
            fitting = self._fitting(run.text, width=until - x)
            self._pdf.text(x, self._y, fitting)
            if len(fitting) < len(run.text):
                return
            x += self._pdf.get_string_width(fitting)

    def _fitting(self, text: str, *, width: float) -> str:
        """The longest start of a text in the present font that is no wider."""
        if self._pdf.get_string_width(text) <= width:
            return text
        count = bisect_right(range(1, len(text)), width, key=lambda n: self._width(text[:n]))
        return text[:count]

    def _width(self, text: str) -> float:
        return float(self._pdf.get_string_width(text))

    def _family(self, path: Path) -> str:
        if path not in self._families:
            self._families[path] = f"face{len(self._families)}"
            self._pdf.add_font(self._families[path], "", path)
        return self._families[path]
