"""Releasing an order..."""

import asyncio

import psycopg
import pytest
from structlog.testing import capture_logs

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import release_order, run_releases, wake_releases
from tests.support.warehousing import Warehouse


async def test_commits_its_goods_when_they_are_there(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)

    order_id = await warehouse.enter((good, 3))

    assert await warehouse.state(order_id) == "processing"
    assert await warehouse.level(good) == (5, 3, 2)
    assert await warehouse.entries(good) == [("receive", 5, 0), ("commit", 0, 3)]
    assert await warehouse.events(order_id) == ["order.placed"]


async def test_reserves_and_takes_nothing_when_one_good_is_short(warehouse: Warehouse) -> None:
    plenty, short = await warehouse.variant(own=5), await warehouse.variant(own=1)

    order_id = await warehouse.enter((plenty, 1), (short, 2))

    assert await warehouse.state(order_id) == "reserved"
    assert await warehouse.level(plenty) == (5, 0, 5)
    assert await warehouse.level(short) == (1, 0, 1)
    assert await warehouse.events(order_id) == ["order.placed"]


async def test_counts_two_lines_of_one_good_together(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)

    assert await warehouse.state(await warehouse.enter((good, 3), (good, 3))) == "reserved"
    assert await warehouse.state(await warehouse.enter((good, 3), (good, 2))) == "processing"
    assert await warehouse.level(good) == (5, 5, 0)


async def test_is_left_alone_when_nobody_asked(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)

    order_id = await warehouse.enter((good, 3), release=False)

    await run_releases(warehouse.db, now=warehouse.clock.now())
    assert await warehouse.state(order_id) == "waiting_for_release"
    assert await warehouse.level(good) == (5, 0, 5)


async def test_by_hand_works_once_and_a_second_time_changes_nothing(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3), release=False)

    assert await warehouse.release(order_id) == "processing"
    after = await warehouse.everything()
    assert await warehouse.release(order_id) == "processing"

    assert await warehouse.everything() == after
    assert await warehouse.level(good) == (5, 3, 2)


@pytest.mark.parametrize("over", ["cancelled", "shipped", "completed"])
async def test_of_an_order_that_is_over_is_refused(warehouse: Warehouse, over: str) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=5), 3))
    if over == "cancelled":
        await warehouse.cancel(order_id)
    else:
        package_id = await warehouse.ship_all(order_id, {1: 3})
    if over == "completed":
        await warehouse.see(package_id, "delivered")
    before = await warehouse.everything()

    with pytest.raises(Refused) as refusal:
        await warehouse.release(order_id)

    assert refusal.value.code == "order_state"
    assert refusal.value.message == f"An order that is {over} cannot be released."
    assert await warehouse.everything() == before


async def test_does_not_look_at_goods_that_are_not_counted(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=None, stock_managed=False)

    order_id = await warehouse.enter((good, 300))

    assert await warehouse.state(order_id) == "processing"
    assert await warehouse.entries(good) == []


async def test_by_hand_takes_what_is_counted_alone(warehouse: Warehouse) -> None:
    counted, free = await warehouse.variant(own=5), await warehouse.variant(stock_managed=False)
    order_id = await warehouse.enter((counted, 2), (free, 300), release=False)

    assert await warehouse.release(order_id) == "processing"

    assert await warehouse.level(counted) == (5, 2, 3)
    assert await warehouse.entries(free) == [("receive", 10, 0)]


async def test_keeps_the_warning_level_on_the_shelf(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    async with warehouse.db.begin() as tx:
        await tx.run("update stock_levels set warning_level = 3 where variant_id = %s", (good,))

    assert await warehouse.state(await warehouse.enter((good, 3))) == "reserved"
    assert await warehouse.state(await warehouse.enter((good, 2))) == "processing"


async def test_of_another_shop_looks_like_an_unknown_one(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3), release=False)
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for unknown in (order_id, 999_999_999):
        with pytest.raises(NotFound) as refusal:
            await other.release(unknown)
        assert refusal.value.code == "order_not_found"
    assert await warehouse.state(order_id) == "waiting_for_release"


async def test_by_the_stock_run_serves_the_oldest_first(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=0)
    first = await warehouse.enter((good, 3))
    second = await warehouse.enter((good, 3))
    third = await warehouse.enter((good, 2))

    await warehouse.receive(good, 5)
    await run_releases(warehouse.db, now=warehouse.clock.now())

    assert [await warehouse.state(order) for order in (first, second, third)] == [
        "processing",
        "reserved",
        "processing",
    ]
    assert await warehouse.level(good) == (5, 5, 0)


async def test_by_the_stock_run_reaches_beyond_many_that_cannot_be(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crossdock.shop.orders import releasing

    monkeypatch.setattr(releasing, "_PAGE", 2)
    never, good = await warehouse.variant(own=0), await warehouse.variant(own=0)
    stuck = [await warehouse.enter((never, 1)) for _ in range(5)]
    ready = [await warehouse.enter((good, 1)) for _ in range(5)]

    await warehouse.receive(good, 5)
    await run_releases(warehouse.db, now=warehouse.clock.now())

    assert {await warehouse.state(order) for order in ready} == {"processing"}
    assert {await warehouse.state(order) for order in stuck} == {"reserved"}


async def test_unseen_goes_below_what_there_is_and_comes_back_at_the_stock_run(
    warehouse: Warehouse,
) -> None:
    good = await warehouse.variant(own=5)
    first = await warehouse.enter((good, 4), immediate=True)
    second = await warehouse.enter((good, 4), immediate=True)
    assert await warehouse.state(second) == "processing"
    assert await warehouse.level(good) == (5, 8, -3)

    await run_releases(warehouse.db, now=warehouse.clock.now())

    assert await warehouse.state(first) == "processing"
    assert await warehouse.state(second) == "waiting_for_release"
    assert await warehouse.level(good) == (5, 4, 1)
    assert await warehouse.events(second) == ["order.placed", "order.recalled"]

    await warehouse.receive(good, 3)
    await run_releases(warehouse.db, now=warehouse.clock.now())
    assert await warehouse.state(second) == "processing"
    assert await warehouse.level(good) == (8, 8, 0)


async def test_unseen_is_not_recalled_once_work_has_begun(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=1)
    order_id = await warehouse.enter((good, 4), immediate=True)
    await warehouse.start(order_id)

    await run_releases(warehouse.db, now=warehouse.clock.now())

    assert await warehouse.state(order_id) == "in_fulfilment"
    assert await warehouse.level(good) == (1, 4, -3)


@pytest.mark.races
async def test_by_two_stock_runs_at_once_happens_once(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=0)
    orders = [await warehouse.enter((good, 1)) for _ in range(8)]
    await warehouse.receive(good, 5)

    await asyncio.gather(*(run_releases(warehouse.db, now=warehouse.clock.now()) for _ in range(3)))

    states = [await warehouse.state(order) for order in orders]
    assert states.count("processing") == 5
    assert await warehouse.level(good) == (5, 5, 0)
    told = [await warehouse.events(order) for order in orders]
    assert sum(kinds.count("order.released") for kinds in told) == 5


@pytest.mark.races
async def test_of_the_last_good_by_many_at_once_serves_one(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=1)
    orders = [await warehouse.enter((good, 1), release=False) for _ in range(10)]

    async def release(order_id: int) -> str:
        async with warehouse.db.begin() as tx:
            return await release_order(
                tx, shop_id=warehouse.shop.id, order_id=order_id, now=warehouse.clock.now()
            )

    states = await asyncio.gather(*(release(order_id) for order_id in orders))

    assert sorted(states) == ["processing"] + ["reserved"] * 9
    assert await warehouse.level(good) == (1, 1, 0)


async def test_by_the_stock_run_is_noted_with_how_many_and_only_where_there_were_any(
    empty_database_url: str, clock: FrozenClock
) -> None:
    database = Database(empty_database_url, min_size=1, max_size=4)
    await database.open()
    alone = await Warehouse.open(database, clock)
    short, good = await alone.variant(own=1), await alone.variant(own=0)
    await alone.enter((short, 2), immediate=True)
    for _ in range(3):
        await alone.enter((good, 1))
    await alone.receive(good, 2)

    with capture_logs() as first:
        assert await run_releases(database, now=clock.now()) == 2
    with capture_logs() as second:
        assert await run_releases(database, now=clock.now()) == 0
    await database.close()

    assert [(log["recalled"], log["released"]) for log in first] == [(1, 2)]
    assert second == []


async def test_is_woken_in_a_shop_where_an_order_waits_for_goods(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=1)
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    async def woken(shop_id: int) -> None:
        """Note whether it was, and how many runs are asked for; none stays."""
        async with warehouse.db.begin() as tx:
            count = "select count(*) from procrastinate_jobs where task_name = 'run_releases'"
            before = await tx.value(count)
            told = await wake_releases(tx, shop_id=shop_id)
            asked = await tx.value(count) - before
            noted.append((told, asked))
            raise psycopg.Rollback

    noted: list[tuple[bool, int]] = []
    await woken(warehouse.shop.id)
    await warehouse.enter((good, 1), release=False)
    await woken(warehouse.shop.id)
    await warehouse.enter((good, 5))
    await woken(warehouse.shop.id)
    await woken(other.shop.id)

    assert noted == [(False, 0), (False, 0), (True, 1), (False, 0)]
