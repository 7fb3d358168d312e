"""Runs over many orders: which there were, how far one is, what became of each order, stop and go on."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from crossdock.compose import Services
from crossdock.errors import Refused
from crossdock.gate import Gate
from crossdock.kit.languages import gettext, lazy, speaking, spoken
from crossdock.kit.numbers import read_number
from crossdock.kit.spreadsheets import shown_text
from crossdock.shop.bulk import (
    RESULTS_MAX,
    BulkAction,
    OrderRun,
    RowState,
    RunResult,
    list_results,
    list_runs,
    read_run,
    resume_run,
    stop_run,
)
from crossdock.web.console.order_bulk import ACTIONS, done_text
from crossdock.web.console.order_paths import RUNS
from crossdock.web.console.order_words import Word
from crossdock.web.console.paging import PAGE_SIZE, paging, path_number, read_before
from crossdock.web.console.refusing import told_refusal
from crossdock.web.console.rendering import HEADERS, AddRoute, Pages, redirect

_WAIT_S: Final = "2"
RUN_STATES: Final = {
    "running": Word(lazy("Runs"), "wait", "◐"),
    "stopped": Word(lazy("Stopped"), "off", "◌"),
    "done": Word(lazy("Done"), "good", "●"),
}
ROW_STATES: Final[dict[RowState, Word]] = {
    "done": Word(lazy("Done"), "good", "●"),
    "refused": Word(lazy("Refused"), "wait", "✕"),
    "due": Word(lazy("Due"), "off", "○"),
}


class RunPages:
    """The runs of the shop, and one with its results."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database
        self._clock = services.runtime.clock

    def routes(self, get: AddRoute, post: AddRoute) -> list[Route]:
        """The routes of runs."""
        one = f"{RUNS}/{{run}}"
        return [
            get(RUNS, self.browse),
            get(one, self.show),
            get(f"{one}/results.csv", self.file),
            post(f"{one}/switch", self.switch),
        ]

    async def browse(self, request: Request) -> Response:
        """The runs of the shop, the newest first."""
        visit = await self._gate.require_person(request, right="orders.read")
        async with self._db.statement() as tx:
            found = await list_runs(
                tx,
                shop_id=visit.person.shop_id,
                before=read_before(request.query_params),
                limit=PAGE_SIZE + 1,
            )
        shown = found[:PAGE_SIZE]
        return self._pages.page(
            "order_runs.html",
            visit=visit,
            runs=shown,
            paging=paging(request, older=shown[-1].id if len(found) > PAGE_SIZE else None),
            actions=ACTIONS,
            states=RUN_STATES,
        )

    async def show(self, request: Request) -> Response:
        """How far one run is, and what became of each order; asked for again while it runs."""
        visit = await self._gate.require_person(request, right="orders.read")
        shop_id, run_id = visit.person.shop_id, path_number(request, "run")
        values = request.query_params
        state = _state(values.get("state", ""))
        after = read_number(values.get("after", "")) or 0
        async with self._db.statement() as tx:
            run = await read_run(tx, shop_id=shop_id, run_id=run_id)
            rows = await list_results(
                tx,
                shop_id=shop_id,
                run_id=run_id,
                state=state,
                after=after,
                limit=PAGE_SIZE + 1,
            )
        return self._pages.page(
            "order_run.html",
            visit=visit,
            headers={"Refresh": _WAIT_S} if run.state == "running" else None,
            run=run,
            action=ACTIONS[run.action],
            state=RUN_STATES[run.state],
            row_states=ROW_STATES,
            shown_state=state,
            counts={"done": run.done, "refused": run.refused, "due": run.due},
            rows=rows[:PAGE_SIZE],
            texts={row.order_id: _text(run.action, row) for row in rows},
            more=rows[PAGE_SIZE - 1].order_id if len(rows) > PAGE_SIZE else None,
            is_first=not after,
            percent=100 * (run.done + run.refused) // run.orders,
        )

    async def file(self, request: Request) -> Response:
        """What became of each order, as CSV."""
        visit = await self._gate.require_person(request, right="orders.read")
        shop_id, run_id = visit.person.shop_id, path_number(request, "run")
        async with self._db.statement() as tx:
            run = await read_run(tx, shop_id=shop_id, run_id=run_id)
        name = f"orders-run-{run_id}.csv"
        return StreamingResponse(
            self._csv(shop_id, run, language=spoken()),
            media_type="text/csv; charset=utf-8",
            headers={**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def switch(self, request: Request) -> Response:
        """Stop a run, or go on with it."""
        visit, form = await self._gate.require_form(request, right="orders.read")
        shop_id, run_id = visit.person.shop_id, path_number(request, "run")
        move = stop_run if form.get("to") == "stopped" else resume_run
        async with self._db.begin() as tx:
            run = await read_run(tx, shop_id=shop_id, run_id=run_id)
            if not visit.person.may(ACTIONS[run.action].right):
                raise Refused("permission_denied", gettext("Your role may not do this."))
            await move(tx, shop_id=shop_id, run_id=run_id, now=self._clock.now())
        return redirect(f"{RUNS}/{run_id}")

    async def _csv(self, shop_id: int, run: OrderRun, *, language: str) -> AsyncIterator[str]:
        yield "order,state,result\n"
        after = 0
        while True:
            async with self._db.statement() as tx:
                rows = await list_results(
                    tx, shop_id=shop_id, run_id=run.id, after=after, limit=RESULTS_MAX
                )
            with speaking(language):
                text = _lines(run, rows)
            yield text
            if len(rows) < RESULTS_MAX:
                return
            after = rows[-1].order_id


def _state(text: str) -> RowState | None:
    return next((each for each in ROW_STATES if each == text), None)


def _lines(run: OrderRun, rows: Sequence[RunResult]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(
        (row.order_id, row.state, shown_text(_text(run.action, row))) for row in rows
    )
    return text.getvalue()


def _text(action: BulkAction, row: RunResult) -> str:
    """What became of an order, in the reader's language; '' while it is due."""
    if row.state == "done":
        return done_text(action, row.result)
    return told_refusal(row.result) if row.result else ""
