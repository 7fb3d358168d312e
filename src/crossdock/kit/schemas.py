"""A wire's types, used twice: they say which fields are read, and are the OpenAPI document's schemas."""

import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type that reads or writes a wire, whole: it refers to nothing else.

    Fields keep their order. The types' own docstrings speak to programmers here and are left out;
    the fields' descriptions stay.
    """
    (schema,), components = msgspec.json.schema_components([kind], ref_template="{name}")
    for one in _typed_dicts(kind):
        part = components[one.__name__]
        part["properties"] = {name: part["properties"][name] for name in one.__annotations__}
        part["required"] = [name for name in one.__annotations__ if name in one.__required_keys__]
    whole: dict[str, Any] = _inlined(schema, components)
    return whole


def picked(value: Any, kind: Any) -> Any:
    """What was sent, with the fields that a TypedDict declares and no other, inside it as well.

    Nothing is judged: values are as they came, and what is no object or list of them stays.
    """
    if isinstance(value, list):
        return [picked(entry, kind) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: picked(value[name], inner) if inner else value[name]
        for name, inner in _fields(kind).items()
        if name in value
    }


@cache
def _fields(kind: Any) -> dict[str, Any]:
    """The fields' names; beside each the TypedDict inside it, also in a list, or None."""
    found = {}
    for name, hint in typing.get_type_hints(kind).items():
        inner = [one for one in (hint, *typing.get_args(hint)) if typing.is_typeddict(one)]
        found[name] = inner[0] if inner else None
    return found


def _typed_dicts(kind: Any) -> Iterator[Any]:
    """The TypedDicts that a type is made of."""
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


def _plainly(part: dict[str, Any]) -> dict[str, Any]:
    """A choice of bare types as a list of them, and of one value as that value."""
    choices = part.get("anyOf", ())
    if choices and all(choice.keys() == {"type"} for choice in choices):
        rest = {name: value for name, value in part.items() if name != "anyOf"}
        return {"type": [choice["type"] for choice in choices], **rest}
    if len(part.get("enum", ())) == 1:
        rest = {name: value for name, value in part.items() if name != "enum"}
        return {"const": part["enum"][0], **rest}
    return part
