r"""Labels in ZPL II, 4 by 6 inches at 203 dots an inch.

Texts are pictures (^GFA) of the letters that were measured: no printer has all letters, and each has
other widths. A comment (^FX) before each says its text. The bar code is the printer's own. Data is
written after ^FH: every character that could begin a command (^ ~), the escape character itself (_), a
backslash and every control character becomes _XX, so no number adds a command.
"""

from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock.errors import Invalid
from crossdock.shop.warehouse.carriers.code128 import is_encodable
from crossdock.shop.warehouse.carriers.fonts import UM_PER_POINT_X1000, LabelFonts
from crossdock.shop.warehouse.carriers.label import Label
from crossdock.shop.warehouse.carriers.label_layout import Text, lay_out

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

DOT = 125  # micrometres; 203.2 dots an inch
WIDTH, HEIGHT = 812, 1218
_DOTS_PER_POINT_X1000 = UM_PER_POINT_X1000 // DOT
_RULE = 3
_OVERHANG = 160  # thousandths of the size
_ESCAPED = frozenset("^~_\\")
_INK = 110  # of 255: from this much black on, a dot is printed


def label_zpl(label: Label, *, fonts: LabelFonts) -> str:
    """The label as one ^XA ... ^XZ format.

    Raises DoesNotFit, and Invalid `invalid_input` for a number that no bar code holds.
    """
    if not is_encodable(label.number) or ">" in label.number:
        raise Invalid("invalid_input", "The tracking number cannot be printed as a bar code.")
    layout = lay_out(label, width=WIDTH * DOT, height=HEIGHT * DOT, dot=DOT, fonts=fonts)
    parts = ["^XA", f"^PW{WIDTH}", f"^LL{HEIGHT}", "^LH0,0"]
    parts += [_picture(text, fonts=fonts) for text in layout.texts]
    left, right = layout.rule_left // DOT, layout.rule_right // DOT
    parts += [f"^FO{left},{y // DOT}^GB{right - left},{_RULE},{_RULE}^FS" for y in layout.rules]
    height = layout.bars_height // DOT
    place = f"^FO{layout.bars_left // DOT},{layout.bars_top // DOT}"
    bars = f"^BCN,{height},N,N,N^FH^FD{escaped(label.number)}^FS"
    parts += [f"^BY{layout.module // DOT},3,{height}", place + bars, "^XZ"]
    return "\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """The text as data of a field that ^FH precedes."""
    return "".join(
        "".join(f"_{byte:02X}" for byte in c.encode())
        if c in _ESCAPED or not c.isprintable()
        else c
        for c in text
    )


def _picture(text: Text, *, fonts: LabelFonts) -> str:
    """The text as a picture, wider than its box by what a letter may hang over."""
    from PIL import Image, ImageDraw

    over = text.size * _DOTS_PER_POINT_X1000 // 10_000 * _OVERHANG // 1000 + 1
    left, top = text.left // DOT - over, text.top // DOT
    right, bottom = -(-(text.left + text.width) // DOT) + over, text.bottom // DOT
    row_bytes = -(-(right - left) // 8)
    picture = Image.new("L", (row_bytes * 8, bottom - top), 0)
    draw = ImageDraw.Draw(picture)
    baseline = text.baseline // DOT - top
    x = text.left
    for run in fonts.runs(text.text, bold=text.bold):
        font = _font(run.path, text.size)
        for character, advance in zip(run.text, run.advances, strict=True):
            place = ((x + DOT // 2) // DOT - left, baseline)
            draw.text(place, character, fill=255, font=font, anchor="ls")
            x += advance * text.size * UM_PER_POINT_X1000 // 10_000_000
    dots = picture.point(lambda shade: 255 if shade >= _INK else 0).convert("1").tobytes()
    comment = "".join(" " if c in "^~" else c for c in text.text)
    total = len(dots)
    data = _compressed(dots, row_bytes=row_bytes)
    return f"^FX {comment}\n^FO{left},{top}^GFA,{total},{total},{row_bytes},{data}^FS"


@cache
def _font(path: Path, size: int) -> "FreeTypeFont":
    from PIL import ImageFont

    dots = size * _DOTS_PER_POINT_X1000 / 10_000
    return ImageFont.truetype(path, dots, layout_engine=ImageFont.Layout.BASIC)


def _compressed(dots: bytes, *, row_bytes: int) -> str:
    """The rows in Zebra's alternative compression: counted digits, ',' for white to the end of a row."""
    rows, before = [], ""
    for start in range(0, len(dots), row_bytes):
        digits = dots[start : start + row_bytes].hex().upper()
        rows.append(":" if digits == before else _row(digits))
        before = digits
    return "".join(rows)


def _row(digits: str) -> str:
    kept = digits.rstrip("0")
    white = "," if len(kept) < len(digits) else ""
    runs = ((digit, len(list(group))) for digit, group in groupby(kept))
    return "".join(_count(length) + digit for digit, length in runs) + white


def _count(length: int) -> str:
    """The repeat counts: G to Y are 1 to 19, g to z are 20 to 400 in twenties; added up."""
    if length == 1:
        return ""
    many, few = divmod(length, 20)
    most, many = divmod(many, 20)
    letters = "z" * most + (chr(ord("f") + many) if many else "")
    return letters + (chr(ord("F") + few) if few else "")
