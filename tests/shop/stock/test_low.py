"""The list of low stock has..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.overview import read_overview
from crossdock.shop.stock import list_low
from tests.support.staff import Desk


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def warn(desk: Desk, variant_id: int, level: int) -> None:
    """Set the warning level of the variant's own pool."""
    async with desk.db.begin() as tx:
        await tx.run(
            "update stock_levels set warning_level = %s where shop_id = %s and variant_id = %s",
            (level, desk.shop.id, variant_id),
        )


async def low(desk: Desk, **values):
    async with desk.db.statement() as tx:
        found, has_more = await list_low(tx, shop_id=desk.shop.id, **values)
    return [(each.variant_id, each.pool, each.available) for each in found], has_more


async def test_levels_at_their_warning_level_the_emptiest_first_as_the_home_page_counts(desk):
    at, above, below = [await desk.variant(own=many) for many in (3, 4, 1)]
    for variant_id in (at, above, below):
        await warn(desk, variant_id, 3)
    await desk.variant(own=0)  # without a warning level

    assert await low(desk) == ([(below, "own", -2), (at, "own", 0)], False)
    async with desk.db.statement() as tx:
        assert (await read_overview(tx, shop_id=desk.shop.id, now=desk.clock.now())).low_stock == 2


async def test_with_a_threshold_all_of_which_no_more_can_be_sold(desk):
    few, many = await desk.variant(own=2, supplier=9), await desk.variant(own=3)

    assert await low(desk, at_most=2) == ([(few, "own", 2)], False)
    assert await low(desk, at_most=9, pool="supplier") == ([(few, "supplier", 9)], False)
    assert (await low(desk, at_most=3))[0] == [(few, "own", 2), (many, "own", 3)]


async def test_pages_that_leave_no_level_out(desk):
    made = [await desk.variant(own=1, supplier=1) for _ in range(2)]
    wanted = [(variant_id, pool, 1) for variant_id in made for pool in ("own", "supplier")]

    seen, after, has_more = [], None, True
    while has_more:
        found, has_more = await low(desk, at_most=1, limit=1, after=after)
        seen += found
        after = (found[0][2], found[0][0], found[0][1])

    assert seen == wanted


async def test_no_goods_that_are_not_counted_or_not_enabled(desk):
    unlimited, off = await desk.variant(own=1), await desk.variant(own=1)
    async with desk.db.begin() as tx:
        await tx.run("update variants set stock_managed = false where id = %s", (unlimited,))
        await tx.run("update variants set enabled = false, listed = false where id = %s", (off,))

    assert await low(desk, at_most=5) == ([], False)
