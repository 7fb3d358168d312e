"""Cursors: a place in one list, as text that means nothing to others (spec section 5)."""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta

from crossdock.channels.shoppo.errors import bad_input
from crossdock.kit.paging import Place

_WRITTEN = re.compile(r"([a-z]+):(-?[0-9]{1,18}):([0-9]{1,18})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def write_cursor(listed: str, place: Place) -> str:
    """The cursor of a place in the list of this name, of lower-case letters."""
    moment, number = place
    text = f"{listed}:{(moment - _EPOCH) // _MICROSECOND}:{number}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(listed: str, text: str, *, field: str) -> Place:
    """The place of a cursor. Raises WireError BAD_USER_INPUT for one of no list, or of another."""
    try:
        raw = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode("ascii")
        match = _WRITTEN.fullmatch(raw)
        if match and match[1] == listed:
            return _EPOCH + int(match[2]) * _MICROSECOND, int(match[3])
    except (ValueError, binascii.Error, OverflowError):
        pass
    raise bad_input(f"{field} is no cursor of this list.", field=field)
