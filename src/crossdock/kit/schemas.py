"""Types of the wire format: they select the fields that are read, and give OpenAPI its schemas."""

import re
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

_INDEX = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a wire type, self-contained and without references.

    Fields keep their order and descriptions. Docstrings of the types are left out: they are for
    programmers of this server.
    """
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")
    for one in _typed_dicts(kind):
        part = components[one.__name__]
        part["properties"] = {name: part["properties"][name] for name in one.__annotations__}
        part["required"] = [name for name in one.__annotations__ if name in one.__required_keys__]
    whole: dict[str, Any] = _inlined(schema, components)
    return whole


def schema_of_numbers(kind: Any) -> dict[str, Any]:
    """The same of a type that is answered with its decimals as numbers, which the library takes for text."""
    schema: dict[str, Any] = _with_numbers(schema_of(kind))
    return schema


def picked(value: Any, kind: Any) -> Any:
    """Keep only the fields that the TypedDict declares, in nested objects as well.

    Values are not validated: those of another type are kept as they are. Where a list is declared,
    a list that PHP encoded as an object becomes a list again (`as_list`).
    """
    if isinstance(value, list):
        return [picked(entry, kind) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _value(value[name], inner=inner, is_list=is_list)
        for name, (inner, is_list) in _fields(kind).items()
        if name in value
    }


def as_list(value: Any) -> Any:
    """Convert an object that PHP made of an array with gaps to a list; return other values unchanged.

    `{"1": a, "3": b}` becomes `[a, b]`: all keys must be whole numbers, and they give the order.
    """
    if not isinstance(value, dict) or not value:
        return value
    if not all(isinstance(key, str) and _INDEX.fullmatch(key) for key in value):
        return value
    return [value[key] for key in sorted(value, key=int)]


def _value(value: Any, *, inner: Any, is_list: bool) -> Any:
    if is_list:
        value = as_list(value)
    return picked(value, inner) if inner else value


@cache
def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """For each field the nested TypedDict or None, and whether it is a list."""
    found = {}
    for name, hint in typing.get_type_hints(kind).items():
        inner = [one for one in (hint, *typing.get_args(hint)) if typing.is_typeddict(one)]
        found[name] = (inner[0] if inner else None, typing.get_origin(hint) is list)
    return found


def _typed_dicts(kind: Any) -> Iterator[Any]:
    """All TypedDicts that a type contains."""
    if typing.is_typeddict(kind):
        yield kind
    if typing.is_typeddict(kind) or hasattr(kind, "__struct_fields__"):
        for hint in typing.get_type_hints(kind).values():
            yield from _typed_dicts(hint)
    for part in typing.get_args(kind):
        yield from _typed_dicts(part)


def _inlined(part: Any, components: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(entry, components) for entry in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        about = {"title", "description"}
        named = {k: v for k, v in components[part["$ref"]].items() if k not in about}
        part = {**named, **{k: v for k, v in part.items() if k != "$ref"}}
    return _plainly({name: _inlined(inner, components) for name, inner in part.items()})


def _with_numbers(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_numbers(entry) for entry in part]
    if not isinstance(part, dict):
        return part
    if part.get("format") == "decimal":
        part = {**part, "type": "number"}
    return {name: _with_numbers(inner) for name, inner in part.items()}


def _plainly(part: dict[str, Any]) -> dict[str, Any]:
    """Shorten `anyOf` of plain types to a list of types, and an `enum` of one value to `const`."""
    choices = part.get("anyOf", ())
    if choices and all(choice.keys() == {"type"} for choice in choices):
        rest = {name: value for name, value in part.items() if name != "anyOf"}
        return {"type": [choice["type"] for choice in choices], **rest}
    if len(part.get("enum", ())) == 1:
        rest = {name: value for name, value in part.items() if name != "enum"}
        return {"const": part["enum"][0], **rest}
    return part
