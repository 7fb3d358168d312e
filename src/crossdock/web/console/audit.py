"""The log of everything that staff did, on pages and by commands."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.gate import Gate
from crossdock.kit.languages import lazy
from crossdock.shop.acts import ActFilters, list_acts
from crossdock.shop.shops import read_shop_by_id
from crossdock.web.console.act_words import told
from crossdock.web.console.events import day_in
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import paging, read_before
from crossdock.web.console.rendering import Pages

AUDIT: Final = "/console/log"
COLUMNS: Final[Mapping[str, Column]] = {
    "who": Column(lazy("Who")),
    "what": Column(lazy("What")),
    "of": Column(lazy("Of")),
    "from": Column(lazy("From")),
}
"""The columns of the list besides its first."""
_AREAS: Final = {
    "": lazy("Everything"),
    "/console/orders": lazy("Orders"),
    "/console/products": lazy("Products"),
    "/console/stock": lazy("Stock"),
    "/console/partners": lazy("Partners"),
    "/console/customers": lazy("Customers"),
    "/console/people": lazy("People"),
    "/console/tickets": lazy("Tickets"),
    "/console/payouts": lazy("Payouts"),
    "/console/imports": lazy("Imports"),
    "/console/deliveries": lazy("Deliveries"),
    "/console/endpoints": lazy("Endpoints"),
    "/console/alerts": lazy("Alerts"),
    "/console/settings": lazy("Settings"),
    "/console/account": lazy("Own accounts"),
    "crossdock": lazy("Commands"),
}
_TEXT_MAX: Final = 254


class AuditPages:
    """The log with its filters; all of them live in the address."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database

    async def browse(self, request: Request) -> Response:
        """The newest acts, or those before a number."""
        visit = await self._gate.require_person(request, right="people.manage")
        values = {
            name: request.query_params.get(name, "").replace("\x00", "").strip()[:_TEXT_MAX]
            for name in ("who", "area", "since", "until")
        }
        area = values["area"] if values["area"] in _AREAS else ""
        async with self._db.statement() as tx:
            zone = (await read_shop_by_id(tx, shop_id=visit.person.shop_id)).zone
            until = day_in(values["until"], zone)
            acts, has_more = await list_acts(
                tx,
                shop_id=visit.person.shop_id,
                filters=ActFilters(
                    actor=values["who"],
                    act=area,
                    since=day_in(values["since"], zone),
                    until=until + timedelta(days=1) if until else None,
                ),
                before=read_before(request.query_params),
            )
        return self._pages.page(
            "log.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            acts=[told(act) for act in acts],
            areas=_AREAS,
            area=area,
            values=values,
            is_filtered=any(values.values()),
            paging=paging(request, older=acts[-1].id if has_more else None),
        )
