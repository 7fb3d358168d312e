"""Picking and packing..."""

import asyncio

import pytest

from crossdock.errors import CrossdockError, Invalid, NotFound, Refused
from tests.support.warehousing import Warehouse


async def test_begins_the_work_and_leaves_the_level_alone(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))

    await warehouse.pick(order_id, {1: 2})

    order = await warehouse.read(order_id)
    assert (order.fulfilment_state, order.lines[0].picked, order.lines[0].shipped) == (
        "in_fulfilment",
        2,
        0,
    )
    assert await warehouse.level(good) == (5, 3, 2)
    assert await warehouse.events(order_id) == [
        "order.placed",
        "order.in_fulfilment",
        "order.picked",
    ]


async def test_starting_twice_is_one_start(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))

    await warehouse.start(order_id)
    await warehouse.start(order_id)

    assert (await warehouse.events(order_id)).count("order.in_fulfilment") == 1


@pytest.mark.parametrize(
    "quantities", [{1: 4}, {1: 2, 2: 3}, {3: 1}, {1: 0}, {1: -1}, {}, {1: 10**30}, {10**9: 1}]
)
async def test_more_than_was_ordered_is_refused_whole(
    warehouse: Warehouse, quantities: dict[int, int]
) -> None:
    good = await warehouse.variant(own=9)
    order_id = await warehouse.enter((good, 3), (good, 2))
    before = await warehouse.everything()

    with pytest.raises(Invalid) as refusal:
        await warehouse.pick(order_id, quantities)

    assert refusal.value.code == "invalid_input"
    assert await warehouse.everything() == before


async def test_more_than_is_left_is_refused_after_a_part(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(own=9), 3))
    await warehouse.pick(order_id, {1: 2})

    with pytest.raises(Invalid):
        await warehouse.pick(order_id, {1: 2})
    await warehouse.pick(order_id, {1: 1})

    assert (await warehouse.read(order_id)).lines[0].picked == 3


@pytest.mark.parametrize("quantities", [{1: 3}, {1: 2, 2: 1}, {3: 1}, {1: 0}, {}, {1: 10**30}])
async def test_more_than_was_picked_cannot_be_packed(
    warehouse: Warehouse, quantities: dict[int, int]
) -> None:
    good = await warehouse.variant(own=9)
    order_id = await warehouse.enter((good, 3), (good, 2))
    await warehouse.pick(order_id, {1: 2})
    before = await warehouse.everything()

    with pytest.raises(Invalid) as refusal:
        await warehouse.pack(order_id, quantities)

    assert refusal.value.code == "invalid_input"
    assert await warehouse.everything() == before


@pytest.mark.parametrize("weight_g", [-1, 2**31])
async def test_a_weight_that_is_none_is_refused(warehouse: Warehouse, weight_g: int) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})

    with pytest.raises(Invalid) as refusal:
        await warehouse.pack(order_id, {1: 1}, weight_g=weight_g)

    assert refusal.value.data == {"field": "weight_g"}


async def test_goods_are_in_one_package_only(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 3))
    await warehouse.pick(order_id, {1: 3})

    first = await warehouse.pack(order_id, {1: 2}, weight_g=750)
    with pytest.raises(Invalid):
        await warehouse.pack(order_id, {1: 2})
    second = await warehouse.pack(order_id, {1: 1})

    packages = (await warehouse.read(order_id)).packages
    assert [(p.id, p.state, p.lines, p.weight_g) for p in packages] == [
        (first, "packed", {1: 2}, 750),
        (second, "packed", {1: 1}, 0),
    ]


async def test_an_order_that_is_not_released_is_refused(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=1)
    waiting = await warehouse.enter((good, 1), release=False)
    reserved = await warehouse.enter((good, 2))
    cancelled = await warehouse.enter((good, 1), release=False)
    await warehouse.cancel(cancelled)
    before = await warehouse.everything()

    for order_id in (waiting, reserved, cancelled):
        for work in (warehouse.start(order_id), warehouse.pick(order_id, {1: 1})):
            with pytest.raises(Refused) as refusal:
                await work
            assert refusal.value.code == "order_state"
        with pytest.raises(Refused):
            await warehouse.pack(order_id, {1: 1})

    assert await warehouse.everything() == before


async def test_an_order_of_another_shop_looks_like_an_unknown_one(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    before = await warehouse.everything()
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for unknown in (order_id, 999_999_999):
        for work in (
            other.start(unknown),
            other.pick(unknown, {1: 1}),
            other.pack(unknown, {1: 1}),
            other.read(unknown),
        ):
            with pytest.raises(NotFound) as refusal:
                await work
            assert (refusal.value.code, refusal.value.data) == ("order_not_found", {})

    assert await warehouse.everything() == before


async def test_cancelling_is_allowed_until_the_work_begins(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    orders = [
        await warehouse.enter((good, 1), release=False),
        await warehouse.enter((good, 6)),
        await warehouse.enter((good, 3)),
    ]

    for order_id in orders:
        await warehouse.cancel(order_id)

    assert await warehouse.level(good) == (5, 0, 5)
    assert {await warehouse.state(order) for order in orders} == {"cancelled"}


async def test_cancelling_is_refused_from_then_on(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await warehouse.enter((good, 3))

    async def refused() -> None:
        before = await warehouse.everything()
        with pytest.raises(Refused) as refusal:
            await warehouse.cancel(order_id)
        assert refusal.value.code == "order_state"
        assert await warehouse.everything() == before

    await warehouse.start(order_id)
    await refused()
    first = await warehouse.ship_all(order_id, {1: 1})
    await refused()
    second = await warehouse.ship_all(order_id, {1: 2})
    await refused()
    await warehouse.see(first, "delivered")
    await warehouse.see(second, "delivered")
    assert await warehouse.state(order_id) == "completed"
    await refused()


async def test_an_order_that_an_outside_system_has_is_worked_on_there(
    warehouse: Warehouse,
) -> None:
    order_id, taken = [await warehouse.enter((await warehouse.variant(), 1)) for _ in range(2)]
    await warehouse.start(taken)
    async with warehouse.db.begin() as tx:
        await tx.run(
            "insert into deliveries (shop_id, subject_id, kind, target, status, result, queued_at,"
            " sent_at, updated_at)"
            " select %s, unnest(%s::bigint[]), 'dispatch', 'out', 'sent', 'X1', now(), now(), now()",
            (warehouse.shop.id, [order_id, taken]),
        )

    for refused in (order_id, taken):
        with pytest.raises(Refused) as refusal:
            await warehouse.pick(refused, {1: 1})
        assert "with out" in refusal.value.message

    async with warehouse.db.begin() as tx:
        await tx.run("update deliveries set status = 'failed' where subject_id = %s", (order_id,))
    await warehouse.pick(order_id, {1: 1})
    async with warehouse.db.begin() as tx:
        status = "select status from deliveries where subject_id = %s"
        assert await tx.value(status, (order_id,)) == "withdrawn"


@pytest.mark.races
async def test_by_two_packers_at_once_puts_goods_into_one_package(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 3))
    await warehouse.pick(order_id, {1: 3})

    outcomes = await asyncio.gather(
        *(warehouse.pack(order_id, {1: 2}) for _ in range(6)), return_exceptions=True
    )

    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Invalid) for outcome in outcomes) == 5
    assert len((await warehouse.read(order_id)).packages) == 1


@pytest.mark.races
async def test_by_two_pickers_at_once_counts_each_good_once(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 3))

    outcomes = await asyncio.gather(
        *(warehouse.pick(order_id, {1: 1}) for _ in range(6)), return_exceptions=True
    )

    assert outcomes.count(None) == 3
    assert (await warehouse.read(order_id)).lines[0].picked == 3


@pytest.mark.races
async def test_starting_and_cancelling_at_once_does_one_of_them(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=20)
    for _ in range(10):
        order_id = await warehouse.enter((good, 1))

        outcomes = await asyncio.gather(
            warehouse.start(order_id), warehouse.cancel(order_id), return_exceptions=True
        )

        lost = [outcome for outcome in outcomes if outcome is not None]
        assert len(lost) == 1
        assert isinstance(lost[0], CrossdockError)
        assert lost[0].code == "order_state"
        expected = "cancelled" if outcomes[1] is None else "in_fulfilment"
        assert await warehouse.state(order_id) == expected
