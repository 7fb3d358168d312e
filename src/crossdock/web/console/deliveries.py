"""Deliveries: what this server sent or is to send elsewhere, with the log of every attempt."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.db.unit_of_work import Transaction
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext, lazy, ngettext
from crossdock.kit.numbers import read_number
from crossdock.shop.deliveries import (
    STATUSES,
    list_deliveries,
    resend_delivery,
    resend_failed,
    show_delivery,
    withdraw_by_id,
)
from crossdock.shop.people import Visit
from crossdock.shop.shops import read_shop_by_id
from crossdock.web.console.confirming import Effect, Question, ask, is_sure
from crossdock.web.console.events import day_in
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import (
    PAGE_SIZE,
    paging,
    path_number,
    read_before,
)
from crossdock.web.console.rendering import Pages, redirect

DELIVERIES: Final = "/console/deliveries"
COLUMNS: Final[Mapping[str, Column]] = {
    "to": Column(lazy("To")),
    "status": Column(lazy("Status")),
    "queued": Column(lazy("Queued (UTC)")),
}
"""The columns of the list besides its first."""
_WORD_MAX: Final = 200
_DONE: Final = {
    "resent": lazy(
        "The delivery is queued again, under the same number, by which its receiver can tell"
        " whether it got it before."
    ),
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
        shop_id, values = visit.person.shop_id, request.query_params
        status = next((each for each in STATUSES if each == values.get("status")), None)
        async with self._db.statement() as tx:
            zone = (await read_shop_by_id(tx, shop_id=shop_id)).zone
            chosen = _Range.read(values, zone)
            found = await list_deliveries(
                tx,
                shop_id=shop_id,
                status=status,
                kind=chosen.kind or None,
                target=chosen.target or None,
                since=chosen.since,
                until=chosen.until,
                before=read_before(request.query_params),
                limit=PAGE_SIZE + 1,
            )
        deliveries = found[:PAGE_SIZE]
        older = deliveries[-1].id if len(found) > PAGE_SIZE else None
        return self._pages.page(
            "deliveries.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            deliveries=deliveries,
            shown=status or "",
            statuses=STATUSES,
            chosen=chosen,
            kept=chosen.query(),
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
        """Queue the failed deliveries of the shop again: all, or those of a kind, target and days; asked first."""
        visit, form = await self._gate.require_form(request, right="deliveries.manage")
        if not is_sure(form):
            async with self._db.trial() as tx:
                many = len(await self._resend(tx, visit, form))
            text = ngettext("One is sent again.", "%(num)s are sent again.", many)
            question = Question(
                title=gettext("Send failed deliveries again?"),
                effects=[
                    Effect(gettext("Deliveries"), text % {"num": many}),
                    Effect(
                        gettext("Receivers"),
                        gettext(
                            "Who got one although it failed here gets it twice, with the same number."
                        ),
                    ),
                ],
                button=gettext("Send again"),
                back=DELIVERIES,
                here="events",
            )
            return ask(self._pages, request, visit=visit, form=form, question=question)
        async with self._db.begin() as tx:
            sent = await self._resend(tx, visit, form)
        return redirect(f"{DELIVERIES}?resent={len(sent)}")

    async def _resend(self, tx: Transaction, visit: Visit, form: Form) -> Sequence[object]:
        shop_id = visit.person.shop_id
        chosen = _Range.read(form, (await read_shop_by_id(tx, shop_id=shop_id)).zone)
        return await resend_failed(
            tx,
            shop_id=shop_id,
            kind=chosen.kind or None,
            target=chosen.target or None,
            since=chosen.since,
            until=chosen.until,
            now=self._clock.now(),
        )


class _Range(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries: of a kind, to a target, and of days in the shop's zone, the last included."""

    kind: str = ""
    target: str = ""
    first_day: str = ""
    last_day: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def read(cls, values: Mapping[str, str], zone: ZoneInfo) -> Self:
        """The range that a form or an address names; what is no day is left out."""
        since, until = (day_in(values.get(name, ""), zone) for name in ("since", "until"))
        return cls(
            kind=_word(values.get("kind", "")),
            target=_word(values.get("target", "")),
            first_day=values.get("since", "") if since else "",
            last_day=values.get("until", "") if until else "",
            since=since,
            until=until + timedelta(days=1) if until else None,
        )

    def query(self) -> dict[str, str]:
        """The range as an address has it, without what is empty."""
        named = {
            "kind": self.kind, "target": self.target, "since": self.first_day, "until": self.last_day,
        }  # fmt: skip
        return {name: value for name, value in named.items() if value}


def _word(text: str) -> str:
    return text.replace("\x00", "").strip()[:_WORD_MAX]


def _many(text: str) -> str:
    many = read_number(text)
    if many is None:
        return ""
    if many == 0:
        return gettext("None had failed.")
    told = ngettext("One delivery is queued again.", "%(many)s deliveries are queued again.", many)
    return told % {"many": many}
