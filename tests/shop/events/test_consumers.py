"""A consumer of events..."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.jobs.consuming import run_consumers
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.events import (
    Batch,
    Consumer,
    Place,
    PriceChanged,
    advance,
    count_unread,
    list_places,
    number_events,
    read_new,
    write_event,
)
from tests.support.factories import ShopFixture, make_shop

Write = Callable[..., Awaitable[None]]


@pytest.fixture
async def shop(alone: Database) -> ShopFixture:
    async with alone.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
async def alone(empty_database_url: str):
    """Its consumers meet no other test's shops."""
    database = Database(empty_database_url, min_size=1, max_size=8)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def write(alone: Database, shop: ShopFixture, clock: FrozenClock) -> Write:
    async def write_numbered(*ids: int, orders: int = 0) -> None:
        async with alone.begin() as tx:
            for variant_id in ids:
                event = PriceChanged(variant_ids=[variant_id])
                await write_event(tx, shop_id=shop.id, event=event, now=clock.now())
            for order_id in range(orders):
                await tx.run(
                    "select write_event(%s, 'package.packed', %s, jsonb_build_object('package_id', 1), now())",
                    (shop.id, order_id),
                )
        async with alone.begin() as tx:
            await number_events(tx, shop_id=shop.id)

    return write_numbered


class Notes:
    """A consumer that writes down each price's variant, in the transaction that it is given."""

    def __init__(self, name: str = "notes") -> None:
        self.consumer = Consumer(name=name, topics=("price",), take=self.take)
        self.fails: Exception | None = None
        self.before_end: Callable[[], Awaitable[None]] | None = None

    async def take(self, tx: Transaction, *, batch: Batch, now: datetime) -> None:
        await tx.run(
            "create table if not exists notes (id bigint generated always as identity, n bigint)"
        )
        for event in batch.events:
            payload = event.decode()
            assert isinstance(payload, PriceChanged)
            await tx.run("insert into notes (n) values (%s)", (payload.variant_ids[0],))
        if self.before_end:
            await self.before_end()
        if self.fails:
            raise self.fails

    async def read(self, database: Database) -> list[int]:
        async with database.statement() as tx:
            if not await tx.value("select to_regclass('notes') is not null"):
                return []
            return [n for (n,) in await tx.all("select n from notes order by id")]


async def _places(database: Database) -> list[Place]:
    async with database.statement() as tx:
        return await list_places(tx)


async def test_gets_the_events_of_its_topics_once_and_in_order(alone, clock, write) -> None:
    notes = Notes()
    await write(1, 2, orders=2)
    await write(3)

    assert await run_consumers(alone, consumers=[notes.consumer], now=clock.now()) == 3
    assert await run_consumers(alone, consumers=[notes.consumer], now=clock.now()) == 0
    await write(4)
    assert await run_consumers(alone, consumers=[notes.consumer], now=clock.now()) == 1

    assert await notes.read(alone) == [1, 2, 3, 4]


async def test_moves_past_what_is_none_of_its_topics(alone, shop, clock, write) -> None:
    notes = Notes()
    await write(orders=3)
    assert await run_consumers(alone, consumers=[notes.consumer], now=clock.now()) == 0
    (place,) = await _places(alone)
    assert (place.shop, place.consumer, place.position, place.behind) == (shop.slug, "notes", 3, 0)

    await write(1, orders=1)
    (place,) = await _places(alone)
    assert place.behind == 2
    async with alone.statement() as tx:
        assert await count_unread(tx) == {"notes": 2}


async def test_goes_on_where_a_full_batch_ended(alone, shop, clock, write) -> None:
    notes = Notes()
    await write(1, 2, 3, 4, 5, orders=2)
    seen = []
    for _ in range(3):
        async with alone.begin() as tx:
            batch = await read_new(tx, shop_id=shop.id, consumer=notes.consumer, limit=2)
            assert batch is not None
            await advance(tx, batch=batch, consumer=notes.consumer, now=clock.now())
            seen.append((batch.upto, [event.sequence for event in batch.events]))
    assert seen == [(2, [1, 2]), (4, [3, 4]), (7, [5])]


async def test_that_takes_a_part_gets_the_rest_in_another_transaction(
    alone: Database, clock: FrozenClock, write: Write
) -> None:
    taken: list[list[int]] = []

    async def take(tx: Transaction, *, batch: Batch, now: datetime) -> int | None:
        taken.append([event.sequence for event in batch.events])
        return batch.events[1].sequence if len(batch.events) > 2 else None

    consumer = Consumer(name="parts", topics=("price",), take=take)
    await write(1, 2, 3, 4, 5)
    while await run_consumers(alone, consumers=[consumer], now=clock.now()):
        pass

    assert taken == [[1, 2, 3, 4, 5], [3, 4, 5], [5]]


async def test_that_fails_leaves_nothing_and_gets_the_same_again_later(alone, clock, write) -> None:
    notes, other = Notes(), Notes("other")
    notes.fails = RuntimeError("no room for Bearer abcdefghijklmnopqrstuvwxyz0123456789")
    await write(1)

    for failures, wait_s in ((1, 1), (2, 5), (3, 30), (4, 60), (5, 300), (6, 300)):
        await run_consumers(alone, consumers=[notes.consumer], now=clock.now())
        (place,) = await _places(alone)
        assert (place.position, place.failures) == (0, failures)
        assert place.next_attempt_at == clock.now() + timedelta(seconds=wait_s)
        assert place.last_error.startswith("RuntimeError('no room for")
        assert "abcdefghijklmnop" not in place.last_error
        await run_consumers(alone, consumers=[notes.consumer], now=clock.now())
        assert (await _places(alone))[0].failures == failures
        clock.move(timedelta(seconds=wait_s))
    assert await notes.read(alone) == []
    async with alone.statement() as tx:
        (alert,) = await list_alerts(tx)
    assert (alert.kind, alert.subject) == ("consumer_stuck", "notes")

    assert await run_consumers(alone, consumers=[other.consumer], now=clock.now()) == 1
    notes.fails = None
    assert await run_consumers(alone, consumers=[notes.consumer], now=clock.now()) == 1
    assert await notes.read(alone) == [1, 1]
    assert [
        (p.position, p.failures, p.last_error, p.next_attempt_at) for p in await _places(alone)
    ] == [
        (1, 0, "", None),
        (1, 0, "", None),
    ]


class Choosy:
    """A consumer of parcels that cannot take those of some orders; it notes the orders of the others."""

    def __init__(self, *bad: int) -> None:
        self.bad = set(bad)
        self.consumer = Consumer(name="choosy", topics=("orders",), take=self.take)

    async def take(self, tx: Transaction, *, batch: Batch, now: datetime) -> None:
        await tx.run(
            "create table if not exists notes (id bigint generated always as identity, n bigint)"
        )
        for event in batch.events:
            await tx.run("insert into notes (n) values (%s)", (event.subject_id,))
            if event.subject_id in self.bad:
                raise RuntimeError(f"order {event.subject_id}")

    async def run(self, database: Database, clock: FrozenClock) -> None:
        while await run_consumers(database, consumers=[self.consumer], now=clock.now()):
            pass


async def _alerts(database: Database) -> list[tuple[str, str]]:
    async with database.statement() as tx:
        return [(each.kind, each.subject) for each in await list_alerts(tx)]


async def test_that_cannot_take_one_order_s_goes_on_with_the_others_in_order(
    alone: Database, clock: FrozenClock, write: Write
) -> None:
    notes, choosy = Notes(), Choosy(1)
    await write(orders=4)
    await choosy.run(alone, clock)
    assert (await _places(alone))[0].failures == 1
    clock.move(timedelta(seconds=1))

    await choosy.run(alone, clock)
    assert await notes.read(alone) == [0, 2, 3]
    assert await _alerts(alone) == [("event_set_aside", "choosy orders:1")]
    (place,) = await _places(alone)
    assert (place.behind, place.set_aside, place.failures) == (0, 1, 0)
    async with alone.statement() as tx:
        assert await count_unread(tx) == {"choosy": 1}

    await write(orders=4)
    await choosy.run(alone, clock)
    assert await notes.read(alone) == [0, 2, 3, 0, 2, 3]
    assert (await _places(alone))[0].set_aside == 2
    choosy.bad.clear()
    for wait_s in (1, 5):
        clock.move(timedelta(seconds=wait_s))
        await choosy.run(alone, clock)
    assert await notes.read(alone) == [0, 2, 3, 0, 2, 3, 1, 1]
    (place,) = await _places(alone)
    assert (place.behind, place.set_aside) == (0, 0)


async def test_tries_what_is_set_aside_again_after_longer_and_longer_waits(
    alone: Database, clock: FrozenClock, write: Write
) -> None:
    choosy = Choosy(0)
    await write(orders=2)
    await choosy.run(alone, clock)
    clock.move(timedelta(seconds=1))
    await choosy.run(alone, clock)
    for failures, wait_s in ((1, 1), (2, 5), (3, 30), (4, 60), (5, 300), (6, 300)):
        async with alone.statement() as tx:
            row = await tx.one("select failures, last_error, next_attempt_at from event_backlog")
        assert row == (failures, "RuntimeError('order 0')", clock.now() + timedelta(seconds=wait_s))
        await choosy.run(alone, clock)
        clock.move(timedelta(seconds=wait_s))
        await choosy.run(alone, clock)
    assert await Notes().read(alone) == [1]


class Sipping:
    """A consumer that takes each price in three parts, in calls of their own, and remembers how many it took."""

    def __init__(self) -> None:
        self.fails = 0
        self.bad: set[int] = set()
        self.consumer = Consumer(name="sipping", topics=("price",), take=self.take)

    async def take(self, tx: Transaction, *, batch: Batch, now: datetime) -> int | None:
        await tx.run(
            "create table if not exists notes (id bigint generated always as identity, n bigint)"
        )
        first = batch.events[0].sequence
        if self.fails:
            self.fails -= 1
            raise RuntimeError("a lock was not given")
        await tx.run("insert into notes (n) values (%s)", (first,))
        parts = await tx.value("select count(*) from notes where n = %s", (first,))
        if first in self.bad:
            raise RuntimeError(f"number {first}")
        return first if parts == 3 else first - 1

    async def run(self, database: Database, clock: FrozenClock) -> None:
        while await run_consumers(database, consumers=[self.consumer], now=clock.now()):
            pass


async def test_that_takes_an_event_in_parts_gets_all_of_them_after_a_failure(
    alone: Database, clock: FrozenClock, write: Write
) -> None:
    sipping = Sipping()
    sipping.fails = 1
    await write(1, 2, 3)
    await sipping.run(alone, clock)
    clock.move(timedelta(seconds=1))
    sipping.bad = {2}
    await sipping.run(alone, clock)
    assert await Notes().read(alone) == [1, 1, 1, 3, 3, 3]

    sipping.bad.clear()
    clock.move(timedelta(seconds=1))
    await sipping.run(alone, clock)
    assert await Notes().read(alone) == [1, 1, 1, 3, 3, 3, 2, 2, 2]
    (place,) = await _places(alone)
    assert (place.behind, place.set_aside, place.failures) == (0, 0, 0)


async def test_that_can_take_nothing_sets_nothing_aside(
    alone: Database, clock: FrozenClock, write: Write
) -> None:
    choosy = Choosy(0, 1, 2)
    await write(orders=3)
    for wait_s in (1, 5, 30, 60, 300):
        await choosy.run(alone, clock)
        clock.move(timedelta(seconds=wait_s))
    (place,) = await _places(alone)
    assert (place.behind, place.set_aside, place.failures) == (3, 0, 5)
    assert await _alerts(alone) == [("consumer_stuck", "choosy")]


async def test_is_at_work_in_one_worker_while_others_pass_on(alone, clock, write) -> None:
    notes, begun, go_on = Notes(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await go_on.wait()

    async def run() -> int:
        return await run_consumers(alone, consumers=[notes.consumer], now=clock.now())

    await write(1)
    assert await run() == 1
    await write(2, 3)
    notes.before_end = wait
    first = asyncio.create_task(run())
    await begun.wait()

    assert await run() == 0
    go_on.set()
    assert await first == 2
    assert await notes.read(alone) == [1, 2, 3]


async def test_skips_and_repeats_nothing_while_writers_numberers_and_workers_race(
    alone, shop, clock, write
) -> None:
    notes = Notes()
    await write(0)
    assert await run_consumers(alone, consumers=[notes.consumer], now=clock.now()) == 1
    total = 60

    async def write_some(start: int) -> None:
        for number in range(start, total + 1, 3):
            async with alone.begin() as tx:
                event = PriceChanged(variant_ids=[number])
                await write_event(tx, shop_id=shop.id, event=event, now=clock.now())

    async def work() -> None:
        while len(await notes.read(alone)) < total + 1:
            async with alone.statement() as tx:
                await number_events(tx, shop_id=shop.id)
            await run_consumers(alone, consumers=[notes.consumer], now=clock.now())

    async with asyncio.timeout(60):
        await asyncio.gather(*(write_some(start) for start in (1, 2, 3)), work(), work())

    async with alone.statement() as tx:
        written = await tx.all("select payload -> 'variant_ids' -> 0 from events order by sequence")
    assert await notes.read(alone) == [n for (n,) in written]
    assert sorted(await notes.read(alone)) == list(range(total + 1))
