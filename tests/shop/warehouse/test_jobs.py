"""What the running worker does for the warehouse by itself."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.jobs.schedules import scheduled_names
from crossdock.kit.clock import FrozenClock, SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.events import defer_job
from crossdock.shop.warehouse import Booking, create_carriers, receive_variant, ship_with_carrier
from tests.support.warehousing import Warehouse


@pytest.fixture
async def warehouse(server_database: Database, clock: FrozenClock) -> Warehouse:
    return await Warehouse.open(server_database, clock)


async def _until(question: Callable[[], Awaitable[bool]]) -> bool:
    for _ in range(100):
        if await question():
            return True
        await asyncio.sleep(0.1)
    return False


def test_both_runs_are_scheduled() -> None:
    assert {"run_releases", "poll_carriers"} <= set(scheduled_names())


async def test_a_receipt_releases_the_order_that_waits_for_it(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=0)
    order_id = await warehouse.enter((good, 2))
    assert await warehouse.state(order_id) == "reserved"

    async with warehouse.db.begin() as tx:
        await receive_variant(
            tx, shop_id=warehouse.shop.id, variant_id=good, quantity=2, now=warehouse.clock.now()
        )

    async def released() -> bool:
        return await warehouse.state(order_id) == "processing"

    assert await _until(released)


async def test_carriers_are_asked(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})
    now = SystemClock()
    carriers = create_carriers(
        ids=RandomIds(), clock=now, follow_url="http://127.0.0.1:8000/track/"
    )
    booking = Booking(db=warehouse.db, clock=now, carriers=carriers)
    await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)

    async with warehouse.db.begin() as tx:
        await defer_job(tx, task="poll_carriers", queue="default", args={"timestamp": 0})

    async def seen() -> bool:
        async with warehouse.db.statement() as tx:
            found = "select code from checkpoints where package_id = %s"
            return await tx.all(found, (package_id,)) == [("booked",)]

    assert await _until(seen)
