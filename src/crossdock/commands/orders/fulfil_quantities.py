"""LINE=QUANTITY arguments, and quantities in words."""

from collections.abc import Mapping

from crossdock.errors import Invalid
from crossdock.kit.numbers import read_number


def quantities(words: list[str] | None, *, all_: bool) -> dict[int, int]:
    """The quantities by line of arguments like 1=2. Raises Invalid `invalid_input`."""
    if bool(words) == all_:
        raise Invalid("invalid_input", "Name lines as LINE=QUANTITY, or --all for what is left.")
    found: dict[int, int] = {}
    for word in words or []:
        line_no, quantity = (read_number(part, digits_max=9) for part in word.partition("=")[::2])
        if line_no is None or quantity is None:
            raise Invalid("invalid_input", f"{word!r} is not LINE=QUANTITY.")
        found[line_no] = found.get(line_no, 0) + quantity
    return found


def worded(lines: Mapping[int, int]) -> str:
    """The quantities as a sentence has them."""
    return ", ".join(f"{quantity} of line {line}" for line, quantity in sorted(lines.items()))
