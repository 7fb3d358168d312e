"""GTIN, UPC and EAN: one number space of 8, 12, 13 or 14 digits, compared as 14."""

import re

_WRITTEN = re.compile(r"[0-9][0-9 \-]{6,28}[0-9]", re.ASCII)
_LENGTHS = frozenset({8, 12, 13, 14})


def normalise_gtin(text: str) -> str | None:
    """The GTIN-14 of a trade item number, or None when it is none.

    Spaces and hyphens between the digits are passed over. Valid are 8, 12, 13 or 14 digits whose
    last is the GS1 check digit of the others; all zeros is nobody's number. Numbers of different
    lengths are equal when their GTIN-14 are (leading zeros fill up).
    """
    if not _WRITTEN.fullmatch(text):
        return None
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) not in _LENGTHS:
        return None
    padded = digits.rjust(14, "0")
    if padded == "0" * 14 or check_digit(padded[:-1]) != padded[-1]:
        return None
    return padded


def check_digit(body: str) -> str:
    """The GS1 check digit of the digits before it: weights 3, 1, 3 ... from the right."""
    total = 3 * sum(map(int, body[::-2])) + sum(map(int, body[-2::-2]))
    return str(-total % 10)


def digits_of(text: str) -> str:
    """The number as it may be shown: digits only where it is digits with spaces or hyphens."""
    return text.replace(" ", "").replace("-", "") if _WRITTEN.fullmatch(text) else text
