"""Money is exact: texts and minor units say the same, rounding is half up, parts make the total."""

from decimal import Decimal
from fractions import Fraction

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.errors import Invalid
from crossdock.kit import money

currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF", "XAF", "TND", "GBP"])
amounts = st.integers(-money.MINOR_MAX, money.MINOR_MAX)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("19.99", "EUR", 1999),
        ("19.9", "EUR", 1990),
        ("19", "EUR", 1900),
        ("0", "EUR", 0),
        ("-0.01", "EUR", -1),
        ("+5", "JPY", 5),
        ("5.000", "JPY", 5),
        ("1.234", "KWD", 1234),
        ("007.10", "USD", 710),
    ],
)
def test_reads_an_amount(text, currency, minor):
    assert money.parse_amount(text, currency=currency) == minor


def test_every_currency_has_the_decimals_of_iso_4217():
    rare = {"CLF": 4, "UYW": 4} | dict.fromkeys(
        ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3
    )
    rare |= dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    )
    codes = {currency.alpha_3 for currency in pycountry.currencies}

    assert len(codes) > 170
    assert {code: money.exponent(code) for code in codes} == dict.fromkeys(codes, 2) | rare
    assert money.exponent("ZZZ") == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1,5",
        "1e3",
        "1e400",
        ".5",
        "5.",
        "NaN",
        "inf",
        "0x1",
        "١",
        "1_000",
        "€5",
        "--1",
        "9" * 41,
        "0.001",
    ],
)
def test_refuses_what_is_no_exact_amount(text):
    with pytest.raises(Invalid) as refusal:
        money.parse_amount(text, currency="EUR")
    assert refusal.value.code == "invalid_input"


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        (" 19.99 ", "EUR", 1999), ("19,99", "EUR", 1999), ("-0,5", "EUR", -50), ("19", "EUR", 1900),
        ("1\u00a0299,50", "EUR", 129_950), ("1\u202f299", "JPY", 1299), ("1,250", "KWD", 1250),
    ],
)  # fmt: skip
def test_reads_an_amount_as_people_type_it(text, currency, minor):
    assert money.parse_typed_amount(text, currency=currency) == minor


@pytest.mark.parametrize("text", ["", "1,299.00", "1.299,00", "1,299", "1,2,3", "1 2", "19,-"])
def test_refuses_typed_amounts_that_may_mean_another(text):
    with pytest.raises(Invalid) as refused:
        money.parse_typed_amount(text, currency="EUR")
    assert refused.value.code == "invalid_input"


@pytest.mark.parametrize("value", [1.5, float("nan"), True])
def test_refuses_floats_and_booleans(value):
    with pytest.raises(TypeError):
        money.parse_amount(value, currency="EUR")


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("Infinity"), Decimal("1e400"), Decimal("1e-400"), 10**16]
)
def test_refuses_decimals_out_of_range(value):
    with pytest.raises(Invalid):
        money.parse_amount(value, currency="EUR")


def test_reads_amounts_up_to_forty_places():
    assert money.parse_amount("0" * 36 + "1.99", currency="EUR") == 199
    assert money.parse_amount(Decimal("0E+40"), currency="EUR") == 0
    for too_long in ("0" * 37 + "1.99", Decimal("0E+41")):
        with pytest.raises(Invalid):
            money.parse_amount(too_long, currency="EUR")


@pytest.mark.parametrize("code", ["", "eur", "EURO", "E1R", "É€R"])
def test_refuses_what_is_no_currency_code(code):
    with pytest.raises(Invalid):
        money.exponent(code)


@pytest.mark.parametrize(
    ("text", "minor"), [("0.005", 1), ("0.0049", 0), ("-0.005", -1), ("1.015", 102), ("2.675", 268)]
)
def test_rounds_half_up_when_asked(text, minor):
    assert money.parse_amount(text, currency="EUR", rounds=True) == minor


@given(amounts, currencies)
def test_a_formatted_amount_reads_back(minor, currency):
    text = money.format_minor(minor, currency)
    assert money.parse_amount(text, currency=currency) == minor
    assert Decimal(text) == money.to_decimal(minor, currency)


def test_formats_with_the_currencys_decimals():
    assert [
        money.format_minor(m, c)
        for m, c in [(1999, "EUR"), (5, "EUR"), (-5, "KWD"), (7, "JPY"), (0, "EUR")]
    ] == [
        "19.99",
        "0.05",
        "-0.005",
        "7",
        "0.00",
    ]


def test_divides_by_whole_positive_numbers_alone():
    assert [money.divide_half_up(n, 1) for n in (3, 0, -3)] == [3, 0, -3]
    assert [money.divide_half_up(n, 2) for n in (3, 1, -1, -3)] == [2, 1, -1, -2]
    for denominator in (0, -1):
        with pytest.raises(ValueError, match="positive"):
            money.divide_half_up(3, denominator)


@given(amounts, st.integers(0, 10_000))
def test_a_share_is_the_exact_share_rounded_half_up(minor, rate_bp):
    exact = Fraction(abs(minor) * rate_bp, 10_000)
    rounded = int(exact + Fraction(1, 2))
    assert money.share_bp(minor, rate_bp) == (rounded if minor >= 0 else -rounded)


@given(st.integers(0, money.MINOR_MAX), st.integers(0, 10_000))
def test_net_and_contained_tax_make_the_gross(gross, rate_bp):
    tax = money.tax_within_bp(gross, rate_bp)
    assert 0 <= tax <= gross
    assert abs(Fraction(gross - tax) * rate_bp / 10_000 - tax) <= 1


@given(amounts, st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_parts_make_the_total_and_are_fair(total, weights):
    parts = money.allocate(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(
            abs(part - Fraction(total * weight, whole)) < 1
            for part, weight in zip(parts, weights, strict=True)
        )


def test_allocating_prefers_the_larger_remainder_then_the_earlier_part():
    assert money.allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert money.allocate(5, [3, 7]) == [2, 3]
    assert money.allocate(-100, [1, 1, 1]) == [-34, -33, -33]
    assert money.allocate(3, [0, 0]) == [2, 1]
    assert money.allocate(10, [0, 1, 3]) == [0, 3, 7]
    for weights in ([], [-1, 2]):
        with pytest.raises(ValueError):
            money.allocate(1, weights)


@pytest.mark.parametrize(
    ("text", "bp"), [("21", 2100), ("5.5", 550), ("0", 0), ("100", 10_000), ("0.01", 1)]
)
def test_reads_a_percentage(text, bp):
    assert money.parse_rate_bp(text) == bp


@pytest.mark.parametrize("text", ["-1", "100.01", "1.001", "21%", "x"])
def test_refuses_what_is_no_percentage(text):
    with pytest.raises(Invalid):
        money.parse_rate_bp(text)


@pytest.mark.parametrize("value", [5.5, 21.0, True])
def test_a_percentage_is_never_a_float_nor_a_flag(value):
    with pytest.raises(TypeError, match="never a float"):
        money.parse_rate_bp(value)
