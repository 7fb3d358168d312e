"""Two that set one level at the same moment, where it has none yet: the later one waits and then knows."""

import asyncio

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.warehouse import (
    GridRow,
    RowEdit,
    RowResult,
    count_variant,
    edit_grid,
    read_grid,
    receive_variant,
)
from tests.support.factories import ShopFixture, level, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock

pytestmark = pytest.mark.races


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    """A shop whose stock nobody else changes."""
    async with database.begin() as tx:
        return await make_shop(tx)


async def _unstocked(database: Database, shop: ShopFixture) -> int:
    async with database.begin() as tx:
        return await make_variant(tx, shop=shop, own=None)


async def test_of_a_receipt_and_the_grid_the_grid_waits_and_is_stale(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    variant = await _unstocked(database, shop)
    async with database.statement() as tx:
        seen = (await read_grid(tx, shop_id=shop.id, variant_ids=[variant]))[variant].row

    async def edit() -> RowResult:
        wanted: GridRow = msgspec.structs.replace(seen, on_hand=20)
        async with database.begin() as tx:
            edits = {variant: RowEdit(seen=seen, wanted=wanted)}
            results = await edit_grid(
                tx, shop_id=shop.id, edits=edits, reason="grid", now=clock.now()
            )
        return results[variant]

    async with database.begin() as tx:
        await receive_variant(tx, shop_id=shop.id, variant_id=variant, quantity=7, now=clock.now())
        grid = asyncio.create_task(edit())
        await waiting_for_a_lock(database, behind=tx)
    told = await grid

    assert told.outcome == "stale"
    assert told.before is not None
    assert told.before.on_hand == 7
    async with database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (7, 0, 0, 7)


async def test_of_a_receipt_and_a_count_the_count_waits_and_holds(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    variant = await _unstocked(database, shop)

    async def count() -> int:
        async with database.begin() as tx:
            return await count_variant(
                tx, shop_id=shop.id, variant_id=variant, counted=10, now=clock.now()
            )

    async with database.begin() as tx:
        await receive_variant(tx, shop_id=shop.id, variant_id=variant, quantity=7, now=clock.now())
        counting = asyncio.create_task(count())
        await waiting_for_a_lock(database, behind=tx)

    assert await counting == 3
    async with database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (10, 0, 0, 10)
