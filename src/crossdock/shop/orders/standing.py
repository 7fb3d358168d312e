"""How far each line of an order has come, now and before: read from what happened to the order.

| standing | when |
|---|---|
| placed | it was ordered, and nobody has it yet |
| in_progress | units of it were picked, or shipped in part |
| handed_over | the connector's system of its merchant has it |
| stuck | its dispatch failed for good |
| done | all of it was shipped |
| returned | all of it came back |
| cancelled | it was cancelled |

A later row of the table wins where several hold.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from crossdock.shop.deliveries import BY_HAND
from crossdock.shop.orders.viewing import EventView, LineView, OrderView

Standing = Literal["placed", "in_progress", "handed_over", "stuck", "done", "returned", "cancelled"]
_LINE_STATES: dict[str, Standing] = {
    "partially_shipped": "in_progress",
    "shipped": "done",
    "returned": "returned",
    "cancelled": "cancelled",
}
_ORDER_STATES: dict[str, Standing] = {
    "order.shipped": "done",
    "order.completed": "done",
    "order.cancelled": "cancelled",
}
_RANK: dict[Standing, int] = {
    "placed": 0,
    "in_progress": 1,
    "handed_over": 2,
    "stuck": 3,
    "done": 4,
    "returned": 5,
    "cancelled": 6,
}


_FIRST: Standing = "placed"


class LineProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A line with every standing that it had, each once in a row, the last one now.

    `external_id` is the number that the merchant's own system gave the order, '' until it is known.
    """

    line: LineView
    history: tuple[Standing, ...]
    external_id: str

    @property
    def standing(self) -> Standing:
        """How far it is now."""
        return self.history[-1]


def progress_of(order: OrderView, *, upto: int | None = None) -> tuple[LineProgress, ...]:
    """The lines of an order with their progress; needs its lines, parts and timeline.

    With `upto` only what had a number up to it by then is told.
    """
    routes = {part.merchant_id: part.route for part in order.parts}
    events = [event for event in order.timeline if upto is None or _is_told(event, upto)]
    return tuple(
        _Line(line, route=routes.get(line.merchant_id)).after(events) for line in order.lines
    )


def _is_told(event: EventView, upto: int) -> bool:
    return event.sequence is not None and event.sequence <= upto


class _Line:
    """One line on its way through what happened to its order."""

    def __init__(self, line: LineView, *, route: str | None) -> None:
        self._line = line
        self._route = route
        self._picked = 0
        self._facts: dict[str, Standing] = {}
        self._history: list[Standing] = [_FIRST]
        self._external_id = ""

    def after(self, events: Iterable[EventView]) -> LineProgress:
        for event in events:
            self._take(event.kind, event.payload)
            standing = max(self._facts.values(), key=_RANK.__getitem__, default=_FIRST)
            if standing != self._history[-1]:
                self._history.append(standing)
        return LineProgress(
            line=self._line, history=tuple(self._history), external_id=self._external_id
        )

    def _take(self, kind: str, payload: Mapping[str, Any]) -> None:
        number = str(self._line.line_no)
        if kind in {"order.picked", "order.unpicked"}:
            units = int(payload["lines"].get(number, 0))
            self._picked += units if kind == "order.picked" else -units
            self._set("picked", "in_progress" if self._picked > 0 else None)
        elif kind == "order.lines_moved" and number in payload["lines"]:
            self._set("line", _LINE_STATES.get(payload["to"]))
        elif kind in _ORDER_STATES:
            self._set("order", _ORDER_STATES[kind])
        elif kind.startswith("dispatch.") and payload["connector"] == self._route:
            self._take_dispatch(kind, payload)

    def _take_dispatch(self, kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "dispatch.failed":
            self._set("dispatch", "stuck" if payload["final"] else None)
        elif payload["external_id"] != BY_HAND:
            self._set("dispatch", "handed_over")
            self._external_id = payload["external_id"]

    def _set(self, fact: str, standing: Standing | None) -> None:
        if standing is None:
            self._facts.pop(fact, None)
        else:
            self._facts[fact] = standing
