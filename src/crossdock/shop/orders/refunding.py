"""Refund lines of an order by name, and cancel lines that a partner may still take back."""

from collections.abc import Sequence
from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.shop.deliveries import tried_target, who_has
from crossdock.shop.events import OrderLinesRefunded, write_event
from crossdock.shop.orders.cancelling import Cancelled, cancel_order, tell_of_attempts
from crossdock.shop.orders.giving_back import give_back
from crossdock.shop.orders.moving import lock_order, move_order
from crossdock.shop.orders.paying import ORDER_FOLLOWS, refuse_while_asked
from crossdock.shop.orders.reasons import RefundReason
from crossdock.shop.orders.releasing import wake_releases
from crossdock.shop.orders.states import CANCELLABLE, FREELY_CANCELLED
from crossdock.shop.payments import (
    Paying,
    list_payments,
    plan_refund,
    refund_due_amount,
    settle_by_hand,
)
from crossdock.shop.pricing import release_coupons
from crossdock.shop.stock import Posting, post_stock

_PAID = ("paid", "partially_refunded", "refunded")


async def refund_line(
    service: Paying,
    *,
    shop_id: int,
    order_id: int,
    line_no: int,
    reason: RefundReason,
    with_shipping: bool = False,
) -> int:
    """Refund a line, with its shipping or without, and ask the provider for it; the amount in minor units.

    A line is refunded once; only its shipping may follow later (spec shoppo 8). Its state stays. Raises NotFound
    `order_not_found`, Invalid `invalid_input` for a line that is not there, Refused `payment_state` for one
    that was refunded already or of an order without a payment, `refund_exceeds_capture`, and what `refund` does.
    """
    now = service.clock.now()
    async with service.db.begin() as tx:
        amount_minor = await plan_line_refund(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            line_no=line_no,
            reason=reason,
            with_shipping=with_shipping,
            now=now,
        )
        payments = await list_payments(tx, shop_id=shop_id, order_id=order_id)
    for payment in payments:
        if payment.refund_due_minor:
            await refund_due_amount(
                service, shop_id=shop_id, payment_id=payment.id, follow=ORDER_FOLLOWS
            )
    return amount_minor


async def plan_line_refund(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    line_no: int,
    reason: RefundReason,
    with_shipping: bool,
    now: datetime,
) -> int:
    """Make the refund of a line due; the amount in minor units. Raises as `refund_line` does."""
    await lock_order(tx, shop_id=shop_id, order_id=order_id)
    return await _refund(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        line_nos=[line_no],
        reason=reason,
        with_shipping=with_shipping,
        now=now,
    )


async def cancel_freely(
    tx: Transaction,
    *,
    shop_id: int,
    partner_id: int,
    order_id: int,
    line_no: int | None = None,
    allows_unpaid: bool = False,
    now: datetime,
) -> int:
    """Cancel a line, or every line, of a paid order that is not in fulfilment yet, as its partner asks.

    Its stock is free again; its money is given back with its shipping, but for what was refunded before. The last
    line cancels the order. With `allows_unpaid` an order that still awaits its payment is cancelled as a whole.
    Returns the amount in minor units. Raises NotFound `order_not_found`, and Refused `order_state` for a
    line that is cancelled or was released for fulfilment; for all lines, if any of them is.
    """
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    rows = await tx.all(_LINES, (shop_id, order_id, partner_id))
    lines = dict(rows)
    if not lines or (line_no is not None and line_no not in lines):
        raise NotFound("order_not_found")
    if allows_unpaid and line_no is None and state.payment == "awaiting":
        await cancel_order(tx, shop_id=shop_id, order_id=order_id, by="partner", now=now)
        return 0
    wanted = list(lines) if line_no is None else [line_no]
    if state.payment not in _PAID or state.fulfilment not in FREELY_CANCELLED:
        raise Refused("order_state", "Only what is paid and not in fulfilment is cancelled freely.")
    if any(lines[number] != "open" for number in wanted):
        raise Refused("order_state", "A line of it is cancelled already.")
    await refuse_while_asked(tx, shop_id=shop_id, order_id=order_id)
    await _cancel_goods(tx, shop_id=shop_id, order_id=order_id, line_nos=wanted, now=now)
    if _is_last(lines, wanted):
        await release_coupons(tx, shop_id=shop_id, order_id=order_id, now=now)
    amount_minor = await _refund(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        line_nos=wanted,
        reason="customer_cancelled",
        with_shipping=True,
        is_strict=False,
        now=now,
    )
    if _is_last(lines, wanted):
        await move_order(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            to="cancelled",
            details={"reason": "cancelled by the partner", "by": "partner"},
            now=now,
        )
    return amount_minor


async def cancel_line(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    line_no: int,
    reason: RefundReason,
    now: datetime,
) -> Cancelled:
    """Cancel a line of an order of which nothing is picked, as staff decide; its money goes back as `give_back` says.

    Its stock is free again. The last line cancels the order. An alert is raised where an outside system may have the
    line from an attempt that failed. Raises NotFound `order_not_found`, Invalid
    `invalid_input` for a line that is not there, and Refused `order_state` for one that is cancelled, once fulfilment
    has started or an outside system has the order, and while a request to a payment provider is open.
    """
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    lines: dict[int, str] = dict(await tx.all(_LINE_STATES, (shop_id, order_id)))
    if line_no not in lines:
        raise Invalid("invalid_input", "The order has no such line.", {"field": "line"})
    if state.fulfilment not in CANCELLABLE:
        message = (
            f"No line of an order that is {state.fulfilment} can be cancelled; un-pick it first."
        )
        raise Refused("order_state", message)
    if lines[line_no] != "open":
        raise Refused("order_state", "The line is cancelled already.")
    if _is_last(lines, [line_no]):
        return await cancel_order(
            tx, shop_id=shop_id, order_id=order_id, refund_reason=reason, now=now
        )
    if holder := await who_has(tx, shop_id=shop_id, kind="dispatch", subject_id=order_id):
        raise Refused("order_state", f"The order is with {holder}; it is worked on there.")
    may_be_at = await tried_target(tx, shop_id=shop_id, kind="dispatch", subject_id=order_id)
    if state.payment != "none":
        await refuse_while_asked(tx, shop_id=shop_id, order_id=order_id)
    await _cancel_goods(tx, shop_id=shop_id, order_id=order_id, line_nos=[line_no], now=now)
    amount_minor, given_back = await give_back(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        payment=state.payment,
        lines=[line_no],
        refund_reason=reason,
        now=now,
    )
    if may_be_at:
        await tell_of_attempts(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            what=f"Line {line_no} of order {order_id}",
            target=may_be_at,
            now=now,
        )
    return Cancelled(may_be_at=may_be_at, amount_minor=amount_minor, given_back=given_back)


async def _cancel_goods(
    tx: Transaction, *, shop_id: int, order_id: int, line_nos: Sequence[int], now: datetime
) -> None:
    """Cancel lines, but for their money: they are not shipped, and their stock is free."""
    await wake_releases(tx, shop_id=shop_id)
    await tx.run(_CANCEL, {"shop": shop_id, "order": order_id, "lines": list(line_nos)})
    await move_order(
        tx, shop_id=shop_id, order_id=order_id, axis="line", lines=line_nos, to="cancelled", now=now
    )
    # Levels before payments and accounts, as everybody locks them.
    await _free_stock(tx, shop_id=shop_id, order_id=order_id, line_nos=line_nos, now=now)


def _is_last(lines: dict[int, str], wanted: Sequence[int]) -> bool:
    return all(state != "open" for number, state in lines.items() if number not in wanted)


async def _refund(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    line_nos: Sequence[int],
    reason: RefundReason,
    with_shipping: bool,
    now: datetime,
    is_strict: bool = True,
) -> int:
    """Note the refund of lines and make it due; what nobody has to be asked about is refunded at once.

    Unless it is strict, what was refunded before is left out instead of refused, and the lines were cancelled by the
    caller just now. Returns what is given back by this.
    """
    values = {
        "shop": shop_id,
        "order": order_id,
        "lines": list(line_nos),
        "reason": reason,
        "with_shipping": with_shipping,
        "just_cancelled": not is_strict,
        "now": now,
    }
    known = await tx.value(_KNOWN, values)
    if known < len(line_nos):
        raise Invalid("invalid_input", "The order has no such line.", {"field": "line"})
    refunded = dict(await tx.all(_NOTE, values))
    if is_strict and len(refunded) < len(line_nos):
        message = "The line was refunded already, or cancelled before it was paid."
        raise Refused("payment_state", message)
    if not refunded:
        return 0
    total = given = sum(refunded.values())
    if total:
        planned = await plan_refund(
            tx, shop_id=shop_id, order_id=order_id, amount_minor=total, now=now
        )
        if planned is None:
            raise Refused("payment_state", f"Nothing was paid for order {order_id}.")
        if is_strict and planned < total:
            raise Refused("refund_exceeds_capture")
        given = planned
    event = OrderLinesRefunded(lines=_shares(refunded, given_minor=given), reason=reason)
    await write_event(tx, shop_id=shop_id, event=event, subject_id=order_id, now=now)
    to = await settle_by_hand(tx, shop_id=shop_id, order_id=order_id, now=now)
    before = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    if to is not None and to != before.payment:
        await move_order(tx, shop_id=shop_id, order_id=order_id, axis="payment", to=to, now=now)
    return given


def _shares(refunded: dict[int, int], *, given_minor: int) -> dict[str, int]:
    """What each line is given back, by its number as text: less than it costs where too little was left to refund."""
    shares: dict[str, int] = {}
    for number, amount_minor in sorted(refunded.items()):
        shares[str(number)] = min(amount_minor, given_minor)
        given_minor -= shares[str(number)]
    return shares


async def _free_stock(
    tx: Transaction, *, shop_id: int, order_id: int, line_nos: Sequence[int], now: datetime
) -> None:
    """Release the share of these lines in what the order has committed, the supplier's first."""
    rows = await tx.all(_FREE, {"shop": shop_id, "order": order_id, "lines": list(line_nos)})
    postings = [
        Posting(variant_id=variant_id, pool=pool, kind="uncommit", committed=-quantity)
        for variant_id, pool, quantity in rows
    ]
    await post_stock(
        tx,
        shop_id=shop_id,
        postings=postings,
        reason="line cancelled",
        order_id=order_id,
        now=now,
    )


_LINES = """
    select l.line_no, l.state from orders o
    join order_lines l on l.shop_id = o.shop_id and l.order_id = o.id
    where o.shop_id = %s and o.id = %s and o.partner_id = %s order by l.line_no
"""
_LINE_STATES = "select line_no, state from order_lines where shop_id = %s and order_id = %s"
_CANCEL = """
    update order_lines set cancelled = quantity
    where shop_id = %(shop)s and order_id = %(order)s and line_no = any(%(lines)s::smallint[])
"""
_KNOWN = """
    select count(*) from order_lines
    where shop_id = %(shop)s and order_id = %(order)s and line_no = any(%(lines)s::smallint[])
"""
# A line that was refunded without its shipping may get that; no other is refunded twice. Units that were cancelled
# while others of their line were sent have been given back with that. A line that was cancelled and not refunded with
# that was not paid.
_NOTE = """
    update order_lines l
    set refunded_minor = l.refunded_minor + r.amount, refunded_at = %(now)s, refund_reason = %(reason)s,
        shipping_refunded = %(with_shipping)s
    from (
        select x.line_no,
               case when x.refunded_at is not null then x.shipping_minor
                    else x.total_minor - case when %(with_shipping)s then 0 else x.shipping_minor end
                         - case when x.cancelled < x.quantity then given_up(
                               x.unit_price_minor, x.discount_minor, x.tax_minor, x.cancelled, x.quantity)
                           else 0 end end as amount
        from order_lines x
        where x.shop_id = %(shop)s and x.order_id = %(order)s and x.line_no = any(%(lines)s::smallint[])
          and (x.refunded_at is null and (x.cancelled < x.quantity or %(just_cancelled)s)
               or x.refunded_at is not null and %(with_shipping)s and not x.shipping_refunded)
    ) r
    where l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = r.line_no
    returning l.line_no, r.amount
"""
_FREE = """
    with wanted as (
        select l.variant_id, sum(l.quantity) as quantity from order_lines l
        where l.shop_id = %(shop)s and l.order_id = %(order)s and l.line_no = any(%(lines)s::smallint[])
        group by l.variant_id
    ), part as (
        select a.variant_id, a.pool, least(a.quantity, greatest(w.quantity - coalesce(sum(a.quantity) over (
                   partition by a.variant_id order by a.pool desc
                   rows between unbounded preceding and 1 preceding), 0), 0))::bigint as quantity
        from order_allocations a join wanted w using (variant_id)
        where a.shop_id = %(shop)s and a.order_id = %(order)s and a.status = 'committed'
    )
    update order_allocations a
    set quantity = case when a.quantity = p.quantity then a.quantity else a.quantity - p.quantity end,
        status = case when a.quantity = p.quantity then 'returned' else a.status end
    from part p
    where a.shop_id = %(shop)s and a.order_id = %(order)s and a.variant_id = p.variant_id and a.pool = p.pool
      and p.quantity > 0
    returning a.variant_id, a.pool, p.quantity
"""
