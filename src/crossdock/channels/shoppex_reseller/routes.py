"""A route of this channel: who may call it, what answers it, how it is described; and finding it."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Any, Final, Literal
from urllib.parse import unquote

import msgspec

from crossdock.channels.shoppex_reseller.auth import Covers, Pace, Surface
from crossdock.channels.shoppex_reseller.calls import Call, PortalCall
from crossdock.channels.shoppex_reseller.errors import WireError
from crossdock.channels.shoppex_reseller.wire import Reply
from crossdock.db.unit_of_work import Transaction

Reads = Callable[[Call, Transaction], Awaitable[Reply]]
"""Answers a call that changes nothing; each of its statements is a transaction."""

Writes = Callable[[Call, Transaction], Awaitable[Reply]]
"""Answers a call that changes something, in one transaction; its Idempotency-Key is kept with it."""

Acts = Callable[[Call], Awaitable[Reply]]
"""Answers a call that has transactions of its own, and sees to its repeats itself."""

KeptBy = Callable[[Call], Hashable]
"""What of a caller decides an answer that is of goods alone, besides path and query."""

Serves = Callable[[PortalCall], Awaitable[Reply]]
"""Answers a call of the portal that is about no relationship, in transactions of its own."""

Listed = Literal["", "cursor", "page"]

_ID_LENGTH_MAX: Final = 200
Method = Literal["GET", "POST", "PATCH", "DELETE"]

DEV: Final = "/dev/v1"
RESELLER: Final = "/reseller/v1"
PORTAL: Final = "/portal/v1"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A method and a path without a trailing slash, which callers may add; `{name}` is one segment.

    Exactly one of `reads`, `writes`, `acts` and `serves` answers it; the last is for the portal alone, where
    `for_guests` asks for no session. `scope` '' asks for none. A route of `/dev/v1` says what it `covers`: one that
    covers `merchants` narrows itself to those of the key, one that covers the `shop` is not for a key of some
    merchants alone. `told_once` names fields of `data`, with dots, that a repeat of the call is not told, because
    they are credentials. `answer` is the type of `data`, of one entry where it is `listed`, `stats` of what a list
    has beside it; `status` the usual one. `query` and `body` are (name, JSON schema) for the OpenAPI document.
    `token_in_query`: the parameter that may carry the key.
    With `kept_by`, an answer to a GET is told again while the shop's goods are the same (docs/decisions/0063); one
    that `shows_on_hand`, what lies in the warehouse, only while nothing was shipped either.
    """

    method: Method
    path: str
    name: str
    summary: str
    scope: str = ""
    covers: Covers = ""
    told_once: tuple[str, ...] = ()
    reads: Reads | None = None
    writes: Writes | None = None
    acts: Acts | None = None
    serves: Serves | None = None
    for_guests: bool = False
    status: int = 200
    answer: Any = None
    listed: Listed = ""
    stats: Any = None
    query: Mapping[str, dict[str, Any]] = {}
    body: Mapping[str, dict[str, Any]] | None = None
    required: tuple[str, ...] = ()
    pace: Pace = "calls"
    token_in_query: str = ""
    kept_by: KeptBy | None = None
    shows_on_hand: bool = False

    def __post_init__(self) -> None:
        if bool(self.covers) != (self.surface == "dev"):
            raise ValueError(
                f"{self.method} {self.path}: `covers` is for every route of {DEV} alone"
            )

    @property
    def surface(self) -> Surface:
        """Which family of keys it takes; the portal's is that of sessions."""
        return surface_of(self.path)


def surface_of(path: str) -> Surface:
    """Which family of keys a path takes."""
    if f"{path}/".startswith(f"{PORTAL}/"):
        return "portal"
    return "dev" if f"{path}/".startswith(f"{DEV}/") else "reseller"


class Found(msgspec.Struct, frozen=True):
    """A route and the values of its path's names."""

    route: Route
    path: dict[str, str]


class Router:
    """Finds the route of a path; a segment that is spelled out goes before one that has a name."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._root.add(route)

    def find(self, method: str, path: str) -> Found:
        """The route of a path as it was sent, with percent-encoding, and with or without a last slash.

        Raises WireError NOT_FOUND and METHOD_NOT_ALLOWED.
        """
        segments = path.removesuffix("/").split("/")[1:]
        ends = [node for node in self._root.reach(segments) if node.routes]
        if not ends:
            raise WireError("NOT_FOUND", "There is no such endpoint.")
        for node in ends:
            if method in node.routes:
                route = node.routes[method]
                return Found(route, _values(route, segments))
        allowed = sorted({each for node in ends for each in node.routes})
        raise WireError("METHOD_NOT_ALLOWED", allow=", ".join(allowed))


class _Node:
    """What follows a part of a path."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self._spelled: dict[str, _Node] = {}
        self._named: _Node | None = None

    def add(self, route: Route) -> None:
        node = self
        for segment in route.path.split("/")[1:]:
            node = node.below(segment)
        if route.method in node.routes:
            raise ValueError(f"{route.method} {route.path} is there twice")
        node.routes[route.method] = route

    def below(self, segment: str) -> "_Node":
        if not segment.startswith("{"):
            return self._spelled.setdefault(segment, _Node())
        self._named = self._named or _Node()
        return self._named

    def reach(self, segments: list[str]) -> "Iterable[_Node]":
        """The nodes at the end of these segments, the most literal first."""
        if not segments:
            yield self
            return
        first, *rest = segments
        if first in self._spelled:
            yield from self._spelled[first].reach(rest)
        if self._named is not None and first:
            yield from self._named.reach(rest)


def _values(route: Route, segments: list[str]) -> dict[str, str]:
    """The ids in a path. Raises WireError NOT_FOUND for a text that is no id of anything."""
    names = route.path.split("/")[1:]
    found = {
        name[1:-1]: unquote(value)
        for name, value in zip(names, segments, strict=True)
        if name.startswith("{")
    }
    if any(len(value) > _ID_LENGTH_MAX or not value.isprintable() for value in found.values()):
        raise WireError("NOT_FOUND")
    return found
