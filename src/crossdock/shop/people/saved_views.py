"""Views of lists that staff save under a name, each for themselves or for the whole shop.

A list is an address of the console, and what a view shows of it is that address's query: filters, search and columns.
"""

from datetime import datetime
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.texts import visible
from crossdock.shop.people.model import Person

VIEW_NAME_MAX: Final = 60
VIEWS_MAX: Final = 30
QUERY_MAX: Final = 1_000


class SavedView(msgspec.Struct, frozen=True, kw_only=True):
    """A view of a list; `is_shared` ones are the whole shop's. `may_remove`: the reader may."""

    id: int
    list: str
    name: str
    query: str
    is_shared: bool
    may_remove: bool


async def list_views(tx: Transaction, *, person: Person, list_name: str) -> list[SavedView]:
    """The views of this list that the person sees, by name; those of the shop first."""
    rows = await tx.all(_SEEN, _values(person, list_name))
    return [SavedView(**dict(zip(SavedView.__struct_fields__, row, strict=True))) for row in rows]


async def save_view(
    tx: Transaction,
    *,
    person: Person,
    list_name: str,
    name: str,
    query: str,
    is_shared: bool,
    now: datetime,
) -> int:
    """Save a view; returns its id. One of the same name and owner is replaced, if the person may remove it.

    Raises Invalid `invalid_input` for a name without a visible letter or for what is too long, Conflict `exists` for
    somebody else's name or for more than VIEWS_MAX views of one list and owner.
    """
    name = visible(name)
    if not name or len(name) > VIEW_NAME_MAX:
        text = f"A view needs a name of at most {VIEW_NAME_MAX} characters."
        raise Invalid("invalid_input", text, {"field": "name"})
    if len(query) > QUERY_MAX:
        raise Invalid("invalid_input", "The view has too many filters.", {"field": "query"})
    values = _values(person, list_name) | {
        "name": name,
        "query": query,
        "shared": is_shared,
        "now": now,
    }
    if await tx.value(_COUNT, values) >= VIEWS_MAX:
        raise Conflict("exists", f"There are {VIEWS_MAX} views of this list; remove one first.")
    saved: int | None = await tx.value(_SAVE, values)
    if saved is None:
        raise Conflict("exists", "Somebody else saved a view of this name for the whole shop.")
    return saved


async def remove_view(tx: Transaction, *, person: Person, view_id: int) -> SavedView:
    """Remove a view that the person saved, or any of the shop's for an owner; returns it. Raises NotFound."""
    row = await tx.one(_REMOVE, _values(person, "") | {"id": view_id})
    if row is None:
        raise NotFound("not_found", "There is no such view, or somebody else saved it.")
    return SavedView(**dict(zip(SavedView.__struct_fields__, row, strict=True)))


def _values(person: Person, list_name: str) -> dict[str, object]:
    return {
        "shop": person.shop_id,
        "person": person.id,
        "list": list_name,
        "rules": person.may("people.manage"),
    }


_COLUMNS: Final = "id, list, name, query, is_shared, person_id = %(person)s or %(rules)s"
_SEEN: Final = f"""
    select {_COLUMNS} from saved_views
    where shop_id = %(shop)s and list = %(list)s and (is_shared or person_id = %(person)s)
    order by not is_shared, lower(name), id
"""  # nosec B608
_COUNT: Final = """
    select count(*) from saved_views
    where shop_id = %(shop)s and list = %(list)s and is_shared = %(shared)s
      and (is_shared or person_id = %(person)s) and lower(name) <> lower(%(name)s)
"""
_SAVE: Final = """
    insert into saved_views as v (shop_id, person_id, list, name, query, is_shared, created_at)
    values (%(shop)s, %(person)s, %(list)s, %(name)s, %(query)s, %(shared)s, %(now)s)
    on conflict (shop_id, list, (case when is_shared then 0 else person_id end), lower(name))
        do update set query = excluded.query, name = excluded.name
        where v.person_id = excluded.person_id or %(rules)s
    returning id
"""
_REMOVE: Final = f"""
    delete from saved_views
    where shop_id = %(shop)s and id = %(id)s and (person_id = %(person)s or (is_shared and %(rules)s))
    returning {_COLUMNS}
"""  # nosec B608
