"""Many readers of one list share the work of making it."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from crossdock.channels.shoppex_partner.catalogue import CatalogueAnswers
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.partners import Partner
from tests.support.factories import ShopFixture, make_partner, make_shop, make_variant
from tests.support.ordering import read_partner


class BusyShop:
    """A shop that gets a new product whenever a list is being rendered."""

    def __init__(self, database: Database, shop: ShopFixture, partner: Partner) -> None:
        self._database = database
        self._shop = shop
        self.partner = partner
        self.renderings = 0

    async def look(self, query: str) -> None:
        """Called before the statements of the pool under test; the second is after the snapshot."""
        if "isolation level" in query:
            self.renderings += 1
        elif "sale_starts_at" in query:
            await self.grow()

    async def grow(self) -> None:
        async with self._database.begin() as tx:
            await make_variant(tx, shop=self._shop)


@pytest.fixture
async def shop(database: Database) -> BusyShop:
    async with database.begin() as tx:
        made = await make_shop(tx)
        await make_variant(tx, shop=made)
        fixture = await make_partner(tx, shop=made)
    return BusyShop(database, made, await read_partner(database, fixture))


@pytest.fixture
async def answers(
    database_url: str, shop: BusyShop, clock: FrozenClock, tmp_path
) -> AsyncIterator[CatalogueAnswers]:
    watched = Database(database_url, max_size=4, hook=shop.look)
    await watched.open()
    yield CatalogueAnswers(
        watched,
        clock=clock,
        folder=str(tmp_path),
        own_requires_stock=False,
        memory_bytes=1_000_000,
    )
    await watched.close()


async def test_readers_who_came_before_it_began_share_one_rendering(answers, shop):
    """Else every one of them renders anew as long as orders keep coming."""
    found = await asyncio.gather(*(answers.get(shop.partner) for _ in range(20)))

    assert shop.renderings <= 3
    assert len({answer.tag for answer in found}) == shop.renderings


async def test_a_reader_who_leaves_leaves_the_others_their_rendering(answers, shop):
    leaving = asyncio.create_task(answers.get(shop.partner))
    staying = asyncio.create_task(answers.get(shop.partner))
    while not shop.renderings:
        await asyncio.sleep(0)
    leaving.cancel()

    assert (await staying).plain.size > 2


async def test_a_reader_who_comes_later_sees_what_happened_meanwhile(answers, shop):
    first = await answers.get(shop.partner)
    second = await answers.get(shop.partner)

    assert shop.renderings == 2
    assert len(json.loads(second.plain.body)) == len(json.loads(first.plain.body)) + 1


async def test_readers_of_one_coding_share_one_compression(answers, shop):
    answer = await answers.get(shop.partner)
    coded = await asyncio.gather(*(answers.coded(answer, "gzip") for _ in range(5)))

    assert all(one is coded[0] for one in coded)
