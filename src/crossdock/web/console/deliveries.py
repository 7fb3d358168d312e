"""Deliveries: what this server sent or is to send elsewhere, with the log of every attempt."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy, ngettext
from crossdock.shop.deliveries import (
    STATUSES,
    list_deliveries,
    resend_delivery,
    resend_failed,
    show_delivery,
    withdraw_by_id,
)
from crossdock.web.console.paging import (
    PAGE_SIZE,
    number_in,
    paging,
    path_number,
    read_before,
)
from crossdock.web.console.rendering import Pages, redirect

DELIVERIES: Final = "/console/deliveries"
_DONE: Final = {
    "resent": lazy("The delivery is queued again; what earlier attempts made is looked up first."),
    "withdrawn": lazy("The delivery is withdrawn. What the other side has got stays there."),
}


class DeliveryPages:
    """The newest deliveries by status, and one with its log."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def browse(self, request: Request) -> Response:
        """The newest deliveries of one status, or of all."""
        visit = await self._gate.require_person(request, right="deliveries.read")
        wanted = request.query_params.get("status", "")
        status = wanted if wanted in STATUSES else None
        async with self._db.statement() as tx:
            found = await list_deliveries(
                tx,
                shop_id=visit.person.shop_id,
                status=status,
                before=read_before(request.query_params),
                limit=PAGE_SIZE + 1,
            )
        deliveries = found[:PAGE_SIZE]
        older = deliveries[-1].id if len(found) > PAGE_SIZE else None
        return self._pages.page(
            "deliveries.html",
            visit=visit,
            deliveries=deliveries,
            shown=status or "",
            statuses=STATUSES,
            paging=paging(request, older=older),
            done=_many(request.query_params.get("resent", "")),
        )

    async def show(self, request: Request) -> Response:
        """A delivery and its attempts."""
        visit = await self._gate.require_person(request, right="deliveries.read")
        async with self._db.statement() as tx:
            delivery, log = await show_delivery(
                tx, shop_id=visit.person.shop_id, delivery_id=path_number(request, "delivery")
            )
        return self._pages.page(
            "delivery.html",
            visit=visit,
            delivery=delivery,
            log=log,
            done=_DONE.get(request.query_params.get("done", ""), ""),
        )

    async def resend(self, request: Request) -> Response:
        """Queue a failed delivery again."""
        visit, _form = await self._gate.require_form(request, right="deliveries.manage")
        delivery_id = path_number(request, "delivery")
        async with self._db.begin() as tx:
            await resend_delivery(
                tx,
                shop_id=visit.person.shop_id,
                delivery_id=delivery_id,
                now=self._clock.now(),
            )
        return redirect(f"{DELIVERIES}/{delivery_id}?done=resent")

    async def withdraw(self, request: Request) -> Response:
        """Give up a queued or failed delivery."""
        visit, _form = await self._gate.require_form(request, right="deliveries.manage")
        delivery_id = path_number(request, "delivery")
        async with self._db.begin() as tx:
            await withdraw_by_id(
                tx,
                shop_id=visit.person.shop_id,
                delivery_id=delivery_id,
                now=self._clock.now(),
            )
        return redirect(f"{DELIVERIES}/{delivery_id}?done=withdrawn")

    async def resend_all(self, request: Request) -> Response:
        """Queue every failed delivery of the shop again."""
        visit, _form = await self._gate.require_form(request, right="deliveries.manage")
        async with self._db.begin() as tx:
            sent = await resend_failed(tx, shop_id=visit.person.shop_id, now=self._clock.now())
        return redirect(f"{DELIVERIES}?resent={len(sent)}")


def _many(text: str) -> str:
    many = number_in(text)
    if many is None:
        return ""
    if many == 0:
        return gettext("None had failed.")
    told = ngettext("One delivery is queued again.", "%(many)s deliveries are queued again.", many)
    return told % {"many": many}
