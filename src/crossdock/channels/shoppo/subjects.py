"""What one subject brings to the schema: the fields of its types, its queries, its mutations.

The schema's text is in `schema/`; a subject gives each of its fields a reading. Two executors use
them: GraphQL's own, and the plans of `plans.py`, which therefore answer the same.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.partners import Partner


@dataclass(frozen=True, slots=True)
class Done:
    """What a mutation came to: the row it returned, or the error that it raised."""

    row: Any = None
    error: Exception | None = None

    def answer(self) -> Any:
        """As the mutation did."""
        if self.error is not None:
            raise self.error
        return self.row


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, and under which ids; the version of the shop's goods where it was told with the caller.

    `done` are the mutations of the operation that were carried out already, by their name in the answer.
    """

    partner: Partner
    ids: OpaqueIds
    goods_version: int | None = None
    done: Mapping[str, Done] = field(default_factory=dict)


Read = Callable[[Any, Call], Any]
"""A field without arguments: of the row of its object, in memory, and never an error."""


@dataclass(frozen=True, slots=True)
class Taking:
    """A field below the root that takes arguments; it may refuse them with a WireError."""

    read: Callable[[Any, Call, Mapping[str, Any]], Any]


Load = Callable[[Call, Mapping[str, Any], frozenset[str]], Awaitable[Any]]
"""A field of the root: the call, its arguments, and the names of all fields that are selected below it.

Those directly below it are there once more with a dot before: `.length` is the list's, `length` may be a
Sku's.

It returns rows that hold all that those names need; nothing below it reads the database.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What is selected of a field of the root that is a connection, made into functions.

    `key` is the same for the same text. `edge` is the JSON of an edge; `whole` that of the field, of a
    connection whose edges have their JSON. Both raise as the plan does.
    """

    key: bytes
    names: frozenset[str]
    edge: Callable[[Any, Call], bytes]
    whole: Callable[[Any, Call], bytes]


ListLoad = Callable[[Call, Mapping[str, Any], Selection], Awaitable[bytes]]
"""A connection of the root as JSON, of which parts may be kept: the call, its arguments, the selection."""

NodeLoad = Callable[[Call, int, int, frozenset[str]], Awaitable[Any]]
"""What an id names: the call, its number and place, the names selected; None for what is not there."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A subject of the schema.

    `types` has the readings by type and field; `rows` the type of each class of rows that an interface
    may return; `nodes` what loads the objects of a kind of ids. `lists` are those of the queries that a
    plan answers otherwise, with the same result.
    """

    types: Mapping[str, Mapping[str, Read | Taking]]
    queries: Mapping[str, Load] = field(default_factory=dict)
    lists: Mapping[str, ListLoad] = field(default_factory=dict)
    mutations: Mapping[str, Load] = field(default_factory=dict)
    rows: Mapping[type, str] = field(default_factory=dict)
    nodes: Mapping[int, NodeLoad] = field(default_factory=dict)
