"""Values of decoded JSON, cleaned of what no text and no number of a catalogue has."""

import math
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crossdock.imports import fields
from crossdock.imports.items import CONTROL, DROPPED, RowRefused
from crossdock.imports.odd_cells import Odd
from crossdock.shop.catalogue import html_once, plain_text

_ENDS = frozenset({"sale_ends_at", "ends_at"})
_MOMENTS = _ENDS | {"sale_starts_at", "starts_at", "published_at"}
_WITH_MOMENTS = frozenset({"variants", "promotions"})
_AS_WRITTEN = {"description": html_once, "content": html_once, "descriptions": html_once}


def without_controls(value: Any, path: str, odd: Odd) -> Any:
    """The value without characters that no text has, with a warning about each text that had some."""
    if isinstance(value, str):
        if not CONTROL.search(value):
            return value
        odd.findings.append(RowRefused(path, DROPPED, value).at(odd.row, is_warning=True))
        return CONTROL.sub("", value)
    if isinstance(value, dict):
        return {
            without_controls(name, path, odd): without_controls(
                part, f"{path}.{name}" if path else name, odd
            )
            for name, part in value.items()
        }
    return (
        [without_controls(part, path, odd) for part in value] if isinstance(value, list) else value
    )


def tidied(value: Any, name: str = "") -> Any:
    """What a map made of others' texts, without what their writers left in them."""
    if isinstance(value, str):
        return _AS_WRITTEN.get(name, plain_text)(value)
    if isinstance(value, dict):
        return {key: tidied(part, key) for key, part in value.items()}
    return [tidied(part, name) for part in value] if isinstance(value, list) else value


def with_zone(value: Any, zone: ZoneInfo) -> Any:
    """The value with its dates and times in the zone where they have none; others stay as they are.

    An end that is a day alone is the end of that day.
    """
    if isinstance(value, list):
        return [with_zone(part, zone) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _moment(part, name, zone)
        if name in _MOMENTS
        else with_zone(part, zone)
        if name in _WITH_MOMENTS
        else part
        for name, part in value.items()
    }


def _moment(value: Any, name: str, zone: ZoneInfo) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return fields.moment(value, field=name, zone=zone, is_end=name in _ENDS) or value
    except RowRefused:
        return value


def without_decimals(value: Any) -> Any:
    """Free terms as they are stored: a number with a fraction is a float there."""
    if isinstance(value, Decimal):
        if not math.isfinite(number := float(value)):
            raise RowRefused("terms", "has a number that is too large", value)
        return number
    if isinstance(value, dict):
        return {name: without_decimals(part) for name, part in value.items()}
    return list(map(without_decimals, value)) if isinstance(value, list) else value
