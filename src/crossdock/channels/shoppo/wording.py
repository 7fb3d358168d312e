"""Values in the messages of the GraphQL library, as GraphQL writes them instead of as Python does.

The library prints a value that it refuses in the words of its language: `None`, `True`, single quotes. Callers
write none of that, and have what graphql-js says: `null`, `true`, `{ name: "Ada" }`.
"""

import json
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

_DEPTH_MAX: Final = 2
_CHARS_MAX: Final = 240
_ITEMS_MAX: Final = 10
_SPEAKERS: Final = (
    "graphql.utilities.validate_input_value",
    "graphql.type.scalars",
    "graphql.type.definition",
)
_NOT_NULL: Final = " not to be None."


def speak_graphql() -> None:
    """Have the library print the values that it refuses by `in_graphql`, in this process."""
    for name in _SPEAKERS:
        module = vars(import_module(name))
        if not callable(module["inspect"]):
            raise TypeError(f"{name} prints values by something else")
        module["inspect"] = in_graphql


def in_graphql(value: Any) -> str:
    """The value of a variable as graphql-js prints it, at most two levels deep, long ones cut."""
    return _shown(value, depth=0)


def without_none(text: str) -> str:
    """A message of the library without the one word of Python that it has of its own."""
    return text.removesuffix(_NOT_NULL) + " not to be null." if text.endswith(_NOT_NULL) else text


def _shown(value: Any, *, depth: int) -> str:
    if value is None or isinstance(value, bool | int | float):
        return _cut(json.dumps(value))
    if isinstance(value, str):
        return json.dumps(_cut(value), ensure_ascii=False)
    if isinstance(value, list):
        return _list(value, depth=depth)
    if isinstance(value, dict):
        return _object(value, depth=depth)
    return "[Object]"


def _list(values: list[Any], *, depth: int) -> str:
    if values and depth == _DEPTH_MAX:
        return "[Array]"
    shown = [_shown(each, depth=depth + 1) for each in values[:_ITEMS_MAX]]
    return f"[{', '.join(_with_rest(shown, len(values)))}]"


def _object(fields: dict[str, Any], *, depth: int) -> str:
    if not fields:
        return "{}"
    if depth == _DEPTH_MAX:
        return "[Object]"
    first = list(fields.items())[:_ITEMS_MAX]
    shown = [f"{_cut(name)}: {_shown(each, depth=depth + 1)}" for name, each in first]
    return f"{{ {', '.join(_with_rest(shown, len(fields)))} }}"


def _with_rest(shown: list[str], count: int) -> Iterable[str]:
    left = count - len(shown)
    return [*shown, f"... {left} more"] if left else shown


def _cut(text: str) -> str:
    return text if len(text) <= _CHARS_MAX else f"{text[:_CHARS_MAX]}..."
