"""The operations of a channel that staff can try, from its OpenAPI document, each with an example to begin with."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from crossdock.shop.partners import Trials

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_DEPTH_MAX: Final = 6
_OF_TYPE: Final[dict[str, Any]] = {"string": "", "integer": 1, "number": 1, "boolean": False}


class TriedDoor(msgspec.Struct, frozen=True, kw_only=True):
    """A channel whose operations can be tried."""

    openapi: Callable[[], dict[str, Any]]
    trials: Trials


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation; the path has the names of its parts in braces, the body is an example."""

    id: str
    method: str
    path: str
    summary: str
    body: str


def find_operations(door: TriedDoor) -> dict[str, Operation]:
    """The operations that a partner's key proves, by id, those that only read first."""
    found = list(_operations(door.openapi(), door.trials))
    return {each.id: each for each in sorted(found, key=lambda each: each.method != "GET")}


def _operations(document: Mapping[str, Any], trials: Trials) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            operation = methods.get(method)
            if operation and _is_proven(operation, trials.schemes):
                name = operation["operationId"]
                yield Operation(
                    id=name,
                    method=method.upper(),
                    path=path,
                    summary=operation.get("summary", name),
                    body=trials.bodies.get(name) or _example(operation, document),
                )


def _is_proven(operation: Mapping[str, Any], schemes: tuple[str, ...]) -> bool:
    """Whether the operation asks for no proof but one of these."""
    ways = operation.get("security")
    return not ways or any(set(way) <= set(schemes) for way in ways)


def _example(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if not content:
        return ""
    made = _made(content.get("schema", {}), document, depth=0)
    if isinstance(made, dict):
        made.pop("auth", None)  # the call's proof is put there
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode()


def _made(schema: Mapping[str, Any], document: Mapping[str, Any], *, depth: int) -> Any:
    """A value of the schema with what it requires."""
    if ref := schema.get("$ref"):
        inner: Any = document
        for part in ref.removeprefix("#/").split("/"):
            inner = inner[part]
        return _made(inner, document, depth=depth)
    for given in ("example", "default", "const"):
        if given in schema:
            return schema[given]
    if schema.get("examples") or schema.get("enum"):
        return (schema.get("examples") or schema["enum"])[0]
    if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return _made(choices[0], document, depth=depth)
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        return _made_object(schema, document, depth=depth)
    if kind == "array":
        inner = schema.get("items", {})
        return [_made(inner, document, depth=depth + 1)] if depth < _DEPTH_MAX else []
    return _OF_TYPE.get(kind)


def _made_object(
    schema: Mapping[str, Any], document: Mapping[str, Any], *, depth: int
) -> dict[str, Any]:
    if depth >= _DEPTH_MAX:
        return {}
    fields = schema.get("properties", {})
    names = schema.get("required") or ([] if depth else list(fields)[:3])
    return {
        name: _made(fields.get(name, {}), document, depth=depth + 1)
        for name in dict.fromkeys([*names, *(["data"] if "data" in fields else [])])
    }
