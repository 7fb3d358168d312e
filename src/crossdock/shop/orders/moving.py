"""Move an order along its axes: the only way to change a state."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused
from crossdock.shop.orders.states import Axis, OrderState

NO_ARROW = "CD010"
NO_ORDER = "CD013"


async def lock_order(tx: Transaction, *, shop_id: int, order_id: int) -> OrderState:
    """The order's states, its row locked. Raises NotFound `order_not_found`."""
    row = await tx.one(
        "select fulfilment_state, payment_state from orders"
        " where shop_id = %s and id = %s for no key update",
        (shop_id, order_id),
    )
    if row is None:
        raise NotFound("order_not_found")
    return OrderState(*row)


async def touch_order(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    """Record a change of the order that leaves its states as they are."""
    await tx.run(
        "update orders set updated_at = %s where shop_id = %s and id = %s", (now, shop_id, order_id)
    )


async def move_order(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    to: str,
    now: datetime,
    axis: Axis = "fulfilment",
    lines: Sequence[int] | None = None,
    details: Mapping[str, object] | None = None,
) -> str:
    """Move the order; returns the state before, '' for lines (see `move_order` in moving.sql).

    `details` go into the event.

    Raises NotFound `order_not_found`, Refused `order_state` for an arrow that does not exist; the
    transaction must then be rolled back.
    """
    with refusing_move(to):
        before = await tx.value(
            "select move_order(%s, %s, %s, %s::smallint[], %s, %s, %s)",
            (
                shop_id,
                order_id,
                axis,
                None if lines is None else list(lines),
                to,
                None if details is None else Jsonb(dict(details)),
                now,
            ),
        )
    return str(before or "")


@contextmanager
def refusing_move(to: str = "that") -> Iterator[None]:
    """Translate the errors of `move_order` in moving.sql into NotFound and Refused."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate == NO_ORDER:
            raise NotFound("order_not_found") from error
        if error.sqlstate == NO_ARROW:
            raise Refused("order_state", f"The order cannot become {to} from here.") from error
        raise
