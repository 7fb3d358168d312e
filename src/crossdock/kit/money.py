"""Money: whole minor units with an ISO 4217 currency, rates in basis points, one rounding rule.

No float comes in or goes out. Rounding is half up, away from zero, and only `round_half_up` does it.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache

from crossdock.errors import Invalid

_CURRENCY = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_LONGEST_AMOUNT = 40
_SPACES = dict.fromkeys(map(ord, "\u00a0\u202f"))  # between thousands, as spreadsheets copy them

MINOR_MAX = 10**15
"""The largest amount, in minor units, that is read from outside: sums of many still fit 64 bits."""


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """The currency's number of decimals by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD; 2 if unknown.

    Raises Invalid (invalid_input) unless the code is three capital letters.
    """
    if not _CURRENCY.fullmatch(currency):
        raise Invalid(
            "invalid_input", f"{currency!r:.20} is not a currency code", {"field": "currency"}
        )
    return _exponents().get(currency, 2)


@cache
def _exponents() -> dict[str, int]:
    """Decimals by code, from list one of ISO 4217; metals and test codes have none."""
    from iso4217 import Currency  # late: it parses the list when imported

    places = ((str(currency.code), currency.exponent) for currency in Currency)
    return {code: places for code, places in places if places is not None}


def round_half_up(value: Decimal) -> int:
    """Round to a whole number; a half goes away from zero."""
    return int(value.to_integral_value(rounding=ROUND_HALF_UP))


def parse_amount(amount: str | int | Decimal, *, currency: str, rounds: bool = False) -> int:
    """Minor units of an amount in major units: '19.99' EUR is 1999, '5' JPY is 5.

    A text is digits with an optional sign and an optional point; no grouping, exponent or currency
    sign. Raises Invalid (invalid_input) for anything else, for more than MINOR_MAX, and for more
    decimals than the currency has unless `rounds` is set; TypeError for a float.
    """
    if isinstance(amount, float | bool):
        raise TypeError("money is never a float")
    places = exponent(currency)
    value = _read(amount).scaleb(places)
    minor = round_half_up(value)
    if minor != value and not rounds:
        raise _invalid(f"has more decimals than {currency} knows", amount)
    if abs(minor) > MINOR_MAX:
        raise _invalid("is too large", amount)
    return minor


def parse_typed_amount(text: str, *, currency: str) -> int:
    """The same of a text that a person typed, where a comma may stand for the point: '19,99' EUR is 1999."""
    plain = text.translate(_SPACES).strip()
    return parse_amount(plain if "." in plain else plain.replace(",", "."), currency=currency)


def format_minor(minor: int, currency: str) -> str:
    """The amount in major units with exactly the currency's decimals: 1999 EUR is '19.99'."""
    places = exponent(currency)
    if not places:
        return str(minor)
    digits = str(abs(minor)).rjust(places + 1, "0")
    return f"{'-' if minor < 0 else ''}{digits[:-places]}.{digits[-places:]}"


@lru_cache(maxsize=16_384)
def to_decimal(minor: int, currency: str) -> Decimal:
    """The exact amount in major units, for formats that require a number."""
    return Decimal(minor).scaleb(-exponent(currency))


def share_bp(minor: int, rate_bp: int) -> int:
    """The share of an amount at a rate in basis points, rounded half up: 2100 of 999 is 210."""
    return divide_half_up(minor * rate_bp, 10_000)


def tax_within_bp(gross_minor: int, rate_bp: int) -> int:
    """The tax contained in a gross amount: 2100 of 1210 is 210. The net amount is gross minus tax."""
    return divide_half_up(gross_minor * rate_bp, 10_000 + rate_bp)


def divide_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest whole number, a half away from zero; denominator > 0."""
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


def allocate(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Split `total_minor` in proportion to `weights`; the parts sum to the total.

    Each part is within one minor unit of its exact share; remaining units go to the largest
    remainders, among equal ones to the earlier part. If all weights are zero, the parts are
    equal. Raises ValueError for no weights or a negative one.
    """
    if not weights or min(weights) < 0:
        raise ValueError("weights must be given and not negative")
    shares = weights if any(weights) else [1] * len(weights)
    whole = sum(shares)
    sign = -1 if total_minor < 0 else 1
    cuts = [divmod(abs(total_minor) * share, whole) for share in shares]
    parts = [part for part, _ in cuts]
    left = abs(total_minor) - sum(parts)
    for index in sorted(range(len(cuts)), key=lambda i: (-cuts[i][1], i))[:left]:
        parts[index] += 1
    return [sign * part for part in parts]


def parse_rate_bp(percent: str | int | Decimal) -> int:
    """Basis points of a percentage: '21' is 2100, '5.5' is 550.

    Raises Invalid (invalid_input) if it is not a number from 0 to 100 with at most two decimals;
    TypeError for a float.
    """
    if isinstance(percent, float | bool):
        raise TypeError("a rate is never a float")
    value = _read(percent).scaleb(2)
    if value != value.to_integral_value() or not 0 <= value <= 10_000:
        raise _invalid("is not a percentage from 0 to 100 with at most two decimals", percent)
    return int(value)


def format_rate_bp(basis_points: int) -> str:
    """A percentage as `parse_rate_bp` reads it: 3000 is '30', 1250 is '12.5'."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else f"{whole}"


def _read(amount: str | int | Decimal) -> Decimal:
    if isinstance(amount, str):
        if len(amount) > _LONGEST_AMOUNT or not _AMOUNT.fullmatch(amount):
            raise _invalid("is not an amount", amount)
        return Decimal(amount)
    value = Decimal(amount)
    if not value.is_finite() or abs(value.adjusted()) > _LONGEST_AMOUNT:
        raise _invalid("is not an amount", amount)
    return value


def _invalid(reason: str, amount: object) -> Invalid:
    return Invalid("invalid_input", f"{str(amount)[:40]!r} {reason}", {"reason": reason})
