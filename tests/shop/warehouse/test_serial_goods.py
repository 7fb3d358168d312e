"""Goods whose pieces have serials in stock..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import add_serials, list_serials, read_sold_serials
from tests.conftest import NOON
from tests.support.factories import box
from tests.support.warehousing import Warehouse


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


async def test_are_not_put_back_when_they_are_returned(warehouse: Warehouse) -> None:
    variant = await licence(warehouse, "K1", "K2")
    order_id = await warehouse.enter((variant, 1))
    await warehouse.ship_all(order_id, {1: 1})

    await warehouse.take_in(await warehouse.announce(order_id, {1: 1}), {1: 1})

    assert await warehouse.level(variant) == (1, 0, 1)
    assert await sold(warehouse, order_id) == {1: ["K1"]}


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
