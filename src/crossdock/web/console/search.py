"""Search over everything that a person may read: a page, of which the palette shows what was found."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Refused
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.shop.finding import Hit, HitKind, find_anything
from crossdock.web.console.order_words import FULFILMENT, PAYMENT
from crossdock.web.console.rendering import Pages

SEARCH: Final = "/console/search"
KIND_NAMES: Final[dict[HitKind, str]] = {
    "product": lazy("Products"),
    "customer": lazy("Customers"),
    "merchant": lazy("Merchants"),
    "ticket": lazy("Tickets"),
    "partner": lazy("Partners"),
    "person": lazy("People"),
    "mail": lazy("Mail"),
}
_PATHS: Final[dict[HitKind, str]] = {
    "product": "/console/products/{id}",
    "customer": "/console/customers/{id}",
    "merchant": "/console/merchants/{id}",
    "ticket": "/console/tickets/{id}",
    "partner": "/console/partners/{id}",
    "person": "/console/people/{id}",
    "mail": "/console/mail/{id}",
}
_SEARCH_MAX: Final = 200


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one kind, each with the address of its page."""

    name: str
    hits: list[tuple[Hit, str]]


class SearchPage:
    """One page: the field, and what it finds, by kind."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def show(self, request: Request) -> Response:
        """What the text in the address finds."""
        visit = await self._gate.require_person(request)
        if visit.person.principal != "staff":
            raise Refused("permission_denied", gettext("This page is for the shop's staff."))
        text = request.query_params.get("q", "").replace("\x00", "").strip()[:_SEARCH_MAX]
        async with self._db.statement() as tx:
            orders, hits = await find_anything(
                tx, person=visit.person, text=text, now=self._clock.now()
            )
        return self._pages.page(
            "search.html",
            visit=visit,
            text=text,
            orders=orders,
            groups=_groups(hits),
            fulfilment=FULFILMENT,
            payment=PAYMENT,
        )


def _groups(hits: list[Hit]) -> list[Group]:
    found = {kind: [hit for hit in hits if hit.kind == kind] for kind in KIND_NAMES}
    return [
        Group(name=KIND_NAMES[kind], hits=[(hit, address_of(hit)) for hit in each])
        for kind, each in found.items()
        if each
    ]


def address_of(hit: Hit) -> str:
    """The page of what was found."""
    return _PATHS[hit.kind].format(id=hit.id)
