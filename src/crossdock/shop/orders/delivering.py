"""Deliver what no warehouse sends: serials once the order is paid, all else when its shop says so.

Of orders whose release policy is `delivered` that is everything; of all others see unshipped.py. What is delivered
leaves its levels, serials are sold first in first out, and the buyer gets a mail with them; all of it in the
transaction of the change, or none.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.alerts import raise_alert
from crossdock.shop.events import Batch, Consumer
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders.handing_over import Delivery, hand_over
from crossdock.shop.orders.moving import lock_order, move_order
from crossdock.shop.orders.paying import refuse_while_asked
from crossdock.shop.orders.unshipped import deliver_by_hand, deliver_unshipped, find_unshipped
from crossdock.shop.payments import is_given_back, record_transfer

CONSUMER: Final = "paid_serials"
_PAID: Final = ("paid", "partially_refunded")
_UNDELIVERED: Final = ("waiting_for_release", "partially_shipped")


async def deliver_order(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    mailing: Mailing,
    now: datetime,
    note: str = "",
    mails: bool = True,
) -> Delivery:
    """Deliver what is left of a paid order, and mail the buyer its serials and the note, unless `mails` is off.

    Of an order that a warehouse sends, what is not shipped of it is delivered (see `deliver_by_hand`).
    Raises NotFound `order_not_found`; Refused `order_state` for an order that is not paid, whose money is all being
    given back, or that is delivered already, `stock_insufficient` for stock that is not on hand and
    `stock_limit_exceeded` for serials that are not there: the transaction must then be rolled back.
    """
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    if not await tx.value(_IS_DELIVERED, (shop_id, order_id)):
        return await deliver_by_hand(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            mailing=mailing if mails else None,
            note=note,
            now=now,
        )
    left = await _undelivered(tx, shop_id=shop_id, order_id=order_id)
    if state.payment not in _PAID:
        raise Refused("order_state", "An order that is not paid cannot be delivered.")
    if await is_given_back(tx, shop_id=shop_id, order_id=order_id):
        raise Refused("order_state", "All that was paid for the order is being given back.")
    if state.fulfilment not in _UNDELIVERED or not left:
        raise Refused("order_state", f"Nothing of an order that is {state.fulfilment} is left.")
    return await hand_over(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        quantities={line_no: quantity for line_no, (quantity, _) in left.items()},
        mailing=mailing if mails else None,
        note=note,
        now=now,
    )


async def complete_order(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    mailing: Mailing,
    now: datetime,
    note: str = "",
    mails: bool = True,
) -> Delivery:
    """Note that the shop was paid outside, and deliver the order; mails as `deliver_order` does.

    Raises NotFound `order_not_found`; Refused `order_expired` for one that was not paid in time, `order_state` for
    one that is paid, cancelled, or sent by a warehouse, and while a payment provider is asked about it, and as
    `deliver_order` does.
    """
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    if state.payment != "awaiting" or state.fulfilment != "waiting_for_release":
        raise Refused("order_state", f"An order whose payment is {state.payment} awaits none.")
    row = await tx.one(_OWED, {"shop": shop_id, "order": order_id})
    assert row is not None  # its row is locked
    payer, amount_minor, currency, expires_at, policy = row
    if policy != "delivered":
        raise Refused("order_state", "The order is sent by a warehouse, and paid by its partner.")
    if expires_at is not None and expires_at <= now:
        raise Refused("order_expired")
    await refuse_while_asked(tx, shop_id=shop_id, order_id=order_id)
    await move_order(tx, shop_id=shop_id, order_id=order_id, axis="payment", to="paid", now=now)
    # Levels before payments and accounts, as everybody locks them.
    delivery = await deliver_order(
        tx, shop_id=shop_id, order_id=order_id, mailing=mailing, note=note, mails=mails, now=now
    )
    await record_transfer(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        payer=payer,
        amount_minor=amount_minor,
        currency=currency,
        reference=f"by hand, order {order_id}",
        now=now,
    )
    return delivery


def delivery_consumer(mailing: Callable[[], Mailing]) -> Consumer:
    """Delivers serials of orders that were paid, and what is not shipped of those that were released.

    One order in a transaction.
    """

    async def take(tx: Transaction, *, batch: Batch, now: datetime) -> int | None:
        unshipped = await find_unshipped(tx, batch=batch)
        for event in batch.events:
            order_id = event.subject_id
            if order_id is None:
                continue
            if event.kind == "payment.paid":
                deliver = deliver_paid_serials
            elif unshipped.get(order_id) == event.sequence:
                deliver = deliver_unshipped
            else:
                continue
            if await deliver(
                tx, shop_id=batch.shop_id, order_id=order_id, mailing=mailing(), now=now
            ):
                return event.sequence
        return None

    return Consumer(name=CONSUMER, topics=("orders",), take=take)


async def deliver_paid_serials(
    tx: Transaction, *, shop_id: int, order_id: int, mailing: Mailing, now: datetime
) -> bool:
    """Deliver what a paid order has of serials, all or nothing, once; False where nothing is delivered.

    Its serials were kept from others since it was placed; if some are gone all the same, an alert is raised.
    """
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    if state.payment not in _PAID or state.fulfilment not in _UNDELIVERED:
        return False
    if await is_given_back(tx, shop_id=shop_id, order_id=order_id):
        return False
    left = await _undelivered(tx, shop_id=shop_id, order_id=order_id)
    quantities = {line_no: quantity for line_no, (quantity, is_serial) in left.items() if is_serial}
    if not quantities:
        return False
    if await tx.value(_SHORT, {"shop": shop_id, "order": order_id, "lines": list(quantities)}):
        await raise_alert(
            tx,
            shop_id=shop_id,
            kind="serials_short",
            message=f"Order {order_id} is paid, and serials for it are gone; add some and fulfill it.",
            order_id=order_id,
            now=now,
        )
        return False
    await hand_over(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        quantities=quantities,
        mailing=mailing,
        note="",
        now=now,
    )
    return True


async def _undelivered(
    tx: Transaction, *, shop_id: int, order_id: int
) -> dict[int, tuple[int, bool]]:
    """What is left of each line and whether it is delivered by serials; nothing where a warehouse sends it."""
    rows = await tx.all(_LEFT, {"shop": shop_id, "order": order_id})
    return {line_no: (quantity, is_serial) for line_no, quantity, is_serial in rows}


_IS_DELIVERED: Final = (
    "select release_policy = 'delivered' from orders where shop_id = %s and id = %s"
)
_OWED: Final = """
    select order_payer(o), o.total_minor, o.currency, o.expires_at, o.release_policy
    from orders o where o.shop_id = %(shop)s and o.id = %(order)s
"""
# An order of which a warehouse has something in hand is the warehouse's.
_LEFT: Final = """
    select l.line_no, l.quantity - l.cancelled - l.shipped, exists (
        select 1 from serials s where s.shop_id = l.shop_id and s.variant_id = l.variant_id)
    from orders o join order_lines l on l.shop_id = o.shop_id and l.order_id = o.id
    where o.shop_id = %(shop)s and o.id = %(order)s and o.release_policy = 'delivered'
      and l.shipped + l.cancelled < l.quantity and l.picked = l.shipped
    order by l.line_no
"""
_SHORT: Final = """
    select exists (
        select 1 from (
            select l.variant_id, sum(l.quantity - l.cancelled - l.shipped) as quantity from order_lines l
            where l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = any(%(lines)s::smallint[])
            group by l.variant_id
        ) w
        left join stock_levels s on s.shop_id = %(shop)s and s.variant_id = w.variant_id and s.pool = 'own'
        where coalesce(s.on_hand, 0) < w.quantity or w.quantity > (
            select count(*) from serials x
            where x.shop_id = %(shop)s and x.variant_id = w.variant_id and x.sold_at is null))
"""
