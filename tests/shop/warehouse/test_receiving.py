"""Goods that come in..."""

import pytest

from crossdock.errors import CrossdockError
from crossdock.shop.warehouse import count_goods, receive_goods
from tests.support.warehousing import Warehouse


async def _jobs(warehouse: Warehouse) -> int:
    async with warehouse.db.statement() as tx:
        return int(
            await tx.value(
                "select count(*) from procrastinate_jobs where task_name = 'run_releases'"
            )
        )


async def test_wake_the_stock_run_only_when_an_order_waits(warehouse: Warehouse) -> None:
    good = await warehouse.good(own=0)
    before = await _jobs(warehouse)

    async def receive() -> None:
        async with warehouse.db.begin() as tx:
            await receive_goods(
                tx,
                shop_id=warehouse.shop.id,
                variant_id=good,
                quantity=1,
                now=warehouse.clock.now(),
            )

    await receive()
    assert await _jobs(warehouse) == before
    await warehouse.enter((good, 5))
    await receive()
    assert await _jobs(warehouse) == before + 1
    assert await warehouse.level(good) == (2, 0, 2)


@pytest.mark.parametrize("quantity", [0, -1, 10**12 + 1])
async def test_in_a_number_that_is_none_are_refused(warehouse: Warehouse, quantity: int) -> None:
    good = await warehouse.good(own=0)

    with pytest.raises(CrossdockError) as refusal:
        async with warehouse.db.begin() as tx:
            await receive_goods(
                tx,
                shop_id=warehouse.shop.id,
                variant_id=good,
                quantity=quantity,
                now=warehouse.clock.now(),
            )

    assert refusal.value.code == "invalid_input"
    assert await warehouse.level(good) == (0, 0, 0)


@pytest.mark.parametrize(("counted", "entries"), [(5, 1), (7, 2), (0, 2)])
async def test_and_are_counted_put_the_level_right(
    warehouse: Warehouse, counted: int, entries: int
) -> None:
    good = await warehouse.good(own=5)

    async with warehouse.db.begin() as tx:
        changed = await count_goods(
            tx,
            shop_id=warehouse.shop.id,
            variant_id=good,
            counted=counted,
            now=warehouse.clock.now(),
        )

    assert changed == counted - 5
    assert await warehouse.level(good) == (counted, 0, counted)
    assert len(await warehouse.entries(good)) == entries


async def test_of_another_shop_look_like_unknown_ones(warehouse: Warehouse) -> None:
    good = await warehouse.good(own=5)
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for variant_id in (good, 999_999_999):
        for pool, code in (("own", "variant_not_found"), ("moon", "invalid_input")):
            with pytest.raises(CrossdockError) as refusal:
                async with warehouse.db.begin() as tx:
                    await receive_goods(
                        tx,
                        shop_id=other.shop.id,
                        variant_id=variant_id,
                        quantity=1,
                        now=warehouse.clock.now(),
                        pool=pool,
                    )
            assert refusal.value.code == code
