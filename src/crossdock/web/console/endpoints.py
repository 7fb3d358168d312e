"""Endpoints: the connectors that orders go through, and the webhooks of all channels; pause and resume."""

from typing import Final
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import Invalid
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.numbers import read_number
from crossdock.shop.deliveries import OpenDeliveries, count_open
from crossdock.shop.dispatch import list_connectors, set_connector
from crossdock.shop.webhooks import WebhookEndpoint, list_webhook_endpoints, pause_webhook
from crossdock.web.console.rendering import Pages, redirect

ENDPOINTS: Final = "/console/endpoints"
_WEBHOOK: Final = "webhook"
_DISPATCH: Final = "dispatch"
_DONE: Final = {
    "paused": lazy("It is paused. Nothing is sent to it until it is resumed."),
    "resumed": lazy("It is resumed. What failed meanwhile can be sent again from the deliveries."),
}


class EndpointPages:
    """One page of all endpoints with what waits for them and what has failed."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database

    async def browse(self, request: Request) -> Response:
        """The connectors and the webhooks of the shop."""
        visit = await self._gate.require_person(request, right="deliveries.read")
        shop_id = visit.person.shop_id
        async with self._db.statement() as tx:
            connectors = await list_connectors(tx, shop_id=shop_id)
            webhooks = await list_webhook_endpoints(tx, shop_id=shop_id)
            if not visit.person.may("deliveries.manage"):
                webhooks = [_without_path(each) for each in webhooks]
            counts = await count_open(tx, shop_id=shop_id)
        return self._pages.page(
            "endpoints.html",
            visit=visit,
            connectors=connectors,
            webhooks=webhooks,
            dispatches={each.target: each for each in counts if each.kind == _DISPATCH},
            calls={each.target: each for each in counts if each.kind.endswith(f"_{_WEBHOOK}")},
            nothing=OpenDeliveries(kind="", target="", waiting=0, failed=0),
            done=_DONE.get(request.query_params.get("done", ""), ""),
        )

    async def switch(self, request: Request) -> Response:
        """Pause an endpoint, or end its pause."""
        visit, form = await self._gate.require_form(request, right="deliveries.manage")
        is_paused = form.get("action") == "pause"
        shop_id, name = visit.person.shop_id, form.get("name", "")
        async with self._db.begin() as tx:
            if form.get("of") == _WEBHOOK and (number := read_number(name)) is not None:
                await pause_webhook(
                    tx,
                    shop_id=shop_id,
                    subscription_id=number,
                    is_paused=is_paused,
                    now=self._services.runtime.clock.now(),
                )
            elif form.get("of") == "connector":
                await set_connector(
                    tx,
                    service=self._services.configuring,
                    shop_id=shop_id,
                    name=name.replace("\x00", ""),
                    enabled=not is_paused,
                )
            else:
                raise Invalid("invalid_input", gettext("The form names no endpoint."))
        return redirect(f"{ENDPOINTS}?done={'paused' if is_paused else 'resumed'}")


def _without_path(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """The endpoint with scheme and host alone: what follows may open something at its receiver."""
    place = urlsplit(endpoint.url)
    host = place.netloc.rpartition("@")[2]
    return msgspec.structs.replace(endpoint, url=f"{place.scheme}://{host}/…")
