"""Amounts, moments and names for people, by Unicode's locale data (CLDR). Programs get kit/money."""

from datetime import datetime
from functools import cache

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import NumberPattern, get_currency_symbol, parse_pattern

from crossdock.kit.money import exponent, to_decimal

_UNKNOWN = "ZZ"
_MOMENT = {"en": "d MMMM y, HH:mm"}


def money_text(minor: int, currency: str, *, language: str = "en") -> str:
    """An amount with all of its currency's decimals: $1,299.00, €0.50, ¥1,200, CHF 12.00."""
    locale = _locale(language)
    is_word = get_currency_symbol(currency, locale)[-1:].isalpha()
    pattern = _money_pattern(exponent(currency), language=language, is_word=is_word)
    amount = to_decimal(minor, currency)
    return str(pattern.apply(amount, locale, currency=currency, currency_digits=False))


def moment_text(at: datetime, *, language: str = "en") -> str:
    """A day and a time of day, without seconds: 2 March 2026, 12:00. The zone is the moment's own."""
    return format_datetime(at, _MOMENT.get(language, "long"), locale=_locale(language))


def country_name(code: str, *, language: str = "en") -> str:
    """The country's usual name in a language; a code that is none stays as it is."""
    name = _locale(language).territories.get(code.upper(), code)
    return name if len(code) == 2 and code.upper() != _UNKNOWN else code


def language_name(code: str) -> str:
    """What a language calls itself: Nederlands, Français."""
    name = _locale(code).get_display_name() or code
    return name[:1].upper() + name[1:]


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


@cache
def _money_pattern(places: int, *, language: str, is_word: bool) -> NumberPattern:
    """The language's pattern with this many decimals: CLDR's own leave out those that are rare in cash.

    A currency shown by its code is set off from the digits, which the pattern leaves to us.
    """
    text = _locale(language).currency_formats["standard"].pattern
    pattern = parse_pattern(text.replace("¤#", "¤\u00a0#") if is_word else text)
    pattern.frac_prec = (places, places)
    return pattern
