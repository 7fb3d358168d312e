"""Plan a refund of an order in the transaction of whoever asks for it; the payment provider is asked afterwards."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, Refused
from crossdock.shop.events import defer_job
from crossdock.shop.orders.closing import take_back_unsent
from crossdock.shop.orders.moving import lock_order
from crossdock.shop.payments import BY_HAND, list_payments, plan_refund

TASK = "settle_payments"
_REFUNDABLE = ("captured", "partially_refunded")
_SETTLED = ("none", "paid", "partially_refunded")
"""Without a payment: on account, prepaid or free."""


async def plan_order_refund(
    tx: Transaction, *, shop_id: int, order_id: int, amount_minor: int | None, now: datetime
) -> int:
    """Make an amount of what was paid, or all that is left of it, due to be refunded; the amount in minor units.

    The job that settles payments asks the provider right after the commit. What is refunded, being refunded and
    due never exceeds what was captured. Where nothing of it stays paid, what has not left is cancelled with that, so
    that nothing is delivered while the refund is due (see `take_back_unsent`). Raises NotFound `order_not_found`,
    Refused `payment_state` where nothing that was paid is left, `refund_exceeds_capture` for more than that, Invalid
    `invalid_input` for an amount that is none, and where money came in without a provider, so that nobody can be
    asked to give it back.
    """
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    payments = await list_payments(tx, shop_id=shop_id, order_id=order_id)
    paid = [payment for payment in payments if payment.state in _REFUNDABLE]
    is_without_provider = not payments and state.payment in _SETTLED
    if is_without_provider or any(payment.provider in BY_HAND for payment in paid):
        raise Invalid("invalid_input", "refunds are not supported", {"field": "gateway"})
    left = sum(
        each.captured_minor - each.refunded_minor - each.refunding_minor - each.refund_due_minor
        for each in paid
    )
    if not left:
        raise Refused("payment_state", f"Nothing that was paid for order {order_id} is left.")
    wanted = left if amount_minor is None else amount_minor
    if wanted < 1:
        raise Invalid("invalid_input", "must be above zero", {"field": "amount"})
    if wanted > left:
        raise Refused("refund_exceeds_capture")
    if wanted == left:  # levels before payments, as everybody locks them
        await take_back_unsent(tx, shop_id=shop_id, order_id=order_id, now=now)
    await plan_refund(tx, shop_id=shop_id, order_id=order_id, amount_minor=wanted, now=now)
    await defer_job(tx, task=TASK, queue="default", args={"timestamp": 0})
    return wanted
