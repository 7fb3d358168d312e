"""Whoever watches a search index..."""

import asyncio
import gc
import random
from datetime import timedelta
from pathlib import Path

import pytest

from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.settings import Settings
from crossdock.shop.alerts import list_alerts
from crossdock.shop.search import (
    Follower,
    alert_of_lags,
    examine_indexes,
    read_lags,
)
from crossdock.shop.shops import Shop
from tests.support.search_shop import catch_up, made_goods, open_shop, record_of, write


@pytest.fixture
async def alone(empty_database_url: str):
    pool = Database(empty_database_url, min_size=1, max_size=8)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
async def shop(alone: Database) -> Shop:
    return await open_shop(alone)


@pytest.fixture
async def services(alone: Database, clock: FrozenClock, tmp_path: Path):
    settings = Settings().having(data_dir=str(tmp_path))
    async with Services(Runtime(settings=settings, clock=clock, database=alone)) as found:
        yield found


@pytest.fixture
async def follower(services: Services):
    found = Follower(services.building)
    yield found
    await found.close()


async def lag(services: Services):
    async with services.runtime.database.statement() as tx:
        (found,) = await read_lags(
            tx, searching=services.searching, now=services.runtime.clock.now()
        )
    return found


async def test_learns_how_far_it_is_behind(alone, shop, services, follower, clock):
    goods = made_goods(50, rng=random.Random(4))
    await write(alone, shop=shop, records=[record_of(each) for each in goods], now=clock.now())
    clock.move(timedelta(seconds=90))
    before = await lag(services)
    assert (before.as_of, before.documents, before.unread, before.oldest_s) == (None, None, 1, 90)

    await catch_up(follower)
    after = await lag(services)
    assert (after.as_of, after.documents, after.unread, after.oldest_s) == (1, 50, 0, 0)


async def _threads() -> int:
    """How many this process has when those that were told to end, within half a second, have."""
    counts: list[int] = []
    while len(counts) < 16 or len(set(counts[-16:])) > 1:
        gc.collect()
        counts.append(len(list(Path("/proc/self/task").iterdir())))
        await asyncio.sleep(0.05)
    return counts[-1]


async def test_keeps_no_thread_for_each_index_that_it_looks_at(alone, services, follower, clock):
    shops = [await open_shop(alone) for _ in range(5)]
    for each in shops:
        goods = made_goods(1, rng=random.Random(4))
        await write(alone, shop=each, records=[record_of(good) for good in goods], now=clock.now())
    await catch_up(follower)
    await follower.close()
    searching = services.searching
    assert (await searching.standing(shops[0].id)).documents == 1  # which starts a thread to ask in
    before = await _threads()

    for _ in range(2):
        found = [await searching.standing(each.id) for each in shops]
        assert [each.documents for each in found] == [1] * 5
    assert await _threads() <= before


async def test_is_alerted_once(alone, shop, services, clock):
    await write(
        alone,
        shop=shop,
        records=[record_of(made_goods(1, rng=random.Random(4))[0])],
        now=clock.now(),
    )
    async with alone.begin() as tx:
        clock.move(timedelta(seconds=60))
        assert not await alert_of_lags(tx, searching=services.searching, now=clock.now())
        clock.move(timedelta(seconds=1))
        assert await alert_of_lags(tx, searching=services.searching, now=clock.now()) == 1
        assert await alert_of_lags(tx, searching=services.searching, now=clock.now()) == 0
        (alert,) = await list_alerts(tx, shop_id=shop.id)
    assert (alert.kind, "1 change of the catalogue" in alert.message) == ("search_behind", True)


async def test_finds_what_differs_from_the_database(alone, shop, services, follower, clock):
    goods = made_goods(80, rng=random.Random(4))
    await write(alone, shop=shop, records=[record_of(each) for each in goods], now=clock.now())
    unread = await examine_indexes(alone, searching=services.searching)
    assert (unread.looked_at, unread.differences) == (0, ())

    await catch_up(follower)
    right = await examine_indexes(alone, searching=services.searching)
    assert (right.looked_at, right.differences) == (80, ())

    async with alone.begin() as tx:  # behind the back of the events
        rows = await tx.all(
            "select id from variants where shop_id = %s order by id limit 3", (shop.id,)
        )
        first, second, third = (row[0] for row in rows)
        await tx.run(
            "update variants set retail_minor = 7, sale_minor = null where id = %s", (first,)
        )
        await tx.run("update variants set listed = false where id = %s", (second,))
    wrong = await examine_indexes(alone, searching=services.searching)
    assert [(each.where, each.expected) for each in wrong.differences] == [
        (f"shop {shop.slug} variant {first}", "at 7"),
        (f"shop {shop.slug} variant {second}", "not there"),
    ]
    assert third not in (first, second)
