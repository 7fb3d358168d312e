"""Close an order short: put its picked units back on the shelf, then cancel what has not left."""

from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.shop.orders import OPEN, Closed, RefundReason, close_order, lock_order
from crossdock.shop.warehouse.tracking import complete_if_arrived
from crossdock.shop.warehouse.undoing import unpick_lines

_AT_WORK = ("in_fulfilment", "partially_shipped")


async def close_short(
    tx: Transaction,
    *,
    shop_id: int,
    order_id: int,
    now: datetime,
    reason: str = "",
    counts_refunds: bool = False,
    refund_reason: RefundReason = "out_of_stock",
) -> Closed:
    """Un-pick what is picked and in no package, then cancel all that has not left; see `close_order`.

    An order whose packages have all arrived is completed by that. Raises as `close_order` and
    `unpick_lines` do, and Refused `order_state` while a package is packed that has not left.
    """
    state = (await lock_order(tx, shop_id=shop_id, order_id=order_id)).fulfilment
    if state in OPEN:
        await _refuse_packed(tx, shop_id=shop_id, order_id=order_id)
    if state in _AT_WORK:
        await unpick_lines(tx, shop_id=shop_id, order_id=order_id, now=now)
    closed = await close_order(
        tx,
        shop_id=shop_id,
        order_id=order_id,
        now=now,
        reason=reason,
        counts_refunds=counts_refunds,
        refund_reason=refund_reason,
    )
    if not closed.cancelled or closed.state != "shipped":
        return closed
    has_arrived = await complete_if_arrived(tx, shop_id=shop_id, order_id=order_id, now=now)
    return msgspec.structs.replace(closed, state="completed") if has_arrived else closed


async def _refuse_packed(tx: Transaction, *, shop_id: int, order_id: int) -> None:
    package_id = await tx.value(
        "select min(id) from packages where shop_id = %s and order_id = %s and state = 'packed'",
        (shop_id, order_id),
    )
    if package_id is not None:
        message = f"Package {package_id} is packed and has not left; ship it or unpack it first."
        raise Refused("order_state", message, {"package_id": package_id})
