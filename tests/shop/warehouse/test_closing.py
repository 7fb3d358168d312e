"""Closing an order short..."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crossdock.errors import NotFound, Refused
from crossdock.shop.orders import cancel_order, run_releases
from crossdock.shop.warehouse import (
    Consignment,
    close_short,
    pack_lines,
    pick_lines,
    ship_package,
    unpack_package,
)
from tests.support.locks import waiting_for_a_lock
from tests.support.warehousing import Warehouse, differences


async def lines(warehouse: Warehouse, order_id: int) -> list[tuple[str, int, int, int]]:
    """The state of each line, and how many of it are picked, shipped and cancelled."""
    order = await warehouse.read(order_id)
    return [(line.state, line.picked, line.shipped, line.cancelled) for line in order.lines]


async def test_cancels_what_has_not_left_and_releases_its_stock(warehouse: Warehouse) -> None:
    one, two, three = [await warehouse.variant(own=9) for _ in range(3)]
    order_id = await warehouse.enter((one, 2), (two, 5), (three, 3))
    await warehouse.ship_all(order_id, {1: 2, 2: 1})

    closed = await warehouse.close(order_id, reason="sold out")

    assert (closed.state, closed.cancelled) == ("shipped", {2: 4, 3: 3})
    assert (closed.amount_minor, closed.given_back) == (0, "")
    assert await warehouse.state(order_id) == "shipped"
    assert await lines(warehouse, order_id) == [
        ("shipped", 2, 2, 0),
        ("shipped", 1, 1, 4),
        ("cancelled", 0, 0, 3),
    ]
    assert [await warehouse.level(good) for good in (one, two, three)] == [
        (7, 0, 7),
        (8, 0, 8),
        (9, 0, 9),
    ]
    assert (await warehouse.entries(two))[-1] == ("uncommit", 0, -4)
    assert (await warehouse.events(order_id))[-4:] == [
        "order.lines_moved",
        "order.lines_moved",
        "order.shipped",
        "order.closed",
    ]
    async with warehouse.db.statement() as tx:
        told = await tx.value(
            "select payload from events where subject_id = %s and kind = 'order.closed'",
            (order_id,),
        )
        assert told == {"lines": {"2": 4, "3": 3}, "reason": "sold out"}
        assert await differences(tx, after_shop=warehouse.shop.id - 1) == []


@pytest.mark.parametrize("step", ["waiting", "reserved", "released", "started", "picked"])
async def test_cancels_an_order_of_which_nothing_has_left(warehouse: Warehouse, step: str) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter(
        (good, 6 if step == "reserved" else 3), release=step != "waiting"
    )
    if step == "started":
        await warehouse.start(order_id)
    if step == "picked":
        await warehouse.pick(order_id, {1: 2})
        await warehouse.scan(order_id, 1, "A", "B")

    closed = await warehouse.close(order_id)

    asked = (await warehouse.read(order_id)).lines[0].quantity
    assert (closed.state, closed.cancelled) == ("cancelled", {1: asked})
    assert await warehouse.state(order_id) == "cancelled"
    assert await lines(warehouse, order_id) == [("cancelled", 0, 0, asked)]
    assert await warehouse.level(good) == (5, 0, 5)
    assert await warehouse.serials(order_id) == {}
    assert (await warehouse.events(order_id))[-1] == "order.cancelled"


async def test_puts_what_is_picked_back_on_the_shelf(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 5))
    await warehouse.ship_all(order_id, {1: 2})
    await warehouse.pick(order_id, {1: 2})

    assert (await warehouse.close(order_id)).cancelled == {1: 3}

    assert await lines(warehouse, order_id) == [("shipped", 2, 2, 3)]
    assert await warehouse.level(good) == (3, 0, 3)
    later = await warehouse.enter((good, 3))
    await warehouse.ship_all(later, {1: 3})


async def test_waits_for_a_package_to_leave_or_be_opened(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 5))
    await warehouse.ship_all(order_id, {1: 1})
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 1})
    before = await warehouse.everything()

    with pytest.raises(Refused, match=f"Package {package_id} is packed") as refusal:
        await warehouse.close(order_id)

    assert refusal.value.code == "order_state"
    assert await warehouse.everything() == before
    await warehouse.unpack(package_id)
    assert (await warehouse.close(order_id)).cancelled == {1: 4}


async def test_twice_is_done_once(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=9)
    partly, untouched, whole = [await warehouse.enter((good, 3)) for _ in range(3)]
    await warehouse.ship_all(partly, {1: 1})
    await warehouse.ship_all(whole, {1: 3})
    await warehouse.close(partly)
    await warehouse.close(untouched)
    before = await warehouse.everything()

    for order_id, state in ((partly, "shipped"), (untouched, "cancelled"), (whole, "shipped")):
        closed = await warehouse.close(order_id)
        assert (closed.state, closed.cancelled) == (state, {})

    assert await warehouse.everything() == before


async def test_is_the_end_of_the_work(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 3))
    await warehouse.ship_all(order_id, {1: 1})
    await warehouse.close(order_id)
    before = await warehouse.everything()

    for work in (
        warehouse.pick(order_id, {1: 1}),
        warehouse.unpick(order_id),
        warehouse.pack(order_id, {1: 1}),
        warehouse.cancel(order_id),
        warehouse.release(order_id),
    ):
        with pytest.raises(Refused):
            await work

    assert await warehouse.everything() == before


async def test_completes_an_order_whose_packages_have_arrived(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=9)
    first, second = [await warehouse.enter((good, 3)) for _ in range(2)]
    for order_id in (first, second):
        package_id = await warehouse.ship_all(order_id, {1: 1})
        if order_id == first:
            await warehouse.see(package_id, "delivered")

    assert (await warehouse.close(first)).state == "completed"
    assert (await warehouse.close(second)).state == "shipped"
    await warehouse.see(package_id, "delivered")

    assert [await warehouse.state(order) for order in (first, second)] == ["completed"] * 2


async def test_counts_what_came_back_whole_as_returned(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=9)
    order_id = await warehouse.enter((good, 3), (good, 2))
    await warehouse.ship_all(order_id, {1: 1, 2: 1})
    await warehouse.take_in(await warehouse.announce(order_id, {1: 1}), {1: 1})

    await warehouse.close(order_id)
    assert [state for state, *_ in await lines(warehouse, order_id)] == ["returned", "shipped"]
    await warehouse.take_in(await warehouse.announce(order_id, {2: 1}), {2: 1})

    assert [state for state, *_ in await lines(warehouse, order_id)] == ["returned", "returned"]
    assert await warehouse.level(good) == (9, 0, 9)


async def test_gives_the_stock_to_who_waits_for_it(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=4)
    order_id = await warehouse.enter((good, 4))
    await warehouse.ship_all(order_id, {1: 1})
    waiting = await warehouse.enter((good, 3))
    assert await warehouse.state(waiting) == "reserved"

    await warehouse.close(order_id)

    await run_releases(warehouse.db, now=warehouse.clock.now())
    assert await warehouse.state(waiting) == "processing"


async def test_releases_the_share_of_each_pool(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=2, supplier=2)
    order_id = await warehouse.enter((good, 4), take="own_first")
    await warehouse.ship_all(order_id, {1: 3})

    await warehouse.close(order_id)

    async with warehouse.db.statement() as tx:
        levels = await tx.all(
            "select pool, on_hand, committed from stock_levels where variant_id = %s order by pool",
            (good,),
        )
        assert levels == [("own", 0, 0), ("supplier", 1, 0)]
        assert await differences(tx, after_shop=warehouse.shop.id - 1) == []


async def test_another_shops_order_looks_like_an_unknown_one(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    before = await warehouse.everything()
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for unknown in (order_id, 999_999_999):
        with pytest.raises(NotFound) as refusal:
            await other.close(unknown)
        assert refusal.value.code == "order_not_found"

    assert await warehouse.everything() == before


@pytest.mark.parametrize("is_at_work", [True, False])
async def test_what_an_outside_system_has_is_refused(
    warehouse: Warehouse, is_at_work: bool
) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    if is_at_work:
        await warehouse.start(order_id)
    async with warehouse.db.begin() as tx:
        await tx.run(
            "insert into deliveries (shop_id, subject_id, kind, target, status, result, queued_at,"
            " sent_at, updated_at)"
            " values (%s, %s, 'dispatch', 'out', 'sent', 'X1', now(), now(), now())",
            (warehouse.shop.id, order_id),
        )
    before = await warehouse.everything()

    with pytest.raises(Refused, match="with out"):
        await warehouse.close(order_id)

    assert await warehouse.everything() == before


@pytest.mark.races
async def test_waits_for_who_ships_and_cancels_what_is_left(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 5))
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 2})
    async with warehouse.db.begin() as shipper:
        gone = Consignment(carrier="demo", tracking_number="T1", tracking_url="")
        await ship_package(shipper, package_id=package_id, consignment=gone, **_shop(warehouse))
        late = asyncio.create_task(warehouse.close(order_id))
        await waiting_for_a_lock(warehouse.db, behind=shipper)

    assert (await late).cancelled == {1: 3}
    assert await lines(warehouse, order_id) == [("shipped", 2, 2, 3)]
    assert await warehouse.level(good) == (3, 0, 3)


@pytest.mark.races
async def test_waits_for_who_packs_and_is_refused(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=5), 3))
    await warehouse.pick(order_id, {1: 3})
    async with warehouse.db.begin() as packer:
        await pack_lines(packer, order_id=order_id, quantities={1: 1}, **_shop(warehouse))
        late = asyncio.create_task(warehouse.close(order_id))
        await waiting_for_a_lock(warehouse.db, behind=packer)

    with pytest.raises(Refused, match="is packed"):
        await late


@pytest.mark.races
async def test_waits_for_who_un_packs_and_closes(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))
    await warehouse.pick(order_id, {1: 3})
    package_id = await warehouse.pack(order_id, {1: 3})
    async with warehouse.db.begin() as clerk:
        await unpack_package(clerk, package_id=package_id, **_shop(warehouse))
        late = asyncio.create_task(warehouse.close(order_id))
        await waiting_for_a_lock(warehouse.db, behind=clerk)

    assert (await late).state == "cancelled"
    assert await warehouse.level(good) == (5, 0, 5)


@pytest.mark.races
@pytest.mark.parametrize("work", ["pick", "pack", "cancel", "close", "release", "unpick"])
async def test_is_waited_for(warehouse: Warehouse, work: str) -> None:
    good = await warehouse.variant(own=9)
    order_id = await warehouse.enter((good, 5))
    await warehouse.ship_all(order_id, {1: 2})
    await warehouse.pick(order_id, {1: 1})
    late_work: Callable[[], Awaitable[Any]] = {
        "pick": lambda: warehouse.pick(order_id, {1: 1}),
        "pack": lambda: warehouse.pack(order_id, {1: 1}),
        "unpick": lambda: warehouse.unpick(order_id, {1: 1}),
        "cancel": lambda: warehouse.cancel(order_id),
        "close": lambda: warehouse.close(order_id),
        "release": lambda: warehouse.release(order_id),
    }[work]
    async with warehouse.db.begin() as clerk:
        await close_short(clerk, order_id=order_id, **_shop(warehouse))
        late = asyncio.ensure_future(late_work())
        await waiting_for_a_lock(warehouse.db, behind=clerk)

    if work == "close":
        assert (await late).cancelled == {}
    else:
        with pytest.raises(Refused):
            await late
    assert await lines(warehouse, order_id) == [("shipped", 2, 2, 3)]
    assert await warehouse.level(good) == (7, 0, 7)


@pytest.mark.races
async def test_waits_for_who_cancels(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=9)
    order_id = await warehouse.enter((good, 5))
    async with warehouse.db.begin() as clerk:
        await cancel_order(clerk, order_id=order_id, **_shop(warehouse))
        late = asyncio.create_task(warehouse.close(order_id))
        await waiting_for_a_lock(warehouse.db, behind=clerk)

    assert ((await late).state, (await late).cancelled) == ("cancelled", {})
    assert await warehouse.level(good) == (9, 0, 9)


@pytest.mark.races
async def test_waits_for_who_picks_and_puts_it_back(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=9)
    order_id = await warehouse.enter((good, 5))
    async with warehouse.db.begin() as picker:
        await pick_lines(picker, order_id=order_id, quantities={1: 2}, **_shop(warehouse))
        late = asyncio.create_task(warehouse.close(order_id))
        await waiting_for_a_lock(warehouse.db, behind=picker)

    assert (await late).state == "cancelled"
    assert await lines(warehouse, order_id) == [("cancelled", 0, 0, 5)]
    assert await warehouse.level(good) == (9, 0, 9)


def _shop(warehouse: Warehouse) -> dict[str, Any]:
    return {"shop_id": warehouse.shop.id, "now": warehouse.clock.now()}
