"""Saved views of lists: every list is an address, and staff keep one under a name, for themselves or the whole shop."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Invalid, Refused
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.shop.people import (
    VIEW_NAME_MAX,
    Person,
    Right,
    SavedView,
    list_views,
    remove_view,
    save_view,
)
from crossdock.web.console.confirming import told_of, undo_query
from crossdock.web.console.paging import kept_query, path_number
from crossdock.web.console.rendering import Told, Undo, redirect

VIEWS: Final = "/console/views"
LISTS: Final[Mapping[str, Right]] = {
    "/console/orders": "orders.read",
    "/console/products": "products.read",
    "/console/stock": "products.read",
    "/console/merchants": "products.read",
    "/console/partners": "partners.manage",
    "/console/customers": "customers.read",
    "/console/deliveries": "deliveries.read",
    "/console/events": "events.read",
    "/console/tickets": "tickets.read",
    "/console/mail": "mail.read",
    "/console/money/accounts": "ledger.read",
    "/console/money/payments": "ledger.read",
    "/console/payouts": "payouts.manage",
    "/console/log": "people.manage",
}
"""The lists that have views, each with the right to open it."""
_FILTERS_MAX: Final = 50
_DONE: Final = {"view_removed": lazy("The view is removed.")}


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """The saved views of the list that is shown, what of it is shown now, and what was just done to a view."""

    path: str
    query: str
    views: list[SavedView]
    told: Told | None = None
    name_max: int = VIEW_NAME_MAX

    def address(self, view: SavedView) -> str:
        """Where a view is shown."""
        return f"{self.path}?{view.query}" if view.query else self.path


_shelf: ContextVar[Shelf | None] = ContextVar("console_saved_views", default=None)
shelf = _shelf.get
"""What templates show of the page in hand; None where it is no list."""


class SavedViewPages:
    """Reads the views of a list before its page is made, saves them and removes them."""

    def __init__(self, gate: Gate, *, services: Services) -> None:
        self._gate = gate
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def read(self, request: Request) -> Shelf | None:
        """The views of the list that is asked for, for who may open it."""
        path = request.url.path
        if request.method != "GET" or path not in LISTS:
            return None
        visit = await self._gate.visit(request)
        if visit is None or not visit.is_complete or not visit.person.may(LISTS[path]):
            return None
        async with self._db.statement() as tx:
            views = await list_views(tx, person=visit.person, list_name=path)
        return Shelf(
            path=path,
            query=kept_query(request.query_params.multi_items()),
            views=views,
            told=told_of(visit, request, _DONE),
        )

    async def save(self, request: Request) -> Response:
        """Save what is shown of a list under a name."""
        visit, form = await self._gate.require_form(request)
        path = _list_of(form.get("list", ""), visit.person)
        query = _query_of(form.get("query", ""))
        async with self._db.begin() as tx:
            await save_view(
                tx,
                person=visit.person,
                list_name=path,
                name=form.get("name", ""),
                query=query,
                is_shared=form.get("shared") == "yes",
                now=self._clock.now(),
            )
        return redirect(f"{path}?{query}" if query else path)

    async def remove(self, request: Request) -> Response:
        """Remove a view; the list is shown as it was, and offers to save the view again."""
        visit, _form = await self._gate.require_form(request)
        async with self._db.begin() as tx:
            view = await remove_view(tx, person=visit.person, view_id=path_number(request, "view"))
        shared = "yes" if view.is_shared else "no"
        fields = {"list": view.list, "name": view.name, "query": view.query, "shared": shared}
        undo = undo_query(visit, Undo(action=VIEWS, fields=fields))
        kept = f"{view.query}&" if view.query else ""
        return redirect(f"{view.list}?{kept}done=view_removed{undo}#removed-view")


@contextmanager
def showing(found: Shelf | None) -> Iterator[None]:
    """Let templates show these views meanwhile."""
    token = _shelf.set(found)
    try:
        yield
    finally:
        _shelf.reset(token)


def _query_of(text: str) -> str:
    """What a form says is shown of the list."""
    try:
        return kept_query(parse_qsl(text, max_num_fields=_FILTERS_MAX))
    except ValueError:
        message = gettext("This view has too many filters to be saved.")
        raise Invalid("invalid_input", message, {"field": "query"}) from None


def _list_of(path: str, person: Person) -> str:
    """The list of a form, if the person may open it."""
    if path not in LISTS:
        raise Invalid("invalid_input", gettext("This list has no saved views."))
    if not person.may(LISTS[path]):
        raise Refused("permission_denied")
    return path
