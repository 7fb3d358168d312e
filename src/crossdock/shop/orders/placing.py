"""Place an order: one draft in, one committed order out. The same for every channel."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound
from crossdock.shop.ledger import refusing_overdraft
from crossdock.shop.orders.draft import OrderDraft, Placed
from crossdock.shop.payments import refusing_payment
from crossdock.shop.pricing import refusing_coupon
from crossdock.shop.stock import refusing_shortage

HOLD_GONE = "CD003"
STAFF_NAMESPACE = "staff"
"""Where the numbers are unique that staff give to orders they take down."""


async def place(tx: Transaction, *, draft: OrderDraft, now: datetime) -> Placed:
    """Write the order with its lines, parts, stock, event and delivery, in one statement (core.md, 'One write').

    The outcome is `created`; or, if an order has the draft's identity already, `replayed` for the
    same request, else `conflict`. Raises NotFound `variant_not_found` with the
    `line_numbers` (from 1) that name no variant of the caller's, Refused `stock_limit_exceeded`
    and `order_amount_not_allowed`, NotFound `hold_not_found`, Refused
    `payment_state` for a payment that cannot pay it, `balance_insufficient` for a prepaid account that
    cannot and `coupon_refused` for a coupon that was used up meanwhile; nothing is written then.
    """
    document = draft.encode()
    with refusing_draft():
        row = await tx.one("select * from place_order(%s::jsonb, %s)", (document, now))
    assert row is not None  # the function answers one row, always
    order_id, order_key, outcome, state, unknown = row
    if outcome == "unknown":
        raise NotFound("variant_not_found", data={"line_numbers": unknown})
    return Placed(
        id=order_id,
        order_key=order_key,
        outcome=outcome,
        state=state,
        total_minor=draft.total_minor,
    )


def refuse_second(placed: Placed) -> None:
    """Raise Conflict `partner_order_exists`, with the existing order, unless the placed one is new."""
    if placed.outcome != "created":
        raise order_exists(placed.id, placed.order_key)


def order_exists(order_id: int, order_key: str) -> Conflict:
    """The error for an order number that was used before, with its order."""
    return Conflict("partner_order_exists", data={"order_id": order_id, "order_key": order_key})


def number_namespace(partner_id: int) -> str:
    """The namespace of a partner's own order numbers, which are unique for ever."""
    return f"partner:{partner_id}"


@contextmanager
def refusing_draft() -> Iterator[None]:
    """Translate the errors of `place_order` in placing.sql, as `place` raises them."""
    with (
        refusing_shortage(),
        refusing_coupon(),
        refusing_overdraft(),
        refusing_payment(),
        _refusing_lost_holds(),
    ):
        yield


@contextmanager
def _refusing_lost_holds() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate != HOLD_GONE:
            raise
        raise NotFound("hold_not_found") from error
