"""Close an order short: cancel the units that have not left."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.deliveries import who_has
from crossdock.shop.events import OrderClosed, write_event
from crossdock.shop.orders.cancelling import cancel_goods, release_stock
from crossdock.shop.orders.giving_back import GivenBack, give_back
from crossdock.shop.orders.moving import lock_order
from crossdock.shop.orders.paying import (
    refuse_while_asked,
    tell_of_goods,
)
from crossdock.shop.orders.progress import note_cancelled
from crossdock.shop.orders.reasons import RefundReason
from crossdock.shop.orders.releasing import wake_releases
from crossdock.shop.orders.states import CANCELLABLE, OVER


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """The result of closing: the order's state, the cancelled quantity by line, the money given back and how.

    `may_be_at` is the connector that a failed attempt may have reached, as `cancel_order` returns it.
    """

    state: str
    cancelled: dict[int, int]
    currency: str
    amount_minor: int = 0
    given_back: GivenBack = ""
    may_be_at: str = ""


async def close_order(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    now: datetime,
    reason: str = "",
    counts_refunds: bool = False,
    refund_reason: RefundReason = "out_of_stock",
) -> Closed:
    """Cancel what has not left of the order, release its stock and give its money back as `give_back` says.

    An order of which something has left becomes `shipped`, any other `cancelled`. Idempotent: nothing is
    cancelled of an order that is over. Raises NotFound `order_not_found`, and Refused `order_state` while
    picked units have not left, while a request to a payment provider is open, and as `cancel_order` does.
    """
    before = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    currency, is_picked, left_to_cancel = await _look(tx, shop_id=shop_id, order_id=order_id)
    if before.fulfilment in OVER:
        return Closed(state=before.fulfilment, cancelled={}, currency=currency)
    if is_picked or before.fulfilment == "in_fulfilment":
        raise Refused("order_state", "Goods that have not left are picked; un-pick them first.")
    if before.payment != "none":
        await refuse_while_asked(tx, shop_id=shop_id, order_id=order_id)
    await wake_releases(tx, shop_id=shop_id)
    may_be_at = ""
    if before.fulfilment in CANCELLABLE:
        may_be_at, _ = await cancel_goods(
            tx, shop_id=shop_id, order_id=order_id, reason=reason, now=now
        )
    else:
        await _cancel_rest(tx, shop_id=shop_id, order_id=order_id, reason=reason, now=now)
    amount_minor, given_back = await give_back(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        payment=before.payment,
        lines=list(left_to_cancel),
        now=now,
        counts_refunds=counts_refunds,
        refund_reason=refund_reason,
    )
    return Closed(
        state="cancelled" if before.fulfilment in CANCELLABLE else "shipped",
        cancelled=left_to_cancel,
        currency=currency,
        amount_minor=amount_minor,
        given_back=given_back,
        may_be_at=may_be_at,
    )


async def take_back_unsent(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    """Cancel what has not left of an order of which nothing stays paid; its caller refunds it.

    Where it is picked already, or an outside system has it, the order stays as it is and an alert is raised. Raises
    NotFound `order_not_found`.
    """
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    if state in OVER:
        return
    _, is_picked, _ = await _look(tx, shop_id=shop_id, order_id=order_id)
    is_free = not is_picked and state != "in_fulfilment"
    if is_free and state in CANCELLABLE:
        is_free = not await who_has(tx, shop_id=shop_id, kind="dispatch", subject_id=order_id)
    if not is_free:
        await tell_of_goods(tx, shop_id=shop_id, order_id=order_id, now=now)
        return
    await wake_releases(tx, shop_id=shop_id)
    if state in CANCELLABLE:
        await cancel_goods(tx, shop_id=shop_id, order_id=order_id, reason="refunded", now=now)
    else:
        await _cancel_rest(tx, shop_id=shop_id, order_id=order_id, reason="refunded", now=now)


async def _look(
    tx: Transaction, *, shop_id: int, order_id: int
) -> tuple[str, bool, dict[int, int]]:
    """The currency, whether goods are picked that have not left, and what is left of each line."""
    rows = await tx.all(
        "select o.currency, l.line_no, l.quantity - l.shipped - l.cancelled, l.picked > l.shipped"
        " from orders o join order_lines l on l.shop_id = o.shop_id and l.order_id = o.id"
        " where o.shop_id = %s and o.id = %s order by l.line_no",
        (shop_id, order_id),
    )
    left = {line_no: quantity for _, line_no, quantity, _ in rows if quantity}
    return rows[0][0], any(is_picked for *_, is_picked in rows), left


async def _cancel_rest(
    tx: Transaction, *, shop_id: int, order_id: int, reason: str, now: datetime
) -> None:
    cancelled = await note_cancelled(tx, shop_id=shop_id, order_id=order_id, now=now)
    event = OrderClosed(
        lines={str(line_no): many for line_no, many in cancelled.items()}, reason=reason
    )
    await write_event(tx, shop_id=shop_id, event=event, subject_id=order_id, now=now)
    await release_stock(tx, shop_id=shop_id, order_id=order_id, reason="order closed", now=now)
