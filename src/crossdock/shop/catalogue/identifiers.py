"""GTIN, UPC and EAN: one number space of 8, 12, 13 or 14 digits, compared as 14."""

import re

_WRITTEN = re.compile(r"[0-9][0-9 \-]{6,28}[0-9]", re.ASCII)
_LENGTHS = frozenset({8, 12, 13, 14})


def normalise_gtin(text: str) -> str | None:
    """The GTIN-14 of a trade item number, or None if the text is not one.

    Spaces and hyphens between the digits are ignored. Valid are 8, 12, 13 or 14 digits whose last
    is the GS1 check digit of the others, except all zeros. Numbers of different lengths are equal
    if their GTIN-14 are (padded with leading zeros).
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
    """The GS1 check digit for these digits: weights 3, 1, 3 ... from the right."""
    total = 3 * sum(map(int, body[::-2])) + sum(map(int, body[-2::-2]))
    return str(-total % 10)


def digits_of(text: str) -> str:
    """The number for display: without spaces and hyphens if it has nothing else but digits."""
    return text.replace(" ", "").replace("-", "") if _WRITTEN.fullmatch(text) else text
