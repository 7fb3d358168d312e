"""Serials and holds that two want at the same moment: the later one waits, and takes what is left."""

import asyncio

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import add_serials, claim_serials, hold_stock, sell_serials
from tests.support.factories import ShopFixture, box, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock

pytestmark = pytest.mark.races


async def _furnish(database: Database, clock: FrozenClock) -> tuple[ShopFixture, int]:
    """A variant with the serials A, B and C."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=None)
        await add_serials(
            tx, shop_id=shop.id, variant_id=variant, serials=["A", "B", "C"], box=box(),
            now=clock.now(),
        )  # fmt: skip
    return shop, variant


async def _ship(tx: Transaction, clock: FrozenClock, shop: ShopFixture, variant: int) -> None:
    """Sell the oldest, as a shipment does, which has not locked the level yet."""
    await sell_serials(tx, shop_id=shop.id, order_id=1, sold=[(1, variant, 1)], now=clock.now())


async def test_serials_that_are_claimed_beside_a_shipment_are_others(
    database: Database, clock: FrozenClock
) -> None:
    shop, variant = await _furnish(database, clock)

    async def claim() -> list[str]:
        async with database.begin() as tx:
            found = await claim_serials(
                tx, shop_id=shop.id, variant_id=variant, quantity=1, box=box(), now=clock.now()
            )
        return [each.serial for each in found]

    async with database.begin() as tx:
        await _ship(tx, clock, shop, variant)
        claiming = asyncio.create_task(claim())
        await waiting_for_a_lock(database, behind=tx)
    assert await claiming == ["B"]


async def test_serials_that_a_reseller_draws_beside_a_shipment_are_others(
    database: Database, clock: FrozenClock
) -> None:
    shop, variant = await _furnish(database, clock)

    async def draw() -> list[int]:
        async with database.begin() as tx:
            drawn = "select draw_serials(%s, %s, 2, null, %s)"
            return list(await tx.value(drawn, (shop.id, variant, clock.now())))

    async with database.begin() as tx:
        await _ship(tx, clock, shop, variant)
        drawing = asyncio.create_task(draw())
        await waiting_for_a_lock(database, behind=tx)
    drawn = await drawing

    async with database.statement() as tx:
        known = "select array_agg(id order by id) from serials where shop_id = %s"
        assert drawn == (await tx.value(known, (shop.id,)))[1:]


async def test_holds_are_released_in_one_order_wherever_they_stand(
    database: Database, clock: FrozenClock
) -> None:
    """The second waits for the oldest and has none of the others, so nobody waits in a circle."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=9)
        holds = [
            await hold_stock(
                tx, shop_id=shop.id, variant_id=variant, quantity=1, ttl_s=60, now=clock.now()
            )
            for _ in range(3)
        ]
    ids = [hold.id for hold in holds]
    async with database.begin() as tx:  # the oldest stands last in the table
        await tx.run(
            "update holds set reference = 'moved' where shop_id = %s and id = %s", (shop.id, ids[0])
        )

    async def release_all() -> int:
        async with database.begin() as tx:
            # As where the table is small enough to be read as it stands.
            for kind in ("indexscan", "bitmapscan", "nestloop", "mergejoin"):
                await tx.run(f"set local enable_{kind} = off")
            released = "select release_all(%s, %s, %s)"
            return int(await tx.value(released, (shop.id, ids, clock.now())))

    async with database.begin() as tx:
        lock = "select 1 from holds where shop_id = %s and id = any(%s) for no key update nowait"
        await tx.run(lock, (shop.id, ids[:1]))
        releasing = asyncio.create_task(release_all())
        await waiting_for_a_lock(database, behind=tx)
        assert await tx.run(lock, (shop.id, ids[1:])) == 2
    assert await releasing == 3
