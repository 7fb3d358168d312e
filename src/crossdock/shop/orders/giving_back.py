"""Give the money of an order's cancelled units back, whatever became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.alerts import raise_alert
from crossdock.shop.orders.moving import move_order
from crossdock.shop.orders.reasons import RefundReason
from crossdock.shop.payments import list_payments, plan_refund

_PAID = ("paid", "partially_refunded")
# Where the payment axis goes when a sale is reversed, by whether nothing of it is left.
_AFTER_REVERSAL = {
    ("awaiting", True): "voided",
    ("paid", True): "refunded",
    ("paid", False): "partially_refunded",
    ("partially_refunded", True): "refunded",
}
GivenBack = Literal["", "refund", "prepaid", "not_owed", "by_hand"]


async def give_back(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    payment: str,
    lines: Sequence[int],
    now: datetime,
    counts_refunds: bool = False,
    refund_reason: RefundReason = "out_of_stock",
) -> tuple[int, GivenBack]:
    """Give back the money of an order's cancelled units; returns the amount, and how it is given back.

    What was given back before, or taken off what was owed, is left out. Of `lines`, which the caller cancelled just
    now, those that are cancelled as a whole are refunded by name, for `refund_reason` where they have none yet.

    With `counts_refunds` earlier refunds were for what is cancelled or returned, so that no more than that
    is refunded in all; without, they were a goodwill beside it.

    `refund`: the next run refunds it, of what was captured. `prepaid`: it is on the prepaid account again.
    `not_owed`: it was not paid, so its sale is reversed; a capture takes the rest, and the next run voids an
    authorisation if nothing is owed. `by_hand`: the order is paid, but no payment is known; an alert is
    raised. '': there is nothing to give back.
    """
    if payment in {"none", "refunded"}:
        return 0, ""
    row = await tx.one(
        "select cancelled_total(o.shop_id, o.id), taken_back_total(o.shop_id, o.id), o.total_minor,"
        " sale_payer(o.shop_id, o.id) ->> 'kind' from orders o where o.shop_id = %s and o.id = %s",
        (shop_id, order_id),
    )
    assert row is not None  # its row is locked
    cancelled_minor, taken_back_minor, total_minor, payer = row
    amount_minor = cancelled_minor - taken_back_minor
    if payment in _PAID:
        amount_minor -= await tx.value(
            "select cancelled_minor from refunded_by_name(%s, %s)", (shop_id, order_id)
        )
    if payment in _PAID and amount_minor <= 0:
        return 0, ""
    if payment in _PAID:
        due_minor = amount_minor
        if counts_refunds:
            left_minor = await _left_to_refund(tx, shop_id=shop_id, order_id=order_id)
            due_minor = max(0, min(amount_minor, left_minor))
        planned = await plan_refund(
            tx, shop_id=shop_id, order_id=order_id, amount_minor=due_minor, now=now
        )
        if planned is not None:
            noted = {"shop": shop_id, "order": order_id, "lines": list(lines)}
            await tx.run(_NOTE_GIVEN_BACK, noted | {"reason": refund_reason, "now": now})
            return planned, "refund"
        if payer != "prepaid":
            await _tell_of_payment(tx, shop_id=shop_id, order_id=order_id, now=now)
            return amount_minor, "by_hand"
    await tx.run("select post_sale(%s, %s, null, true, %s)", (shop_id, order_id, now))
    to = _AFTER_REVERSAL.get((payment, cancelled_minor == total_minor))
    if to is not None:
        await move_order(tx, shop_id=shop_id, order_id=order_id, axis="payment", to=to, now=now)
    elif payment == "partially_refunded":
        await tx.run("select tell_refund(%s, %s, null, %s)", (shop_id, order_id, now))
    return amount_minor, "prepaid" if payment in _PAID else "not_owed"


async def _left_to_refund(tx: Transaction, *, shop_id: int, order_id: int) -> int:
    """What is owed no more of the order and not refunded yet; below zero where staff refunded beyond it."""
    payments = await list_payments(tx, shop_id=shop_id, order_id=order_id)
    refunded = sum(
        each.refunded_minor + each.refunding_minor + each.refund_due_minor for each in payments
    )
    row = await tx.one(
        "select owed_no_more(%(shop)s, %(order)s) - taken_back_total(%(shop)s, %(order)s) - owed_minor,"
        " refunded_minor from refunded_by_name(%(shop)s, %(order)s)",
        {"shop": shop_id, "order": order_id},
    )
    assert row is not None  # the function answers one row, always
    owed_no_more, refunded_by_name = row
    return int(owed_no_more) - (refunded - int(refunded_by_name))


async def _tell_of_payment(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    await raise_alert(
        tx,
        shop_id=shop_id,
        kind="cancelled_after_payment",
        message=f"Order {order_id} was cancelled after it was paid; refund what is to be refunded.",
        order_id=order_id,
        now=now,
    )


# A line that was cancelled as a whole is refunded by name with that; its shipping with all lines of its merchant, as
# `cancelled_sums` counts it. Of a line that was cancelled before the order was paid only that shipping was paid.
_NOTE_GIVEN_BACK = """
    update order_lines l
    set refunded_minor = l.refunded_minor
            + case when l.refunded_at is null and l.line_no = any(%(lines)s::smallint[])
                   then l.total_minor - l.shipping_minor else 0 end
            + case when m.is_whole then l.shipping_minor else 0 end,
        shipping_refunded = m.is_whole, refunded_at = %(now)s,
        refund_reason = case l.refund_reason when '' then %(reason)s else l.refund_reason end
    from (
        select x.merchant_id, bool_and(x.cancelled = x.quantity) as is_whole from order_lines x
        where x.shop_id = %(shop)s and x.order_id = %(order)s group by x.merchant_id
    ) m
    where l.shop_id = %(shop)s and l.order_id = %(order)s and l.merchant_id = m.merchant_id
      and l.cancelled = l.quantity
      and (l.refunded_at is null and l.line_no = any(%(lines)s::smallint[])
           or m.is_whole and not l.shipping_refunded)
"""
