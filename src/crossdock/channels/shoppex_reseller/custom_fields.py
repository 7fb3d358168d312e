"""Fields that callers name themselves, and addresses of the web."""

from typing import Any, Final
from urllib.parse import urlsplit

from crossdock.channels.plumbing import JsonNumber
from crossdock.channels.shoppex_reseller.fields import Fields

FIELDS_MAX: Final = 50
NAME_MAX: Final = 64
TEXT_MAX: Final = 2_000
_WHOLE_MAX: Final = 10**15


def read_custom_fields(fields: Fields, name: str) -> dict[str, Any]:
    """An object of texts, whole numbers and flags; any other number is kept as a text. What is wrong is noted."""
    value = fields.value(name)
    if value is None or value == []:  # how PHP writes an object without fields
        return {}
    if not isinstance(value, dict):
        fields.refuse(name, "must be an object")
        return {}
    if len(value) > FIELDS_MAX:
        fields.refuse(name, f"must have at most {FIELDS_MAX} entries")
        return {}
    if not all(each.isprintable() and len(each) <= NAME_MAX for each in value):
        fields.refuse(name, f"must have names of at most {NAME_MAX} printable characters")
        return {}
    within = fields.within(name, value)
    return {each: _plain(within, each, value[each]) for each in value}


def _plain(within: Fields, name: str, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, int):
        return value if abs(value) < _WHOLE_MAX else str(value)
    return within.text(name, nullable=True, longest=TEXT_MAX)


def is_web_address(url: str) -> bool:
    """Whether it is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and url.isprintable()
