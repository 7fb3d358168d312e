"""The values of a plan's answer, checked as GraphQL's own executor checks them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLScalarType

from crossdock.channels.shoppo.subjects import Call, Done
from crossdock.channels.shoppo.wire import INT_MAX

_INT_MIN: Final = -(2**31)

Complete = Callable[[Any, Call], Any]
"""The wire's value of a row's value. Raises Unplanned for what the schema does not allow."""


class Unplanned(Exception):
    """Something that the executor has to do; `done` are mutations that were carried out, by their name."""

    def __init__(self, done: Mapping[str, Done] | None = None) -> None:
        super().__init__()
        self.done = done or {}


def required(complete: Complete) -> Complete:
    """A value that is never null."""

    def checked(value: Any, call: Call) -> Any:
        if value is None:
            raise Unplanned
        return complete(value, call)

    return checked


def optional(complete: Complete) -> Complete:
    """A value, or null."""
    return lambda value, call: None if value is None else complete(value, call)


def listed(complete: Complete) -> Complete:
    """A list of values, or null."""
    return lambda value, call: None if value is None else [complete(entry, call) for entry in value]


def leaf(kind: GraphQLScalarType | GraphQLEnumType) -> Complete:
    """A value of a scalar or of an enumeration. Raises Unplanned for a scalar of another name."""
    return _LEAVES.get(kind.name) or _enum(kind)


def _enum(kind: Any) -> Complete:
    if not isinstance(kind, GraphQLEnumType):
        raise Unplanned
    allowed = frozenset(kind.values)

    def complete(value: Any, _call: Call) -> Any:
        if value is None or value in allowed:
            return value
        raise Unplanned

    return complete


def _of_type(*types: type) -> Complete:
    def complete(value: Any, _call: Call) -> Any:
        if value is None or type(value) in types:
            return value
        raise Unplanned

    return complete


def _int(value: Any, _call: Call) -> Any:
    if value is None or (type(value) is int and _INT_MIN <= value <= INT_MAX):
        return value
    raise Unplanned


_LEAVES: Final[dict[str, Complete]] = {
    "ID": _of_type(str),
    "String": _of_type(str),
    "Boolean": _of_type(bool),
    "Float": _of_type(float),
    "Int": _int,
}
