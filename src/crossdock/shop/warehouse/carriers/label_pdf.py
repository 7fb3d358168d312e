"""Labels as PDF, A6 (105 by 148 mm), for any office or label printer."""

from pathlib import Path
from typing import TYPE_CHECKING

from crossdock.shop.warehouse.carriers.fonts import UM_PER_POINT_X1000, LabelFonts
from crossdock.shop.warehouse.carriers.label import Label
from crossdock.shop.warehouse.carriers.label_layout import MM, Layout, Text, lay_out

if TYPE_CHECKING:
    from fpdf import FPDF

WIDTH, HEIGHT = 105 * MM, 148 * MM


def label_pdf(label: Label, *, fonts: LabelFonts) -> bytes:
    """The label as a PDF of one page. Raises DoesNotFit."""
    from fpdf import FPDF

    layout = lay_out(label, width=WIDTH, height=HEIGHT, dot=1, fonts=fonts)
    pdf = FPDF(unit="mm", format=(WIDTH / MM, HEIGHT / MM))
    pdf.set_auto_page_break(False)
    pdf.set_title(f"{label.carrier} {label.number}")
    pdf.add_page()
    drawing = _Drawing(pdf, fonts=fonts)
    for text in layout.texts:
        drawing.text(text)
    drawing.rules(layout)
    drawing.bars(layout)
    return bytes(pdf.output())


class _Drawing:
    def __init__(self, pdf: "FPDF", *, fonts: LabelFonts) -> None:
        self.pdf = pdf
        self.fonts = fonts
        self.families: dict[Path, str] = {}

    def text(self, text: Text) -> None:
        left = text.left
        for run in self.fonts.runs(text.text, bold=text.bold):
            self.pdf.set_font(self._family(run.path), size=text.size / 10)
            self.pdf.text(left / MM, text.baseline / MM, run.text)
            left += sum(run.advances) * text.size * UM_PER_POINT_X1000 // 10_000_000

    def _family(self, path: Path) -> str:
        if path not in self.families:
            self.families[path] = f"face{len(self.families)}"
            self.pdf.add_font(self.families[path], "", path)
        return self.families[path]

    def rules(self, layout: Layout) -> None:
        self.pdf.set_line_width(0.3)
        for rule in layout.rules:
            y = rule / MM
            self.pdf.line(layout.rule_left / MM, y, layout.rule_right / MM, y)

    def bars(self, layout: Layout) -> None:
        self.pdf.set_fill_color(0)
        x, y, height = layout.bars_left, layout.bars_top / MM, layout.bars_height / MM
        for place, width in enumerate(layout.bars):
            if place % 2 == 0:
                self.pdf.rect(x / MM, y, width * layout.module / MM, height, style="F")
            x += width * layout.module
