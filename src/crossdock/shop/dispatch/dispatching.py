"""Dispatch orders to outside systems: a kind of delivery.

Each attempt reads the order again; the dispatch of a cancelled order is withdrawn. When the outside
system has the order, it moves to in_fulfilment. Stock is not checked again (spec shoppex_partner
4.4).
"""

from datetime import datetime

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
from crossdock.shop.dispatch.contract import DispatchLine, DispatchOrder
from crossdock.shop.events import DispatchAttemptFailed, DispatchSent, write_event
from crossdock.shop.orders import LineView, OrderView, lock_order, move_order, read_order

KIND = "dispatch"
# Signing in, looking for the order and creating it are a call each.
DEADLINE_S = 180


def dispatch_kind(
    connectors: Connectors, *, waits_s: tuple[int, ...] = RETRY_WAITS_S
) -> DeliveryKind:
    """The kind of delivery for dispatches: the target is the connector's name, the subject the order."""

    async def build(tx: Transaction, *, claim: Claim) -> Call | None:
        order = await read_order(
            tx, shop_id=claim.shop_id, order_id=order_of(claim), sections=("lines", "parts")
        )
        connector = await connectors.read(tx, shop_id=claim.shop_id, name=claim.target)
        if order.fulfilment_state == "cancelled":
            return None
        told = dispatch_order(order, target=claim.target, may_exist=claim.may_exist)
        return lambda: connector.send(told)

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
    """Queue a failed dispatch again; the connector first looks for what earlier attempts created.

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
    """Lock the order's row before the delivery's, in the same order as cancelling."""
    await lock_order(tx, shop_id=claim.shop_id, order_id=order_of(claim))


async def _note_sent(tx: Transaction, *, claim: Claim, sent: Sent, now: datetime) -> None:
    shop_id, order_id = claim.shop_id, order_of(claim)
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    if sent.external_id != BY_HAND and state.fulfilment == "processing":
        await move_order(tx, shop_id=shop_id, order_id=order_id, to="in_fulfilment", now=now)
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


def dispatch_order(order: OrderView, *, target: str, may_exist: bool = False) -> DispatchOrder:
    """The order as connector `target` is told of it; of an order that goes to several, its parts alone.

    Lines that were cancelled before are left out, and their amounts.
    """
    names = set(DispatchOrder.__struct_fields__) & set(OrderView.__struct_fields__) - {"lines"}
    facts = {name: getattr(order, name) for name in names}
    lines = order.lines
    here = [part for part in order.parts if part.route == target]
    if 0 < len(here) < len(order.parts):
        facts |= {name: sum(getattr(part, name) for part in here) for name in _AMOUNTS}
        merchants = [part.merchant_id for part in here]
        facts["part"] = "-".join(map(str, merchants))
        lines = tuple(line for line in lines if line.merchant_id in merchants)
    for line in lines:
        if line.state == "cancelled":
            facts |= {name: facts[name] - amount for name, amount in _amounts(line).items()}
    lines = tuple(line for line in lines if line.state != "cancelled")
    return DispatchOrder(
        order_id=order.id,
        lines=tuple(
            DispatchLine(**{name: getattr(line, name) for name in DispatchLine.__struct_fields__})
            for line in lines
        ),
        may_exist=may_exist,
        **facts,
    )


def _amounts(line: LineView) -> dict[str, int]:
    goods = {"subtotal_minor": line.unit_price_minor * line.quantity}
    return goods | {name: getattr(line, name) for name in _AMOUNTS if name not in goods}


_AMOUNTS = ("subtotal_minor", "discount_minor", "tax_minor", "shipping_minor", "total_minor")
