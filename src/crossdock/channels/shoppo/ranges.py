"""Ranges of times: `[from, to]`, both included, either null (spec sections 4, 5)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from crossdock.channels.shoppo.errors import bad_input

_LAST_PART = timedelta(seconds=1) - timedelta(microseconds=1)
Span = tuple[datetime | None, datetime | None]


def read_range(given: Mapping[str, Any], name: str) -> Span | None:
    """The range under this name; null is as good as absent. Raises WireError BAD_USER_INPUT.

    The last second is included whole.
    """
    written = given.get(name)
    if written is None:
        return None
    if len(written) != 2:
        raise bad_input(f"{name} has two items: from and to.", field=name)
    start, end = written
    if start is not None and end is not None and start > end:
        raise bad_input(f"{name} ends before it begins.", field=name)
    return (
        None if start is None else datetime.fromtimestamp(start, UTC),
        None if end is None else datetime.fromtimestamp(end, UTC) + _LAST_PART,
    )
