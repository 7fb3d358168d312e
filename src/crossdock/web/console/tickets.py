"""Tickets: what partners' buyers complain of or ask, and what an agent does with them."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Invalid
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.shop.tickets import (
    ACTIONS_OF,
    Action,
    CommentSpan,
    Span,
    TicketState,
    act,
    list_comments,
    list_tickets,
    list_told,
    read_ticket,
)
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import PAGE_SIZE, paging, path_number, place_text, read_place
from crossdock.web.console.rendering import Pages, redirect

TICKETS: Final = "/console/tickets"
VIEWS: Final[dict[str, tuple[TicketState, ...]]] = {
    "open": ("new", "open"),
    "waiting": ("pending", "hold"),
    "solved": ("solved",),
    "closed": ("closed",),
    "all": (),
}
COLUMNS: Final[Mapping[str, Column]] = {
    "from": Column(lazy("From")),
    "state": Column(lazy("State")),
    "opened": Column(lazy("Opened (UTC)")),
}
"""The columns of the list besides its first."""
_ACTIONS: Final[dict[str, Action]] = {
    "assign": "assign",
    "answer": "answer",
    "ask": "ask",
    "hold": "hold",
    "solve": "solve",
}
_DONE: Final = {
    "assign": lazy("The ticket is yours."),
    "answer": lazy("The partner is told what you wrote."),
    "ask": lazy("The partner is asked; the ticket waits for the reply."),
    "hold": lazy("The ticket is on hold."),
    "solve": lazy("The ticket is solved. A reply opens it again."),
}


class TicketPages:
    """The inbox, and a ticket with its comments."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def browse(self, request: Request) -> Response:
        """The newest tickets of a view."""
        visit = await self._gate.require_person(request, right="tickets.read")
        view = request.query_params.get("view", "")
        view = view if view in VIEWS else "open"
        async with self._db.statement() as tx:
            page = await list_tickets(
                tx,
                shop_id=visit.person.shop_id,
                span=Span(limit=PAGE_SIZE, after=read_place(request.query_params)),
                states=VIEWS[view] or None,
            )
        last = page.tickets[-1] if page.has_next else None
        older = place_text((last.created_at, last.id)) if last else None
        return self._pages.page(
            "tickets.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            tickets=page.tickets,
            paging=paging(request, older=older),
            view=view,
            views=VIEWS,
        )

    async def show(self, request: Request) -> Response:
        """A ticket, its comments, and whether the partner was told of each."""
        visit = await self._gate.require_person(request, right="tickets.read")
        shop_id, ticket_id = visit.person.shop_id, path_number(request, "ticket")
        async with self._db.statement() as tx:
            ticket = await read_ticket(tx, shop_id=shop_id, ticket_id=ticket_id)
            newest = CommentSpan(from_end=True)
            pages = await list_comments(tx, shop_id=shop_id, ticket_ids=[ticket_id], span=newest)
            told = await list_told(tx, shop_id=shop_id, ticket_id=ticket_id)
        return self._pages.page(
            "ticket.html",
            visit=visit,
            ticket=ticket,
            comments=pages[ticket_id].comments,
            told=told,
            possible=ACTIONS_OF[ticket.state],
            done=_DONE.get(request.query_params.get("done", ""), ""),
        )

    async def act(self, request: Request) -> Response:
        """An agent's action, with what the agent writes."""
        visit, form = await self._gate.require_form(
            request, right="tickets.answer", personal=("text",)
        )
        ticket_id, action = path_number(request, "ticket"), _ACTIONS.get(form.get("action", ""))
        if action is None:
            raise Invalid("invalid_input", gettext("The form names no action."))
        text = form.get("text", "").strip()
        if action in {"answer", "ask"} and not text:
            raise Invalid("invalid_input", gettext("Write what the partner is to read."))
        async with self._db.begin() as tx:
            await act(
                tx,
                shop_id=visit.person.shop_id,
                ticket_id=ticket_id,
                action=action,
                by=visit.person,
                content=text if text and action != "assign" else None,
                now=self._clock.now(),
            )
        return redirect(f"{TICKETS}/{ticket_id}?done={action}")
