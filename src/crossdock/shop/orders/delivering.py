"""Deliver what no warehouse sends: serials once the order is paid, all else when its shop says so.

Only orders whose release policy is `delivered`. What is delivered leaves its levels, serials are sold first in
first out, and the buyer gets a mail with them; all of it in the transaction of the change, or none.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.kit.email import is_email
from crossdock.kit.languages import language_for
from crossdock.shop.alerts import raise_alert
from crossdock.shop.events import Batch, Consumer
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders.moving import lock_order, move_order
from crossdock.shop.orders.paying import refuse_while_asked
from crossdock.shop.orders.progress import note_picked, note_shipped
from crossdock.shop.orders.viewing import OrderView, read_order
from crossdock.shop.payments import is_given_back, record_transfer
from crossdock.shop.shops import read_shop_by_id
from crossdock.shop.stock import read_sold_serials

CONSUMER: Final = "paid_serials"
_MAIL_CHARS: Final = 12_000  # which HTML may make six times as long: below what a mail may have
_MAIL_LINES: Final = 500
_PAID: Final = ("paid", "partially_refunded")
_UNDELIVERED: Final = ("waiting_for_release", "partially_shipped")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a call delivered: how many of which line, and the order's state afterwards."""

    quantities: Mapping[int, int]
    state: str


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

    Raises NotFound `order_not_found`; Refused `order_state` for an order that is not paid, whose money is all being
    given back, that is delivered already or is sent by a warehouse, `stock_insufficient` for stock that is not on
    hand and `stock_limit_exceeded` for serials that are not there: the transaction must then be rolled back.
    """
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    left = await _undelivered(tx, shop_id=shop_id, order_id=order_id)
    if state.payment not in _PAID:
        raise Refused("order_state", "An order that is not paid cannot be delivered.")
    if await is_given_back(tx, shop_id=shop_id, order_id=order_id):
        raise Refused("order_state", "All that was paid for the order is being given back.")
    if state.fulfilment not in _UNDELIVERED or not left:
        raise Refused("order_state", f"Nothing of an order that is {state.fulfilment} is left.")
    return await _deliver(
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
    """Delivers the serials of orders that were paid, one order in a transaction."""

    async def take(tx: Transaction, *, batch: Batch, now: datetime) -> int | None:
        for event in batch.events:
            if event.kind != "payment.paid" or event.subject_id is None:
                continue
            if await deliver_paid_serials(
                tx, shop_id=batch.shop_id, order_id=event.subject_id, mailing=mailing(), now=now
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
    await _deliver(
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


async def _deliver(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    quantities: Mapping[int, int],
    mailing: Mailing | None,
    note: str,
    now: datetime,
) -> Delivery:
    await note_picked(tx, shop_id=shop_id, order_id=order_id, quantities=quantities)
    state = await note_shipped(
        tx, shop_id=shop_id, order_id=order_id, quantities=quantities, now=now
    )
    if state == "shipped":
        state = "completed"
        await move_order(tx, shop_id=shop_id, order_id=order_id, to=state, now=now)
    if mailing is not None:
        await _mail(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            quantities=quantities,
            mailing=mailing,
            note=note,
            now=now,
        )
    return Delivery(quantities=quantities, state=state)


async def _mail(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    quantities: Mapping[int, int],
    mailing: Mailing,
    note: str,
    now: datetime,
) -> None:
    order = await read_order(tx, shop_id=shop_id, order_id=order_id)
    if not is_email(order.email):
        return
    serials = await read_sold_serials(tx, shop_id=shop_id, order_id=order_id, box=mailing.box)
    told = _lines_told(order, quantities=quantities, serials=serials)
    key = f"order:{order_id}:{min(quantities)}"
    await mail_lines(tx, order=order, told=told, mailing=mailing, note=note, key=key, now=now)


async def mail_lines(
    tx: Transaction,
    *,
    order: OrderView,
    told: Sequence[str],
    mailing: Mailing,
    note: str,
    key: str,
    now: datetime,
) -> None:
    """Mail the buyer the lines, in as many mails as they need; the same `key` mails them once."""
    shop = await read_shop_by_id(tx, shop_id=order.shop_id)
    language = language_for(
        named=order.language, country=order.shipping.country, of_shop=shop.languages
    )
    for part, lines in enumerate(_split_for_mails(told), start=1):
        await mailing.queue_mail(
            tx,
            shop_id=order.shop_id,
            template="order_delivery",
            to=order.email,
            values={"shop": order.shop_name, "note": note, "lines": lines},
            language=language,
            key=f"{key}:{part}",
            now=now,
        )


def _lines_told(
    order: OrderView, *, quantities: Mapping[int, int], serials: Mapping[int, list[str]]
) -> list[str]:
    """A line for each thing that was delivered, then one for each of its serials."""
    told = []
    for line in order.lines:
        if line.line_no in quantities:
            told.append(f"{quantities[line.line_no]} x {line.name}")
            told += serials.get(line.line_no, [])
    return told


def _split_for_mails(told: Sequence[str]) -> list[list[str]]:
    """The lines in as many mails as they need."""
    mails: list[list[str]] = [[]]
    chars = 0
    for line in told:
        chars += len(line)
        if chars > _MAIL_CHARS or len(mails[-1]) == _MAIL_LINES:
            mails.append([])
            chars = len(line)
        mails[-1].append(line)
    return mails


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
