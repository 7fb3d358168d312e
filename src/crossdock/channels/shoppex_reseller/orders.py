"""`/dev/v1/orders`: what people buy of the merchant's shop (spec section 13)."""

from collections.abc import Callable
from typing import Any, Final

from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.calls import Call
from crossdock.channels.shoppex_reseller.errors import WireError, invalid
from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.channels.shoppex_reseller.order_fields import (
    ACTED,
    CHANGED,
    PAGE_FIELDS,
    REFUNDED,
    SENT,
    ShownOrder,
    ShownRefund,
    read_action,
    read_changes,
    read_purchase,
    read_refund,
    read_states,
    shown_order,
)
from crossdock.channels.shoppex_reseller.paging import cursor_list
from crossdock.channels.shoppex_reseller.routes import DEV, Route
from crossdock.channels.shoppex_reseller.wire import Reply, one
from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound, Refused
from crossdock.kit.ids import Ids
from crossdock.kit.money import format_minor
from crossdock.kit.paging import Place
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders import (
    OrderView,
    annotate_order,
    cancel_order,
    complete_order,
    deliver_order,
    lock_order,
    page_orders,
    place_purchase,
    plan_order_refund,
    read_order,
)
from crossdock.shop.resellers import attribute
from crossdock.shop.stock import read_sold_serials

PATH: Final = f"{DEV}/orders"
ONE: Final = f"{PATH}/{{id}}"
READ, WRITE = "orders.read", "orders.write"
PAID_BY_HAND: Final = "MANUAL"


class Orders:
    """The calls of orders."""

    def __init__(
        self,
        *,
        ids: Ids,
        mailing: Callable[[], Mailing],
        own_requires_stock: bool,
        pay_within_s: int,
    ) -> None:
        self._ids = ids
        self._mailing = mailing
        self._own_requires_stock = own_requires_stock
        self._pay_within_s = pay_within_s

    def routes(self) -> tuple[Route, ...]:
        """The routes of this file."""
        order: dict[str, Any] = {"answer": ShownOrder}
        return (
            Route(method="GET", covers="merchants",
                  path=PATH, name="listOrders", summary="List orders of every channel",
                  scope=READ, reads=_list, listed="cursor", query=PAGE_FIELDS, **order),
            Route(method="POST", covers="merchants",
                  path=PATH, name="createOrder", summary="Take down an order to be paid",
                  scope=WRITE, writes=self._create, status=201, body=SENT,
                  required=("email", "items"), **order),
            Route(method="GET", covers="merchants",
                  path=ONE, name="getOrder", summary="Read an order with its serials",
                  scope=READ, reads=self._read, **order),
            Route(method="PATCH", covers="merchants",
                  path=ONE, name="updateOrder", summary="Change or void an order",
                  scope=WRITE, writes=self._update, body=CHANGED, **order),
            Route(method="POST", covers="merchants",
                  path=f"{ONE}/fulfill", name="fulfillOrder",
                  summary="Deliver what is left of a paid order", scope=WRITE,
                  writes=self._fulfill, body=ACTED, **order),
            Route(method="POST", covers="merchants",
                  path=f"{ONE}/complete", name="completeOrder",
                  summary="Note that an order was paid outside, and deliver it", scope=WRITE,
                  writes=self._complete, body=ACTED, **order),
            Route(method="POST", covers="merchants",
                  path=f"{ONE}/refund", name="refundOrder",
                  summary="Give back what was paid by a provider, or a part of it", scope=WRITE,
                  writes=_refund, answer=ShownRefund, body=REFUNDED),
        )  # fmt: skip

    async def _create(self, call: Call, tx: Transaction) -> Reply:
        purchase = read_purchase(call, pay_within_s=self._pay_within_s)
        placed = await place_purchase(
            tx,
            partner=call.partner,
            purchase=purchase,
            ids=self._ids,
            own_requires_stock=self._own_requires_stock,
            now=call.now,
        )
        if code := purchase.channel_data.get("affiliate_code"):
            await attribute(tx, shop_id=call.shop_id, order_id=placed.id, code=code, now=call.now)
        return await self._shown(call, tx, placed.id, status=201)

    async def _read(self, call: Call, tx: Transaction) -> Reply:
        return await self._shown(call, tx, call.number(Kind.ORDER))

    async def _update(self, call: Call, tx: Transaction) -> Reply:
        changes, email, cancels = read_changes(call)
        order = await read_seen(call, tx, call.number(Kind.ORDER))
        if changes and order.channel != NAME:
            raise WireError("INVALID_STATE", "The order came through another channel.")
        if cancels:
            state = await lock_order(tx, shop_id=call.shop_id, order_id=order.id)
            if state.payment != "awaiting":
                raise WireError("INVALID_STATE", "Only an order that is not paid can be voided.")
            await cancel_order(tx, shop_id=call.shop_id, order_id=order.id, now=call.now)
        if changes or email:
            await annotate_order(
                tx,
                shop_id=call.shop_id,
                order_id=order.id,
                changes=changes,
                email=email,
                now=call.now,
            )
        return await self._shown(call, tx, order.id)

    async def _fulfill(self, call: Call, tx: Transaction) -> Reply:
        note, mails = read_action(call)
        order = await read_seen(call, tx, call.number(Kind.ORDER))
        await deliver_order(
            tx,
            shop_id=call.shop_id,
            order_id=order.id,
            mailing=self._mailing(),
            note=note,
            mails=mails,
            now=call.now,
        )
        return await self._shown(call, tx, order.id)

    async def _complete(self, call: Call, tx: Transaction) -> Reply:
        note, mails = read_action(call)
        order = await read_seen(call, tx, call.number(Kind.ORDER))
        try:
            await complete_order(
                tx,
                shop_id=call.shop_id,
                order_id=order.id,
                mailing=self._mailing(),
                note=note,
                mails=mails,
                now=call.now,
            )
        except Refused as refused:
            if refused.code not in {"order_state", "order_expired"}:
                raise
            raise invalid(("status", refused.message)) from refused
        paid = {"gateway": PAID_BY_HAND}
        await annotate_order(
            tx, shop_id=call.shop_id, order_id=order.id, changes=paid, now=call.now
        )
        return await self._shown(call, tx, order.id)

    async def _shown(
        self, call: Call, tx: Transaction, order_id: int, *, status: int = 200
    ) -> Reply:
        order = await read_seen(call, tx, order_id)
        serials = await read_sold_serials(
            tx, shop_id=call.shop_id, order_id=order.id, box=self._mailing().box
        )
        return one(shown_order(call, order, serials=serials), status=status)


async def read_seen(call: Call, tx: Transaction, order_id: int) -> OrderView:
    """An order of the key's merchants' goods alone. Raises NotFound for any other."""
    seen = call.partner.visible_merchants
    order = await read_order(
        tx, shop_id=call.shop_id, order_id=order_id, sections=("lines", "has_variants")
    )
    if seen is not None and any(line.merchant_id not in seen for line in order.lines):
        raise NotFound("order_not_found")
    return order


async def _refund(call: Call, tx: Transaction) -> Reply:
    amount_minor, reason = read_refund(call)
    order = await read_seen(call, tx, call.number(Kind.ORDER))
    if reason and order.channel == NAME:
        await annotate_order(
            tx,
            shop_id=call.shop_id,
            order_id=order.id,
            changes={"refund_reason": reason},
            now=call.now,
        )
    refunded = await plan_order_refund(
        tx, shop_id=call.shop_id, order_id=order.id, amount_minor=amount_minor, now=call.now
    )
    amount = format_minor(refunded, order.currency)
    return one(ShownRefund(message=f"A refund of {amount} {order.currency} is under way."))


async def _list(call: Call, tx: Transaction) -> Reply:
    states = read_states(call)
    page = call.place_page(Kind.ORDER)
    found = await page_orders(
        tx,
        shop_id=call.shop_id,
        merchant_ids=call.partner.merchant_ids,
        page=page,
        states=states,
    )
    return cursor_list(
        found,
        page=page,
        kind=Kind.ORDER,
        ids=call.ids,
        place=_place,
        show=lambda order: shown_order(call, order),
    )


def _place(order: OrderView) -> Place:
    return order.placed_at, order.id
