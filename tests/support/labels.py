"""Labels as a printer sees them: the texts, boxes and dots of a PDF and of a ZPL format."""

import re
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw

LAST_HYPHEN = "\ufffe"  # what pdfium makes of a hyphen at the end of a row


@dataclass(frozen=True)
class Box:
    """A rectangle, from the upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box", *, by: float = 0) -> bool:
        """Whether they share more than `by` in both directions."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > by and down > by


@dataclass(frozen=True)
class PrintedPdf:
    """A page: its size in millimetres, all of its text, and the box of each text."""

    width: float
    height: float
    text: str
    boxes: list[Box]


@dataclass(frozen=True)
class Picture:
    """A graphic field of a ZPL format and the comment before it.

    A row is a number with a bit for each dot, the leftmost first, 1 for black.
    """

    comment: str
    box: Box
    rows: list[int]

    @property
    def columns(self) -> str:
        """For each column of dots, 1 if any of it is black."""
        black = 0
        for row in self.rows:
            black |= row
        return f"{black:0{int(self.box.right - self.box.left)}b}"


def read_pdf(pdf: bytes) -> PrintedPdf:
    """The only page of a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    page = document[0]
    mm = 25.4 / 72
    width, height = (side * mm for side in page.get_size())
    text = page.get_textpage().get_text_range().replace(LAST_HYPHEN, "-").replace("\x02", "-")
    boxes = []
    for thing in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_TEXT]):
        left, bottom, right, top = (side * mm for side in thing.get_bounds())
        boxes.append(Box(left, height - top, right, height - bottom))
    return PrintedPdf(width, height, text, boxes)


_PICTURE = re.compile(r"\^FX (.*)\n\^FO(\d+),(\d+)\^GFA,(\d+),(\d+),(\d+),([^^~]*)\^FS")


def read_zpl(zpl: str) -> list[Picture]:
    """The graphic fields of a format."""
    pictures = []
    for comment, x, y, total, same, row, data in _PICTURE.findall(zpl):
        assert total == same
        dots = _unpacked(data, digits=int(row) * 2)
        assert sum(map(len, dots)) * 4 == int(total) * 8
        box = Box(int(x), int(y), int(x) + int(row) * 8, int(y) + len(dots))
        rows = [int(digits, 16) for digits in dots]
        pictures.append(Picture(comment, box, rows))
    return pictures


def _unpacked(data: str, *, digits: int) -> list[str]:
    """The rows as hexadecimal digits, by Zebra's rules: counts G-Y and g-z, ',' and ':'."""
    rows: list[str] = []
    row, count = "", 0
    for letter in data:
        if "G" <= letter <= "Y":
            count += ord(letter) - ord("F")
        elif "g" <= letter <= "z":
            count += (ord(letter) - ord("f")) * 20
        elif letter == ":":
            assert not row
            rows.append(rows[-1])
        else:
            row += "0" * (digits - len(row)) if letter == "," else letter * (count or 1)
            count = 0
        assert len(row) <= digits
        if len(row) == digits:
            rows.append(row)
            row = ""
    assert not row
    return rows
