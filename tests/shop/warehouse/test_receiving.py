"""Goods that come in..."""

import pytest

from crossdock.errors import CrossdockError, Invalid
from crossdock.shop.warehouse import count_variant, receive_variant
from crossdock.shop.warehouse.receiving import LEVEL_MAX
from tests.support.warehousing import Warehouse


async def _jobs(warehouse: Warehouse) -> int:
    async with warehouse.db.statement() as tx:
        return int(
            await tx.value(
                "select count(*) from procrastinate_jobs where task_name = 'run_releases'"
            )
        )


async def _receive(warehouse: Warehouse, variant_id: int, quantity: int) -> None:
    async with warehouse.db.begin() as tx:
        await receive_variant(
            tx,
            shop_id=warehouse.shop.id,
            variant_id=variant_id,
            quantity=quantity,
            now=warehouse.clock.now(),
        )


async def _count(
    warehouse: Warehouse,
    variant_id: int,
    *,
    counted: int | None = None,
    difference: int | None = None,
) -> int:
    async with warehouse.db.begin() as tx:
        return await count_variant(
            tx,
            shop_id=warehouse.shop.id,
            variant_id=variant_id,
            counted=counted,
            difference=difference,
            now=warehouse.clock.now(),
        )


async def test_wake_the_stock_run_only_when_an_order_waits(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=0)
    before = await _jobs(warehouse)

    await _receive(warehouse, good, 1)
    assert await _jobs(warehouse) == before
    await warehouse.enter((good, 5))
    await _receive(warehouse, good, 1)
    assert await _jobs(warehouse) == before + 1
    assert await warehouse.level(good) == (2, 0, 2)


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        (0, "A receipt is of one or more."),
        (-1, "A receipt is of one or more."),
        (1_000_000_001, "1,000,000,001 is too large: a level holds at most 1,000,000,000."),
        (10**40, "too large"),
    ],
)
async def test_in_a_number_that_is_none_are_refused(
    warehouse: Warehouse, quantity: int, said: str
) -> None:
    good = await warehouse.variant(own=0)

    with pytest.raises(Invalid) as refusal:
        await _receive(warehouse, good, quantity)

    assert refusal.value.code == "invalid_input"
    assert said in refusal.value.message
    assert await warehouse.level(good) == (0, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"counted": 1_000_000_001},
        {"counted": 10**40},
        {"difference": 10**40},
        {"difference": -(10**40)},
        {"difference": 999_999_999},
    ],
)
async def test_and_are_counted_beyond_any_house_are_refused(
    warehouse: Warehouse, change: dict[str, int]
) -> None:
    good = await warehouse.variant(own=5)
    before = await warehouse.everything()

    with pytest.raises(Invalid) as refusal:
        await _count(warehouse, good, **change)

    assert "is too large" in refusal.value.message
    assert await warehouse.everything() == before


async def test_fill_a_level_up_to_its_most_and_no_further(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)

    assert await _count(warehouse, good, counted=LEVEL_MAX) == LEVEL_MAX - 5
    with pytest.raises(Invalid) as refusal:
        await _receive(warehouse, good, 1)

    assert "1,000,000,001 is too large" in refusal.value.message
    assert await warehouse.level(good) == (LEVEL_MAX, 0, LEVEL_MAX)
    assert await _count(warehouse, good, difference=-LEVEL_MAX) == -LEVEL_MAX


async def test_and_are_counted_by_nobody_are_refused(warehouse: Warehouse) -> None:
    with pytest.raises(Invalid) as refusal:
        await _count(warehouse, await warehouse.variant(own=5))

    assert refusal.value.message == "Say what was counted."


@pytest.mark.parametrize(("counted", "entries"), [(5, 1), (7, 2), (0, 2)])
async def test_and_are_counted_put_the_level_right(
    warehouse: Warehouse, counted: int, entries: int
) -> None:
    good = await warehouse.variant(own=5)

    assert await _count(warehouse, good, counted=counted) == counted - 5
    assert await warehouse.level(good) == (counted, 0, counted)
    assert len(await warehouse.entries(good)) == entries


async def test_of_another_shop_look_like_unknown_ones(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for variant_id in (good, 999_999_999):
        for pool, code in (("own", "variant_not_found"), ("moon", "invalid_input")):
            with pytest.raises(CrossdockError) as refusal:
                async with warehouse.db.begin() as tx:
                    await receive_variant(
                        tx,
                        shop_id=other.shop.id,
                        variant_id=variant_id,
                        quantity=1,
                        now=warehouse.clock.now(),
                        pool=pool,
                    )
            assert refusal.value.code == code
