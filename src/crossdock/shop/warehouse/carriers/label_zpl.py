r"""Labels in ZPL II, 4 by 6 inches at 203 dots an inch, UTF-8 (^CI28).

Data is written after ^FH: every character that could begin a command (^ ~), the escape character
itself (_), a backslash and every control character becomes _XX, so no name or reference adds a command.
"""

from crossdock.errors import Invalid
from crossdock.shop.warehouse.carriers.code128 import is_encodable
from crossdock.shop.warehouse.carriers.label import Label

_ESCAPED = frozenset("^~_\\")
_LINE_MAX = 40


def label_zpl(label: Label) -> str:
    """The label as one ^XA ... ^XZ format. Raises Invalid for a number that no bar code holds."""
    if not is_encodable(label.number) or ">" in label.number:
        raise Invalid("invalid_input", "The tracking number cannot be printed as a bar code.")
    sender, receiver, reference, weight = label.captions
    parts = ["^XA", "^CI28", "^PW812", "^LL1218", "^LH0,0"]
    parts += [_text(40, 40, 56, label.carrier), _text(540, 52, 36, label.service), _rule(120)]
    parts += [_text(40, 135, 22, sender), *_lines(40, 162, 26, label.sender[:5])]
    parts += [_rule(310), _text(40, 325, 22, receiver), *_lines(40, 355, 46, label.who)]
    parts += _lines(40, 355 + 52 * len(label.who), 40, label.where)
    parts += [_text(40, 590, 56, label.town), _text(40, 655, 40, label.country)]
    parts += [_text(40, 705, 26, label.phone), _rule(750)]
    parts += [_text(40, 765, 22, reference), _text(560, 765, 22, weight)]
    parts += [_text(40, 795, 36, label.reference), _text(560, 795, 36, label.weight), _rule(850)]
    parts += ["^BY2,3,180", f"^FO80,890^BCN,180,Y,N,N^FH^FD{escaped(label.number)}^FS", "^XZ"]
    return "\n".join(part for part in parts if part) + "\n"


def escaped(text: str) -> str:
    """The text as data of a field that ^FH precedes."""
    return "".join(
        "".join(f"_{byte:02X}" for byte in c.encode())
        if c in _ESCAPED or not c.isprintable()
        else c
        for c in text
    )


def _text(x: int, y: int, height: int, text: str) -> str:
    return f"^FO{x},{y}^A0N,{height},{height}^FH^FD{escaped(text[:_LINE_MAX])}^FS" if text else ""


def _lines(x: int, y: int, height: int, texts: tuple[str, ...]) -> list[str]:
    return [_text(x, y + place * (height + 4), height, text) for place, text in enumerate(texts)]


def _rule(y: int) -> str:
    return f"^FO40,{y}^GB732,3,3^FS"
