"""Do the same with many orders: asked first, each in a transaction of its own, with a result for each."""

import re
from typing import Final, NamedTuple

import structlog
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import CrossdockError, Invalid, Refused
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.shop.dispatch import resend
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import (
    REFUND_REASONS,
    cancel_order,
    note_order,
    read_board,
    read_reason,
    rehearse_cancelling,
    release_order,
)
from crossdock.shop.people import Right, Visit
from crossdock.web.console.board_address import read_address
from crossdock.web.console.code_words import word
from crossdock.web.console.effect_words import sum_effects
from crossdock.web.console.order_words import FULFILMENT
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages

log = structlog.get_logger("crossdock.console")

BULK_MAX: Final = 200
"""Orders that are worked on at once; what matches beyond them is said, and left."""
_ORDER = re.compile(r"order\.([1-9][0-9]{0,17})")


class Action(NamedTuple):
    """What is done with each order: the right it needs, its name, and what it does."""

    right: Right
    name: str
    effect: str


ACTIONS: Final = {
    "release": Action(
        "orders.fulfil",
        lazy("Release"),
        lazy("Each order whose stock is there is released; the others wait for it."),
    ),
    "resend": Action(
        "orders.fulfil",
        lazy("Send to the connector again"),
        lazy("Dispatches that failed are tried again; nothing is sent twice."),
    ),
    "note": Action(
        "orders.fulfil", lazy("Note"), lazy("The note is kept with each order, for staff alone.")
    ),
    "cancel": Action(
        "orders.manage",
        lazy("Cancel orders"),
        lazy("The stock can be sold again, what was paid is refunded. This cannot be undone."),
    ),
}


class Outcome(NamedTuple):
    """What became of one order."""

    order_id: int
    is_done: bool
    text: str


class BulkPages:
    """The page that asks what is to be done with the chosen orders, and the one that tells what was done."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._services = services
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    async def act(self, request: Request) -> Response:
        """Ask with the orders named, then do it when the form says so."""
        visit, form = await self._gate.require_form(
            request, right="orders.read", fields_max=BULK_MAX + 50
        )
        name = form.get("action", "")
        action = ACTIONS.get(name)
        if action is None:
            raise Invalid("invalid_input", gettext("Choose what is to be done."))
        if not visit.person.may(action.right):
            raise Refused("permission_denied", gettext("Your role may not do this."))
        if form.get("sure") != "yes":
            return await self._ask(request, visit, form, name=name)
        chosen = _chosen(form)
        told = {"action": name, "refund_reason": form.get("refund_reason", "")}
        orders = {f"order {order_id}": "yes" for order_id in chosen}
        noted = told | {"note": form.get("note", "")} | orders
        self._gate.note(request, visit=visit, form=noted, personal=("note",))
        outcomes = [await self._one(visit, order_id, name=name, form=form) for order_id in chosen]
        if name == "cancel" and any(outcome.is_done for outcome in outcomes):
            await self._settle()
        return self._pages.page(
            "orders_done.html",
            visit=visit,
            action=action,
            outcomes=outcomes,
            board=read_address(request.query_params).query(),
        )

    async def _ask(self, request: Request, visit: Visit, form: Form, *, name: str) -> Response:
        chosen, has_more = _chosen(form), False
        if form.get("all") == "yes":
            filters = read_address(request.query_params).filters
            async with self._db.statement() as tx:
                rows, has_more = await read_board(
                    tx,
                    shop_id=visit.person.shop_id,
                    filters=filters,
                    limit=BULK_MAX,
                    now=self._clock.now(),
                )
            chosen = [row.id for row in rows]
        if not chosen:
            raise Invalid("invalid_input", gettext("Choose at least one order."))
        told = None
        if name == "cancel":
            told = await rehearse_cancelling(
                self._db,
                shop_id=visit.person.shop_id,
                order_ids=chosen,
                now=self._clock.now(),
            )
        return self._pages.page(
            "orders_ask.html",
            visit=visit,
            name=name,
            action=ACTIONS[name],
            chosen=chosen,
            has_more=has_more,
            effects=sum_effects(told) if told else [],
            refused=told.refused if told else {},
            most=BULK_MAX,
            board=read_address(request.query_params).query(),
            reasons={each: word(each) for each in REFUND_REASONS},
        )

    async def _settle(self) -> None:
        """Refund what the cancelled orders are owed; what fails is done by the worker, and the results are told."""
        try:
            await settle_every_payment(self._services.paying)
        except Exception:
            log.exception("payments of cancelled orders were not settled; the worker does it")

    async def _one(self, visit: Visit, order_id: int, *, name: str, form: Form) -> Outcome:
        try:
            text = await self._do(visit.person.shop_id, order_id, name=name, form=form)
        except CrossdockError as error:
            return Outcome(order_id, False, why(error))
        except Exception:  # what became of the others is told all the same
            log.exception("an order of many failed", order_id=order_id, action=name)
            return Outcome(order_id, False, gettext("It failed; see the log."))
        return Outcome(order_id, True, text)

    async def _do(self, shop_id: int, order_id: int, *, name: str, form: Form) -> str:
        now = self._clock.now()
        async with self._db.begin() as tx:
            if name == "release":
                state = await release_order(tx, shop_id=shop_id, order_id=order_id, now=now)
                return str(FULFILMENT[state].text)
            if name == "resend":
                await resend(tx, shop_id=shop_id, order_id=order_id, now=now)
                return gettext("Is sent again.")
            if name == "note":
                text = form.get("note", "")
                await note_order(tx, shop_id=shop_id, order_id=order_id, text=text, now=now)
                return gettext("Noted.")
            await cancel_order(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                reason=form.get("note", "").replace("\x00", "").strip()[:200],
                refund_reason=read_reason(form.get("refund_reason", "")),
                now=now,
            )
            return gettext("Cancelled.")


def _chosen(form: Form) -> list[int]:
    """The numbers of the chosen orders, at most BULK_MAX."""
    found = [int(place[1]) for name in form if (place := _ORDER.fullmatch(name))]
    return found[:BULK_MAX]
