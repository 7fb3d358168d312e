"""What carriers see of a package..."""

import asyncio
from datetime import timedelta

import pytest

from crossdock.errors import NotFound, Refused
from crossdock.shop.warehouse import deliver_package
from tests.support.warehousing import Warehouse


async def test_is_noted_once_however_often_it_is_told(warehouse: Warehouse) -> None:
    package_id = await warehouse.ship_all(
        await warehouse.enter((await warehouse.variant(), 1)), {1: 1}
    )

    assert await warehouse.see(package_id, "booked", "collected", "collected") == 2
    before = await warehouse.everything()
    assert await warehouse.see(package_id, "booked", "collected") == 0
    assert await warehouse.everything() == before


async def test_delivered_completes_the_order(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    package_id = await warehouse.ship_all(order_id, {1: 1})

    assert await warehouse.see(package_id, "delivered") == 1
    assert await warehouse.see(package_id, "delivered") == 0

    order = await warehouse.read(order_id)
    assert (order.fulfilment_state, order.packages[0].state) == ("completed", "delivered")
    assert (await warehouse.events(order_id)).count("package.delivered") == 1


async def test_delivered_waits_for_the_last_package(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    first = await warehouse.ship_all(order_id, {1: 1})
    await warehouse.see(first, "delivered")
    assert await warehouse.state(order_id) == "partially_shipped"

    second = await warehouse.ship_all(order_id, {1: 1})
    assert await warehouse.state(order_id) == "shipped"
    await warehouse.see(second, "delivered")

    assert await warehouse.state(order_id) == "completed"


async def test_delivered_means_nothing_for_a_package_that_has_not_left(
    warehouse: Warehouse,
) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})

    await warehouse.see(package_id, "delivered")

    order = await warehouse.read(order_id)
    assert (order.fulfilment_state, order.packages[0].state) == ("in_fulfilment", "packed")


async def _deliver(warehouse: Warehouse, package_id: int) -> bool:
    async with warehouse.db.begin() as tx:
        return await deliver_package(
            tx, shop_id=warehouse.shop.id, package_id=package_id, now=warehouse.clock.now()
        )


async def test_by_hand_is_noted_once_and_worded_for_the_receiver(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})
    await warehouse.ship(package_id)

    assert await _deliver(warehouse, package_id) is True
    assert await warehouse.state(order_id) == "completed"
    before = await warehouse.everything()
    warehouse.clock.move(timedelta(minutes=5))
    assert await _deliver(warehouse, package_id) is False

    assert await warehouse.everything() == before
    async with warehouse.db.statement() as tx:
        told = await tx.all(
            "select code, message from checkpoints where shop_id = %s", (warehouse.shop.id,)
        )
    assert told == [("delivered", "Delivered.")]


@pytest.mark.parametrize("state", ["packed", "cancelled"])
async def test_by_hand_is_refused_for_a_package_that_has_not_left(
    warehouse: Warehouse, state: str
) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})
    async with warehouse.db.begin() as tx:
        await tx.run("update packages set state = %s where id = %s", (state, package_id))
    before = await warehouse.everything()

    with pytest.raises(Refused) as refusal:
        await _deliver(warehouse, package_id)

    assert refusal.value.code == "order_state"
    assert state in refusal.value.message
    assert await warehouse.everything() == before


async def test_by_hand_of_an_unknown_package_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(NotFound):
        await _deliver(warehouse, 999_999_999)


@pytest.mark.races
async def test_by_hand_twice_at_once_is_noted_once(warehouse: Warehouse) -> None:
    package_id = await warehouse.ship_all(
        await warehouse.enter((await warehouse.variant(), 1)), {1: 1}
    )

    told = await asyncio.gather(*(_deliver(warehouse, package_id) for _ in range(4)))

    assert sorted(told) == [False, False, False, True]


async def test_of_another_shop_looks_like_an_unknown_one(warehouse: Warehouse) -> None:
    package_id = await warehouse.ship_all(
        await warehouse.enter((await warehouse.variant(), 1)), {1: 1}
    )
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for unknown in (package_id, 999_999_999):
        with pytest.raises(NotFound) as refusal:
            await other.see(unknown, "delivered")
        assert refusal.value.code == "not_found"


@pytest.mark.races
async def test_delivered_of_all_packages_at_once_completes_the_order(warehouse: Warehouse) -> None:
    for _ in range(5):
        order_id = await warehouse.enter((await warehouse.variant(), 4))
        packages = [await warehouse.ship_all(order_id, {1: 1}) for _ in range(4)]

        await asyncio.gather(*(warehouse.see(package, "delivered") for package in packages))

        assert await warehouse.state(order_id) == "completed"
