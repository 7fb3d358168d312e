"""A refund with the goods back..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import pay_order
from crossdock.shop.payments import Payment
from crossdock.shop.warehouse import (
    Consignment,
    pack_lines,
    pick_lines,
    refund_with_goods,
    ship_package,
    start_fulfilment,
)
from tests.support.paying import REFUSED_REFUND
from tests.support.staff import Desk


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def paid(desk: Desk, good: int, *, card_number: str = "4242424242424242") -> int:
    """A paid order of two."""
    placed = await desk.with_card((good, 2), card_number=card_number)
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    return placed.id


async def give_back(desk: Desk, order_id: int, amount_minor: int | None = None) -> Payment:
    return await refund_with_goods(
        desk.paying, shop_id=desk.shop.id, order_id=order_id, amount_minor=amount_minor
    )


async def picked(desk: Desk, order_id: int) -> int:
    """A package with everything, still here."""
    shop_id, now = desk.shop.id, desk.clock.now()
    async with desk.db.begin() as tx:
        await start_fulfilment(tx, shop_id=shop_id, order_id=order_id, now=now)
        await pick_lines(tx, shop_id=shop_id, order_id=order_id, quantities={1: 2}, now=now)
        return await pack_lines(tx, shop_id=shop_id, order_id=order_id, quantities={1: 2}, now=now)


async def test_cancels_what_has_not_been_worked_on(desk: Desk) -> None:
    good = await desk.variant()
    order_id = await paid(desk, good)

    payment = await give_back(desk, order_id)

    order = await desk.read(order_id)
    assert (payment.state, order.fulfilment_state, order.payment_state) == (
        "refunded",
        "cancelled",
        "refunded",
    )
    assert await desk.level(good) == (5, 0, 0, 5)
    assert await desk.balances() == {"refunds EUR": -3998, "sales merchant EUR": 3998}


async def test_keeps_what_staff_did_not_name(desk: Desk) -> None:
    """Such as a fee: no run refunds it later, and there is nothing to alert anybody of."""
    good = await desk.variant()
    order_id = await paid(desk, good)

    await give_back(desk, order_id, 3000)
    await settle_every_payment(desk.paying)

    order = await desk.read(order_id)
    assert (order.fulfilment_state, order.payment_state) == ("cancelled", "partially_refunded")
    assert await desk.refunds() == [(True, 3000)]
    assert await desk.alerts() == []
    assert await desk.level(good) == (5, 0, 0, 5)


async def test_takes_back_what_was_shipped(desk: Desk) -> None:
    good = await desk.variant()
    order_id = await paid(desk, good)
    package_id = await picked(desk, order_id)
    async with desk.db.begin() as tx:
        await ship_package(
            tx,
            shop_id=desk.shop.id,
            package_id=package_id,
            consignment=Consignment(carrier="own", tracking_number="N1", tracking_url=""),
            now=desk.clock.now(),
        )
    assert await desk.level(good) == (3, 0, 0, 3)

    payment = await give_back(desk, order_id, 3000)

    order = await desk.read(order_id)
    assert (payment.state, order.payment_state) == ("partially_refunded", "partially_refunded")
    assert (order.fulfilment_state, order.lines[0].returned) == ("shipped", 2)
    assert await desk.level(good) == (5, 0, 0, 5)


async def test_is_refused_while_the_goods_are_worked_on_and_gives_no_money(desk: Desk) -> None:
    good = await desk.variant()
    order_id = await paid(desk, good)
    await picked(desk, order_id)

    with pytest.raises(Refused) as refusal:
        await give_back(desk, order_id)

    assert refusal.value.code == "order_state"
    assert (await desk.payments(order_id))[0].state == "captured"


async def test_leaves_the_goods_where_the_money_is_refused(desk: Desk) -> None:
    good = await desk.variant()
    order_id = await paid(desk, good, card_number=REFUSED_REFUND)

    with pytest.raises(Refused, match="payment_declined"):
        await give_back(desk, order_id)

    assert (await desk.read(order_id)).fulfilment_state == "processing"
    assert await desk.level(good) == (5, 0, 2, 3)
