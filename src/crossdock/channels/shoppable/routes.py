"""A route of this channel: what it answers, and how it is described."""

from typing import Any

import msgspec

from crossdock.channels.contract import Handler
from crossdock.channels.shoppable.errors import SEARCH, WIRE, WIRE_ONLY
from crossdock.kit.schemas import schema_of_numbers


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The documented parts of a route.

    `answers` are the types of what it answers; `errors` the numbers that it can answer besides those of
    every call. `refused` has the type of a status whose answer may be another than an error object.
    `security` None is the bearer token in the header.
    """

    operation_id: str
    summary: str
    description: str
    answers: tuple[Any, ...]
    errors: tuple[int, ...] = ()
    refused: dict[int, Any] = {}
    parameters: tuple[dict[str, Any], ...] = ()
    body: dict[str, Any] | None = None
    security: list[dict[str, list[str]]] | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A method and a path without a trailing slash, which callers may add; `{name}` is a part of it.

    A hidden one is in no document.
    """

    method: str
    path: str
    handler: Handler
    operation: Operation
    is_hidden: bool = False


EVERY_CALL = (30002, 30003, 429, 500, 503)
ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error", "code"],
    "properties": {
        "error": {"type": "string", "description": "For people."},
        "code": {"type": "integer", "description": "For programs."},
    },
}


def parameter(
    name: str, description: str, *, place: str = "query", schema: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A parameter of the query, or of the path, as OpenAPI tells it."""
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": schema or {"type": "string"},
    }


def extra_of(operation: Operation) -> dict[str, Any]:
    """What OpenAPI tells of a route besides its answers."""
    found: dict[str, Any] = {
        "parameters": list(operation.parameters),
        "security": [{"bearer": []}] if operation.security is None else operation.security,
    }
    if operation.body is not None:
        found["requestBody"] = operation.body
    return found


def responses_of(operation: Operation) -> dict[int | str, dict[str, Any]]:
    """The answers of a route by status."""
    schemas = [schema_of_numbers(each) for each in operation.answers]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    found: dict[int | str, dict[str, Any]] = {
        200: {"description": operation.summary, "content": {"application/json": {"schema": schema}}}
    }
    texts: dict[int, list[str]] = {}
    for number in sorted({*EVERY_CALL, *operation.errors}):
        for status in _statuses(number):
            texts.setdefault(status, []).append(str(number))
    for status, numbers in sorted(texts.items()):
        told = ERROR_SCHEMA
        if status in operation.refused:
            told = {"anyOf": [schema_of_numbers(operation.refused[status]), ERROR_SCHEMA]}
        found[status] = {
            "description": f"code {', '.join(numbers)}",
            "content": {"application/json": {"schema": told}},
        }
    return found


def _statuses(number: int) -> list[int]:
    """The statuses that an error of this number can have."""
    told = {status for status, own, _ in WIRE.values() if own == number}
    if number in WIRE_ONLY:
        told.add(WIRE_ONLY[number][0])
    if number == SEARCH:
        told |= {400, 500}
    return sorted(told)
