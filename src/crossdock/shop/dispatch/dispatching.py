"""Orders to their fulfilment systems, as a kind of delivery.

The order is read anew for each attempt, and one that was cancelled before its turn is withdrawn.
Once another system has it, it is in fulfilment. Stock is not looked at again (spec shoppex_partner
4.4).
"""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.deliveries import (
    BY_HAND,
    RETRY_WAITS_S,
    Call,
    Claim,
    DeliveryKind,
    Failure,
    Sent,
    list_deliveries,
    resend_delivery,
)
from crossdock.shop.dispatch.connecting import Connectors
from crossdock.shop.dispatch.contract import DispatchOrder
from crossdock.shop.events import DispatchAttemptFailed, DispatchSent, write_event

KIND = "dispatch"
# Signing in, looking for the order and creating it are a call each.
DEADLINE_S = 180


def dispatch_kind(
    connectors: Connectors, *, waits_s: tuple[int, ...] = RETRY_WAITS_S
) -> DeliveryKind:
    """Orders that go to a connector: the target is its name, the subject the order."""

    async def build(tx: Transaction, *, claim: Claim) -> Call | None:
        order = await read_dispatch_order(
            tx, shop_id=claim.shop_id, order_id=order_of(claim), may_exist=claim.may_exist
        )
        connector = await connectors.read(tx, shop_id=claim.shop_id, name=claim.target)
        if order.state == "cancelled":
            return None
        return lambda: connector.send(order)

    return DeliveryKind(
        name=KIND,
        build=build,
        waits_s=waits_s,
        deadline_s=DEADLINE_S,
        lock=_lock_order,
        sent=_note_sent,
        failed=_note_failed,
        subject="Order",
        is_about_order=True,
    )


def order_of(claim: Claim) -> int:
    """The order that a claimed dispatch is about."""
    if claim.subject_id is None:
        raise ValueError(f"dispatch {claim.id} is about no order")
    return claim.subject_id


async def resend(tx: Transaction, *, shop_id: int, order_id: int, now: datetime) -> None:
    """Start over with a failed dispatch; the connector first looks for what earlier attempts left.

    Raises Refused `order_state` for one that is sent, withdrawn, or still being tried.
    """
    failed = await list_deliveries(
        tx, shop_id=shop_id, kind=KIND, subject_id=order_id, status="failed"
    )
    if not failed:
        raise Refused("order_state", "Only a failed dispatch can be sent again.")
    for delivery in failed:
        await resend_delivery(tx, shop_id=shop_id, delivery_id=delivery.id, now=now)


async def _lock_order(tx: Transaction, *, claim: Claim) -> None:
    """The order's row before the delivery's, as cancelling does."""
    await tx.run(
        "select 1 from orders where shop_id = %s and id = %s for no key update",
        (claim.shop_id, claim.subject_id),
    )


async def _note_sent(tx: Transaction, *, claim: Claim, sent: Sent, now: datetime) -> None:
    if sent.external_id != BY_HAND:
        await tx.run(
            "update orders set state = 'in_fulfilment', updated_at = %s"
            " where shop_id = %s and id = %s and state = 'processing'",
            (now, claim.shop_id, claim.subject_id),
        )
    event = DispatchSent(connector=claim.target, external_id=sent.external_id)
    await write_event(tx, shop_id=claim.shop_id, event=event, subject_id=claim.subject_id, now=now)


async def _note_failed(tx: Transaction, *, claim: Claim, failure: Failure, now: datetime) -> None:
    event = DispatchAttemptFailed(
        connector=claim.target,
        attempt=claim.attempt,
        error=failure.error,
        final=failure.is_final,
        retry_in_s=failure.wait_s,
    )
    await write_event(tx, shop_id=claim.shop_id, event=event, subject_id=claim.subject_id, now=now)


async def read_dispatch_order(
    tx: Transaction, *, shop_id: int, order_id: int, may_exist: bool = False
) -> DispatchOrder:
    """The order with its lines, in one query."""
    text = await tx.value(_ORDER, {"shop": shop_id, "order": order_id, "may_exist": may_exist})
    return msgspec.json.decode(text, type=DispatchOrder)


_ORDER = """
    select jsonb_build_object(
        'shop_id', o.shop_id, 'order_id', o.id, 'partner_order_id', o.partner_order_id, 'state', o.state,
        'currency', o.currency, 'subtotal_minor', o.subtotal_minor, 'tax_minor', o.tax_minor,
        'shipping_minor', o.shipping_minor, 'discount_minor', o.discount_minor, 'total_minor', o.total_minor,
        'email', coalesce(nullif(o.billing ->> 'email', ''), c.email, ''),
        'billing', o.billing, 'shipping', o.shipping, 'comments', o.comments, 'tax_id', o.tax_id,
        'resale_tax', o.resale_tax, 'is_test', o.is_test, 'placed_at', o.placed_at,
        'may_exist', %(may_exist)s::boolean,
        'lines', (
            select jsonb_agg(jsonb_build_object(
                'line_no', l.line_no, 'sku', l.sku, 'name', l.name, 'upc', l.upc, 'quantity', l.quantity,
                'unit_price_minor', l.unit_price_minor, 'total_minor', l.total_minor, 'note', l.note)
                order by l.line_no)
            from order_lines l where l.shop_id = o.shop_id and l.order_id = o.id)
    )::text
    from orders o
    left join customers c on c.shop_id = o.shop_id and c.id = o.customer_id
    where o.shop_id = %(shop)s and o.id = %(order)s
"""
