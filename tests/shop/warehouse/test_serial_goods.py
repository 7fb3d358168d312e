"""Goods whose pieces have serials in stock..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, Invalid, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import (
    BoughtSerial,
    add_serials,
    list_serials,
    read_bought_serials,
    read_sold_serials,
)
from crossdock.shop.warehouse import Received
from tests.conftest import NOON
from tests.support.factories import box
from tests.support.warehousing import Warehouse, differences


@pytest.fixture
async def warehouse(database: Database, clock: FrozenClock) -> Warehouse:
    return await Warehouse.open(database, clock)


async def licence(warehouse: Warehouse, *serials: str) -> int:
    variant = await warehouse.variant(own=None)
    async with warehouse.db.begin() as tx:
        await add_serials(
            tx, shop_id=warehouse.shop.id, variant_id=variant, serials=serials, box=box(), now=NOON
        )
    return variant


async def sold(warehouse: Warehouse, order_id: int) -> dict[int, list[str]]:
    async with warehouse.db.statement() as tx:
        return await read_sold_serials(tx, shop_id=warehouse.shop.id, order_id=order_id, box=box())


async def test_get_the_oldest_when_they_are_shipped(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    variant = await licence(warehouse, "K1", "K2", "K3")
    order_id = await warehouse.enter((good, 1), (variant, 2), (variant, 1))

    await warehouse.ship_all(order_id, {1: 1, 2: 1})
    assert await sold(warehouse, order_id) == {2: ["K1"]}
    await warehouse.ship_all(order_id, {2: 1, 3: 1})

    assert await sold(warehouse, order_id) == {2: ["K1", "K2"], 3: ["K3"]}
    assert await warehouse.level(variant) == (0, 0, 0)
    assert await warehouse.level(good) == (4, 0, 4)


async def numbers(warehouse: Warehouse, variant: int) -> list[int]:
    async with warehouse.db.statement() as tx:
        found = await list_serials(tx, shop_id=warehouse.shop.id, variant_id=variant)
    return [serial.id for serial in found]


async def revoked(warehouse: Warehouse, variant: int) -> list[bool]:
    async with warehouse.db.statement() as tx:
        found = await list_serials(tx, shop_id=warehouse.shop.id, variant_id=variant)
    return [serial.revoked_at is not None for serial in found]


async def test_are_revoked_and_not_put_back_when_they_are_returned(warehouse: Warehouse) -> None:
    variant = await licence(warehouse, "K1", "K2")
    order_id = await warehouse.enter((variant, 1))
    await warehouse.ship_all(order_id, {1: 1})

    received = await warehouse.take_in(await warehouse.announce(order_id, {1: 1}), {1: 1})

    first, _ = await numbers(warehouse, variant)
    assert received == Received(restocked={}, revoked_serials=[first])
    assert await warehouse.level(variant) == (1, 0, 1)
    assert await revoked(warehouse, variant) == [True, False]
    assert await sold(warehouse, order_id) == {}
    async with warehouse.db.statement() as tx:
        bought = await read_bought_serials(
            tx, shop_id=warehouse.shop.id, order_id=order_id, box=box()
        )
        noted = await tx.value(
            "select sum(restocked) from order_return_lines where shop_id = %s", (warehouse.shop.id,)
        )
        payload = await tx.value(
            "select payload from events where shop_id = %s and kind = 'return.received'",
            (warehouse.shop.id,),
        )
        assert await differences(tx, after_shop=warehouse.shop.id - 1) == []
    assert bought == {1: [BoughtSerial(id=first, serial="K1", revoked_at=NOON)]}
    assert noted == 0
    assert payload["revoked_serials"] == [first]


async def test_are_never_sold_again_once_they_came_back(warehouse: Warehouse) -> None:
    variant = await licence(warehouse, "K1", "K2")
    order_id = await warehouse.enter((variant, 1))
    await warehouse.ship_all(order_id, {1: 1})
    await warehouse.take_in(await warehouse.announce(order_id, {1: 1}), {1: 1})

    again = await warehouse.enter((variant, 1))
    await warehouse.ship_all(again, {1: 1})

    assert await sold(warehouse, again) == {1: ["K2"]}
    with pytest.raises(Conflict, match="there already"):
        async with warehouse.db.begin() as tx:
            await add_serials(
                tx,
                shop_id=warehouse.shop.id,
                variant_id=variant,
                serials=["K1"],
                box=box(),
                now=NOON,
            )
    assert await warehouse.state(await warehouse.enter((variant, 1))) == "reserved"


async def test_are_named_where_only_some_of_a_line_come_back(warehouse: Warehouse) -> None:
    variant = await licence(warehouse, "K1", "K2", "K3", "K4")
    other = await warehouse.enter((variant, 1))
    await warehouse.ship_all(other, {1: 1})
    order_id = await warehouse.enter((variant, 3))
    await warehouse.ship_all(order_id, {1: 3})
    of_another, first, second, third = await numbers(warehouse, variant)
    return_id = await warehouse.announce(order_id, {1: 1})
    before = await warehouse.everything()

    for named in ((), (first, second), (of_another,), (first, 10**9)):
        with pytest.raises(Invalid) as refusal:
            await warehouse.take_in(return_id, {}, *named)
        assert refusal.value.code == "invalid_input"
        assert await warehouse.everything() == before
    await warehouse.take_in(return_id, {}, second)

    assert await sold(warehouse, order_id) == {1: ["K2", "K4"]}
    rest = await warehouse.announce(order_id, {1: 2})
    with pytest.raises(Invalid, match="not one that can come back"):
        await warehouse.take_in(rest, {}, first, second)
    assert (await warehouse.take_in(rest, {})).revoked_serials == [first, third]
    assert await revoked(warehouse, variant) == [False, True, True, True]


async def test_need_no_names_where_the_rest_of_the_line_is_announced(warehouse: Warehouse) -> None:
    variant = await licence(warehouse, "K1", "K2", "K3")
    order_id = await warehouse.enter((variant, 3))
    await warehouse.ship_all(order_id, {1: 3})
    await warehouse.announce(order_id, {1: 2})

    await warehouse.take_in(await warehouse.announce(order_id, {1: 1}), {})

    assert await sold(warehouse, order_id) == {1: ["K2", "K3"]}


async def test_and_goods_without_one_come_back_in_one_return(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    variant = await licence(warehouse, "K1")
    order_id = await warehouse.enter((good, 2), (variant, 1))
    await warehouse.ship_all(order_id, {1: 2, 2: 1})

    received = await warehouse.take_in(
        await warehouse.announce(order_id, {1: 2, 2: 1}), {1: 1, 2: 1}
    )

    assert received.restocked == {1: 1}
    assert len(received.revoked_serials) == 1
    assert await warehouse.level(good) == (4, 0, 4)


async def test_are_not_shipped_without_one(warehouse: Warehouse) -> None:
    variant = await licence(warehouse, "K1", "K2")
    order_id = await warehouse.enter((variant, 2))
    async with warehouse.db.begin() as tx:
        await tx.run(
            "update serials set sold_at = now() where shop_id = %s and id = ("
            " select min(id) from serials where variant_id = %s)",
            (warehouse.shop.id, variant),
        )

    with pytest.raises(Refused, match="stock_limit_exceeded"):
        await warehouse.ship_all(order_id, {1: 2})

    async with warehouse.db.begin() as tx:
        left = await list_serials(tx, shop_id=warehouse.shop.id, variant_id=variant, sold=False)
        assert len(left) == 1
        await tx.run("update serials set sold_at = null where variant_id = %s", (variant,))
    assert await warehouse.level(variant) == (2, 2, 0)
