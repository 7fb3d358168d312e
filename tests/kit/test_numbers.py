"""A whole number that was written ..."""

import pytest

from crossdock.kit.numbers import read_number


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("9" * 18, 10**18 - 1)]
)
def test_is_read(text: str, number: int) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 7",
        "7 ",
        "+7",
        "-7",
        "7.0",
        "7e3",
        "1_000",
        "٧",
        "²",
        "７",
        "seven",
        "9" * 19,
        "0" * 5000,
    ],
)
def test_is_none_where_the_text_is_something_else_or_too_long(text: str) -> None:
    assert read_number(text) is None


def test_may_be_kept_to_fewer_digits() -> None:
    assert read_number("999", digits_max=3) == 999
    assert read_number("0999", digits_max=3) is None
