"""The alerts page: open alerts of the shop, and those that were closed last."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid
from crossdock.gate import Gate
from crossdock.kit.clock import Clock
from crossdock.kit.languages import gettext, ngettext
from crossdock.kit.numbers import read_number
from crossdock.shop.alerts import PAGE_MAX, list_alerts, mark_seen
from crossdock.shop.people import Visit
from crossdock.web.console.alert_links import alert_links
from crossdock.web.console.rendering import AddRoute, Pages, redirect

ALERTS = "/console/alerts"
_SEEN_SHOWN = 20


class AlertPages:
    """One page with a button to close each alert, and one to close all that it shows."""

    def __init__(self, gate: Gate, pages: Pages, *, db: Database, clock: Clock) -> None:
        self._gate = gate
        self._pages = pages
        self._db = db
        self._clock = clock

    def routes(self, get: AddRoute, post: AddRoute) -> list[Route]:
        """The routes of the list."""
        return [get(ALERTS, self.show), post(ALERTS, self.close)]

    async def show(self, request: Request) -> Response:
        """Open alerts, newest first, then some closed ones."""
        visit = await self._gate.require_person(request, right="alerts.read")
        shop_id = visit.person.shop_id
        async with self._db.statement() as tx:
            alerts = await list_alerts(tx, shop_id=shop_id, limit=PAGE_MAX)
            seen = await list_alerts(tx, shop_id=shop_id, seen=True, limit=_SEEN_SHOWN)
        return self._pages.page(
            "alerts.html",
            visit=visit,
            alerts=alerts,
            has_more=len(alerts) == PAGE_MAX,
            seen=seen,
            links={each.id: alert_links(each, visit.person) for each in (*alerts, *seen)},
            may_close=visit.person.may("alerts.close"),
            done=_done(request.query_params.get("closed", "")),
        )

    async def close(self, request: Request) -> Response:
        """Close the alerts that the form names; those raised after the page loaded stay open."""
        visit, form = await self._gate.require_form(request, right="alerts.close")
        async with self._db.begin() as tx:
            count = await mark_seen(
                tx,
                shop_id=visit.person.shop_id,
                alert_ids=_numbers(form.get("alerts", "")),
                by=visit.person.label,
                now=self._clock.now(),
            )
        return redirect(f"{ALERTS}?closed={count}")

    async def count_open(self, visit: Visit) -> int:
        """The number of open alerts, for the console's home page."""
        async with self._db.statement() as tx:
            return len(await list_alerts(tx, shop_id=visit.person.shop_id, limit=PAGE_MAX))


def _numbers(text: str) -> list[int]:
    """Raises Invalid `invalid_input`."""
    numbers = [read_number(word) for word in text.split()]
    named = [number for number in numbers if number is not None]
    if not named or len(named) < len(numbers):
        raise Invalid("invalid_input", gettext("The form names no alert."))
    return named


def _done(text: str) -> str:
    many = read_number(text)
    if many is None:
        return ""
    if many == 0:
        return gettext("Somebody else has closed it already.")
    return ngettext("One alert is closed.", "%(many)s alerts are closed.", many) % {"many": many}
