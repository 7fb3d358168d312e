"""Format amounts, times and names for people with CLDR's locale data; for programs see kit/money."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import cast

import msgspec
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import (
    NumberPattern,
    format_decimal,
    format_percent,
    get_currency_symbol,
    parse_pattern,
)

from crossdock.kit.money import exponent

_UNKNOWN = "ZZ"
_MOMENT = dict.fromkeys(("en", "nl", "fr", "de"), "d MMMM y, HH:mm")
_MOMENT_SECONDS = "d MMM y, HH:mm:ss"
_DAY = "d MMM y"


def money_text(minor: int, currency: str, *, language: str = "en") -> str:
    """An amount with all of its currency's decimals: $1,299.00, €0.50, ¥1,200, CHF 12.00."""
    frame = _money_frame(currency, language=language, is_negative=minor < 0)
    whole, parts = divmod(abs(minor), 10**frame.places)
    digits = f"{whole:,}".replace(",", frame.group)
    if frame.places:
        digits = f"{digits}{frame.point}{parts:0{frame.places}}"
    return f"{frame.before}{digits}{frame.after}"


def percent_text(basis_points: int, *, language: str = "en") -> str:
    """A rate with the decimals that it has: 1250 is 12.5%."""
    rate = Decimal(basis_points).scaleb(-4)
    return str(format_percent(rate, locale=_locale(language), decimal_quantization=False))


def moment_text(at: datetime, *, language: str = "en") -> str:
    """Date and time without seconds, in the moment's own time zone: 2 March 2026, 12:00."""
    return format_datetime(at, _MOMENT.get(language, "long"), locale=_locale(language))


def short_moment_text(at: datetime, *, language: str = "en") -> str:
    """Date and time for a table: 2 Mar 2026, 12:00."""
    month = _months(language)[at.month]
    return f"{at.day} {month} {at.year}, {at.hour:02}:{at.minute:02}"


def second_text(at: datetime, *, language: str = "en") -> str:
    """The same to the second."""
    return format_datetime(at, _MOMENT_SECONDS, locale=_locale(language))


def day_text(at: date, *, language: str = "en") -> str:
    """A day, short enough for a table: 2 Mar 2026, 2 mrt 2026."""
    return format_date(at, _DAY, locale=_locale(language))


def number_text(number: int, *, language: str = "en") -> str:
    """A whole number with its thousands apart: 12,500, 12.500, 12 500."""
    return format_decimal(number, locale=_locale(language))


def rate_text(basis_points: int, *, language: str = "en") -> str:
    """A percentage without its sign: 3000 is 30, 1250 is 12.5 or 12,5."""
    return format_decimal(Decimal(basis_points) / 100, locale=_locale(language))


def country_name(code: str, *, language: str = "en") -> str:
    """The country's name in a language; an unknown code is returned unchanged."""
    name = _locale(language).territories.get(code.upper(), code)
    return name if len(code) == 2 and code.upper() != _UNKNOWN else code


def language_name(code: str) -> str:
    """The language's name in that language: Nederlands, Français; an unknown code is returned unchanged."""
    try:
        name = _locale(code.replace("-", "_")).get_display_name() or code
    except (UnknownLocaleError, ValueError):
        return code
    return name[:1].upper() + name[1:]


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


@cache
def _months(language: str) -> Mapping[int, str]:
    """The months as a date has them, short."""
    return cast("Mapping[int, str]", _locale(language).months["format"]["abbreviated"])


class _MoneyFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What a language has around an amount's digits, and between them."""

    before: str
    after: str
    group: str
    point: str
    places: int


@cache
def _money_frame(currency: str, *, language: str, is_negative: bool) -> _MoneyFrame:
    """As CLDR's pattern shows an amount: applying it to each takes ten times as long."""
    locale, places = _locale(language), exponent(currency)
    is_word = get_currency_symbol(currency, locale)[-1:].isalpha()
    pattern = _money_pattern(places, language=language, is_word=is_word)
    amount = Decimal(-1200 if is_negative else 1200)
    shown = pattern.apply(amount, locale, currency=currency, currency_digits=False)
    before, digits = str(shown).split("1", 1)
    group, rest = digits.split("200", 1)
    point, after = rest.split("0" * places, 1) if places else ("", rest)
    return _MoneyFrame(before=before, after=after, group=group, point=point, places=places)


@cache
def _money_pattern(places: int, *, language: str, is_word: bool) -> NumberPattern:
    """The language's pattern with this many decimals; CLDR omits decimals that are rare in cash.

    A currency shown by its code gets a no-break space before the digits, which CLDR's pattern lacks.
    """
    text = _locale(language).currency_formats["standard"].pattern
    pattern = parse_pattern(text.replace("¤#", "¤\u00a0#") if is_word else text)
    pattern.frac_prec = (places, places)
    return pattern
