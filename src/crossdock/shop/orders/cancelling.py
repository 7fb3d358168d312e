"""Take an order back before anybody works on it."""

from datetime import datetime

from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused
from crossdock.shop.stock import Posting, post_stock

CANCELLABLE = ("waiting_for_release", "reserved", "processing")
_BY_HAND = "manual"


async def cancel_order(
    tx: Transaction, *, shop_id: int, order_id: int, now: datetime, reason: str = ""
) -> str:
    """Cancel the order, give its stock back and withdraw what was not yet sent to fulfilment.

    The partner's order number stays used. Answers the connector that an attempt which failed may
    have reached all the same, for somebody to look there, else "". Raises NotFound `order_not_found`, and Refused
    `order_state` once fulfilment has started or an outside system has the order.
    """
    state = await tx.value(
        "select state from orders where shop_id = %s and id = %s for no key update",
        (shop_id, order_id),
    )
    if state is None:
        raise NotFound("order_not_found")
    if state == "cancelled":
        raise Refused("order_state", "The order is cancelled already.")
    if state not in CANCELLABLE:
        raise Refused("order_state", f"An order that is {state} cannot be cancelled.")
    may_be_at = await _withdraw(tx, shop_id=shop_id, order_id=order_id, now=now)
    await tx.run(
        "update orders set state = 'cancelled', cancelled_at = %s, updated_at = %s"
        " where shop_id = %s and id = %s",
        (now, now, shop_id, order_id),
    )
    await tx.run(
        "insert into events (shop_id, kind, subject_id, payload, created_at)"
        " values (%s, 'order.cancelled', %s, %s, %s)",
        (shop_id, order_id, Jsonb({"from": state, "reason": reason}), now),
    )
    await _give_back(tx, shop_id=shop_id, order_id=order_id, now=now)
    return may_be_at


async def _withdraw(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> str:
    row = await tx.one(
        "select status, external_id, connector, attempts > 0 or last_error <> '' from dispatches"
        " where shop_id = %s and order_id = %s for no key update",
        (shop_id, order_id),
    )
    if row is None:
        return ""
    status, external_id, connector, was_tried = row
    is_outside = external_id != _BY_HAND
    if is_outside and (status in {"sending", "sent"} or (status == "queued" and was_tried)):
        raise Refused("order_state", f"The order is with {connector} already; cancel it there.")
    await tx.run(
        "update dispatches set status = 'withdrawn', next_attempt_at = null, updated_at = %s"
        " where shop_id = %s and order_id = %s",
        (now, shop_id, order_id),
    )
    if not was_tried:
        return ""
    await tx.run(
        "insert into alerts (shop_id, kind, message, order_id, created_at)"
        " values (%s, 'cancelled_after_attempts', %s, %s, %s)",
        (
            shop_id,
            f"Order {order_id} was cancelled after failed attempts; see that {connector} lacks it.",
            order_id,
            now,
        ),
    )
    return str(connector)


async def _give_back(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    rows = await tx.all(
        "update order_allocations set status = 'returned'"
        " where shop_id = %s and order_id = %s and status = 'committed'"
        " returning variant_id, pool, quantity",
        (shop_id, order_id),
    )
    postings = [
        Posting(variant_id=variant_id, pool=pool, kind="uncommit", committed=-quantity)
        for variant_id, pool, quantity in rows
    ]
    await post_stock(
        tx,
        shop_id=shop_id,
        postings=postings,
        reason="order cancelled",
        order_id=order_id,
        now=now,
    )
