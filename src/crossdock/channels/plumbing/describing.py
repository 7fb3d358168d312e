"""Describe the fields of a channel's OpenAPI document from the channel's file `fields.toml`.

The file has a text for each name of a field or parameter. Its table `fields` is for every place; another
table precedes it where it has the name of the field that contains it, or of a part of the operation's id,
such as `Coupon` for `createCoupon`.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

FILE: Final = "fields.toml"
ANYWHERE: Final = "fields"
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})

Words = Mapping[str, Mapping[str, str]]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field stands: in which operation, and in which other field; '' for none."""

    operation: str = ""
    field: str = ""

    def below(self, name: str, inner: Any) -> "Place":
        """The place of what stands under the key `name` of the document."""
        if name in _METHODS and isinstance(inner, dict) and "operationId" in inner:
            return Place(operation=inner["operationId"])
        return self

    def text(self, words: Words, name: str) -> str:
        """What the file says of the field here."""
        nouns = sorted((each for each in words if each in self.operation), key=len, reverse=True)
        for table in (self.field, *nouns, ANYWHERE):
            if text := words.get(table, {}).get(name):
                return text
        return ""


def described(
    document: Callable[[], dict[str, Any]], *, beside: str
) -> Callable[[], dict[str, Any]]:
    """The document with its fields described by the file that is beside the module `beside`."""

    @cache
    def words() -> dict[str, dict[str, str]]:
        return read_words(Path(beside).parent)

    def made() -> dict[str, Any]:
        found: dict[str, Any] = _described(document(), words(), Place())
        return found

    return made


def read_words(folder: Path) -> dict[str, dict[str, str]]:
    """The tables of a channel's file."""
    return tomllib.loads((folder / FILE).read_text(encoding="utf-8"))


def fields_of(
    part: Any, place: Place | None = None
) -> Iterator[tuple[Place, str, Mapping[str, Any]]]:
    """Every field and parameter of a document: its place, its name, its schema."""
    place = place or Place()
    if isinstance(part, list):
        for entry in part:
            yield from fields_of(entry, place)
    if not isinstance(part, dict):
        return
    if _is_parameter(part):
        yield place, part["name"], part
        return
    for name, inner in part.items():
        if name == "properties":
            for field, schema in inner.items():
                yield place, field, schema
                yield from fields_of(schema, _inside(place, field))
        else:
            yield from fields_of(inner, place.below(name, inner))


def _described(part: Any, words: Words, place: Place) -> Any:
    if isinstance(part, list):
        return [_described(entry, words, place) for entry in part]
    if not isinstance(part, dict):
        return part
    if _is_parameter(part):
        own = {"description": text} if (text := part["schema"].get("description")) else {}
        return {**_told(words, place, part["name"]), **own, **part}
    return {
        name: (
            {
                field: {
                    **_told(words, place, field),
                    **_described(schema, words, _inside(place, field)),
                }
                for field, schema in inner.items()
            }
            if name == "properties"
            else _described(inner, words, place.below(name, inner))
        )
        for name, inner in part.items()
    }


def _told(words: Words, place: Place, name: str) -> dict[str, str]:
    text = place.text(words, name)
    return {"description": text} if text else {}


def _inside(place: Place, field: str) -> Place:
    return Place(operation=place.operation, field=field)


def _is_parameter(part: Mapping[str, Any]) -> bool:
    return (
        isinstance(part.get("in"), str) and isinstance(part.get("name"), str) and "schema" in part
    )
