"""Do the same with many orders: asked first, each in a transaction of its own, with a result for each.

A few are worked on at once; more are handed to the worker as a run, which has a page of its own.
"""

import re
from typing import Final, NamedTuple

import structlog
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.errors import CrossdockError, Invalid, Refused
from crossdock.gate import Form, Gate
from crossdock.kit.languages import gettext, lazy
from crossdock.kit.numbers import read_number
from crossdock.shop.bulk import (
    BULK_ACTIONS,
    BulkAction,
    BulkWork,
    RunAuthor,
    act_on_order,
    begin_run,
    bulk_work,
)
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import (
    REFUND_REASONS,
    list_matching,
    read_board,
    rehearse_cancelling,
    sum_board,
)
from crossdock.shop.people import Right, Visit
from crossdock.web.console.board_address import read_address
from crossdock.web.console.code_words import word
from crossdock.web.console.effect_words import sum_effects
from crossdock.web.console.order_forecast import forecast
from crossdock.web.console.order_paths import ORDERS, RUNS
from crossdock.web.console.order_words import FULFILMENT
from crossdock.web.console.refusing import why
from crossdock.web.console.rendering import Pages, redirect

log = structlog.get_logger("crossdock.console")

BULK_MAX: Final = 200
"""Orders that are worked on at once; the worker does more than these."""
_ORDER = re.compile(r"order\.([1-9][0-9]{0,17})")


class Action(NamedTuple):
    """What is done with each order: the right it needs, its name, and what it does."""

    right: Right
    name: str
    effect: str


ACTIONS: Final[dict[BulkAction, Action]] = {
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


_DONE: Final[dict[BulkAction, str]] = {
    "release": lazy("Released."),
    "resend": lazy("Is sent again."),
    "note": lazy("Noted."),
    "cancel": lazy("Cancelled."),
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
        name = _action(form)
        action = ACTIONS[name]
        if not visit.person.may(action.right):
            raise Refused("permission_denied", gettext("Your role may not do this."))
        if form.get("sure") != "yes":
            return await self._ask(request, visit, form, name=name)
        work = bulk_work(
            name, note=form.get("note", ""), refund_reason=form.get("refund_reason", "")
        )
        if (up_to := read_number(form.get("up_to", ""))) is not None:
            return await self._begin(request, visit, work, up_to=up_to)
        return await self._work_on(request, visit, form, work=work)

    async def _work_on(
        self, request: Request, visit: Visit, form: Form, *, work: BulkWork
    ) -> Response:
        name = work.action
        chosen = _chosen(form)
        told = {"action": name, "refund_reason": form.get("refund_reason", "")}
        orders = {f"order {order_id}": "yes" for order_id in chosen}
        noted = told | {"note": form.get("note", "")} | orders
        self._gate.note(request, visit=visit, form=noted, personal=("note",))
        outcomes = [await self._one(visit, order_id, work=work) for order_id in chosen]
        if name == "cancel" and any(outcome.is_done for outcome in outcomes):
            await self._settle()
        return self._pages.page(
            "orders_done.html",
            visit=visit,
            action=ACTIONS[name],
            outcomes=outcomes,
            board=read_address(request.query_params).query(),
        )

    async def _begin(
        self, request: Request, visit: Visit, work: BulkWork, *, up_to: int
    ) -> Response:
        """Hand all that match to the worker, but for those that came after they were asked about."""
        person, address = visit.person, read_address(request.query_params)
        noted = {
            "action": work.action,
            "note": work.note,
            "refund_reason": work.refund_reason or "",
            "view": address.filters.view,
            "search": address.filters.search,
        }
        self._gate.note(request, visit=visit, form=noted, personal=("note", "search"))
        async with self._db.begin() as tx:
            run_id = await begin_run(
                tx,
                shop_id=person.shop_id,
                order_ids=await list_matching(
                    tx,
                    shop_id=person.shop_id,
                    filters=address.filters,
                    now=self._clock.now(),
                    up_to=up_to,
                ),
                work=work,
                author=RunAuthor(
                    person.id, person.label, person.email, f"{ORDERS}/*/{work.action}"
                ),
                now=self._clock.now(),
            )
        return redirect(f"{RUNS}/{run_id}")

    async def _ask(
        self, request: Request, visit: Visit, form: Form, *, name: BulkAction
    ) -> Response:
        chosen = _chosen(form)
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
            if has_more:
                after = read_number(form.get("after", "")) or 0
                return await self._ask_about_all(request, visit, name=name, after=after)
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
            all=None,
            forecast=None,
            effects=sum_effects(told.whole) if told else [],
            refused={each: why(error) for each, error in told.refused.items()} if told else {},
            board=read_address(request.query_params).query(),
            reasons={each: word(each) for each in REFUND_REASONS},
        )

    async def _ask_about_all(
        self, request: Request, visit: Visit, *, name: BulkAction, after: int
    ) -> Response:
        shop_id, now = visit.person.shop_id, self._clock.now()
        address = read_address(request.query_params)
        matching: list[int] = []
        async with self._db.statement() as tx:
            found = await sum_board(tx, shop_id=shop_id, filters=address.filters, now=now)
            if name == "cancel":
                matching = await list_matching(
                    tx, shop_id=shop_id, filters=address.filters, now=now, up_to=found.newest
                )
        return self._pages.page(
            "orders_ask.html",
            visit=visit,
            name=name,
            action=ACTIONS[name],
            chosen=[],
            all=found,
            forecast=await forecast(
                self._db, shop_id=shop_id, order_ids=matching, after=after, now=now
            ),
            effects=[],
            refused={},
            board=address.query(),
            reasons={each: word(each) for each in REFUND_REASONS},
        )

    async def _settle(self) -> None:
        """Refund what the cancelled orders are owed; what fails is done by the worker, and the results are told."""
        try:
            await settle_every_payment(self._services.paying)
        except Exception:
            log.exception("payments of cancelled orders were not settled; the worker does it")

    async def _one(self, visit: Visit, order_id: int, *, work: BulkWork) -> Outcome:
        try:
            async with self._db.begin() as tx:
                result = await act_on_order(
                    tx,
                    shop_id=visit.person.shop_id,
                    order_id=order_id,
                    work=work,
                    now=self._clock.now(),
                )
        except CrossdockError as error:
            return Outcome(order_id, False, why(error))
        except Exception:  # what became of the others is told all the same
            log.exception("an order of many failed", order_id=order_id, action=work.action)
            return Outcome(order_id, False, gettext("It failed; see the log."))
        return Outcome(order_id, True, done_text(work.action, result))


def done_text(action: BulkAction, result: str) -> str:
    """What was done with an order, by what `act_on_order` returned."""
    return str(FULFILMENT[result].text if result else _DONE[action])


def _action(form: Form) -> BulkAction:
    for name in BULK_ACTIONS:
        if name == form.get("action", ""):
            return name
    raise Invalid("invalid_input", gettext("Choose what is to be done."))


def _chosen(form: Form) -> list[int]:
    """The numbers of the chosen orders, at most BULK_MAX."""
    found = [int(place[1]) for name in form if (place := _ORDER.fullmatch(name))]
    return found[:BULK_MAX]
