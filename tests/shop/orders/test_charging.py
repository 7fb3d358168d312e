"""A charge of a partner..."""

import asyncio
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, CrossdockError, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import cancel_order, expire_orders, pay_order
from tests.support.awaiting import DAY_S, Dropship
from tests.support.factories import make_partner


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Dropship:
    return await Dropship.open(database, clock)


async def test_pays_an_order_and_what_the_partner_owes(desk: Dropship) -> None:
    placed = await desk.place((await desk.variant(price_minor=700), 2))
    desk.clock.move(timedelta(minutes=5))

    assert await desk.charge(placed.id, "ch-1") is True

    order = await desk.read(placed.id)
    assert (order.payment_state, order.paid_at) == ("paid", desk.clock.now())
    assert await desk.owed() == 0
    (payment,) = await desk.payments(placed.id)
    assert (payment.provider, payment.state, payment.captured_minor) == (
        "partner",
        "captured",
        1400,
    )
    assert "payment.paid" in [event.kind for event in order.timeline]
    assert await desk.differences() == []


async def test_again_changes_nothing_whatever_the_order_is_by_then(desk: Dropship) -> None:
    order_id = await desk.paid((await desk.variant(), 1))
    before = await desk.read(order_id)
    assert await desk.charge(order_id, f"ch-{order_id}") is False
    assert await desk.read(order_id) == before

    await desk.cancel(order_id)
    closed = await desk.read(order_id)
    assert await desk.charge(order_id, f"ch-{order_id}") is False
    assert await desk.read(order_id) == closed


async def test_other_than_the_first_is_refused(desk: Dropship) -> None:
    order_id = await desk.paid((await desk.variant(), 1))
    with pytest.raises(Refused, match="order_state"):
        await desk.charge(order_id, "another")
    fresh = await desk.place((await desk.variant(), 1))
    assert await desk.charge(fresh.id, "another") is True  # what was refused was not used up


async def test_pays_one_order_alone_even_of_those_that_await_payment(desk: Dropship) -> None:
    paid = await desk.paid((await desk.variant(), 1))
    other = await desk.place((await desk.variant(), 1))
    with pytest.raises(Conflict, match="charge_used"):
        await desk.charge(other.id, f"ch-{paid}")
    assert (await desk.states(other.id))[0] == "awaiting"


async def test_of_another_partner_may_have_the_same_name(desk: Dropship) -> None:
    first, second = [await desk.place((await desk.variant(), 1)) for _ in range(2)]
    await desk.charge(first.id, "ch")
    async with desk.db.begin() as tx:
        stranger = await make_partner(tx, shop=desk.shop)
        await tx.run("update orders set partner_id = %s where id = %s", (stranger.id, second.id))
    with pytest.raises(NotFound, match="order_not_found"):
        await desk.charge(second.id, "ch")
    from crossdock.shop.orders import charge_order

    async with desk.db.begin() as tx:
        assert await charge_order(
            tx,
            shop_id=desk.shop.id,
            partner_id=stranger.id,
            order_id=second.id,
            charge="ch",
            now=desk.clock.now(),
        )


@pytest.mark.parametrize("swept", [False, True])
async def test_that_comes_too_late_is_refused_even_before_the_order_is_expired(
    desk: Dropship, swept: bool
) -> None:
    placed = await desk.place((await desk.variant(), 1))
    desk.clock.move(timedelta(seconds=DAY_S))
    if swept:
        await expire_orders(desk.db, now=desk.clock.now())
    with pytest.raises(Refused, match="order_expired"):
        await desk.charge(placed.id, "ch")
    assert await desk.payments(placed.id) == []


async def test_for_a_cancelled_order_is_refused(desk: Dropship) -> None:
    placed = await desk.place((await desk.variant(), 1))
    async with desk.db.begin() as tx:
        await cancel_order(tx, shop_id=desk.shop.id, order_id=placed.id, now=desk.clock.now())
    with pytest.raises(Refused, match="order_state"):
        await desk.charge(placed.id, "ch")


async def test_twenty_at_once_are_one_payment(desk: Dropship) -> None:
    placed = await desk.place((await desk.variant(), 1))
    calls = [desk.charge(placed.id, "ch-same") for _ in range(10)]
    calls += [desk.charge(placed.id, f"ch-{n}") for n in range(10)]

    found = await asyncio.gather(*calls, return_exceptions=True)

    assert found.count(True) == 1
    refusals = [each.code for each in found if isinstance(each, CrossdockError)]
    assert set(refusals) <= {"order_state"}
    order = await desk.read(placed.id)
    assert [event.kind for event in order.timeline].count("payment.paid") == 1
    assert len(await desk.payments(placed.id)) == 1
    assert await desk.owed() == 0


async def test_at_once_for_two_orders_pays_one(desk: Dropship) -> None:
    orders = [await desk.place((await desk.variant(), 1)) for _ in range(6)]
    found = await asyncio.gather(
        *(desk.charge(each.id, "ch") for each in orders), return_exceptions=True
    )
    assert found.count(True) == 1
    assert [each.code for each in found if isinstance(each, CrossdockError)] == ["charge_used"] * 5
    assert await desk.differences() == []


async def test_of_nothing_needs_no_payment(desk: Dropship) -> None:
    order_id = await desk.paid((await desk.variant(price_minor=0), 1))
    assert await desk.payments(order_id) == []
    assert (await desk.states(order_id))[0] == "paid"
    assert await desk.cancel(order_id) == 0
    assert (await desk.states(order_id))[1] == "cancelled"


async def test_of_staff_comes_too_late_as_well(desk: Dropship) -> None:
    placed = await desk.place((await desk.variant(), 1))
    desk.clock.move(timedelta(seconds=DAY_S))
    with pytest.raises(Refused, match="order_expired"):
        await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id, reference="bank 1")
