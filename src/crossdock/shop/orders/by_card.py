"""Pay an order that awaits its payment by card, on a page where its buyer enters one."""

import contextlib
from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, NotFound, Refused, Unavailable
from crossdock.shop.orders.moving import lock_order
from crossdock.shop.orders.paying import ORDER_FOLLOWS
from crossdock.shop.payments import (
    Card,
    Paying,
    authorise,
    capture,
    claim_payment,
    provider_for,
    void,
)


async def pay_awaiting_order(
    service: Paying, *, shop_id: int, order_id: int, card: Card, provider: str
) -> bool:
    """Authorise what the order costs, claim it for the order, and capture it; whether it is paid by now.

    False where the provider has not answered the capture: the run that settles payments looks that up.
    Raises NotFound `order_not_found`, Refused `order_state` for an order that does not await its payment
    any more, whose payment is with a provider, or of which something was cancelled meanwhile, `order_expired`,
    `payment_declined`, and Unavailable `payment_unsettled` where the authorisation has no answer. A card is let go
    of then.
    """
    now = service.clock.now()
    async with service.db.statement() as tx:
        row = await tx.one(_OWED, (shop_id, order_id))
    if row is None:
        raise NotFound("order_not_found")
    owed_minor, currency, payer, payment_state, expires_at, is_test = row
    if payment_state != "awaiting" or owed_minor < 1:
        raise Refused("order_state", "The order does not await its payment.")
    if expires_at is not None and expires_at <= now:
        raise Refused("order_expired")
    payment = await authorise(
        service,
        shop_id=shop_id,
        provider=provider_for(service.providers, provider, is_test=is_test),
        card=card,
        amount_minor=owed_minor,
        currency=currency,
        payer=payer,
        capture_at=now,
    )
    try:
        async with service.db.begin() as tx:
            await _require_payable(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                owed_minor=owed_minor,
                now=service.clock.now(),
            )
            await claim_payment(
                tx,
                shop_id=shop_id,
                payment_id=payment.id,
                order_id=order_id,
                amount_minor=owed_minor,
                currency=currency,
                now=service.clock.now(),
            )
        await capture(service, shop_id=shop_id, payment_id=payment.id, follow=ORDER_FOLLOWS)
    except Refused as refused:
        # What fails here, the run that settles payments does again.
        with contextlib.suppress(CrossdockError):
            await void(service, shop_id=shop_id, payment_id=payment.id, follow=ORDER_FOLLOWS)
        if refused.code == "payment_state" and await _is_paid_by(service, shop_id, payment.id):
            return True  # that run was faster
        raise
    except Unavailable as error:
        if error.code != "payment_unsettled":
            raise
        return False
    return True


async def _require_payable(
    tx: Transaction, *, shop_id: int, order_id: int, owed_minor: int, now: datetime
) -> None:
    """Lock the order. Raises Refused unless it awaits a payment of that amount and no card is claimed for it."""
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    is_payable = await tx.value(_PAYABLE, (now, owed_minor, shop_id, order_id))
    if state.payment != "awaiting" or state.fulfilment == "cancelled" or not is_payable:
        raise Refused("order_state", "The order does not await its payment.")


async def _is_paid_by(service: Paying, shop_id: int, payment_id: int) -> bool:
    async with service.db.statement() as tx:
        state: str = await tx.value(
            "select state from payments where shop_id = %s and id = %s", (shop_id, payment_id)
        )
    return state == "captured"


_OWED = """
    select o.total_minor - cancelled_total(o.shop_id, o.id), o.currency, order_payer(o), o.payment_state, o.expires_at,
           o.is_test
    from orders o where o.shop_id = %s and o.id = %s
"""
_PAYABLE = """
    select (o.expires_at is null or o.expires_at > %s)
       and o.total_minor - cancelled_total(o.shop_id, o.id) = %s and not exists (
        select 1 from payments p
        where p.shop_id = o.shop_id and p.order_id = o.id and p.state in ('authorised', 'captured'))
    from orders o where o.shop_id = %s and o.id = %s
"""
