"""Parse texts of cells and elements: amounts, quantities, times, flags, weights and lengths.

Each function takes the field's name for the report and raises RowRefused if the text is invalid.
An empty text is None, or the default.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from crossdock.errors import Invalid
from crossdock.imports.items import RowRefused
from crossdock.kit.money import exponent, parse_amount, round_half_up
from crossdock.kit.zones import read_end, read_start
from crossdock.shop.catalogue import plain_text
from crossdock.shop.stock import QUANTITY_MAX

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{0,20})?|[+-]?\.[0-9]{1,20}", re.ASCII)
_WITH_COMMA = re.compile(
    r"[+-]?(?:[0-9]{1,30}|[0-9]{1,3}(?:\.[0-9]{3}){1,9})(?:,[0-9]{0,20})?", re.ASCII
)
_DOUBTFUL = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}", re.ASCII)
"""One point before three digits: a thousands separator to some, a decimal point to others."""
_GROUP = 3
_SPACED = re.compile(r"[+-]?[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]{0,20})?", re.ASCII)
"""Thousands parted by spaces; a no-break space is one by then."""
_POINT = re.compile(r"[+-]?[0-9]{1,30}\.(?:[0-9]{1,2}|[0-9]{4,20})", re.ASCII)
"""A point that no one writes between thousands."""
_PRICE = re.compile(r"(?:([A-Za-z]{3}) ?)?([0-9.,]+)(?: ?([A-Za-z]{3}))?", re.ASCII)
_MEASURE = re.compile(r"([0-9.,]+)\s*([a-zA-Z\"]*)", re.ASCII)
_DATE = re.compile(r"([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2})", re.ASCII)
_HOUR = re.compile(r"(.{10}[ T])([0-9]:.*)", re.ASCII)
_PART = re.compile(r"(?:\\[\\,]|[^,])+")
_ESCAPED = re.compile(r"\\([\\,])")
# With what spreadsheets in German, French, Spanish, Dutch, Italian and Portuguese make of TRUE and FALSE.
_TRUE = frozenset({
    "true", "yes", "1", "y", "on", "t", "wahr", "vrai", "verdadero", "waar", "vero", "verdadeiro",
})  # fmt: skip
_FALSE = frozenset({
    "false", "no", "0", "n", "off", "f", "falsch", "faux", "falso", "onwaar",
})  # fmt: skip
_GRAMS = {
    "": Decimal(1), "g": Decimal(1), "gram": Decimal(1), "grams": Decimal(1), "kg": Decimal(1000),
    "mg": Decimal("0.001"), "lb": Decimal("453.59237"), "lbs": Decimal("453.59237"),
    "oz": Decimal("28.349523125"),
}  # fmt: skip
_MILLIMETRES = {
    "": Decimal(1), "mm": Decimal(1), "cm": Decimal(10), "m": Decimal(1000),
    "in": Decimal("25.4"), "inch": Decimal("25.4"), '"': Decimal("25.4"), "ft": Decimal("304.8"),
    "yd": Decimal("914.4"),
}  # fmt: skip
_MEASURE_MAX = 10**9


def amount(text: str, *, field: str, currency: str, decimal_comma: bool = False) -> int | None:
    """Minor units of '19.99', or None for an empty text; never negative."""
    if not text:
        return None
    text = _joined(text)
    if decimal_comma:
        plain = _with_point(text, field=field)
    else:
        plain = text
        if exponent(currency) < _GROUP:
            _refuse_doubtful(text, field=field)
    try:
        minor = parse_amount(plain, currency=currency)
    except Invalid as error:
        raise RowRefused(field, f"{error.data['reason']}{_advice(text)}", text) from error
    if minor < 0:
        raise RowRefused(field, "is negative", text)
    return minor


def price(text: str, *, field: str, currency: str, decimal_comma: bool = False) -> int | None:
    """Minor units of '105.29', '105.29 USD' or 'USD 105.29'. Raises RowRefused for another currency."""
    if not text:
        return None
    match = _PRICE.fullmatch(text)
    if match is None:
        raise RowRefused(field, "is not an amount with a currency", text)
    if (match[1] or match[3] or currency).upper() != currency:
        raise RowRefused(field, f"is not in the shop's currency, which is {currency}", text)
    return amount(match[2], field=field, currency=currency, decimal_comma=decimal_comma)


def _advice(text: str) -> str:
    if re.fullmatch(r"[0-9.]*", text, re.ASCII):
        return ""
    comma = ", or set decimal_comma in a map" if "," in text else ""
    return f"; write it as 1234.56{comma}"


def _joined(text: str) -> str:
    """'1 234.50' as '1234.50'."""
    return text.replace(" ", "") if " " in text and _SPACED.fullmatch(text) else text


def _with_point(text: str, *, field: str) -> str:
    """'1.234,50' as '1234.50'; a point that can only be a decimal one is taken for that, as in 9.50."""
    if _POINT.fullmatch(text):
        return text
    if not _WITH_COMMA.fullmatch(text):
        raise RowRefused(field, "is not a number with a decimal comma, as 1.234,56", text)
    return text.replace(".", "").replace(",", ".").rstrip(".")


def _refuse_doubtful(text: str, *, field: str) -> None:
    if _DOUBTFUL.fullmatch(text):
        whole, _, rest = text.partition(".")
        reason = (
            f"may be {whole} or {whole}{rest}; write it without the point, or with two decimals"
        )
        raise RowRefused(field, reason, text)


def number(text: str, *, field: str, decimal_comma: bool = False) -> Decimal | None:
    """A decimal number without an exponent."""
    if not text:
        return None
    text = _joined(text)
    plain = _with_point(text, field=field) if decimal_comma else text
    if not _NUMBER.fullmatch(plain):
        raise RowRefused(field, f"is not a number{_advice(text)}", text)
    return Decimal(plain)


def quantity(text: str, *, field: str, decimal_comma: bool = False) -> int | None:
    """A whole number of units; a negative one (oversold goods) counts as 0."""
    if not decimal_comma:
        _refuse_doubtful(text, field=field)
    value = number(text, field=field, decimal_comma=decimal_comma)
    if value is None:
        return None
    if value != value.to_integral_value():
        raise RowRefused(field, "is not a whole number", text)
    if value > QUANTITY_MAX:
        raise RowRefused(field, "is too large", text)
    return max(int(value), 0)


def flag(text: str, *, field: str, default: bool, also: Mapping[str, bool] | None = None) -> bool:
    """Yes or no, in the usual spellings, or in words that the column has `also`."""
    word = text.casefold()
    if also and word in also:
        return also[word]
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    if word:
        raise RowRefused(field, "is not yes or no", text)
    return default


def moment(text: str, *, field: str, zone: ZoneInfo, is_end: bool = False) -> datetime | None:
    """A date, or a date and time as 2026-11-01 9:30:00; what has no zone is in the shop's.

    Without a time it is the day's start, as an end the day's end: what ends on a day lasts that day.
    """
    if not text:
        return None
    padded = _HOUR.sub(r"\g<1>0\2", _DATE.sub(r"\1-\2-\3", text, count=1), count=1)
    try:
        value = (read_end if is_end else read_start)(padded, zone=zone)
    except ValueError as error:
        raise RowRefused(field, "is not an ISO date", text) from error
    if value.year < 1900 or value.year > 9000:
        raise RowRefused(field, "is not a date of our time", text)
    return value


def grams(text: str, *, field: str, unit: str = "g", decimal_comma: bool = False) -> int:
    """A weight in whole grams, rounded half up; '1.5 oz' carries its own unit."""
    return _measured(text, _GRAMS, field=field, unit=unit, decimal_comma=decimal_comma) or 0


def millimetres(
    text: str, *, field: str, unit: str = "mm", decimal_comma: bool = False
) -> int | None:
    """A length in whole millimetres, rounded half up; '20 in' carries its own unit."""
    return _measured(text, _MILLIMETRES, field=field, unit=unit, decimal_comma=decimal_comma)


def _measured(
    text: str, units: dict[str, Decimal], *, field: str, unit: str, decimal_comma: bool
) -> int | None:
    if not text:
        return None
    match = _MEASURE.fullmatch(text)
    factor = units.get((match[2] or unit).casefold()) if match else None
    value = number(match[1], field=field, decimal_comma=decimal_comma) if match else None
    if factor is None or value is None:
        raise RowRefused(field, "is not a measurement with a known unit", text)
    whole = round_half_up(value * factor)
    if whole > _MEASURE_MAX:
        raise RowRefused(field, "is too large", text)
    return whole


def category_path(text: str) -> tuple[str, ...]:
    """'A > B' as names; '&gt;' and '&amp;' in a name are unescaped."""
    names = map(plain_text, text.split(">"))
    return tuple(name for name in names if name)


def path_text(path: tuple[str, ...]) -> str:
    """The inverse of `category_path`."""
    return " > ".join(name.replace("&", "&amp;").replace(">", "&gt;") for name in path)


def split_list(text: str) -> list[str]:
    r"""Split at commas; `\,` is a comma inside a part and `\\` a backslash."""
    if "\\" not in text:
        return [part for word in text.split(",") if (part := word.strip())]
    found = (_ESCAPED.sub(r"\1", part.strip()) for part in _PART.findall(text))
    return [part for part in found if part]


def join_list(parts: tuple[str, ...] | list[str]) -> str:
    """The inverse of `split_list`."""
    return ", ".join(part.replace("\\", "\\\\").replace(",", "\\,") for part in parts)
