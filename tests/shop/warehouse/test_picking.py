"""Picking and packing..."""

import asyncio
from typing import Any

import pytest

from crossdock.errors import CrossdockError, Invalid, NotFound, Refused
from crossdock.shop.stock import adjust_stock
from crossdock.shop.warehouse import pick_lines
from tests.support.locks import waiting_for_a_lock
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


async def test_no_more_than_is_on_the_shelf(warehouse: Warehouse) -> None:
    """Sold beyond what is there; what another order has picked is not there either."""
    good, other = await warehouse.variant(own=3), await warehouse.variant(own=0)
    first = await warehouse.enter((good, 2), immediate=True)
    second = await warehouse.enter((other, 1), (good, 2), (good, 2), immediate=True)
    await warehouse.pick(first, {1: 2})
    before = await warehouse.everything()

    for wrong, line, left in (
        ({1: 1}, 1, 0),
        ({2: 2}, 2, 1),
        ({3: 2}, 3, 1),
        ({2: 1, 3: 1}, 2, 1),
        ({1: 1, 2: 1}, 1, 0),
    ):
        with pytest.raises(Refused, match=f"Of line {line} {left} can be picked") as refusal:
            await warehouse.pick(second, wrong)
        assert refusal.value.code == "stock_insufficient"
        assert refusal.value.data == {"field": f"lines.{line}"}
        assert await warehouse.everything() == before

    await warehouse.pick(second, {3: 1})
    await warehouse.ship(await warehouse.pack(first, {1: 2}))
    with pytest.raises(Refused, match="Of line 2 0 can be picked"):
        await warehouse.pick(second, {2: 1})
    await warehouse.receive(good, 1)
    await warehouse.pick(second, {2: 1})
    assert [line.picked for line in (await warehouse.read(second)).lines] == [0, 1, 1]


async def test_what_is_unpicked_is_on_the_shelf_again(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=2)
    first, second = [await warehouse.enter((good, 2), immediate=True) for _ in range(2)]
    await warehouse.pick(first, {1: 2})
    await warehouse.unpick(first, {1: 1})

    await warehouse.pick(second, {1: 1})

    with pytest.raises(Refused, match="Of line 1 0 can be picked"):
        await warehouse.pick(first, {1: 1})


async def test_of_another_shop_s_shelf_is_nobody_s_business(warehouse: Warehouse) -> None:
    """What other shops have picked is not on this shop's shelf, and takes nothing from it."""
    other = await Warehouse.open(warehouse.db, warehouse.clock)
    taken = await other.enter((await other.variant(own=5), 5))
    await other.pick(taken, {1: 5})

    order_id = await warehouse.enter((await warehouse.variant(own=1), 1))
    await warehouse.pick(order_id, {1: 1})

    assert (await warehouse.read(order_id)).lines[0].picked == 1


async def test_of_a_share_in_two_pools_as_much_as_is_in_each(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=1, supplier=1)
    order_id = await warehouse.enter((good, 3), take="own_first")

    with pytest.raises(Refused, match="Of line 1 2 can be picked"):
        await warehouse.pick(order_id, {1: 3})

    await warehouse.ship_all(order_id, {1: 2})
    assert await warehouse.level(good) == (0, 0, 0)


async def test_goods_that_are_not_counted_have_no_limit(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=None, stock_managed=False)
    order_id = await warehouse.enter((good, 3), take=None)

    await warehouse.ship_all(order_id, {1: 3})

    assert await warehouse.state(order_id) == "shipped"


async def test_what_was_counted_out_since_is_not_packed(warehouse: Warehouse) -> None:
    """Three were picked, then one turned out to be missing: two can be packed, for whichever order."""
    good = await warehouse.variant(own=3)
    first, second = await warehouse.enter((good, 1)), await warehouse.enter((good, 2))
    await warehouse.pick(first, {1: 1})
    await warehouse.pick(second, {1: 2})
    await warehouse.adjust(good, -1)
    await warehouse.pack(first, {1: 1})
    before = await warehouse.everything()

    with pytest.raises(Refused, match="Of line 1 1 can be packed") as refusal:
        await warehouse.pack(second, {1: 2})

    assert refusal.value.code == "stock_insufficient"
    assert await warehouse.everything() == before
    await warehouse.ship(await warehouse.pack(second, {1: 1}))
    assert await warehouse.level(good) == (1, 2, -1)


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
async def test_the_last_unit_for_one_order_waits_for_who_picks_it(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=1)
    first, second = [await warehouse.enter((good, 1), immediate=True) for _ in range(2)]
    async with warehouse.db.begin() as picker:
        await pick_lines(picker, quantities={1: 1}, **_place(warehouse, first))
        late = asyncio.create_task(warehouse.pick(second, {1: 1}))
        await waiting_for_a_lock(warehouse.db, behind=picker)

    with pytest.raises(Refused, match="Of line 1 0 can be picked"):
        await late
    assert (await warehouse.read(second)).lines[0].picked == 0


@pytest.mark.races
async def test_packing_waits_for_who_counts_and_packs_no_more(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=2)
    order_id = await warehouse.enter((good, 2))
    await warehouse.pick(order_id, {1: 2})
    async with warehouse.db.begin() as clerk:
        shop_id, now = warehouse.shop.id, warehouse.clock.now()
        await adjust_stock(clerk, shop_id=shop_id, variant_id=good, difference=-1, now=now)
        late = asyncio.create_task(warehouse.pack(order_id, {1: 2}))
        await waiting_for_a_lock(warehouse.db, behind=clerk)

    with pytest.raises(Refused, match="Of line 1 1 can be packed"):
        await late
    assert (await warehouse.read(order_id)).packages == ()


@pytest.mark.races
async def test_several_goods_in_opposite_orders_at_once_never_deadlocks(
    warehouse: Warehouse,
) -> None:
    one, two = [await warehouse.variant(own=20) for _ in range(2)]
    orders = [await warehouse.enter((one, 1), (two, 1)) for _ in range(4)]
    orders += [await warehouse.enter((two, 1), (one, 1)) for _ in range(4)]

    outcomes = await asyncio.gather(
        *(warehouse.ship_all(order_id, {2: 1, 1: 1}) for order_id in orders),
        return_exceptions=True,
    )

    assert [outcome for outcome in outcomes if not isinstance(outcome, int)] == []


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


def _place(warehouse: Warehouse, order_id: int) -> dict[str, Any]:
    return {"shop_id": warehouse.shop.id, "order_id": order_id, "now": warehouse.clock.now()}
