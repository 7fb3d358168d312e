"""Cancel an order before its fulfilment has started."""

from datetime import datetime
from typing import Literal

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.db.walking import walk_due
from crossdock.errors import Refused
from crossdock.shop.alerts import isolated, raise_alert
from crossdock.shop.deliveries import withdraw_delivery
from crossdock.shop.orders.giving_back import GivenBack, give_back
from crossdock.shop.orders.moving import lock_order, move_order
from crossdock.shop.orders.paying import refuse_while_asked
from crossdock.shop.orders.progress import cancel_lines
from crossdock.shop.orders.reasons import RefundReason
from crossdock.shop.orders.states import CANCELLABLE
from crossdock.shop.pricing import release_coupons
from crossdock.shop.stock import Posting, post_stock

CancelledBy = Literal["shop", "partner", "expiry"]


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """The result of cancelling: the money given back and how, as `give_back` tells it.

    `may_be_at` is the connector that a failed attempt may have reached all the same, so that somebody
    checks there; '' for none.
    """

    may_be_at: str
    amount_minor: int = 0
    given_back: GivenBack = ""


async def cancel_order(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    now: datetime,
    reason: str = "",
    by: CancelledBy = "shop",
    gives_back: bool = True,
    refund_reason: RefundReason | None = None,
) -> Cancelled:
    """Cancel the order, release its stock and coupons, withdraw its dispatch if not sent yet, give its money back.

    The money goes back as `give_back` says, for `refund_reason`, by default `out_of_stock` or, where the partner
    cancels, `customer_cancelled`; unless `gives_back` is False: its caller has refunded what is
    to be refunded. The partner's order number stays used. Raises NotFound `order_not_found`, and Refused
    `order_state` once fulfilment has started or an outside system has the order, and while a request to a
    payment provider is open.
    """
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    if state.fulfilment == "cancelled":
        raise Refused("order_state", "The order is cancelled already.")
    if state.fulfilment not in CANCELLABLE:
        raise Refused("order_state", f"An order that is {state.fulfilment} cannot be cancelled.")
    if state.payment != "none":
        await refuse_while_asked(tx, shop_id=shop_id, order_id=order_id)
    may_be_at, lines = await cancel_goods(
        tx, shop_id=shop_id, order_id=order_id, reason=reason, by=by, now=now
    )
    if not gives_back:
        return Cancelled(may_be_at=may_be_at)
    amount_minor, given_back = await give_back(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        payment=state.payment,
        lines=lines,
        refund_reason=refund_reason
        or ("customer_cancelled" if by == "partner" else "out_of_stock"),
        now=now,
    )
    return Cancelled(may_be_at=may_be_at, amount_minor=amount_minor, given_back=given_back)


async def cancel_goods(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    reason: str,
    now: datetime,
    by: CancelledBy = "shop",
) -> tuple[str, list[int]]:
    """Cancel an order of which nothing has left, but for its money; see `cancel_order`.

    Returns the connector that a failed attempt may have reached, and the lines that are cancelled by this.
    """
    may_be_at = await _withdraw(tx, shop_id=shop_id, order_id=order_id, now=now)
    lines = await cancel_lines(tx, shop_id=shop_id, order_id=order_id, now=now)
    await move_order(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        to="cancelled",
        details={"reason": reason, "by": by},
        now=now,
    )
    await release_stock(tx, shop_id=shop_id, order_id=order_id, reason="order cancelled", now=now)
    await release_coupons(tx, shop_id=shop_id, order_id=order_id, now=now)
    return may_be_at, lines


async def expire_orders(db: Database, *, now: datetime) -> int:
    """Cancel orders that were not paid in time, each in a transaction of its own; returns how many.

    Several in one would lock their levels in an order that nobody who takes stock keeps to. One that somebody
    works on is left for the next run; one that fails raises an alert. Safe to run concurrently.
    """
    count = 0
    async for _, shop_id, order_id in walk_due(db, _DUE, values={"now": now}):
        async with isolated(db, job="expire_orders", shop_id=shop_id, order_id=order_id, now=now):
            count += await _expire(db, shop_id=shop_id, order_id=order_id, now=now)
    return count


async def _expire(db: Database, *, shop_id: int, order_id: int, now: datetime) -> bool:
    """Cancel the order; False if it was paid meanwhile, or somebody works on it."""
    async with db.begin() as tx:
        if await tx.one(_LOCK_UNPAID, (shop_id, order_id)) is None:
            return False
        await move_order(
            tx, shop_id=shop_id, order_id=order_id, axis="payment", to="expired", now=now
        )
        await cancel_order(
            tx, shop_id=shop_id, order_id=order_id, reason="not paid", by="expiry", now=now
        )
    return True


async def _withdraw(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> str:
    """Withdraw the order's dispatch; raise an alert if an attempt may have reached the connector."""
    withdrawn = await withdraw_delivery(
        tx, shop_id=shop_id, kind="dispatch", subject_id=order_id, now=now
    )
    if withdrawn is None or not withdrawn.was_tried:
        return ""
    await tell_of_attempts(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        what=f"Order {order_id}",
        target=withdrawn.target,
        now=now,
    )
    return withdrawn.target


async def tell_of_attempts(
    tx: Transaction, *, shop_id: int, order_id: int, what: str, target: str, now: datetime
) -> None:
    """Raise the alert that an outside system may have what was cancelled, from an attempt that failed."""
    await raise_alert(
        tx,
        shop_id=shop_id,
        kind="cancelled_after_attempts",
        message=f"{what} was cancelled after failed attempts; see that {target} lacks it.",
        order_id=order_id,
        now=now,
    )


async def release_stock(
    tx: Transaction, *, shop_id: int, order_id: int, reason: str, now: datetime
) -> None:
    """Release what is still committed to the order."""
    rows = await tx.all(
        "update order_allocations set status = 'returned'"
        " where shop_id = %s and order_id = %s and status = 'committed'"
        " returning variant_id, pool, quantity - shipped",
        (shop_id, order_id),
    )
    postings = [
        Posting(variant_id=variant_id, pool=pool, kind="uncommit", committed=-quantity)
        for variant_id, pool, quantity in rows
    ]
    await post_stock(
        tx, shop_id=shop_id, postings=postings, reason=reason, order_id=order_id, now=now
    )


_DUE = """
    select expires_at, shop_id, id from orders
    where payment_state = 'awaiting' and expires_at <= %(now)s
      and expires_at >= %(at)s and (expires_at, shop_id, id) > (%(at)s, %(shop)s, %(id)s)
    order by expires_at, shop_id, id limit %(limit)s
"""
# One of whose payment a provider is asked waits for the answer.
_LOCK_UNPAID = """
    select 1 from orders o where o.shop_id = %s and o.id = %s and o.payment_state = 'awaiting' and not exists (
        select 1 from payments p join payment_attempts a on a.shop_id = p.shop_id and a.payment_id = p.id
        where p.shop_id = o.shop_id and p.order_id = o.id and a.outcome = 'asked')
    for no key update of o skip locked
"""
