"""Values as clients write them: lists that PHP made objects, whole numbers with a decimal point.

No float comes in: a number with a fraction or an exponent stays the text that was sent until it is
read, exactly and with a bound, so that 1e999999 costs nothing.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from crossdock.kit.schemas import as_list

__all__ = ["JsonNumber", "as_list", "exact", "whole"]

_WHOLE = re.compile(r"(-?[0-9]{1,19})(?:\.0{1,20})?", re.ASCII)
_EXPONENT_MAX = 100
_LENGTH_MAX = 1_000


class JsonNumber(str):
    """A JSON number with a fraction or an exponent, as its text."""

    __slots__ = ()


def exact(value: int | JsonNumber) -> Decimal | None:
    """The number, or None where it has an exponent or a length beyond reason."""
    if isinstance(value, JsonNumber) and len(value) > _LENGTH_MAX:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    is_sane = number.is_finite() and abs(number.adjusted()) <= _EXPONENT_MAX
    return number if is_sane else None


def whole(value: Any) -> int | None:
    """A whole number; None for anything else.

    | sent | read |
    |---|---|
    | `5`, `"5"`, `"-5"` | the number |
    | `5.0`, `5e0`, `"5.00"` | the same: PHP and spreadsheets write whole numbers so |
    | `5.5`, `"5.5"`, `"5e0"`, `" 5"`, `true`, `null` | None |
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, JsonNumber):
        number = exact(value)
        is_whole = number is not None and number == number.to_integral_value()
        return int(number) if number is not None and is_whole else None
    if isinstance(value, str) and (match := _WHOLE.fullmatch(value)):
        return int(match[1])
    return None
