"""Numbers as people write them: read where they are plain, refused where they may mean two things."""

import pytest

from crossdock.imports import fields
from crossdock.imports.items import RowRefused


def amount(text, **how):
    return fields.amount(text, field="Price", **({"currency": "USD"} | how))


@pytest.mark.parametrize(
    ("text", "minor"), [("", None), ("19.99", 1999), ("5", 500), ("19.9900", 1999), ("0.500", 50), ("1000.00", 100000)]
)  # fmt: skip
def test_an_amount_has_a_point(text, minor):
    assert amount(text) == minor


@pytest.mark.parametrize(
    ("text", "minor"),
    [("1.234,56", 123456), ("12,50", 1250), ("1.234", 123400), ("1.234.567,8", 123456780), ("7,", 700)],
)  # fmt: skip
def test_a_decimal_comma_is_read_where_the_map_says_so(text, minor):
    assert amount(text, decimal_comma=True) == minor


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.234,56", "is not an amount; write it as 1234.56, or set decimal_comma in a map"),
        ("1,234.56", "or set decimal_comma in a map"),
        ("$5", "is not an amount; write it as 1234.56"),
        ("5 USD", "write it as 1234.56"),
        ("5 €", "write it as 1234.56"),
        ("٣", "write it as 1234.56"),
        ("1e3", "write it as 1234.56"),
        ("1.000", "may be 1 or 1000; write it without the point, or with two decimals"),
        ("19.990", "may be 19 or 19990"),
        ("-1", "is negative"),
        ("9" * 20, "is too large"),
        ("9.9999", "has more decimals than USD knows"),
    ],
)  # fmt: skip
def test_an_amount_that_is_none_says_how_to_write_it(text, reason):
    with pytest.raises(RowRefused) as refused:
        amount(text)
    assert reason in refused.value.reason


@pytest.mark.parametrize("text", ["1,234.56", "1.23,4", "1.2345,6", ",5", "1,2,3", "x"])
def test_a_point_that_groups_nothing_is_refused_beside_decimal_commas(text):
    with pytest.raises(RowRefused, match="is not a number with a decimal comma"):
        amount(text, decimal_comma=True)


def test_three_decimals_are_no_doubt_where_the_currency_has_three():
    assert amount("1.234", currency="KWD") == 1234


@pytest.mark.parametrize(
    ("text", "how", "units"),
    [
        ("5", {}, 5),
        ("5.0", {}, 5),
        ("100.0000", {}, 100),
        ("-7", {}, 0),
        ("1.000", {"decimal_comma": True}, 1000),
        ("5,0", {"decimal_comma": True}, 5),
        ("-" + "9" * 20, {}, 0),
    ],
)
def test_a_quantity_is_a_whole_number(text, how, units):
    assert fields.quantity(text, field="Stock", **how) == units


@pytest.mark.parametrize(
    ("text", "how", "reason"),
    [
        ("1.000", {}, "may be 1 or 1000"),
        ("1,000", {}, "is not a number; write it as 1234.56"),
        ("2.5", {}, "is not a whole number"),
        ("2,5", {"decimal_comma": True}, "is not a whole number"),
        ("12345678901234567890", {}, "is too large"),
        ("9" * 40, {}, "is not a number"),
        ("five", {}, "is not a number"),
    ],
)
def test_a_quantity_that_is_none_is_refused(text, how, reason):
    with pytest.raises(RowRefused, match=reason):
        fields.quantity(text, field="Stock", **how)


def test_weights_and_lengths_follow_the_decimal_comma_too():
    assert fields.grams("1.250", field="Weight", unit="kg") == 1250
    assert fields.grams("1,25 kg", field="Weight", decimal_comma=True) == 1250
    assert fields.millimetres("1.250,5", field="Length", decimal_comma=True) == 1251
    with pytest.raises(RowRefused, match="decimal_comma in a map"):
        fields.grams("1,25 kg", field="Weight")


@pytest.mark.parametrize(
    ("text", "comma", "minor"),
    [("1 234,56", True, 123456), ("12 345 678.90", False, 1234567890), ("9.50", True, 950)],
)
def test_spaces_between_thousands_and_a_plain_decimal_point_are_read(text, comma, minor):
    assert fields.amount(text, field="p", currency="EUR", decimal_comma=comma) == minor
