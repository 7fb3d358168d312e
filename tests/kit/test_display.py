"""People read amounts, moments and names as their language writes them."""

from datetime import UTC, datetime

import pytest

from crossdock.kit.display import country_name, language_name, moment_text, money_text


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
    assert [language_name(code) for code in ("nl", "fr", "en", "de")] == [
        "Nederlands",
        "Français",
        "English",
        "Deutsch",
    ]
