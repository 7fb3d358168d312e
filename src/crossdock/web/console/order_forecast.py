"""What cancelling many orders would do, as the page that asks tells it: by state, as many as the time allows."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from crossdock.db.unit_of_work import Database
from crossdock.shop.orders import CancelSum, rehearse_cancelling
from crossdock.web.console.confirming import Effect
from crossdock.web.console.effect_words import part_texts, sum_effects
from crossdock.web.console.order_words import FULFILMENT, PAYMENT, Word
from crossdock.web.console.refusing import why

LONGEST_S: Final = 8.0
"""How long orders are rehearsed for one page."""
_NAMED_MAX: Final = 20


class OfState(NamedTuple):
    """The orders of one state, and what becomes of their stock and money."""

    fulfilment: Word
    payment: Word
    orders: int
    stock: str
    money: str


class Staying(NamedTuple):
    """Orders that stay as they are for the same reason: how many, and the first of them."""

    reason: str
    orders: int
    named: list[int]


class Forecast(NamedTuple):
    """Orders `first` to `last` of all, the oldest first; `after` is the number behind which the rest begins."""

    first: int
    last: int
    after: int | None
    effects: list[Effect]
    states: list[OfState]
    staying: list[Staying]


async def forecast(
    db: Database,
    *,
    shop_id: int,
    order_ids: Sequence[int],
    after: int,
    now: datetime,
    longest_s: float = LONGEST_S,
) -> Forecast | None:
    """What cancelling those with a number above `after` would do, the lowest first; None where there are none."""
    rest = [order_id for order_id in order_ids if order_id > after]
    if not rest:
        return None
    ends_at = time.monotonic() + longest_s
    told = await rehearse_cancelling(
        db,
        shop_id=shop_id,
        order_ids=rest,
        now=now,
        has_time=lambda: time.monotonic() < ends_at,
    )
    before = len(order_ids) - len(rest)
    return Forecast(
        first=before + 1,
        last=before + told.looked_at,
        after=told.last if told.looked_at < len(rest) else None,
        effects=sum_effects(told.whole),
        states=_states(told),
        staying=_staying(told),
    )


def _states(told: CancelSum) -> list[OfState]:
    """The states with the most orders first."""
    ordered = sorted(told.by_state.items(), key=lambda item: -item[1].orders)
    return [
        OfState(
            FULFILMENT[state.fulfilment],
            PAYMENT[state.payment],
            part.orders,
            *part_texts(state, part),
        )
        for state, part in ordered
    ]


def _staying(told: CancelSum) -> list[Staying]:
    reasons: dict[str, list[int]] = {}
    for order_id, error in told.refused.items():
        reasons.setdefault(why(error), []).append(order_id)
    return [Staying(reason, len(ids), ids[:_NAMED_MAX]) for reason, ids in reasons.items()]
