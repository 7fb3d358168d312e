"""Checks a map: its targets must be fields of the format, its sources columns of the table."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from crossdock.imports.items import Finding, Unreadable, shown
from crossdock.imports.layouts import found_names, plain_name
from crossdock.imports.mapping import Field, FieldMap


def check_targets(
    field_map: FieldMap, *, known: Collection[str], plain: Callable[[str], str] = plain_name
) -> None:
    """Raises Unreadable for a target that the format does not have.

    Shopify's metafield columns may have any name.
    """
    for target in field_map.fields:
        if plain(target) not in known and ".metafields." not in target:
            raise Unreadable(
                f"The map sets {target!r}, which the format does not have"
                f"{_suggestion(plain(target), known)}"
            )


def check_sources(field_map: FieldMap, header: Sequence[str]) -> None:
    """Raises Unreadable for a source column that the table lacks."""
    names = set(header)
    for columns in _columns(field_map):
        if not names.intersection(columns):
            wanted = " or ".join(map(repr, columns))
            raise Unreadable(
                f"The map reads {wanted}, but the table has no such column"
                f"{_suggestion(columns[0], header)}; it has {found_names(header)}. "
                "A field whose column may be missing needs a default in the map"
            )


class Sources:
    """The sources of a map that no object has had so far."""

    def __init__(self, field_map: FieldMap) -> None:
        self._map = field_map
        self._unseen = list(_columns(field_map))

    def look(self, value: Mapping[str, Any]) -> None:
        """Remove the sources that the object has."""
        if self._unseen:
            self._unseen = [names for names in self._unseen if not self._map.finds(value, names)]

    def missed(self) -> Iterator[Finding]:
        """A warning about each source that no object had."""
        for names in self._unseen:
            reason = "is read by the map, but no object has it; is it misspelt?"
            yield Finding(row=1, field=" or ".join(names), reason=reason, is_warning=True)


def _columns(field_map: FieldMap) -> Iterator[Sequence[str]]:
    """The columns that are required, each with its alternatives."""
    for rule in (field_map.rows.only, field_map.rows.skip):
        yield from ((column,) for column in rule)
    for field in field_map.fields.values():
        yield from _of_field(field)
    yield from ((column,) for column in field_map.attributes.columns.values())
    if field_map.attributes.packed:
        yield (field_map.attributes.packed,)


def _of_field(field: str | Field) -> Iterator[Sequence[str]]:
    if isinstance(field, str):
        yield (field,)
    elif field.default is None:
        yield from ((column,) for column in field.when)
        if field.constant is None and field.source:
            yield (field.source,) if isinstance(field.source, str) else field.source


def _suggestion(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {shown(close[0])!r}?" if close else ""
