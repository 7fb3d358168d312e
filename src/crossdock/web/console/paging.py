"""Numbers in addresses, and lists page by page: an address names the place after which its page begins."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request

from crossdock.errors import NotFound
from crossdock.kit.languages import gettext
from crossdock.kit.numbers import read_number
from crossdock.kit.paging import Place

PAGE_SIZE: Final = 50
_BEFORE: Final = "before"
_NOT_KEPT: Final = {_BEFORE, "done", "undo", "resent", "closed"}


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses of a list's first page and its next one; '' where this is the first, or the last."""

    newest: str
    older: str


def path_number(request: Request, name: str) -> int:
    """The number that this part of the path is. Raises NotFound `not_found` for any other text."""
    number = read_number(request.path_params[name])
    if number is None:
        raise NotFound("not_found", gettext("This page does not exist in this shop."))
    return number


def read_before(values: Mapping[str, str]) -> int | None:
    """The id before which the page begins; None for the first page, and for what is no id."""
    return read_number(values.get(_BEFORE, ""))


def read_place(values: Mapping[str, str]) -> Place | None:
    """The moment and id before which the page begins, as `place_text` writes them; None for anything else."""
    at, _, number = values.get(_BEFORE, "").partition("~")
    try:
        moment = datetime.fromisoformat(at.replace(" ", "+"))
    except ValueError:
        return None
    found = read_number(number)
    return (moment, found) if moment.tzinfo and found is not None else None


def place_text(place: Place) -> str:
    """A place for an address."""
    return f"{place[0].isoformat()}~{place[1]}"


def paging(request: Request, *, older: int | str | None) -> Paging:
    """The pages around this one, with its filters; `older` is the place of the last row if more follow."""
    path, values = request.url.path, request.query_params
    kept = kept_fields(values.multi_items())
    return Paging(
        newest=_address(path, kept) if values.get(_BEFORE) else "",
        older="" if older is None else _address(path, [*kept, (_BEFORE, str(older))]),
    )


def kept_fields(values: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What an address says of a list without its page and what was just done: what is shown of it."""
    return [(name, text) for name, text in values if text and name not in _NOT_KEPT]


def kept_query(values: Iterable[tuple[str, str]]) -> str:
    """The query that shows the same of a list, from its first page."""
    return urlencode(kept_fields(values))


def _address(path: str, values: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(values)}" if values else path
