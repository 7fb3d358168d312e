"""All pages about partners: the list, a partner, its terms, its last requests and test calls."""

from collections.abc import Mapping

from starlette.routing import Route
from starlette.types import ASGIApp

from crossdock.compose import Services
from crossdock.gate import Gate
from crossdock.shop.partners import ChannelFacts
from crossdock.web.console.partner_calls import PartnerCalls
from crossdock.web.console.partner_forms import PartnerForms
from crossdock.web.console.partner_reading import PARTNERS
from crossdock.web.console.partner_trying import PartnerTrying
from crossdock.web.console.partners import PartnerPages
from crossdock.web.console.rendering import AddRoute, Pages
from crossdock.web.operations import TriedDoor


class PartnerDesk:
    """Builds these pages, and names their addresses."""

    def __init__(
        self,
        gate: Gate,
        pages: Pages,
        *,
        services: Services,
        facts: Mapping[str, ChannelFacts],
        doors: Mapping[str, TriedDoor],
        sends: ASGIApp,
        rate_limit_per_minute: int,
    ) -> None:
        self._partners = PartnerPages(gate, pages, services=services)
        self._calls = PartnerCalls(gate, pages, services=services)
        self._trying = PartnerTrying(
            gate, pages, services=services, facts=facts, doors=doors, sends=sends
        )
        self._forms = PartnerForms(
            gate,
            pages,
            services=services,
            facts=facts,
            rate_limit_per_minute=rate_limit_per_minute,
        )

    def routes(self, get: AddRoute, post: AddRoute) -> list[Route]:
        """The routes, of handlers that `get` and `post` guard."""
        pages, one, forms = self._partners, f"{PARTNERS}/{{partner}}", self._forms
        return [
            get(PARTNERS, pages.browse),
            get(f"{PARTNERS}/new", forms.ask_new),
            post(f"{PARTNERS}/new", forms.add),
            get(f"{one}/terms", forms.ask_terms),
            post(f"{one}/terms", forms.change),
            get(one, pages.show),
            post(f"{one}/rotate", pages.rotate),
            post(f"{one}/revoke-old", pages.revoke_old),
            post(f"{one}/key", pages.switch_key),
            post(f"{one}/calls", pages.switch),
            post(f"{one}/watch", self._calls.watch),
            get(f"{one}/requests/{{call}}", self._calls.show),
            get(f"{one}/try", self._trying.ask),
            post(f"{one}/try", self._trying.send),
        ]
