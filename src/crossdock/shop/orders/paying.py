"""Payments of an order: capture, refund, void, and the moves of its payment axis."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, Invalid, Refused
from crossdock.shop.alerts import raise_alert
from crossdock.shop.orders.moving import lock_order, move_order
from crossdock.shop.payments import (
    Action,
    Paying,
    Payment,
    Settled,
    capture,
    capture_due,
    list_payments,
    record_transfer,
    refund,
    settle_payments,
    void,
)

_VOID_BATCH = 50
_REFUNDABLE = ("captured", "partially_refunded")


class OrderFollows:
    """A provider's answer moves the order's payment axis, in the same transaction."""

    async def before_asking(
        self, tx: Transaction, *, shop_id: int, order_id: int, action: Action
    ) -> None:
        """Raises Refused `order_state` for the capture of an order that is cancelled."""
        state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
        if action == "capture" and state.fulfilment == "cancelled":
            raise Refused("order_state", "The order is cancelled; its payment is let go of.")

    async def before_answer(self, tx: Transaction, *, shop_id: int, order_id: int) -> None:
        """Lock the order, before the payment and the accounts."""
        await lock_order(tx, shop_id=shop_id, order_id=order_id)

    async def after_answer(self, tx: Transaction, *, settled: Settled) -> None:
        """Move the payment axis: to paid after a capture, to voided after a void, as the payment after a refund."""
        payment = settled.payment
        if payment.order_id is None:
            return
        to = "paid" if settled.action == "capture" else payment.state
        before = await lock_order(tx, shop_id=settled.shop_id, order_id=payment.order_id)
        if before.payment == to:
            return
        await move_order(
            tx,
            shop_id=settled.shop_id,
            order_id=payment.order_id,
            axis="payment",
            to=to,
            now=payment.updated_at,
        )


ORDER_FOLLOWS = OrderFollows()


async def pay_order(
    service: Paying, *, shop_id: int, order_id: int, reference: str = ""
) -> Payment:
    """Pay the order: capture its authorised card, or record a bank transfer with its `reference`.

    Raises NotFound `order_not_found`, Refused `order_state` for an order that is not to be paid, Invalid
    `invalid_input` where a transfer has no reference, and what `capture` and `record_transfer` raise.
    """
    async with service.db.begin() as tx:
        state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
        if state.payment == "awaiting":
            return await _note_transfer(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                reference=reference.strip(),
                now=service.clock.now(),
            )
        payments = await list_payments(tx, shop_id=shop_id, order_id=order_id)
    authorised = [payment for payment in payments if payment.state == "authorised"]
    if state.payment != "authorised" or not authorised:
        raise Refused("order_state", f"An order whose payment is {state.payment} cannot be paid.")
    return await capture(
        service, shop_id=shop_id, payment_id=authorised[0].id, follow=ORDER_FOLLOWS
    )


async def refund_order(
    service: Paying, *, shop_id: int, order_id: int, amount_minor: int | None = None
) -> Payment:
    """Refund an amount of what was paid for the order, or all that is left.

    Raises NotFound `order_not_found`, Refused `payment_state` where nothing was paid, Invalid
    `invalid_input` for an amount that is none, and what `refund` raises.
    """
    async with service.db.begin() as tx:
        await lock_order(tx, shop_id=shop_id, order_id=order_id)
        payments = await list_payments(tx, shop_id=shop_id, order_id=order_id)
    paid = [payment for payment in payments if payment.state in _REFUNDABLE]
    if not paid:
        raise Refused("payment_state", f"Nothing that was paid for order {order_id} is left.")
    payment = paid[0]
    left = payment.captured_minor - payment.refunded_minor - payment.refunding_minor
    wanted = left if amount_minor is None else amount_minor
    if wanted < 1:
        raise Invalid("invalid_input", "An amount to refund is above zero.", {"field": "amount"})
    return await refund(
        service,
        shop_id=shop_id,
        payment_id=payment.id,
        amount_minor=wanted,
        follow=ORDER_FOLLOWS,
    )


async def settle_order_payments(service: Paying) -> int:
    """Look up lost answers, capture what is due, void the authorisations of cancelled orders; how many in all."""
    settled = await settle_payments(service, follow=ORDER_FOLLOWS)
    settled += await capture_due(service, follow=ORDER_FOLLOWS)
    async with service.db.statement() as tx:
        rows = await tx.all(
            "select p.shop_id, p.id from payments p"
            " join orders o on o.shop_id = p.shop_id and o.id = p.order_id"
            " where p.state = 'authorised' and o.fulfilment_state = 'cancelled'"
            " order by p.shop_id, p.id limit %s",
            (_VOID_BATCH,),
        )
    for shop_id, payment_id in rows:
        settled += await _let_go(service, shop_id=shop_id, payment_id=payment_id)
    return settled


async def refuse_while_asked(tx: Transaction, *, shop_id: int, order_id: int) -> None:
    """Raise Refused `order_state` while a request about the order's payment is open."""
    asked = await tx.value(
        "select exists (select 1 from payments p"
        " join payment_attempts a on a.shop_id = p.shop_id and a.payment_id = p.id"
        " where p.shop_id = %s and p.order_id = %s and a.outcome = 'asked')",
        (shop_id, order_id),
    )
    if asked:
        raise Refused("order_state", "The payment provider is being asked; try again in a minute.")


async def settle_cancelled(
    tx: Transaction, *, shop_id: int, order_id: int, payment: str, now: datetime
) -> None:
    """Reverse the sale in the ledger if the cancelled order was not paid.

    The next settling voids an authorised payment. A paid order keeps its payment, and an alert is raised.
    """
    if payment == "none":
        return
    if payment in {"paid", "partially_refunded"}:
        await raise_alert(
            tx,
            shop_id=shop_id,
            kind="cancelled_after_payment",
            message=f"Order {order_id} was cancelled after it was paid; refund what is to be refunded.",
            order_id=order_id,
            now=now,
        )
    if payment in {"awaiting", "authorised", "expired", "voided"}:
        await tx.run("select post_sale(%s, %s, null, true, %s)", (shop_id, order_id, now))
    if payment == "awaiting":
        await move_order(
            tx, shop_id=shop_id, order_id=order_id, axis="payment", to="voided", now=now
        )


async def _note_transfer(
    tx: Transaction, *, shop_id: int, order_id: int, reference: str, now: datetime
) -> Payment:
    if not reference:
        message = "Say what the bank calls the transfer, so that it is noted once."
        raise Invalid("invalid_input", message, {"field": "reference"})
    row = await tx.one(
        "select order_payer(o), o.total_minor, o.currency, o.fulfilment_state from orders o"
        " where o.shop_id = %s and o.id = %s",
        (shop_id, order_id),
    )
    assert row is not None  # its row is locked
    if row[3] == "cancelled":
        raise Refused("order_state", "The order is cancelled.")
    await move_order(tx, shop_id=shop_id, order_id=order_id, axis="payment", to="paid", now=now)
    return await record_transfer(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        payer=row[0],
        amount_minor=row[1],
        currency=row[2],
        reference=reference,
        now=now,
    )


async def _let_go(service: Paying, *, shop_id: int, payment_id: int) -> bool:
    """Void the payment; False if a request is open or was refused, to be tried again later."""
    try:
        await void(service, shop_id=shop_id, payment_id=payment_id, follow=ORDER_FOLLOWS)
    except CrossdockError:
        return False
    return True
