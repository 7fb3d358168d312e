"""Whole numbers as people and programs write them: in a field, an address, a command."""

from typing import Final

ID_DIGITS: Final = 18
"""The longest number that every `bigint` holds, so the longest that can be an id."""


def read_number(text: str, *, digits_max: int = ID_DIGITS) -> int | None:
    """The number that a text of the digits 0 to 9 is; None for any other text, and for more digits.

    Without signs, blanks and separators; zeros may be in front.
    """
    is_number = text.isascii() and text.isdigit() and len(text) <= digits_max
    return int(text) if is_number else None


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun, as a sentence has them: 1 record, 2,000 records."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
