"""LINE=QUANTITY arguments, and quantities in words."""

from crossdock.errors import Invalid


def quantities(words: list[str] | None, *, all_: bool) -> dict[int, int]:
    """The quantities by line of arguments like 1=2. Raises Invalid `invalid_input`."""
    if bool(words) == all_:
        raise Invalid("invalid_input", "Name lines as LINE=QUANTITY, or --all for what is left.")
    found: dict[int, int] = {}
    for word in words or []:
        line_no, _, quantity = word.partition("=")
        if not (
            line_no.isascii() and line_no.isdigit() and quantity.isascii() and quantity.isdigit()
        ):
            raise Invalid("invalid_input", f"{word!r} is not LINE=QUANTITY.")
        found[int(line_no)] = found.get(int(line_no), 0) + int(quantity)
    return found


def worded(lines: dict[int, int]) -> str:
    """The quantities as a sentence has them."""
    return ", ".join(f"{quantity} of line {line}" for line, quantity in sorted(lines.items()))
