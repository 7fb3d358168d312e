"""What partners are told without asking: orders that the shop cancelled or sent off, merchants that stop or
start to sell (spec section 12).

A partner is told what it has an address for. The times of one object grow by a second at least, so that a
receiver can tell which of two calls is the later one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from crossdock.channels.shoppo import NAME
from crossdock.channels.shoppo.calling import Calling, Notice, one_address
from crossdock.channels.shoppo.ids import Kind
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.kit.opaque import OpaqueIds
from crossdock.shop.catalogue import which_sell
from crossdock.shop.deliveries import Claim, DeliveryKind, newest_payload, queue_delivery
from crossdock.shop.events import (
    Batch,
    Consumer,
    Event,
    MerchantChanged,
    OrderCancelled,
    OrderShipped,
)
from crossdock.shop.orders import OrderView, read_order, read_orders
from crossdock.shop.partners import PartnerSight, list_called
from crossdock.shop.shops import read_id_key

CONSUMER: Final = "shoppo_notices"
CANCELLED: Final = "shoppo_order_cancelled"
DELIVERED: Final = "shoppo_order_delivered"
TOGGLED: Final = "shoppo_merchant_toggled"
URLS: Final = {
    CANCELLED: "cancel_order_url",
    DELIVERED: "deliver_order_url",
    TOGGLED: "toggle_merchant_url",
}
"""The partner's setting with the address of each kind of call."""


def notice_kinds(calling: Calling) -> list[DeliveryKind]:
    """The kinds of delivery of these calls."""
    return [
        calling.kind(
            Notice(
                name=CANCELLED,
                subject="Notice of the cancelled order",
                compose=one_address(URLS[CANCELLED], "order.cancelled", _read_order),
            )
        ),
        calling.kind(
            Notice(
                name=DELIVERED,
                subject="Notice of the delivered order",
                compose=one_address(URLS[DELIVERED], "order.delivered", _read_order),
            )
        ),
        calling.kind(
            Notice(
                name=TOGGLED,
                subject="Notice",
                compose=one_address(URLS[TOGGLED], "merchant.toggled", _read_merchant),
                ordering="newest_wins",
            )
        ),
    ]


def notice_consumer() -> Consumer:
    """Queues the calls."""
    return Consumer(name=CONSUMER, topics=("orders", "catalogue"), take=_take)


async def _take(tx: Transaction, *, batch: Batch, now: datetime) -> None:
    orders: list[tuple[str, Event]] = []
    toggled: list[tuple[int, Event]] = []
    for event in batch.events:
        if event.kind not in _HEARD:
            continue
        payload = event.decode()
        if isinstance(payload, OrderCancelled) and payload.by == "shop":
            orders.append((CANCELLED, event))
        elif isinstance(payload, OrderShipped):
            orders.append((DELIVERED, event))
        elif isinstance(payload, MerchantChanged):
            toggled += [(merchant_id, event) for merchant_id in payload.toggled_ids]
    if orders:
        await _queue_orders(tx, batch=batch, orders=orders, now=now)
    if toggled:
        await _queue_toggled(tx, batch=batch, toggled=toggled, now=now)


_HEARD = {OrderCancelled.kind, OrderShipped.kind, MerchantChanged.kind}


async def _queue_orders(
    tx: Transaction, *, batch: Batch, orders: Sequence[tuple[str, Event]], now: datetime
) -> None:
    ids = {event.subject_id for _, event in orders if event.subject_id is not None}
    views = await read_orders(tx, shop_id=batch.shop_id, order_ids=sorted(ids), sections=())
    ours = {view.id: view for view in views if view.channel == NAME}
    for kind in (CANCELLED, DELIVERED):
        called = await _called(tx, shop_id=batch.shop_id, kind=kind, of=ours.values())
        for told, event in orders:
            view = ours.get(event.subject_id or 0)
            if told == kind and view is not None and view.partner_id in called:
                await queue_delivery(
                    tx,
                    shop_id=batch.shop_id,
                    kind=kind,
                    target=str(view.partner_id),
                    subject_id=view.id,
                    payload={"timestamp": int(event.created_at.timestamp())},
                    now=now,
                )


async def _called(tx: Transaction, *, shop_id: int, kind: str, of: Iterable[OrderView]) -> set[int]:
    """The partners of these orders who are told of this."""
    found = await list_called(
        tx,
        shop_id=shop_id,
        channel=NAME,
        setting=URLS[kind],
        partner_ids={view.partner_id for view in of if view.partner_id is not None},
    )
    return {partner.id for partner in found if partner.active}


async def _queue_toggled(
    tx: Transaction, *, batch: Batch, toggled: Sequence[tuple[int, Event]], now: datetime
) -> None:
    partners = await list_called(tx, shop_id=batch.shop_id, channel=NAME, setting=URLS[TOGGLED])
    for merchant_id, event in toggled:
        for partner in partners:
            if partner.active and partner.sees(merchant_id):
                await _queue_toggle(
                    tx,
                    shop_id=batch.shop_id,
                    partner=partner,
                    merchant_id=merchant_id,
                    event=event,
                    now=now,
                )


async def _queue_toggle(
    tx: Transaction,
    *,
    shop_id: int,
    partner: PartnerSight,
    merchant_id: int,
    event: Event,
    now: datetime,
) -> None:
    target, object_key = str(partner.id), f"merchant {merchant_id}"
    last = await newest_payload(
        tx, shop_id=shop_id, kind=TOGGLED, target=target, object_key=object_key
    )
    at = int(event.created_at.timestamp())
    await queue_delivery(
        tx,
        shop_id=shop_id,
        kind=TOGGLED,
        target=target,
        subject_id=None,  # one of many of its object
        object_key=object_key,
        payload={
            "merchant_id": merchant_id,
            "time_updated": max(at, last["time_updated"] + 1) if last else at,
        },
        now=now,
    )


async def _read_order(tx: Transaction, *, claim: Claim) -> Mapping[str, Any] | None:
    try:
        view = await read_order(
            tx, shop_id=claim.shop_id, order_id=claim.subject_id or 0, sections=()
        )
    except NotFound:
        return None
    return {"order_id": view.partner_order_id, "timestamp": claim.payload["timestamp"]}


async def _read_merchant(tx: Transaction, *, claim: Claim) -> Mapping[str, Any] | None:
    """Whether the merchant sells now: that may be more than what the call was queued for."""
    merchant_id = int(claim.payload["merchant_id"])
    sells = await which_sell(tx, shop_id=claim.shop_id, merchant_ids=[merchant_id])
    if merchant_id not in sells:
        return None
    ids = OpaqueIds(await read_id_key(tx, shop_id=claim.shop_id))
    toggle = {"merchant_id": ids.encode(Kind.MERCHANT, merchant_id), "enabled": sells[merchant_id]}
    return {"merchant_toggle_list": [toggle], "time_updated": claim.payload["time_updated"]}
