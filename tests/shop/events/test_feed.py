"""The event feed..."""

import asyncio

from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.shop.events import number_events, read_events
from tests.support.factories import ShopFixture, make_shop

PAYLOADS = {
    "package.packed": {"package_id": 1},
    "package.delivered": {"package_id": 1},
    "return.announced": {"return_id": 1},
    "stock.changed": {"levels": [], "reason": "test"},
    "price.changed": {"variant_ids": [1]},
}


async def _tell(tx: Transaction, shop: ShopFixture, kind: str) -> None:
    await tx.run("select write_event(%s, %s, 1, %s, now())", (shop.id, kind, Jsonb(PAYLOADS[kind])))


async def test_numbers_from_one_without_gaps_for_each_shop(database: Database) -> None:
    async with database.begin() as tx:
        first, second = await make_shop(tx), await make_shop(tx)
        for shop in (first, second, first):
            await _tell(tx, shop, "package.packed")

    async with database.begin() as tx:
        assert await number_events(tx, shop_id=first.id) == 2
        assert await number_events(tx, shop_id=second.id) == 1
        sequences = [event.sequence for event in await read_events(tx, shop_id=first.id)]

    assert sequences == [1, 2]


async def test_gives_a_late_commit_a_later_number_not_a_hole(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    async with database.begin() as slow:
        await _tell(slow, shop, "package.delivered")
        async with database.begin() as quick:
            await _tell(quick, shop, "return.announced")
        async with database.begin() as tx:
            await number_events(tx, shop_id=shop.id)
            seen = await read_events(tx, shop_id=shop.id)
    assert [(event.sequence, event.kind) for event in seen] == [(1, "return.announced")]

    async with database.begin() as tx:
        await number_events(tx, shop_id=shop.id)
        later = await read_events(tx, shop_id=shop.id, after=1)

    assert [(event.sequence, event.kind) for event in later] == [(2, "package.delivered")]


async def test_is_read_whole_and_once_while_writers_and_numberers_race(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
    written = 60
    seen: list[int] = []

    async def write(count: int) -> None:
        for _ in range(count):
            async with database.begin() as tx:
                await _tell(tx, shop, "package.packed")
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


async def test_counts_the_visible_events_of_its_topics_in_a_version(database: Database) -> None:
    version = "select topic_version(%s, 'orders', 'stock')"
    async with database.begin() as tx:
        shop = await make_shop(tx)
        assert await tx.value(version, (shop.id,)) == 0
        for kind in ("package.packed", "stock.changed", "price.changed"):
            await _tell(tx, shop, kind)
        assert await tx.value(version, (shop.id,)) == 2
    for unseen in (0, 3):
        async with database.begin() as tx:
            await number_events(tx, shop_id=shop.id)
            assert await tx.value(version, (shop.id,)) == 2 + unseen
            assert await tx.value("select topic_version(%s, 'price')", (shop.id,)) == 1
            for _ in range(3):
                await _tell(tx, shop, "package.packed")
            assert await tx.value(version, (shop.id,)) == 2 + unseen + 3


async def test_never_shows_one_version_with_two_contents_while_numbering_races(
    database: Database,
) -> None:
    """Versions that a reader sees grow by exactly what became visible, numbered or not."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
    written, seen = 40, set[tuple[int, int]]()
    both = """select topic_version(%(shop)s, 'orders'),
                     (select count(*) from events where shop_id = %(shop)s and topic = 'orders')"""

    async def write() -> None:
        for count in range(written // 4):
            async with database.begin() as tx:
                await _tell(tx, shop, "package.packed" if count % 2 else "stock.changed")

    async def is_done() -> bool:
        async with database.statement() as tx:
            count = await tx.value("select count(*) from events where shop_id = %s", (shop.id,))
            numbered = await tx.value("select last_sequence from shops where id = %s", (shop.id,))
            return bool(count == numbered == written)

    async def look() -> None:
        while not await is_done():
            async with database.statement() as tx:
                await number_events(tx, shop_id=shop.id)
                row = await tx.one(both, {"shop": shop.id})
                assert row is not None
                seen.add(row)

    async with asyncio.timeout(30):
        await asyncio.gather(*(write() for _ in range(4)), look(), look())

    assert {version for version, count in seen if version != count} == set()
    assert (written // 2, written // 2) in seen
