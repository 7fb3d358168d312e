"""Pages of a list: the arguments of Relay, the connection that answers them (spec section 5)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crossdock.channels.shoppo.cursors import read_cursor, write_cursor
from crossdock.channels.shoppo.errors import bad_input
from crossdock.channels.shoppo.limits import PAGE_DEFAULT, PAGE_MAX
from crossdock.channels.shoppo.subjects import Read
from crossdock.kit.paging import Place, PlacePage

LENGTH: Final = ".length"
"""Among the selected names where the list's own length is asked for."""


def read_paging(arguments: Mapping[str, Any], *, listed: str) -> PlacePage:
    """The page that `first`, `after`, `last` and `before` ask for; null and "" are as good as absent.

    Raises WireError BAD_USER_INPUT for both `first` and `last`, a size out of range, a wrong cursor.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise bad_input("Give first or last, not both.", field="last")
    for name, size in (("first", first), ("last", last)):
        if size is not None and not 0 <= size <= PAGE_MAX:
            raise bad_input(f"{name} is 0 to {PAGE_MAX}.", field=name)
    size = last if last is not None else first
    after, before = arguments.get("after"), arguments.get("before")
    return PlacePage(
        size=PAGE_DEFAULT if size is None else size,
        after=read_cursor(listed, after, field="after") if after else None,
        before=read_cursor(listed, before, field="before") if before else None,
        is_last=last is not None,
    )


@dataclass(frozen=True, slots=True)
class Edge:
    """A row in its list. Few callers read the cursor of every row, so it is written when it is read.

    `json` is the edge as it was rendered before, of a row that is then not there any more.
    """

    node: Any
    listed: str
    place: Place
    json: bytes = b""

    @property
    def cursor(self) -> str:
        """The place of the row, as text."""
        return write_cursor(self.listed, self.place)


@dataclass(frozen=True, slots=True)
class Connection:
    """A page with its row's places; `length` is -1 where nobody asked."""

    edges: list[Edge]
    has_next: bool
    has_previous: bool
    length: int


def connection(
    rows: Sequence[Any],
    *,
    paging: PlacePage,
    has_more: bool,
    length: int,
    listed: str,
    place: Callable[[Any], Place],
) -> Connection:
    """The page. What a cursor was given for stands before what comes after it, so there is more there."""
    is_after, is_before = paging.after is not None, paging.before is not None
    return Connection(
        edges=[Edge(row, listed, place(row)) for row in rows],
        has_next=is_before if paging.is_last else has_more,
        has_previous=has_more if paging.is_last else is_after,
        length=length,
    )


def connection_types(name: str) -> dict[str, dict[str, Read]]:
    """The readings of `<name>Connection` and `<name>Edge`."""
    return {
        f"{name}Connection": {
            "length": lambda page, _: page.length,
            "edges": lambda page, _: page.edges,
            "pageInfo": lambda page, _: page,
        },
        f"{name}Edge": {
            "node": lambda edge, _: edge.node,
            "cursor": lambda edge, _: edge.cursor,
        },
    }


PAGE_INFO: dict[str, Read] = {
    "hasNextPage": lambda page, _: page.has_next,
    "hasPreviousPage": lambda page, _: page.has_previous,
    "startCursor": lambda page, _: page.edges[0].cursor if page.edges else None,
    "endCursor": lambda page, _: page.edges[-1].cursor if page.edges else None,
}
