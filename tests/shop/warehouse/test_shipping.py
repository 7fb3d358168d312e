"""Shipping a package..."""

import asyncio
from datetime import timedelta

import psycopg
import pytest

from crossdock.errors import Conflict, NotFound, Refused
from tests.support.warehousing import Warehouse, differences


async def test_takes_its_goods_from_the_level_and_leaves_what_is_available(
    warehouse: Warehouse,
) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))

    package_id = await warehouse.ship_all(order_id, {1: 3})

    assert await warehouse.level(good) == (2, 0, 2)
    order = await warehouse.read(order_id)
    assert (order.fulfilment_state, order.shipped_at) == ("shipped", warehouse.clock.now())
    [package] = order.packages
    assert (package.id, package.state, package.carrier) == (package_id, "shipped", "demo")
    assert package.tracking_number == f"T{package_id}"
    assert package.tracking_url == f"https://track.example/T{package_id}"


async def test_in_parts_moves_the_order_with_the_last(warehouse: Warehouse) -> None:
    good, other = await warehouse.variant(own=5), await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3), (other, 1))

    await warehouse.ship_all(order_id, {1: 1})
    assert await warehouse.state(order_id) == "partially_shipped"
    assert await warehouse.level(good) == (4, 2, 2)
    warehouse.clock.move(timedelta(minutes=1))
    await warehouse.ship_all(order_id, {1: 1})
    order = await warehouse.read(order_id)
    assert (order.fulfilment_state, order.updated_at) == (
        "partially_shipped",
        warehouse.clock.now(),
    )
    await warehouse.ship_all(order_id, {1: 1, 2: 1})

    assert await warehouse.state(order_id) == "shipped"
    assert await warehouse.level(good) == (2, 0, 2)
    assert await warehouse.level(other) == (4, 0, 4)
    assert await warehouse.entries(good) == [
        ("receive", 5, 0),
        ("commit", 0, 3),
        ("ship", -1, -1),
        ("ship", -1, -1),
        ("ship", -1, -1),
    ]
    assert (await warehouse.events(order_id)).count("package.shipped") == 3


async def test_of_one_good_on_two_lines_takes_both(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 2), (good, 3))

    await warehouse.ship_all(order_id, {1: 1, 2: 3})
    assert await warehouse.level(good) == (1, 1, 0)
    await warehouse.ship_all(order_id, {1: 1})

    assert await warehouse.level(good) == (0, 0, 0)
    assert await warehouse.state(order_id) == "shipped"


async def test_takes_nothing_for_goods_that_are_not_counted(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=None, stock_managed=False)
    order_id = await warehouse.enter((good, 2))

    await warehouse.ship_all(order_id, {1: 2})

    assert await warehouse.state(order_id) == "shipped"
    assert await warehouse.entries(good) == []


async def test_twice_is_refused(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    package_id = await warehouse.ship_all(await warehouse.enter((good, 3)), {1: 3})
    before = await warehouse.everything()

    with pytest.raises(Refused) as refusal:
        await warehouse.ship(package_id, "OTHER")

    assert refusal.value.code == "order_state"
    assert await warehouse.everything() == before


async def test_of_goods_that_are_not_on_hand_is_refused(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=2)
    order_id = await warehouse.enter((good, 2))
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 2})
    await warehouse.adjust(good, -1)
    before = await warehouse.everything()

    with pytest.raises(Refused) as refusal:
        await warehouse.ship(package_id)

    assert refusal.value.code == "stock_insufficient"
    assert await warehouse.everything() == before


async def test_with_the_number_of_another_package_is_a_conflict(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    await warehouse.pick(order_id, {1: 2})
    first, second = [await warehouse.pack(order_id, {1: 1}) for _ in range(2)]
    await warehouse.ship(first, "SAME")
    before = await warehouse.everything()

    with pytest.raises(Conflict) as refusal:
        await warehouse.ship(second, "SAME")

    assert refusal.value.code == "exists"
    assert await warehouse.everything() == before


async def test_of_another_shop_looks_like_an_unknown_one(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 1})
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for unknown in (package_id, 999_999_999):
        with pytest.raises(NotFound) as refusal:
            await other.ship(unknown)
        assert refusal.value.code == "not_found"
    assert await warehouse.state(order_id) == "in_fulfilment"


@pytest.mark.races
async def test_by_many_at_once_happens_once(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))
    await warehouse.pick(order_id, {1: 3})
    package_id = await warehouse.pack(order_id, {1: 3})

    outcomes = await asyncio.gather(
        *(warehouse.ship(package_id, f"N{n}") for n in range(5)), return_exceptions=True
    )

    assert outcomes.count("shipped") == 1
    assert await warehouse.level(good) == (2, 0, 2)


@pytest.mark.races
async def test_of_all_parts_at_once_leaves_the_order_shipped(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=6)
    order_id = await warehouse.enter((good, 6))
    await warehouse.pick(order_id, {1: 6})
    packages = [await warehouse.pack(order_id, {1: 1}) for _ in range(6)]

    states = await asyncio.gather(*(warehouse.ship(package) for package in packages))

    assert sorted(states) == ["partially_shipped"] * 5 + ["shipped"]
    assert await warehouse.level(good) == (0, 0, 0)


async def test_states_move_along_the_arrows_only(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    shipped = await warehouse.enter((good, 1))
    await warehouse.ship_all(shipped, {1: 1})
    waiting = await warehouse.enter((good, 1), release=False)

    for order_id, state in (
        (shipped, "in_fulfilment"),
        (shipped, "cancelled"),
        (shipped, "partially_shipped"),
        (waiting, "in_fulfilment"),
        (waiting, "shipped"),
        (waiting, "completed"),
    ):
        with pytest.raises(psycopg.Error) as refusal:
            async with warehouse.db.begin() as tx:
                await tx.run(
                    "update orders set fulfilment_state = %s where shop_id = %s and id = %s",
                    (state, warehouse.shop.id, order_id),
                )
        assert refusal.value.sqlstate == "CD010"


async def test_without_a_package_is_found_by_the_doctor(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.ship_all(order_id, {1: 1})
    async with warehouse.db.begin() as tx:
        await tx.run(
            "update package_lines set quantity = 2 where shop_id = %s", (warehouse.shop.id,)
        )
        [found] = await differences(tx, after_shop=warehouse.shop.id - 1)
        assert "expected shipped 2, picked at least 2, found shipped 1, picked 1" in found
        raise psycopg.Rollback
