"""Take an order back before anybody works on it."""

from datetime import datetime

from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused
from crossdock.shop.deliveries import withdraw_delivery
from crossdock.shop.stock import Posting, post_stock

CANCELLABLE = ("waiting_for_release", "reserved", "processing")


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
    taken_back = await withdraw_delivery(
        tx, shop_id=shop_id, kind="dispatch", subject_id=order_id, now=now
    )
    if taken_back is None or not taken_back.was_tried:
        return ""
    await tx.run(
        "insert into alerts (shop_id, kind, message, order_id, created_at)"
        " values (%s, 'cancelled_after_attempts', %s, %s, %s)",
        (
            shop_id,
            f"Order {order_id} was cancelled after failed attempts; see that {taken_back.target} lacks it.",
            order_id,
            now,
        ),
    )
    return taken_back.target


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
