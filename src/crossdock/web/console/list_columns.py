"""The columns of a list: its address says which are shown, so that pages, saved views and files agree."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request

from crossdock.web.console.paging import kept_fields

FIELD: Final = "cols"
"""The part of an address that names a column; one for each."""


class Column(msgspec.Struct, frozen=True):
    """A column's heading, and whether it holds numbers."""

    text: str
    is_number: bool = False


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a list besides its first, which it always has; none `chosen` are all.

    `kept` is what else the address says of the list, without the page.
    """

    path: str
    offered: Mapping[str, Column]
    chosen: tuple[str, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def shown(self) -> Mapping[str, Column]:
        """The columns that the list has now."""
        return {name: self.offered[name] for name in self.chosen} or self.offered

    def link(self, **filters: object) -> str:
        """The list's first page with these filters, those that are empty left out, and the chosen columns."""
        query = [(name, value) for name, value in filters.items() if value]
        query += column_fields(self.chosen)
        return f"{self.path}?{urlencode(query)}" if query else self.path


def read_columns(request: Request, offered: Mapping[str, Column]) -> Columns:
    """The columns that the address of a list chooses."""
    values = request.query_params
    kept = kept_fields(values.multi_items())
    return Columns(
        path=request.url.path,
        offered=offered,
        chosen=chosen_of(values, offered),
        kept=tuple((name, text) for name, text in kept if name != FIELD),
    )


def chosen_of(values: QueryParams, offered: Mapping[str, Column]) -> tuple[str, ...]:
    """The columns that an address names, in the list's order; () for all. What is unknown is ignored."""
    chosen = tuple(name for name in offered if name in values.getlist(FIELD))
    return chosen if len(chosen) < len(offered) else ()


def column_fields(chosen: tuple[str, ...]) -> list[tuple[str, object]]:
    """The parts of an address that choose these columns."""
    return [(FIELD, name) for name in chosen]
