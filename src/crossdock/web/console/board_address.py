"""The board's address: its view, filters, search and page, which a person may keep and share."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import QueryParams

from crossdock.kit.languages import lazy
from crossdock.kit.numbers import read_number
from crossdock.shop.orders import BOARD_VIEWS, BoardFilters, BoardView
from crossdock.web.console.list_columns import Column, chosen_of, column_fields
from crossdock.web.console.order_words import FULFILMENT, PAYMENT

VIEW_NAMES: Final[dict[BoardView, str]] = {
    "open": lazy("Open"),
    "to_release": lazy("To release"),
    "to_fulfil": lazy("To pick and pack"),
    "to_deliver": lazy("To deliver"),
    "late": lazy("Late"),
    "unpaid": lazy("Unpaid"),
    "failed": lazy("With an alert"),
    "returned": lazy("Open returns"),
    "all": lazy("All"),
}
COLUMNS: Final[Mapping[str, Column]] = {
    "placed": Column(lazy("Placed (UTC)")),
    "from": Column(lazy("From")),
    "for": Column(lazy("For")),
    "fulfilment": Column(lazy("Fulfilment")),
    "payment": Column(lazy("Payment")),
    "total": Column(lazy("Total"), is_number=True),
}
"""The board's columns besides the order's number."""
_SEARCH_MAX = 200


class BoardAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What of the board is shown; no `columns` are all."""

    filters: BoardFilters
    before: int | None = None
    columns: tuple[str, ...] = ()

    def query(self, **changes: object) -> str:
        """The query of this address with these changes, of what is not the default; from the first page."""
        given = {
            "view": self.filters.view,
            "channel": self.filters.channel,
            "state": self.filters.fulfilment_state,
            "payment": self.filters.payment_state,
            "q": self.filters.search,
        } | changes
        kept = [(name, value) for name, value in given.items() if value and (name, value) != _FIRST]
        kept += column_fields(self.columns)
        return f"?{urlencode(kept)}" if kept else ""

    def older(self, before: int) -> str:
        """The query of the next page."""
        return self.query(before=before)


_FIRST = ("view", "open")


def read_address(values: QueryParams) -> BoardAddress:
    """The board that an address shows. What is unknown in it is ignored: an old bookmark still opens."""
    before = values.get("before", "")
    view = values.get("view", "")
    search = values.get("q", "").replace("\x00", "").strip()[:_SEARCH_MAX]
    known = next((each for each in BOARD_VIEWS if each == view), None)
    return BoardAddress(
        filters=BoardFilters(
            view=known or ("all" if search else "open"),
            channel=values.get("channel", "").replace("\x00", "")[:40] or None,
            fulfilment_state=_known(values.get("state", ""), FULFILMENT),
            payment_state=_known(values.get("payment", ""), PAYMENT),
            search=search,
        ),
        columns=chosen_of(values, COLUMNS),
        before=read_number(before),
    )


def _known(text: str, names: Mapping[str, object]) -> str | None:
    return text if text in names else None
