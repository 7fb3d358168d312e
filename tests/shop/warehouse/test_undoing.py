"""Un-picking and un-packing..."""

import asyncio
import time
from typing import Any

import pytest

from crossdock.errors import Invalid, NotFound, Refused
from crossdock.shop.warehouse import (
    Consignment,
    list_work,
    pack_lines,
    pick_lines,
    ship_package,
    unpack_package,
    unpick_lines,
)
from tests.support.locks import WAIT_S, waiting_for_a_lock
from tests.support.warehousing import Warehouse


async def test_goes_back_as_far_as_an_order_that_can_be_cancelled(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))
    before = await warehouse.level(good)
    await warehouse.pick(order_id, {1: 3})
    package_id = await warehouse.pack(order_id, {1: 2})

    assert await warehouse.unpack(package_id)
    assert await warehouse.state(order_id) == "in_fulfilment"
    assert await warehouse.unpick(order_id, {1: 1}) == {1: 1}
    assert (await warehouse.read(order_id)).lines[0].picked == 2
    assert await warehouse.unpick(order_id) == {1: 2}

    order = await warehouse.read(order_id)
    assert (order.fulfilment_state, order.lines[0].picked) == ("processing", 0)
    assert [package.state for package in order.packages] == ["cancelled"]
    assert await warehouse.level(good) == before
    assert (await warehouse.events(order_id))[4:] == [
        "package.unpacked",
        "order.unpicked",
        "order.unpicked",
        "order.released",
    ]
    await warehouse.cancel(order_id)
    assert await warehouse.level(good) == (5, 0, 5)


async def test_goes_forward_again_afterwards(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))
    await warehouse.pick(order_id, {1: 3})
    await warehouse.unpack(await warehouse.pack(order_id, {1: 3}))
    await warehouse.unpick(order_id)

    await warehouse.ship_all(order_id, {1: 3})

    assert await warehouse.state(order_id) == "shipped"
    assert await warehouse.level(good) == (2, 0, 2)


async def test_done_twice_is_done_once(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 2})
    await warehouse.unpack(package_id)
    opened = await warehouse.everything()
    assert not await warehouse.unpack(package_id)
    assert await warehouse.everything() == opened

    await warehouse.unpick(order_id)
    put_back = await warehouse.everything()
    assert await warehouse.unpick(order_id) == {}
    assert await warehouse.everything() == put_back


async def test_an_order_that_was_only_started_is_released_again(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.start(order_id)

    assert await warehouse.unpick(order_id) == {}

    assert await warehouse.state(order_id) == "processing"


async def test_what_is_packed_is_unpacked_first(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 3))
    await warehouse.pick(order_id, {1: 3})
    await warehouse.pack(order_id, {1: 2})
    before = await warehouse.everything()

    for wrong in ({1: 2}, {2: 1}, {1: 0}, {1: -1}, {}, {1: 10**30}):
        with pytest.raises(Invalid) as refusal:
            await warehouse.unpick(order_id, wrong)
        assert refusal.value.code == "invalid_input"
        assert await warehouse.everything() == before

    with pytest.raises(Invalid, match="unpack its package first"):
        await warehouse.unpick(order_id, {1: 2})
    assert await warehouse.unpick(order_id) == {1: 1}
    assert await warehouse.state(order_id) == "in_fulfilment"


async def test_what_has_left_stays_gone(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 3))
    package_id = await warehouse.ship_all(order_id, {1: 1})
    await warehouse.pick(order_id, {1: 2})
    with pytest.raises(Refused, match="announce a return") as refusal:
        await warehouse.unpack(package_id)
    assert refusal.value.code == "order_state"

    assert await warehouse.unpick(order_id) == {1: 2}

    order = await warehouse.read(order_id)
    assert (order.fulfilment_state, order.lines[0].picked, order.lines[0].shipped) == (
        "partially_shipped",
        1,
        1,
    )
    await warehouse.ship_all(order_id, {1: 2})
    with pytest.raises(Refused):
        await warehouse.unpick(order_id)


async def test_serials_beyond_what_is_picked_are_forgotten(warehouse: Warehouse) -> None:
    good = await warehouse.variant()
    order_id = await warehouse.enter((good, 3), (good, 1))
    await warehouse.pick(order_id, {1: 3, 2: 1})
    await warehouse.scan(order_id, 1, "A", "B", "C")
    await warehouse.scan(order_id, 2, "D")

    await warehouse.unpick(order_id, {1: 2})

    assert await warehouse.serials(order_id) == {1: ["A"], 2: ["D"]}


async def test_another_shops_work_looks_like_an_unknown_one(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 1})
    before = await warehouse.everything()
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for work in (other.unpick(order_id), other.unpack(package_id), other.unpack(999_999_999)):
        with pytest.raises(NotFound):
            await work

    assert await warehouse.everything() == before


async def test_what_an_outside_system_has_is_not_released_here(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.start(order_id)
    async with warehouse.db.begin() as tx:
        await tx.run(
            "insert into deliveries (shop_id, subject_id, kind, target, status, result, queued_at,"
            " sent_at, updated_at)"
            " values (%s, %s, 'dispatch', 'out', 'sent', 'X1', now(), now(), now())",
            (warehouse.shop.id, order_id),
        )

    with pytest.raises(Refused, match="with out"):
        await warehouse.unpick(order_id)

    assert await warehouse.state(order_id) == "in_fulfilment"


@pytest.mark.races
async def test_un_picking_waits_for_a_packer_and_sees_the_package(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 3))
    await warehouse.pick(order_id, {1: 3})
    async with warehouse.db.begin() as packer:
        await pack_lines(packer, quantities={1: 2}, **_place(warehouse, order_id))
        late = asyncio.create_task(warehouse.unpick(order_id, {1: 2}))
        await waiting_for_a_lock(warehouse.db, behind=packer)

    with pytest.raises(Invalid, match="has 1 picked and not packed"):
        await late
    assert (await warehouse.read(order_id)).lines[0].picked == 3


@pytest.mark.races
async def test_packing_waits_for_un_picking_and_packs_no_more(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 3))
    await warehouse.pick(order_id, {1: 3})
    async with warehouse.db.begin() as clerk:
        await unpick_lines(clerk, quantities={1: 2}, **_place(warehouse, order_id))
        late = asyncio.create_task(warehouse.pack(order_id, {1: 2}))
        await waiting_for_a_lock(warehouse.db, behind=clerk)

    with pytest.raises(Invalid, match="has 1 picked and not packed"):
        await late
    assert (await warehouse.read(order_id)).packages == ()


@pytest.mark.races
async def test_picking_waits_for_a_picker_and_picks_no_more(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 3))
    async with warehouse.db.begin() as picker:
        await pick_lines(picker, quantities={1: 2}, **_place(warehouse, order_id))
        late = asyncio.create_task(warehouse.pick(order_id, {1: 2}))
        await waiting_for_a_lock(warehouse.db, behind=picker)

    with pytest.raises(Invalid, match="left to pick"):
        await late
    assert (await warehouse.read(order_id)).lines[0].picked == 2


@pytest.mark.races
async def test_shipping_waits_for_un_packing_and_is_refused(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 2))
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 2})
    async with warehouse.db.begin() as clerk:
        shop_id, now = warehouse.shop.id, warehouse.clock.now()
        assert await unpack_package(clerk, shop_id=shop_id, package_id=package_id, now=now)
        late = asyncio.create_task(warehouse.ship(package_id))
        await waiting_for_a_lock(warehouse.db, behind=clerk)

    with pytest.raises(Refused):
        await late
    assert await warehouse.level(good) == (5, 2, 3)


@pytest.mark.races
async def test_un_packing_waits_for_shipping_and_is_refused(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 2))
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 2})
    async with warehouse.db.begin() as shipper:
        gone = Consignment(carrier="demo", tracking_number="T1", tracking_url="")
        await ship_package(
            shipper,
            shop_id=warehouse.shop.id,
            package_id=package_id,
            consignment=gone,
            now=warehouse.clock.now(),
        )
        late = asyncio.create_task(warehouse.unpack(package_id))
        await waiting_for_a_lock(warehouse.db, behind=shipper)

    with pytest.raises(Refused, match="has left"):
        await late
    assert await warehouse.level(good) == (3, 0, 3)


@pytest.mark.races
async def test_un_packing_and_shipping_never_wait_for_each_other(warehouse: Warehouse) -> None:
    """Both lock the package, then the order; somebody works on the order meanwhile."""
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))
    await warehouse.pick(order_id, {1: 2})
    package_id = await warehouse.pack(order_id, {1: 2})
    async with warehouse.db.begin() as picker:
        await pick_lines(picker, quantities={1: 1}, **_place(warehouse, order_id))
        shipping = asyncio.create_task(warehouse.ship(package_id))
        await waiting_for_a_lock(warehouse.db, behind=picker)
        opening = asyncio.create_task(warehouse.unpack(package_id))
        await _waiting_for_the_package(warehouse)

    assert await shipping == "partially_shipped"
    with pytest.raises(Refused, match="has left"):
        await opening
    assert await warehouse.level(good) == (3, 1, 2)


async def test_an_opened_package_is_not_in_the_list_of_work(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    await warehouse.pick(order_id, {1: 2})
    opened = await warehouse.pack(order_id, {1: 1})
    await warehouse.pack(order_id, {1: 1})
    await warehouse.unpack(opened)

    async with warehouse.db.statement() as tx:
        [work] = await list_work(tx, shop_id=warehouse.shop.id)

    assert (work.id, work.quantity, work.picked, work.packages) == (order_id, 2, 2, 1)


async def _waiting_for_the_package(warehouse: Warehouse) -> None:
    """Until somebody waits who is blocked by one who waits as well."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        async with warehouse.db.statement() as tx:
            waiting = await tx.value(
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and wait_event_type = 'Lock'"
            )
        if waiting >= 2:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("nobody waits for the package")


def _place(warehouse: Warehouse, order_id: int) -> dict[str, Any]:
    return {"shop_id": warehouse.shop.id, "order_id": order_id, "now": warehouse.clock.now()}
