"""Labels as PDF, A6 (105 by 148 mm), for any office or label printer."""

from importlib.util import find_spec

from crossdock.shop.warehouse.carriers.code128 import bars
from crossdock.shop.warehouse.carriers.fonts import BOLD, REGULAR, LabelFonts
from crossdock.shop.warehouse.carriers.label import Label

WIDTH_MM, HEIGHT_MM = 105, 148
_EDGE = 6
_INNER = WIDTH_MM - 2 * _EDGE
_QUIET = 10  # modules left and right of the bars
_SIZE_MIN = 12  # half points
_FAMILY = "label"


def label_pdf(label: Label, *, fonts: LabelFonts) -> bytes:
    """The label as a PDF of one page. The text of the number stands below its bars."""
    page = _Page(label, fonts=fonts)
    page.heading()
    page.sender()
    page.receiver()
    page.facts()
    page.barcode()
    return bytes(page.pdf.output())


class _Page:
    def __init__(self, label: Label, *, fonts: LabelFonts) -> None:
        self.label = label
        self.fonts = fonts
        from fpdf import FPDF

        pdf = FPDF(unit="mm", format=(WIDTH_MM, HEIGHT_MM))
        pdf.set_auto_page_break(False)
        pdf.set_margin(_EDGE)
        pdf.add_font(_FAMILY, "", REGULAR)
        pdf.add_font(_FAMILY, "B", BOLD)
        others = fonts.needed("".join(_texts(label)))
        for number, path in enumerate(others):
            pdf.add_font(f"other{number}", "", path)
        if others:
            pdf.set_fallback_fonts([f"other{n}" for n in range(len(others))], exact_match=False)
        if find_spec("uharfbuzz"):  # joins Arabic letters and turns right-to-left text
            pdf.set_text_shaping(True)
        pdf.set_title(f"{label.carrier} {label.number}")
        pdf.add_page()
        self.pdf = pdf

    def heading(self) -> None:
        self.line(self.label.carrier, size=36, bold=True, width=60, stay=True)
        self.line(self.label.service, size=24, bold=True, width=_INNER - 60, align="R", height=8)
        self.rule(17)

    def sender(self) -> None:
        self.pdf.set_y(18.5)
        self.line(self.label.captions[0], size=13)
        for text in self.label.sender[:5]:
            self.line(text, size=15)

    def receiver(self) -> None:
        self.rule(41)
        self.pdf.set_y(42.5)
        self.line(self.label.captions[1], size=13)
        for place, text in enumerate(self.label.who):
            self.line(text, size=28 if place == 0 else 22, bold=place == 0)
        for text in self.label.where:
            self.line(text, size=24)
        self.pdf.ln(1)
        self.line(self.label.town, size=32, bold=True)
        self.line(self.label.country, size=24, bold=True)
        if self.label.phone:
            self.line(self.label.phone, size=16)

    def facts(self) -> None:
        _, _, reference, weight = self.label.captions
        self.rule(96)
        self.pdf.set_y(97.5)
        self.line(reference, size=13, width=65, stay=True)
        self.line(weight, size=13, width=_INNER - 65, align="R")
        self.line(self.label.reference, size=22, bold=True, width=65, stay=True)
        self.line(self.label.weight, size=22, bold=True, width=_INNER - 65, align="R")
        self.rule(108)

    def barcode(self) -> None:
        widths = bars(self.label.number)
        module = _INNER / (sum(widths) + 2 * _QUIET)
        module = min(module, 0.5)
        x = (WIDTH_MM - module * sum(widths)) / 2
        self.pdf.set_fill_color(0)
        for place, width in enumerate(widths):
            if place % 2 == 0:
                self.pdf.rect(x, 112, width * module, 24, style="F")
            x += width * module
        self.pdf.set_y(137.5)
        self.line(self.label.number, size=24, bold=True, align="C")

    def rule(self, y: int) -> None:
        self.pdf.set_line_width(0.3)
        self.pdf.line(_EDGE, y, WIDTH_MM - _EDGE, y)

    def line(
        self,
        text: str,
        *,
        size: int,
        bold: bool = False,
        width: int = _INNER,
        align: str = "L",
        height: int = 0,
        stay: bool = False,
    ) -> None:
        """One line of text, `size` half points high, smaller if it must be, then cut."""
        text = self.fonts.drawable(text)
        self.pdf.set_font(_FAMILY, "B" if bold else "", size / 2)
        while self.pdf.get_string_width(text) > width - 2 and size > _SIZE_MIN:
            size -= 1
            self.pdf.set_font_size(size / 2)
        while text and self.pdf.get_string_width(text) > width - 2:
            text = text[:-2] + "…"
        self.pdf.cell(
            w=width,
            h=height or size * 0.21,
            text=text,
            align=align,
            new_x="RIGHT" if stay else "LMARGIN",
            new_y="TOP" if stay else "NEXT",
        )


def _texts(label: Label) -> tuple[str, ...]:
    return (*label.sender, *label.who, *label.where, label.town, label.country, label.reference)
