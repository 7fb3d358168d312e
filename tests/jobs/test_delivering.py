"""The worker's loop: what is due goes out, side by side, and what is under way is handed back."""

import asyncio
import contextlib
from collections import Counter

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import DatabaseUnavailable
from crossdock.jobs.delivering import AT_ONCE, Sender
from crossdock.kit.outbound import Outbound
from crossdock.shop.deliveries import Delivering, DeliveryKind, DeliveryKinds, queue_delivery
from tests.shop.deliveries.conftest import KIND, Poster, Receiver
from tests.support.factories import make_shop
from tests.support.simulators.http import Hang, Reply


@pytest.fixture
async def receiver():
    async with Receiver() as server:
        yield server


@pytest.fixture
async def engine(empty_database_url, clock, receiver):
    """An engine in a database of its own, whose turns come by the database's clock."""
    database = Database(empty_database_url, min_size=1, max_size=8)
    await database.open()
    async with Outbound(allowed_hosts=["127.0.0.1"]) as outbound:
        kind = DeliveryKind(
            name=KIND, build=Poster(outbound, receiver).build, waits_s=(0, 0), calls_per_target=4
        )
        yield Delivering(db=database, clock=clock, kinds=DeliveryKinds([kind]))
    await database.close()


@pytest.fixture
def queue(engine):
    """Queue so many deliveries to a target of a shop."""

    async def put(target: str, count: int) -> None:
        async with engine.db.begin() as tx:
            shop = await make_shop(tx)
            for number in range(count):
                await queue_delivery(
                    tx,
                    shop_id=shop.id,
                    kind=KIND,
                    target=target,
                    subject_id=number,
                    payload={"number": number},
                    now=engine.clock.now(),
                )

    return put


async def _statuses(engine, target) -> Counter[str]:
    async with engine.db.statement() as tx:
        rows = await tx.all("select status from deliveries where target = %s", (target,))
    return Counter(row[0] for row in rows)


async def _until(engine, target, **wanted: int) -> None:
    async with asyncio.timeout(20):
        while await _statuses(engine, target) != wanted:
            await asyncio.sleep(0.05)


async def test_a_slow_target_holds_no_other(engine, queue, receiver):
    receiver.moods["slow"] = [Hang() for _ in range(AT_ONCE * 2)]
    await queue("slow", AT_ONCE * 2)
    await queue("fast", AT_ONCE * 2)
    sender = Sender(engine)
    running = asyncio.create_task(sender.run())
    await _until(engine, "fast", sent=AT_ONCE * 2)
    assert await _statuses(engine, "slow") == {"sending": 4, "queued": AT_ONCE * 2 - 4}
    sender.stop()
    await running
    await sender.finish(0)
    assert await _statuses(engine, "slow") == {"queued": AT_ONCE * 2}


async def test_two_workers_send_everything_once_through_failures(engine, queue, receiver):
    receiver.moods["a"] = [Reply(503)] * 20
    await queue("a", 60)
    await queue("b", 60)
    senders = [Sender(engine), Sender(msgspec.structs.replace(engine))]
    running = [asyncio.create_task(sender.run()) for sender in senders]
    await _until(engine, "a", sent=60)
    await _until(engine, "b", sent=60)
    for sender in senders:
        sender.stop()
    await asyncio.gather(*running)
    arrived = Counter(request.headers["delivery-id"] for request in receiver.requests)
    assert len(arrived) == 120
    assert arrived.total() == 140
    async with engine.db.statement() as tx:
        log = await tx.all("select outcome, count(*) from delivery_attempts group by outcome")
    assert dict(log) == {"sent": 120, "queued": 20}


async def test_what_is_under_way_may_end_within_the_grace(engine, queue, receiver):
    answered = asyncio.Event()

    async def wait(_request):
        await answered.wait()
        return Reply(200, {"id": 1})

    receiver._handler = wait
    await queue("a", 3)
    sender = Sender(engine)
    running = asyncio.create_task(sender.run())
    await _until(engine, "a", sending=3)
    while len(receiver.requests) < 3:
        await asyncio.sleep(0.01)
    sender.stop()
    await running
    finishing = asyncio.create_task(sender.finish(20))
    answered.set()
    await finishing
    assert await _statuses(engine, "a") == {"sent": 3}


async def test_it_goes_on_after_the_database_was_away(engine, queue, receiver):
    sender = Sender(engine)
    running = asyncio.create_task(sender.run())
    async with engine.db.statement() as tx:
        await tx.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    for _ in range(20):  # this test's own connections were cut as well
        with contextlib.suppress(DatabaseUnavailable):
            await queue("a", 3)
            break
    await _until(engine, "a", sent=3)
    sender.stop()
    await running


async def test_it_claims_again_once_one_in_four_is_done(engine, queue, receiver, monkeypatch):
    monkeypatch.setattr("crossdock.jobs.delivering.GATHER_S", 60.0)
    monkeypatch.setattr("crossdock.jobs.delivering.POLL_S", 60.0)
    held = asyncio.Event()

    async def hold_three(_request):
        if len(receiver.requests) <= 3:
            await held.wait()
        return Reply(200, {"id": 1})

    receiver._handler = hold_three
    await queue("a", 9)
    sender = Sender(engine)
    running = asyncio.create_task(sender.run())
    await _until(engine, "a", sending=3, sent=6)
    sender.stop()
    held.set()
    await running
    await _until(engine, "a", sent=9)
