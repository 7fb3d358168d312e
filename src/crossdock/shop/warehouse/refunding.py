"""Refund an order and, if asked, take its goods back."""

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Refused
from crossdock.kit.clock import Clock
from crossdock.shop.orders import (
    CANCELLABLE,
    RETURNABLE,
    Rehearsed,
    cancel_order,
    find_refundable,
    lock_order,
    refund_order,
    rehearse,
)
from crossdock.shop.payments import Paying, Payment
from crossdock.shop.warehouse.returning import (
    ReturnItem,
    announce_return,
    list_returnable,
    receive_return,
)


async def refund_with_goods(
    service: Paying, *, shop_id: int, order_id: int, amount_minor: int | None = None
) -> Payment:
    """Refund an amount, or all that is left, then take the goods back: cancel what has not left, else return it.

    The refund comes first: if it is refused, the order stays as it is. Raises Refused `order_state` for an
    order that is being picked or packed, and as `refund_order`, `cancel_order` and `announce_return` do; a
    refund that was made is not undone. Cancelling refunds nothing beyond an amount that was named.
    """
    async with service.db.begin() as tx:
        await _refuse_in_work(tx, shop_id=shop_id, order_id=order_id)
    payment = await refund_order(
        service, shop_id=shop_id, order_id=order_id, amount_minor=amount_minor, takes_goods=True
    )
    async with service.db.begin() as tx:
        await _take_back(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            gives_back=amount_minor is None,
            clock=service.clock,
        )
    return payment


async def rehearse_refund(
    service: Paying,
    *,
    shop_id: int,
    order_id: int,
    amount_minor: int | None = None,
    takes_goods: bool = False,
) -> Rehearsed[int]:
    """What `refund_order` or, if it takes the goods back, `refund_with_goods` would do; the amount in minor units.

    Raises as these do, as far as no provider is asked.
    """

    async def give(tx: Transaction) -> int:
        asked = await find_refundable(
            tx, shop_id=shop_id, order_id=order_id, amount_minor=amount_minor
        )
        if takes_goods:
            await _refuse_in_work(tx, shop_id=shop_id, order_id=order_id)
            await _take_back(
                tx, shop_id=shop_id, order_id=order_id, gives_back=False, clock=service.clock
            )
        return asked.amount_minor

    return await rehearse(service.db, shop_id=shop_id, order_id=order_id, move=give)


async def _refuse_in_work(tx: Transaction, *, shop_id: int, order_id: int) -> None:
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    if state.fulfilment not in (*CANCELLABLE, *RETURNABLE):
        message = f"Goods of an order that is {state.fulfilment} cannot be taken back."
        raise Refused("order_state", message)


async def _take_back(
    tx: Transaction, *, shop_id: int, order_id: int, gives_back: bool, clock: Clock
) -> None:
    state = await lock_order(tx, shop_id=shop_id, order_id=order_id)
    now = clock.now()
    if state.fulfilment not in RETURNABLE:
        await cancel_order(
            tx,
            shop_id=shop_id,
            order_id=order_id,
            reason="refunded",
            gives_back=gives_back,
            refund_reason="agreement",
            now=now,
        )
        return
    left = await list_returnable(tx, shop_id=shop_id, order_id=order_id)
    back = {line_no: quantity for line_no, quantity in left.items() if quantity > 0}
    items = [ReturnItem(line_no=line_no, quantity=quantity) for line_no, quantity in back.items()]
    return_id = await announce_return(
        tx, shop_id=shop_id, order_id=order_id, items=items, reason="refunded", now=now
    )
    await receive_return(tx, shop_id=shop_id, return_id=return_id, restocked=back, now=now)
