"""The query string of the catalogue, checked in the order of the error table (spec 2, 4.1)."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from crossdock.channels.plumbing import Unreadable, urlencoded_pairs
from crossdock.channels.shoppable import navigation
from crossdock.channels.shoppable.errors import INVALID_PARAMETER, SEARCH, WireError
from crossdock.channels.shoppable.filters import read_discount_type, read_lists, read_others
from crossdock.channels.shoppable.solr import Query, read_search
from crossdock.errors import Invalid
from crossdock.shop.search import Bounds, Filter, Operator, Sort

ROWS: Final = 20
ROWS_MAX: Final = 100
SORTS: Final[dict[str, Sort]] = {
    "-last_modified": "modified",
    "price": "price",
    "-price": "price_desc",
    "name": "name",
    "random": "random",
}
_ALIASES: Final = {"catagories": "categories", "upcs": "upc"}
_WHOLE = re.compile(r"[0-9]{1,18}", re.ASCII)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a call of the catalogue asks."""

    rows: int
    offset: int
    sort: Sort
    navigation: navigation.Kind
    query: Query
    filters: tuple[Filter, ...]


def read_parameters(query_string: bytes) -> dict[str, str]:
    """The parameters that say something, one value for each: several of one name are a list.

    Raises WireError 50000 for more than a query may have.
    """
    try:
        pairs = urlencoded_pairs(query_string)
    except Unreadable:
        raise WireError(INVALID_PARAMETER) from None
    found: dict[str, str] = {}
    for written, raw in pairs:
        name = _ALIASES.get(written, written)
        text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()
        if text:
            found[name] = f"{found[name]},{text}" if name in found else text
    return found


def read_catalogue(
    given: Mapping[str, str], *, currency: str, operator: Operator, bounds: Bounds
) -> Asked:
    """What is asked. Raises WireError for the first parameter that is wrong."""
    rows = _whole(given, "rows", default=ROWS)
    if rows is None or rows > ROWS_MAX:
        raise WireError(50001)
    offset = _whole(given, "offset", default=0)
    if offset is None:
        raise WireError(50002)
    sort = _sort(given)
    filters = read_discount_type(given)
    kind = navigation.KINDS.get(given.get("navigation_type", "all"))
    if kind is None:
        raise WireError(50005)
    filters += read_lists(given)
    filters += read_others(given, currency=currency)
    return Asked(
        rows=rows,
        offset=offset,
        sort=sort,
        navigation=kind,
        query=_search(given, currency=currency, operator=operator, bounds=bounds),
        filters=tuple(filters),
    )


def too_costly(error: Invalid) -> WireError:
    """The error of a search beyond the bounds; syntax is never one."""
    return WireError(SEARCH, error.message, status=400)


def _search(
    given: Mapping[str, str], *, currency: str, operator: Operator, bounds: Bounds
) -> Query:
    try:
        return read_search(
            given.get("search", ""), currency=currency, operator=operator, bounds=bounds
        )
    except Invalid as error:
        raise too_costly(error) from None


def _whole(given: Mapping[str, str], name: str, *, default: int) -> int | None:
    text = given.get(name)
    if text is None:
        return default
    return int(text) if _WHOLE.fullmatch(text) else None


def _sort(given: Mapping[str, str]) -> Sort:
    written = given.get("sort")
    if written is None:
        return "relevance" if "search" in given else "modified"
    if written not in SORTS:
        raise WireError(50003)
    return SORTS[written]
