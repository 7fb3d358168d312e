"""Deliveries: what this server sent or is to send elsewhere, with the log of every attempt."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import NotFound
from crossdock.gate import Gate
from crossdock.shop.deliveries import (
    STATUSES,
    list_deliveries,
    resend_delivery,
    resend_failed,
    show_delivery,
    withdraw_by_id,
)
from crossdock.web.console.rendering import Pages, redirect

DELIVERIES: Final = "/console/deliveries"
_SHOWN: Final = 100
_DONE: Final = {
    "resent": "The delivery is queued again; what earlier attempts made is looked up first.",
    "withdrawn": "The delivery is withdrawn. What the other side has got stays there.",
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
                tx, shop_id=visit.person.shop_id, status=status, limit=_SHOWN
            )
        return self._pages.page(
            "deliveries.html",
            visit=visit,
            deliveries=found,
            shown=status or "",
            statuses=STATUSES,
            is_cut=len(found) == _SHOWN,
            done=_many(request.query_params.get("resent", "")),
        )

    async def show(self, request: Request) -> Response:
        """A delivery and its attempts."""
        visit = await self._gate.require_person(request, right="deliveries.read")
        async with self._db.statement() as tx:
            delivery, log = await show_delivery(
                tx, shop_id=visit.person.shop_id, delivery_id=_delivery_id(request)
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
        delivery_id = _delivery_id(request)
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
        delivery_id = _delivery_id(request)
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


def _delivery_id(request: Request) -> int:
    text = request.path_params["delivery"]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound("not_found", "There is no such delivery.")
    return int(text)


def _many(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        return ""
    many = int(text)
    if many == 0:
        return "None had failed."
    return "One delivery is queued again." if many == 1 else f"{many} deliveries are queued again."
