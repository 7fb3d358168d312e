"""A partner's last requests: kept for some hours once staff ask for it, each with its answer and its verdict."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Invalid, NotFound
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.shop.partners import list_calls, watch_partner
from crossdock.web.console.call_words import is_accepted, verdict
from crossdock.web.console.paging import path_number
from crossdock.web.console.partner_reading import PARTNERS, partner_of
from crossdock.web.console.rendering import Pages, redirect

HOURS: Final = {
    "1": lazy("for one hour"),
    "4": lazy("for four hours"),
    "24": lazy("for one day"),
}


class PartnerCalls:
    """A kept call, and the switch that has calls kept; the list is on the partner's page."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def watch(self, request: Request) -> Response:
        """Keep the partner's calls for some hours, or stop."""
        visit, form = await self._gate.require_form(request, right="partners.manage")
        hours = form.get("hours", "")
        if hours != "0" and hours not in HOURS:
            raise Invalid("invalid_input", gettext("Choose for how long requests are kept."))
        async with self._db.begin() as tx:
            partner = await partner_of(tx, request, visit.person)
            await watch_partner(tx, partner_id=partner.id, hours=int(hours), now=self._clock.now())
        done = "unwatched" if hours == "0" else "watched"
        return redirect(f"{PARTNERS}/{partner.id}?done={done}#requests")

    async def show(self, request: Request) -> Response:
        """One call as it came, and its answer."""
        visit = await self._gate.require_person(request, right="partners.manage")
        async with self._db.statement() as tx:
            partner = await partner_of(tx, request, visit.person)
            found = await list_calls(
                tx,
                shop_id=visit.person.shop_id,
                partner_id=partner.id,
                call_id=path_number(request, "call"),
            )
        if not found:
            raise NotFound("not_found", gettext("This request is no longer kept."))
        return self._pages.page(
            "partner_call.html",
            visit=visit,
            partner=partner,
            call=found[0],
            verdict=verdict,
            is_accepted=is_accepted,
        )
