"""Tickets: what partners' buyers complain of or ask, and what an agent does with them."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Invalid, NotFound
from crossdock.gate import Gate
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
from crossdock.web.console.rendering import Pages, redirect

TICKETS: Final = "/console/tickets"
VIEWS: Final[dict[str, tuple[TicketState, ...]]] = {
    "open": ("new", "open"),
    "waiting": ("pending", "hold"),
    "solved": ("solved",),
    "closed": ("closed",),
    "all": (),
}
_SHOWN: Final = 100
_ACTIONS: Final[dict[str, Action]] = {
    "assign": "assign",
    "answer": "answer",
    "ask": "ask",
    "hold": "hold",
    "solve": "solve",
}
_DONE: Final = {
    "assign": "The ticket is yours.",
    "answer": "The partner is told what you wrote.",
    "ask": "The partner is asked; the ticket waits for the reply.",
    "hold": "The ticket is on hold.",
    "solve": "The ticket is solved. A reply opens it again.",
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
                span=Span(limit=_SHOWN),
                states=VIEWS[view] or None,
            )
        return self._pages.page(
            "tickets.html", visit=visit, tickets=page.tickets, is_cut=page.has_next, view=view,
            views=VIEWS,
        )  # fmt: skip

    async def show(self, request: Request) -> Response:
        """A ticket, its comments, and whether the partner was told of each."""
        visit = await self._gate.require_person(request, right="tickets.read")
        shop_id, ticket_id = visit.person.shop_id, _ticket_id(request)
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
        visit, form = await self._gate.require_form(request, right="tickets.answer")
        ticket_id, action = _ticket_id(request), _ACTIONS.get(form.get("action", ""))
        if action is None:
            raise Invalid("invalid_input", "The form names no action.")
        text = form.get("text", "").strip()
        if action in {"answer", "ask"} and not text:
            raise Invalid("invalid_input", "Write what the partner is to read.")
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


def _ticket_id(request: Request) -> int:
    text = request.path_params["ticket"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound("not_found", "There is no such ticket.")
    return int(text)
