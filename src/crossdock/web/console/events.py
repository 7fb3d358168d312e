"""The feed of events: what happened in the shop, the newest first, by kind, subject and time."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from crossdock.compose import Services
from crossdock.gate import Gate
from crossdock.kit.languages import lazy
from crossdock.kit.numbers import read_number
from crossdock.kit.zones import day_start
from crossdock.shop.events import KINDS, EventFilter, Topic, browse_events, read_event
from crossdock.shop.people import Visit
from crossdock.shop.shops import read_shop_by_id
from crossdock.web.console.list_columns import Column, read_columns
from crossdock.web.console.paging import PAGE_SIZE, paging, path_number, read_before
from crossdock.web.console.rendering import Pages

EVENTS: Final = "/console/events"
COLUMNS: Final[Mapping[str, Column]] = {
    "about": Column(lazy("About")),
    "when": Column(lazy("When (UTC)")),
    "says": Column(lazy("What it says")),
}
"""The columns of the list besides its first."""
_SHOWN_CHARS: Final = 160
_OF_THE_BOOKS: Final[tuple[Topic, ...]] = ("money", "resellers")


class EventPages:
    """The feed, and one event with its whole payload."""

    def __init__(self, gate: Gate, pages: Pages, *, services: Services) -> None:
        self._gate = gate
        self._pages = pages
        self._db = services.runtime.database

    async def browse(self, request: Request) -> Response:
        """A page of the feed."""
        visit = await self._gate.require_person(request, right="events.read")
        shop_id, values = visit.person.shop_id, request.query_params
        without = _hidden_from(visit)
        async with self._db.statement() as tx:
            zone = (await read_shop_by_id(tx, shop_id=shop_id)).zone
            chosen = _filter(values, zone)
            page = await browse_events(
                tx,
                shop_id=shop_id,
                chosen=chosen,
                before=read_before(values),
                limit=PAGE_SIZE,
                without=without,
            )
        return self._pages.page(
            "events.html",
            visit=visit,
            columns=read_columns(request, COLUMNS),
            events=[(event, _start(event.payload)) for event in page.events],
            chosen=chosen,
            since=values.get("since", "") if chosen.since else "",
            until=values.get("until", "") if chosen.until else "",
            kinds=sorted(kind for kind, each in KINDS.items() if each.topic not in without),
            is_filtered=chosen != EventFilter(),
            paging=paging(request, older=page.older),
        )

    async def show(self, request: Request) -> Response:
        """One event."""
        visit = await self._gate.require_person(request, right="events.read")
        async with self._db.statement() as tx:
            event = await read_event(
                tx,
                shop_id=visit.person.shop_id,
                sequence=path_number(request, "event"),
                without=_hidden_from(visit),
            )
        payload = msgspec.json.format(msgspec.json.encode(event.payload), indent=2).decode()
        return self._pages.page("event.html", visit=visit, event=event, payload=payload)


def _hidden_from(visit: Visit) -> tuple[Topic, ...]:
    """The topics that tell amounts of the books, for who does not read these."""
    return () if visit.person.may("ledger.read") else _OF_THE_BOOKS


def day_in(text: str, zone: ZoneInfo) -> datetime | None:
    """The start of a day that a form sends as 2026-11-30, in the shop's zone; None for anything else."""
    try:
        return day_start(date.fromisoformat(text), zone=zone)
    except ValueError:
        return None


def _filter(values: QueryParams, zone: ZoneInfo) -> EventFilter:
    kind = values.get("kind", "")
    until = day_in(values.get("until", ""), zone)
    return EventFilter(
        kind=kind if kind in KINDS else None,
        subject_id=read_number(values.get("subject", "").strip()),
        since=day_in(values.get("since", ""), zone),
        until=None if until is None else until + timedelta(days=1),
    )


def _start(payload: object) -> str:
    text = msgspec.json.encode(payload).decode()
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
