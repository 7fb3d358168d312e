"""An order that is refunded as a whole over an API..."""

from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders import (
    deliver_order,
    deliver_paid_serials,
    pay_order,
    plan_order_refund,
)
from crossdock.shop.warehouse import Consignment, pack_lines, pick_lines, ship_package
from tests.support.factories import box
from tests.support.staff import Desk
from tests.support.warehousing import differences


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def paid(desk: Desk, variant_id: int, *, delivered: bool = False) -> int:
    """A paid order of three units; with `delivered` no warehouse sends it."""
    placed = await desk.with_card((variant_id, 3))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    if delivered:
        async with desk.db.begin() as tx:
            await tx.run(
                "update orders set release_policy = 'delivered', fulfilment_state = 'waiting_for_release'"
                " where shop_id = %s and id = %s", (desk.shop.id, placed.id),
            )  # fmt: skip
    return placed.id


async def plan(desk: Desk, order_id: int, amount_minor: int | None = None) -> int:
    async with desk.db.begin() as tx:
        return await plan_order_refund(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            amount_minor=amount_minor,
            now=desk.clock.now(),
        )


def at(desk: Desk, order_id: int) -> dict[str, Any]:
    return {"shop_id": desk.shop.id, "order_id": order_id, "now": desk.clock.now()}


async def pick(desk: Desk, order_id: int, *, ships: bool) -> None:
    async with desk.db.begin() as tx:
        await pick_lines(tx, quantities={1: 1}, **at(desk, order_id))
        if ships:
            package_id = await pack_lines(tx, quantities={1: 1}, **at(desk, order_id))
            gone = Consignment(carrier="own", tracking_number="N1", tracking_url="")
            await ship_package(
                tx,
                shop_id=desk.shop.id,
                package_id=package_id,
                consignment=gone,
                now=desk.clock.now(),
            )


async def committed(desk: Desk, variant_id: int) -> int:
    async with desk.db.statement() as tx:
        found: int = await tx.value(
            "select committed from stock_levels where shop_id = %s and variant_id = %s and pool = 'own'",
            (desk.shop.id, variant_id),
        )
    return found


async def examined(desk: Desk) -> list[str]:
    async with desk.db.statement() as tx:
        return await differences(tx, after_shop=desk.shop.id - 1)


@pytest.mark.parametrize("parts", [(None,), (1000, None), (1000, 4997)])
async def test_frees_its_stock_before_the_money_is_back(
    desk: Desk, parts: tuple[int | None, ...]
) -> None:
    good = await desk.variant()
    order_id = await paid(desk, good)
    *before, last = parts
    for amount_minor in before:
        await plan(desk, order_id, amount_minor)
        assert (await desk.read(order_id)).fulfilment_state == "processing"
        assert await committed(desk, good) == 3
    await plan(desk, order_id, last)

    order = await desk.read(order_id)
    assert (order.payment_state, order.fulfilment_state) == ("paid", "cancelled")
    assert await committed(desk, good) == 0
    (payment,) = await desk.payments(order_id)
    assert (payment.refund_due_minor, payment.refunded_minor) == (5997, 0)

    await settle_every_payment(desk.paying)
    assert (await desk.read(order_id)).payment_state == "refunded"
    (payment,) = await desk.payments(order_id)
    assert (payment.refund_due_minor, payment.refunded_minor) == (0, 5997)
    assert await examined(desk) == []


async def test_keeps_what_has_left_and_cancels_the_rest(desk: Desk) -> None:
    good = await desk.variant()
    order_id = await paid(desk, good)
    await pick(desk, order_id, ships=True)
    await plan(desk, order_id)
    order = await desk.read(order_id)
    assert (order.fulfilment_state, order.lines[0].shipped, order.lines[0].cancelled) == (
        "shipped",
        1,
        2,
    )
    assert await committed(desk, good) == 0
    await settle_every_payment(desk.paying)
    assert (await desk.read(order_id)).payment_state == "refunded"
    assert await examined(desk) == []


async def test_that_is_in_somebody_s_hands_stays_and_staff_are_told(desk: Desk) -> None:
    good = await desk.variant()
    order_id = await paid(desk, good)
    await pick(desk, order_id, ships=False)
    await plan(desk, order_id)
    assert (await desk.read(order_id)).fulfilment_state == "in_fulfilment"
    assert await committed(desk, good) == 3
    assert [(each.kind, each.order_id) for each in await desk.alerts()] == [
        ("refunded_in_hand", order_id)
    ]


async def test_is_delivered_by_nobody_while_the_refund_is_due(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant(), delivered=True)
    async with (
        desk.db.begin() as tx
    ):  # as where it was refunded before what is undelivered was cancelled
        await tx.run(
            "update payments set refund_due_minor = captured_minor where shop_id = %s and order_id = %s",
            (desk.shop.id, order_id),
        )
    mailing = Mailing(box=box(), mailer=None, host="localhost")
    async with desk.db.begin() as tx:
        assert await deliver_paid_serials(tx, mailing=mailing, **at(desk, order_id)) is False
        with pytest.raises(Refused, match="being given back"):
            await deliver_order(tx, mailing=mailing, **at(desk, order_id))
    assert (await desk.read(order_id)).fulfilment_state == "waiting_for_release"
