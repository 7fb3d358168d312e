"""Cells that a spreadsheet would compute instead of show."""

import re
from typing import Final

FORMULA_STARTS: Final = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""How a formula begins, as a class of a pattern; the last four are the full-width = + - @."""
_FORMULA = re.compile(FORMULA_STARTS)


def shown_text(text: str) -> str:
    """The text of a cell, with an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
