"""Where each text of a label stands: measured, wrapped, and in smaller letters where it must.

Lengths are micrometres from the upper left corner, sizes of letters tenths of a point. The printers of
PDF and of ZPL draw the same layout, so what was measured is what is printed.
"""

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from crossdock.shop.warehouse.carriers.code128 import bars
from crossdock.shop.warehouse.carriers.fonts import UM_PER_POINT_X1000, LabelFonts
from crossdock.shop.warehouse.carriers.label import TIE, Label

MM = 1000
_EDGE = 5 * MM
_GAP = 2 * MM  # between columns
_PADDING = 1500  # between a rule and letters
_SPARE = (
    250  # two dots of a printer, as letters are drawn on whole ones: twice above a row, once below
)
_SMALLEST = 60
_SMALLEST_RECEIVER = 80
_HEADING_HEIGHT, _SENDER_HEIGHT, _FACTS_HEIGHT = 16 * MM, 27 * MM, 24 * MM
_BARS_HEIGHT = 24 * MM
_QUIET = 10  # modules left and right of the bars
_MODULE_MAX, _MODULE_MIN = 500, 125
_STEP = 5
_MARKS = "\u0300-\u036f\u0483-\u0487\u1dc0-\u1dff\u20d0-\u20ff"
_LETTER = re.compile(f".[{_MARKS}]*", re.DOTALL)  # with the marks on it


class DoesNotFit(Exception):
    """The texts of a block are too long; `block` is such as 'receiver'."""

    def __init__(self, block: str) -> None:
        super().__init__(block)
        self.block = block


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A line of text. Its letters stay between `top` and `bottom`, `left` and `left + width`."""

    text: str
    left: int
    top: int
    bottom: int
    baseline: int
    width: int
    size: int
    bold: bool


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A label ready to be drawn. `bars` are the widths in modules of the bar code's bars and gaps."""

    width: int
    height: int
    texts: tuple[Text, ...]
    rules: tuple[int, ...]
    rule_left: int
    rule_right: int
    bars: tuple[int, ...]
    bars_left: int
    bars_top: int
    bars_height: int
    module: int


class _Line(msgspec.Struct, frozen=True):
    text: str
    size: int
    bold: bool = False
    smallest: int = _SMALLEST
    space: int = 0  # above, in micrometres
    above: int = 0  # the baseline, in micrometres
    below: int = 0


def lay_out(label: Label, *, width: int, height: int, dot: int, fonts: LabelFonts) -> Layout:
    """The label on a page of that size; bars are whole `dot`s wide. Raises DoesNotFit."""
    page = _Page(width=width, height=height, fonts=fonts)
    page.heading(label)
    page.sender(label)
    bars_left, bars_top, module, widths = page.bar_code(label.number, dot=dot)
    page.facts(label, bottom=bars_top - _PADDING)
    page.receiver(label)
    return Layout(
        width=width,
        height=height,
        texts=tuple(page.texts),
        rules=tuple(sorted(page.rules)),
        rule_left=_EDGE,
        rule_right=width - _EDGE,
        bars=tuple(widths),
        bars_left=bars_left,
        bars_top=bars_top,
        bars_height=_BARS_HEIGHT,
        module=module,
    )


class _Page:
    def __init__(self, *, width: int, height: int, fonts: LabelFonts) -> None:
        self.width = width
        self.height = height
        self.inner = width - 2 * _EDGE
        self.fonts = fonts
        self.texts: list[Text] = []
        self.rules: list[int] = []
        self.y = _EDGE
        self.floor = 0

    def heading(self, label: Label) -> None:
        wide = (self.inner - _GAP) * 2 // 3
        carrier = self.block(
            "carrier", [_Line(label.carrier, 180, bold=True)], wide, _HEADING_HEIGHT
        )
        narrow = self.inner - _GAP - wide
        service = self.block(
            "service", [_Line(label.service, 120, bold=True)], narrow, _HEADING_HEIGHT
        )
        bottom = self.put(carrier, _EDGE, self.y)
        bottom = max(bottom, self.put(service, _EDGE + wide + _GAP, self.y, right=narrow))
        self.y = self.rule(bottom + _PADDING)

    def sender(self, label: Label) -> None:
        lines = [_Line(label.captions[0], 65), *(_Line(text, 75) for text in label.sender)]
        block = self.block("sender", lines, self.inner, _SENDER_HEIGHT)
        self.y = self.rule(self.put(block, _EDGE, self.y) + _PADDING)

    def receiver(self, label: Label) -> None:
        def line(text: str, size: int, *, bold: bool = False, space: int = 0) -> _Line:
            return _Line(text, size, bold, _SMALLEST_RECEIVER, space)

        lines = [_Line(label.captions[1], 65)]
        lines += [
            line(text, 110 if place else 140, bold=not place)
            for place, text in enumerate(label.who)
        ]
        lines += [line(text, 120) for text in label.where]
        lines += [line(label.town, 160, bold=True, space=MM), line(label.country, 120, bold=True)]
        lines += [line(label.phone, 80, space=500)]
        block = self.block("receiver", lines, self.inner, self.floor - _PADDING - self.y)
        self.put(block, _EDGE, self.y)

    def facts(self, label: Label, *, bottom: int) -> None:
        """Reference and weight, each in a column of its own, above the bars."""
        wide = (self.inner - _GAP) * 7 // 10
        narrow = self.inner - _GAP - wide
        reference = [_Line(label.captions[2], 65), _Line(label.reference, 110, bold=True)]
        weight = [_Line(label.captions[3], 65), _Line(label.weight, 110, bold=True)]
        left = self.block("reference", reference, wide, _FACTS_HEIGHT)
        right = self.block("weight", weight, narrow, _FACTS_HEIGHT)
        tall = max(_height(left), _height(right))
        top = bottom - _PADDING - tall
        self.put(left, _EDGE, top)
        self.put(right, _EDGE + wide + _GAP, top, right=narrow)
        self.rules.append(bottom)
        self.floor = top
        if tall:
            self.floor = top - _PADDING
            self.rules.append(self.floor)

    def bar_code(self, number: str, *, dot: int) -> tuple[int, int, int, list[int]]:
        """Left, top, module and widths of the bars; the number stands below them."""
        widths = bars(number)
        module = self.inner // (sum(widths) + 2 * _QUIET) // dot * dot
        module = min(module, _MODULE_MAX // dot * dot)
        if module < _MODULE_MIN:
            raise DoesNotFit("number")
        text = self.block("number", [_Line(number, 110, bold=True)], self.inner, 8 * MM)
        top = self.height - _EDGE - _height(text)
        self.put(text, _EDGE, top, centred=self.inner)
        drawn = module * sum(widths)
        left = (self.width - drawn) // 2 // dot * dot
        return left, (top - MM - _BARS_HEIGHT) // dot * dot, module, widths

    def rule(self, y: int) -> int:
        self.rules.append(y)
        return y + _PADDING

    def put(
        self, block: Sequence[_Line], left: int, top: int, *, right: int = 0, centred: int = 0
    ) -> int:
        """Write the block's lines below each other; the place below the last."""
        for line in block:
            top += line.space
            width = self.fonts.width_um(line.text, size=line.size, bold=line.bold)
            shift = right - width if right else (centred - width) // 2 if centred else 0
            bottom = top + line.above + line.below
            text = Text(
                text=line.text,
                left=left + shift,
                top=top,
                bottom=bottom,
                baseline=top + line.above,
                width=width,
                size=line.size,
                bold=line.bold,
            )
            self.texts.append(text)
            top = bottom
        return top

    def block(
        self, name: str, lines: Iterable[_Line], width: int, height: int
    ) -> tuple[_Line, ...]:
        """The lines as they fit into the place, in the largest letters. Raises DoesNotFit."""
        lines = [line for line in lines if line.text]
        percent = 100
        while True:
            wanted = [_shrunk(line, percent) for line in lines]
            rows = tuple(row for line in wanted for row in self.wrapped(line, width))
            if _height(rows) <= height:
                return rows
            if all(line.size <= line.smallest for line in wanted):
                raise DoesNotFit(name)
            percent -= 4

    def wrapped(self, line: _Line, width: int) -> list[_Line]:
        """The line in as many as it needs, smaller if one of its words is too wide."""

        def measure(text: str) -> int:
            return self.fonts.width_um(text, size=size, bold=line.bold)

        size = line.size
        words = line.text.split(" ")
        while size > line.smallest and any(measure(word) > width for word in words):
            size -= _STEP
        texts = _rows(line.text, width=width, measure=measure)
        return [
            self._row(line, text, size=size, space=0 if place else line.space)
            for place, text in enumerate(texts)
        ]

    def _row(self, line: _Line, text: str, *, size: int, space: int) -> _Line:
        em = size * UM_PER_POINT_X1000 // 10_000
        high, low = self.fonts.extent(text, bold=line.bold)
        above, below = em * high // 1000 + 2 * _SPARE, em * low // 1000 + _SPARE
        return _Line(text, size, line.bold, line.smallest, space, above, below)


def _rows(text: str, *, width: int, measure: Callable[[str], int]) -> list[str]:
    """The text in rows of at most that width, broken at blanks, else ties, else anywhere."""
    rows: list[str] = []
    row = ""
    for piece in _pieces(text, width=width, measure=measure):
        if row and measure(row + piece.rstrip(" ")) > width:
            rows.append(row)
            row = ""
        row += piece
    rows.append(row)
    return [row.replace(TIE, " ").strip(" ") for row in rows]


def _pieces(text: str, *, width: int, measure: Callable[[str], int]) -> Iterable[str]:
    """What is kept together: words with their ties, and the blank behind them."""
    for word in text.split(" "):
        if measure(word) <= width:
            yield f"{word} "
        elif TIE in word:
            yield from _pieces(word.replace(TIE, " "), width=width, measure=measure)
        else:
            yield from _LETTER.findall(word)
            yield " "


def _shrunk(line: _Line, percent: int) -> _Line:
    size = max(line.smallest, line.size * percent // 100)
    return msgspec.structs.replace(line, size=min(size, line.size))


def _height(rows: Iterable[_Line]) -> int:
    return sum(row.space + row.above + row.below for row in rows)
