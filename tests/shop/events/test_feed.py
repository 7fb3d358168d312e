"""The event feed..."""

import asyncio

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.shop.events import number_events, read_events
from tests.support.factories import ShopFixture, make_shop


async def _tell(tx: Transaction, shop: ShopFixture, kind: str) -> None:
    await tx.run("insert into events (shop_id, kind) values (%s, %s)", (shop.id, kind))


async def test_numbers_from_one_without_gaps_for_each_shop(database: Database) -> None:
    async with database.begin() as tx:
        first, second = await make_shop(tx), await make_shop(tx)
        for shop in (first, second, first):
            await _tell(tx, shop, "told")

    async with database.begin() as tx:
        assert await number_events(tx, shop_id=first.id) == 2
        assert await number_events(tx, shop_id=second.id) == 1
        sequences = [event.sequence for event in await read_events(tx, shop_id=first.id)]

    assert sequences == [1, 2]


async def test_gives_a_late_commit_a_later_number_not_a_hole(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    async with database.begin() as slow:
        await _tell(slow, shop, "slow")
        async with database.begin() as quick:
            await _tell(quick, shop, "quick")
        async with database.begin() as tx:
            await number_events(tx, shop_id=shop.id)
            seen = await read_events(tx, shop_id=shop.id)
    assert [(event.sequence, event.kind) for event in seen] == [(1, "quick")]

    async with database.begin() as tx:
        await number_events(tx, shop_id=shop.id)
        later = await read_events(tx, shop_id=shop.id, after=1)

    assert [(event.sequence, event.kind) for event in later] == [(2, "slow")]


async def test_is_read_whole_and_once_while_writers_and_numberers_race(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    written = 60
    seen: list[int] = []

    async def write(count: int) -> None:
        for _ in range(count):
            async with database.begin() as tx:
                await _tell(tx, shop, "told")
                await asyncio.sleep(0.001)

    async def number() -> None:
        while len(seen) < written:
            async with database.statement() as tx:
                await tx.value("select number_events(%s)", (shop.id,))

    async def read() -> None:
        while len(seen) < written:
            async with database.statement() as tx:
                after = seen[-1] if seen else 0
                seen.extend(e.sequence for e in await read_events(tx, shop_id=shop.id, after=after))

    async with asyncio.timeout(30):
        await asyncio.gather(*(write(15) for _ in range(4)), number(), number(), read())

    assert seen == list(range(1, written + 1))


async def test_counts_every_visible_event_in_the_version(database: Database) -> None:
    version = "select shop_version(%s)"
    async with database.begin() as tx:
        shop = await make_shop(tx)
        before = await tx.value(version, (shop.id,))
        await _tell(tx, shop, "told")
        assert await tx.value(version, (shop.id,)) == before + 1
    async with database.begin() as tx:
        await number_events(tx, shop_id=shop.id)
        assert await tx.value(version, (shop.id,)) == before + 1
