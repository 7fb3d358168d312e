"""People read amounts, moments and names as their language writes them."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from babel import Locale
from babel.dates import format_datetime
from babel.numbers import get_currency_symbol, parse_pattern

from crossdock.kit.display import (
    country_name,
    language_name,
    moment_text,
    money_text,
    short_moment_text,
)
from crossdock.kit.money import exponent, to_decimal


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (129_900, "USD", "$1,299.00"),
        (50, "EUR", "€0.50"),
        (1_200, "JPY", "¥1,200"),
        (1_200, "CHF", "CHF\u00a012.00"),
        (1_299, "CAD", "CA$12.99"),
        (-500, "USD", "-$5.00"),
        (0, "GBP", "£0.00"),
        (12_345, "IQD", "IQD\u00a012.345"),  # CLDR shows none of its decimals, ISO 4217 has three
        (100, "RSD", "RSD\u00a01.00"),
        (10**15, "USD", "$10,000,000,000,000.00"),
    ],
)
def test_an_amount_has_all_decimals_of_its_currency(minor, currency, text):
    assert money_text(minor, currency) == text


def test_an_amount_is_written_as_its_language_does():
    assert money_text(129_900, "EUR", language="nl") == "€\u00a01.299,00"
    assert money_text(129_900, "EUR", language="de") == "1.299,00\u00a0€"


def test_a_moment_is_a_day_and_a_time():
    assert moment_text(datetime(2026, 3, 2, 9, 5, 59, tzinfo=UTC)) == "2 March 2026, 09:05"


@pytest.mark.parametrize(
    ("code", "language", "name"),
    [
        ("BE", "en", "Belgium"),
        ("be", "nl", "België"),
        ("kr", "en", "South Korea"),
        ("XX", "en", "XX"),
        ("ZZ", "en", "ZZ"),
        ("001", "en", "001"),
        ("", "en", ""),
    ],
)
def test_a_country_has_its_usual_name_and_a_code_that_is_none_stays(code, language, name):
    assert country_name(code, language=language) == name


def test_a_language_is_called_as_it_calls_itself():
    assert [language_name(code) for code in ("nl", "fr", "en", "de", "xx", "no code")] == [
        "Nederlands",
        "Français",
        "English",
        "Deutsch",
        "xx",
        "no code",
    ]


LANGUAGES = ("en", "nl", "fr", "de")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("currency", ["EUR", "USD", "JPY", "CHF", "KWD", "CLF"])
def test_an_amount_is_written_as_its_locales_pattern_says(language, currency):
    rng, locale, places = (
        random.Random(f"{language} {currency}"),
        Locale.parse(language),
        exponent(currency),
    )
    text = locale.currency_formats["standard"].pattern
    is_word = get_currency_symbol(currency, locale)[-1:].isalpha()
    pattern = parse_pattern(text.replace("¤#", "¤\u00a0#") if is_word else text)
    pattern.frac_prec = (places, places)
    for digits in range(14):
        minor = rng.randint(-(10**digits), 10**digits)
        amount = to_decimal(minor, currency)
        said = pattern.apply(amount, locale, currency=currency, currency_digits=False)
        assert money_text(minor, currency, language=language) == said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_moment_in_a_table_is_written_as_its_locale_says(language):
    for month in range(12):
        at = datetime(2026, 1, 9, 7, 5, tzinfo=UTC) + timedelta(days=30 * month)
        said = format_datetime(at, "d MMM y, HH:mm", locale=language)
        assert short_moment_text(at, language=language) == said
