"""Levels that are locked before anything is compared with them..."""

import asyncio

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import Posting, lock_levels, post_stock
from tests.support.factories import level, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock


async def test_are_those_of_these_variants_and_are_made_where_they_are_missing(
    tx: Transaction,
) -> None:
    shop, other = await make_shop(tx), await make_shop(tx)
    one = await make_variant(tx, shop=shop, own=5)
    missing = await make_variant(tx, shop=shop, own=None)
    unnamed = await make_variant(tx, shop=shop, own=None)
    theirs = await make_variant(tx, shop=other, own=None)
    before = await tx.all("select * from stock_levels where shop_id = %s", (shop.id,))

    await lock_levels(tx, shop_id=shop.id, variant_ids=[missing, theirs, one, 10**12])

    rows = "select variant_id, pool, on_hand from stock_levels where shop_id = %s order by 1"
    assert await tx.all(rows, (shop.id,)) == [(one, "own", 5), (missing, "own", 0)]
    assert await tx.all(rows, (other.id,)) == []
    kept = "select * from stock_levels where shop_id = %s and variant_id = %s"
    assert await tx.all(kept, (shop.id, one)) == before
    assert unnamed not in (one, missing)
    await lock_levels(tx, shop_id=shop.id, variant_ids=[one], pool="supplier")
    assert await level(tx, shop_id=shop.id, variant_id=one, pool="supplier") == (0, 0, 0, 0)


@pytest.mark.races
@pytest.mark.parametrize("own", [3, None])
async def test_are_waited_for_in_one_order(
    database: Database, clock: FrozenClock, own: int | None
) -> None:
    """Who locks both in the other order waits for the first, and holds nothing meanwhile."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        first, second = [await make_variant(tx, shop=shop, own=own) for _ in range(2)]

    async def receive(tx: Transaction, variant: int) -> None:
        posting = Posting(variant_id=variant, pool="own", kind="receive", on_hand=1)
        await post_stock(tx, shop_id=shop.id, postings=[posting], reason="x", now=clock.now())

    async def lock_both() -> tuple[int, ...]:
        async with database.begin() as tx:
            await lock_levels(tx, shop_id=shop.id, variant_ids=[second, first])
            return tuple(await level(tx, shop_id=shop.id, variant_id=first))

    async with database.begin() as tx:
        await receive(tx, first)
        locking = asyncio.create_task(lock_both())
        await waiting_for_a_lock(database, behind=tx)
        await tx.run("set local lock_timeout = '2s'")
        await receive(tx, second)
    assert (await locking)[0] == (own or 0) + 1
