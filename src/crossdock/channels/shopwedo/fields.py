"""Parses single values of `data`, leniently where the clients need it (spec 2.1, rule 9)."""

from collections.abc import Sequence
from typing import Any

from crossdock.channels import plumbing
from crossdock.channels.plumbing import JsonNumber, as_list
from crossdock.channels.shopwedo.errors import WireError
from crossdock.channels.shopwedo.wire import Json
from crossdock.errors import NotFound
from crossdock.kit.texts import visible

IDS_MAX = 1_000
ITEMS_MAX = 200
TEXT_MAX = 255
_ID_MAX = 2**62


def whole(value: Any) -> int | None:
    """An integer, also as text with blanks around it or a plus; None for anything else."""
    if isinstance(value, str) and not isinstance(value, JsonNumber):
        value = value.strip().removeprefix("+")
    return plumbing.whole(value)


def items(data: Json) -> list[Any]:
    """The list of a return's items."""
    value = data.get("items")
    if not isinstance(value, list) or not 1 <= len(value) <= ITEMS_MAX:
        raise WireError("data_invalid", f"items must be a list of 1 to {ITEMS_MAX}")
    return value


def order_id(value: Any) -> int | None:
    """Our order number; clients may prefix it with ORD_ (spec 7)."""
    if value in (None, "", [], {}):
        return None
    is_text = isinstance(value, str) and not isinstance(value, JsonNumber)
    found = whole(value.strip().removeprefix("ORD_") if is_text else value)
    if found is None:
        raise WireError("data_invalid", "order_id must be an order number")
    if not 0 < found < _ID_MAX:
        raise NotFound("order_not_found")
    return found


def number(data: Json, field: str, *, default: int | None, least: int) -> int | None:
    """An integer of at least `least`; the default if absent."""
    value = data.get(field)
    if value is None or value == "":
        return default
    found = whole(value)
    if found is None or found < least:
        raise WireError("data_invalid", f"{field} must be an integer of at least {least}")
    return min(found, _ID_MAX)


def offset(data: Json) -> int | None:
    """The offset of a catalogue page; None means the whole list."""
    return number(data, "offset", default=None, least=0)


def ids(data: Json, field: str) -> Sequence[int] | None:
    """An integer or a list of them; None if the filter is absent.

    An empty list matches nothing. A list with gaps, which PHP writes as an object, is one.
    """
    value = data.get(field)
    if value is None or value == "":
        return None
    value = [] if value == {} else as_list(value)
    values = value if isinstance(value, list) else [value]
    numbers = [whole(entry) for entry in values]
    if len(numbers) > IDS_MAX or None in numbers:
        raise WireError("data_invalid", f"{field} must be an integer or a list of integers")
    return [number for number in numbers if number is not None and abs(number) < _ID_MAX]


def text(data: Json, field: str) -> str:
    """A short text, stripped; numbers are taken too, and what nobody can see is ''."""
    value = data.get(field)
    if value is None:
        return ""
    if isinstance(value, bool | dict | list) or len(str(value)) > TEXT_MAX:
        raise WireError("data_invalid", f"{field} must be text of at most {TEXT_MAX} characters")
    return visible(clean(str(value)))


def clean(value: str) -> str:
    """The text. Raises WireError for characters that the database cannot store."""
    if any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in value):
        raise WireError("data_invalid", "text holds what is no character")
    return value
