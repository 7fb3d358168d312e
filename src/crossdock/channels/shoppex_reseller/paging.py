"""Pages of lists: after a cursor, or by number (spec sections 3.1, 3.2)."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from crossdock.channels.shoppex_reseller.fields import Fields
from crossdock.channels.shoppex_reseller.ids import Kind, WireIds
from crossdock.channels.shoppex_reseller.wire import Reply
from crossdock.kit.paging import Place, PlacePage

T = TypeVar("T")

LIMIT: Final = 50
LIMIT_MAX: Final = 100
PAGE_MAX: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MICROSECONDS_MAX: Final = 10**17
_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """A page that was asked for by its number, from 1 on."""

    page: int
    limit: int

    @property
    def offset(self) -> int:
        """How many entries are on the pages before."""
        return (self.page - 1) * self.limit


class _Written(msgspec.Struct, frozen=True):
    """What a cursor has in it: base64url of JSON."""

    id: str
    created_at: int


def read_place_page(query: Mapping[str, str], *, kind: Kind, ids: WireIds) -> PlacePage:
    """The page of a cursor list. Raises WireError VALIDATION_ERROR."""
    fields = Fields(query)
    size = limit_of(fields)
    after = None
    if text := query.get("cursor"):
        after = _read_cursor(text, kind=kind, ids=ids)
        if after is None:
            fields.refuse("cursor", "is not a cursor of this list")
    fields.check()
    return PlacePage(size=size, after=after)


def read_numbered(query: Mapping[str, str]) -> Numbered:
    """The page of a page list. Raises WireError VALIDATION_ERROR."""
    fields = Fields(query)
    found = Numbered(
        page=fields.whole("page", least=1, most=PAGE_MAX) or 1,
        limit=limit_of(fields),
    )
    fields.check()
    return found


def cursor_list(
    found: Sequence[T],
    *,
    page: PlacePage,
    kind: Kind,
    ids: WireIds,
    place: Callable[[T], Place],
    show: Callable[[T], Any],
    **more: Any,
) -> Reply:
    """The answer of a cursor list; `found` has one more than the page if there are more.

    `place` tells (created_at, id) of an entry, `show` what is told of it.
    """
    shown, has_more = page.cut(found)
    following = _write_cursor(place(shown[-1]), kind=kind, ids=ids) if has_more else None
    pagination = {"next_cursor": following, "has_more": has_more}
    data = [show(each) for each in shown]
    return Reply(body={"data": data, "pagination": pagination, **more})


def page_list(data: Sequence[Any], *, asked: Numbered, total: int, **more: Any) -> Reply:
    """The answer of a page list."""
    pagination = {
        "total": total,
        "page": asked.page,
        "limit": asked.limit,
        "total_pages": -(-total // asked.limit),
        "has_more": asked.offset + len(data) < total and bool(data),
    }
    return Reply(body={"data": list(data), "pagination": pagination, **more})


def limit_of(fields: Fields) -> int:
    """How many entries a page is to have; what is wrong with it is noted."""
    name = "limit" if fields.given("limit") or not fields.given("per_page") else "per_page"
    return fields.whole(name, least=1, most=LIMIT_MAX) or LIMIT


def _write_cursor(place: Place, *, kind: Kind, ids: WireIds) -> str:
    moment, number = place
    written = _Written(ids.write(kind, number), (moment - _EPOCH) // _MICROSECOND)
    return base64.urlsafe_b64encode(msgspec.json.encode(written)).decode().rstrip("=")


def _read_cursor(text: str, *, kind: Kind, ids: WireIds) -> Place | None:
    if not _CURSOR.fullmatch(text):
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        written = msgspec.json.decode(raw, type=_Written)
    except (ValueError, msgspec.MsgspecError):
        return None
    number = ids.find(kind, written.id)
    if number is None or abs(written.created_at) > _MICROSECONDS_MAX:
        return None
    return _EPOCH + written.created_at * _MICROSECOND, number


Pair = tuple[int, int]
"""A place in a list of two kinds of things: the number of the last of each."""


def write_pair(place: Pair, *, ids: WireIds, kinds: tuple[Kind, Kind]) -> str:
    """The cursor of a place in such a list."""
    shown = [ids.write(kind, number) for kind, number in zip(kinds, place, strict=True)]
    return base64.urlsafe_b64encode(msgspec.json.encode(shown)).decode().rstrip("=")


def read_pair(fields: Fields, *, ids: WireIds, kinds: tuple[Kind, Kind]) -> Pair | None:
    """The place of the cursor, None without one; one that is none is noted as wrong."""
    text = fields.text("cursor")
    if not text:
        return None
    try:
        if not _CURSOR.fullmatch(text):
            raise ValueError
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        shown = msgspec.json.decode(raw, type=tuple[str, str])
    except (ValueError, msgspec.MsgspecError):
        shown = ("", "")
    first, second = (ids.find(kind, each) for kind, each in zip(kinds, shown, strict=True))
    if first is None or second is None:
        fields.refuse("cursor", "is not a cursor of this list")
        return None
    return first, second
