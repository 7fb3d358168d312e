"""Payments of an order: capture, refund, void, and the moves of its payment axis."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.db.walking import walk_due
from crossdock.errors import Invalid, Refused, Unavailable
from crossdock.shop.alerts import isolated, raise_alert
from crossdock.shop.orders.moving import lock_order, move_order, refusing_move
from crossdock.shop.orders.states import OVER, WORKABLE
from crossdock.shop.payments import (
    RECORDED,
    Action,
    Answer,
    Asked,
    Follow,
    Paying,
    Payment,
    Recorded,
    capture,
    capture_due,
    list_payments,
    record_transfer,
    recorded,
    refund,
    refund_due,
    settle_payments,
    try_void,
)

_REFUNDABLE = ("captured", "partially_refunded")
_CAPTURED_FOR = ("awaiting", "authorised")


class OrderFollows:
    """A provider's answer moves the order's payment axis, in the same statement."""

    async def before_asking(
        self, tx: Transaction, *, shop_id: int, payment: Payment, action: Action
    ) -> int | None:
        """The amount that is owed for the order without what is cancelled of it; None but for a capture.

        Raises Refused `order_state` for a capture if nothing is owed, as for a cancelled or a paid order.
        """
        order_id = payment.order_id
        assert order_id is not None  # asked of payments of orders alone
        state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
        if action != "capture":
            return None
        if state.payment not in _CAPTURED_FOR:
            raise Refused("order_state", f"The order's payment is {state.payment} by now.")
        owed = await read_owed(tx, shop_id=shop_id, order_id=order_id)
        if state.fulfilment == "cancelled" or owed == 0:
            raise Refused("order_state", "Nothing is owed for the order; its payment is let go of.")
        return owed

    async def write_answer(
        self, tx: Transaction, *, asked: Asked, answer: Answer, now: datetime
    ) -> Recorded:
        """Record the answer and move the payment axis (see `answer_order_payment` in answering.sql)."""
        assert asked.invoice_id is None  # its invoice would never learn of the answer
        with refusing_move():
            return await recorded(tx, statement=_RECORD, asked=asked, answer=answer, now=now)


ORDER_FOLLOWS = OrderFollows()


async def pay_order(
    service: Paying, *, shop_id: int, order_id: int, reference: str = ""
) -> Payment | None:
    """Pay the order: capture its authorised card, or record a bank transfer with its `reference`.

    An order of which nothing is owed is paid without a payment: then it is None.
    Raises NotFound `order_not_found`, Refused `order_state` for an order that is not to be paid, Invalid
    `invalid_input` where a transfer has no reference, and what `capture` and `record_transfer` raise.
    """
    async with service.db.begin() as tx:
        state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
        if state.payment == "awaiting":
            return await note_transfer(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                reference=reference,
                now=service.clock.now(),
            )
        payment_id = await find_authorised(tx, shop_id=shop_id, order_id=order_id)
    return await capture(service, shop_id=shop_id, payment_id=payment_id, follow=ORDER_FOLLOWS)


async def find_authorised(tx: Transaction, *, shop_id: int, order_id: int) -> int:
    """The payment of the order that can be captured. Raises as `pay_order` does."""
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    payments = await list_payments(tx, shop_id=shop_id, order_id=order_id)
    authorised = [payment for payment in payments if payment.state == "authorised"]
    if state.payment != "authorised" or not authorised:
        raise Refused("order_state", f"An order whose payment is {state.payment} cannot be paid.")
    return authorised[0].id


async def read_owed(tx: Transaction, *, shop_id: int, order_id: int) -> int:
    """What the order costs without what is cancelled of it, in minor units; it is there."""
    owed: int = await tx.value(
        "select o.total_minor - cancelled_total(o.shop_id, o.id) from orders o"
        " where o.shop_id = %s and o.id = %s",
        (shop_id, order_id),
    )
    return owed


class Refundable(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that can be asked for: of which payment, how much, and whether goods of it are still to leave."""

    payment_id: int
    amount_minor: int
    is_in_hand: bool


async def find_refundable(
    tx: Transaction, *, shop_id: int, order_id: int, amount_minor: int | None = None
) -> Refundable:
    """The refund of an amount, or of all that is left. Raises as `refund_order` does, before a provider is asked."""
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    payments = await list_payments(tx, shop_id=shop_id, order_id=order_id)
    paid = [payment for payment in payments if payment.state in _REFUNDABLE]
    if not paid:
        raise Refused("payment_state", f"Nothing that was paid for order {order_id} is left.")
    payment = paid[0]
    left = payment.captured_minor - payment.refunded_minor - payment.refunding_minor
    left -= payment.refund_due_minor
    if amount_minor is None and left == 0:
        message = (
            f"All that is left of what was paid for order {order_id} is being refunded already."
        )
        raise Refused("payment_state", message)
    wanted = left if amount_minor is None else amount_minor
    if wanted < 1:
        raise Invalid("invalid_input", "An amount to refund is above zero.", {"field": "amount"})
    if wanted > left:
        raise Refused("refund_exceeds_capture")
    return Refundable(
        payment_id=payment.id,
        amount_minor=wanted,
        is_in_hand=wanted == left and state.fulfilment in WORKABLE,
    )


async def refund_order(
    service: Paying,
    *,
    shop_id: int,
    order_id: int,
    amount_minor: int | None = None,
    takes_goods: bool = False,
) -> Payment:
    """Refund an amount of what was paid for the order, or all that is left.

    Where all of it is refunded, or may be, and goods are still to leave, an alert is raised, unless the caller
    `takes_goods` back.
    Raises NotFound `order_not_found`, Refused `payment_state` where nothing was paid or, without an amount,
    the rest is being refunded already, `refund_exceeds_capture`, Invalid `invalid_input` for an amount that is none,
    and what `refund` raises.
    """
    async with service.db.begin() as tx:
        asked = await find_refundable(
            tx, shop_id=shop_id, order_id=order_id, amount_minor=amount_minor
        )
    is_in_hand = asked.is_in_hand and not takes_goods
    try:
        refunded = await refund(
            service,
            shop_id=shop_id,
            payment_id=asked.payment_id,
            amount_minor=asked.amount_minor,
            follow=ORDER_FOLLOWS,
        )
    except Unavailable:
        if is_in_hand:
            await _tell_in_hand(service, shop_id=shop_id, order_id=order_id)
        raise
    if is_in_hand:
        await _tell_in_hand(service, shop_id=shop_id, order_id=order_id)
    return refunded


async def _tell_in_hand(service: Paying, *, shop_id: int, order_id: int) -> None:
    async with service.db.begin() as tx:
        await tell_of_goods(tx, shop_id=shop_id, order_id=order_id, now=service.clock.now())


async def tell_of_goods(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    """Raise the alert that an order is refunded as a whole and its goods are still to leave."""
    await raise_alert(
        tx,
        shop_id=shop_id,
        kind="refunded_in_hand",
        message=f"Order {order_id} is refunded as a whole, and its goods are on their way out: stop them.",
        order_id=order_id,
        now=now,
    )


async def settle_order_payments(service: Paying, *, follow: Follow) -> int:
    """Look up lost answers, capture and refund what is due, void authorisations; returns how many in all.

    An authorisation is voided if nothing is owed for its order: it was cancelled, or only free lines left.
    It walks the payments of all shops, so `follow` also serves those of invoices (see `settle_every_payment`).
    """
    settled = await settle_payments(service, follow=follow)
    settled += await capture_due(service, follow=follow)
    settled += await refund_due(service, follow=follow)
    values = {"over": list(OVER)}
    async for _, shop_id, payment_id in walk_due(service.db, _NOT_OWED, values=values):
        async with isolated(
            service.db,
            job="settle_payments",
            shop_id=shop_id,
            about=f"payment {payment_id}",
            now=service.clock.now(),
        ):
            settled += await try_void(
                service, shop_id=shop_id, payment_id=payment_id, follow=follow
            )
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


async def note_transfer(
    tx: Transaction, *, shop_id: int, order_id: int, reference: str, now: datetime
) -> Payment | None:
    """Record a bank transfer for an order that awaits its payment, whose row is locked; see `pay_order`."""
    reference = reference.strip()
    row = await tx.one(
        "select order_payer(o), o.total_minor - cancelled_total(o.shop_id, o.id), o.currency,"
        " o.fulfilment_state, o.expires_at <= %s from orders o"
        " where o.shop_id = %s and o.id = %s",
        (now, shop_id, order_id),
    )
    assert row is not None  # its row is locked
    if row[1] and not reference:
        message = "Say what the bank calls the transfer, so that it is noted once."
        raise Invalid("invalid_input", message, {"field": "reference"})
    if row[3] == "cancelled":
        raise Refused("order_state", "The order is cancelled.")
    if row[4]:
        raise Refused("order_expired")
    await refuse_while_asked(tx, shop_id=shop_id, order_id=order_id)
    await move_order(tx, shop_id=shop_id, order_id=order_id, axis="payment", to="paid", now=now)
    if not row[1]:
        return None
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


_RECORD = f"select {RECORDED} from answer_order_payment(%s, %s, %s, %s, %s, %s) r"
_NOT_OWED = """
    select p.created_at, p.shop_id, p.id from payments p
    join orders o on o.shop_id = p.shop_id and o.id = p.order_id
    where p.state = 'authorised' and (o.fulfilment_state = 'cancelled'
        or o.payment_state not in ('awaiting', 'authorised')
        or o.payment_state = 'awaiting' and p.capture_at is null and exists (
            select 1 from payment_attempts a where a.shop_id = p.shop_id and a.payment_id = p.id
              and a.action = 'capture' and a.outcome = 'refused')
        or o.fulfilment_state = any(%(over)s) and o.total_minor = cancelled_total(o.shop_id, o.id))
      and (p.created_at, p.shop_id, p.id) > (%(at)s, %(shop)s, %(id)s)
    order by p.created_at, p.shop_id, p.id limit %(limit)s
"""
