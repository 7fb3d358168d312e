"""A return..."""

import asyncio

import pytest

from crossdock.errors import Invalid, NotFound, Refused
from crossdock.shop.warehouse import Received, ReturnItem, announce_return
from tests.support.warehousing import Warehouse


async def _shipped(warehouse: Warehouse, good: int, quantity: int = 3) -> int:
    order_id = await warehouse.enter((good, quantity))
    await warehouse.ship_all(order_id, {1: quantity})
    return order_id


async def test_announced_changes_no_level(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await _shipped(warehouse, good)

    await warehouse.announce(order_id, {1: 2})

    assert await warehouse.level(good) == (2, 0, 2)
    order = await warehouse.read(order_id)
    assert (order.fulfilment_state, order.lines[0].returned) == ("shipped", 0)
    assert (await warehouse.events(order_id))[-1] == "return.announced"


async def test_received_puts_back_what_is_good(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await _shipped(warehouse, good)
    return_id = await warehouse.announce(order_id, {1: 2})

    await warehouse.take_in(return_id, {1: 1})

    assert await warehouse.level(good) == (3, 0, 3)
    assert (await warehouse.entries(good))[-1] == ("restock", 1, 0)
    assert (await warehouse.read(order_id)).lines[0].returned == 2
    assert (await warehouse.events(order_id))[-1] == "return.received"


async def test_with_nothing_good_changes_no_level(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    order_id = await _shipped(warehouse, good)

    await warehouse.take_in(await warehouse.announce(order_id, {1: 2}), {})

    assert await warehouse.level(good) == (2, 0, 2)
    assert (await warehouse.read(order_id)).lines[0].returned == 2


async def test_received_twice_is_refused(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    return_id = await warehouse.announce(await _shipped(warehouse, good), {1: 2})
    await warehouse.take_in(return_id, {1: 2})
    before = await warehouse.everything()

    with pytest.raises(Refused) as refusal:
        await warehouse.take_in(return_id, {1: 2})

    assert refusal.value.code == "order_state"
    assert await warehouse.everything() == before


@pytest.mark.parametrize("quantities", [{1: 4}, {1: 0}, {1: -1}, {2: 1}, {}, {1: 10**30}])
async def test_of_more_than_was_shipped_is_refused(
    warehouse: Warehouse, quantities: dict[int, int]
) -> None:
    order_id = await _shipped(warehouse, await warehouse.variant(own=5))
    before = await warehouse.everything()

    with pytest.raises(Invalid) as refusal:
        await warehouse.announce(order_id, quantities)

    assert refusal.value.code == "invalid_input"
    assert await warehouse.everything() == before


async def test_of_what_was_announced_before_is_refused(warehouse: Warehouse) -> None:
    order_id = await _shipped(warehouse, await warehouse.variant(own=5))
    await warehouse.take_in(await warehouse.announce(order_id, {1: 2}), {1: 2})

    with pytest.raises(Invalid):
        await warehouse.announce(order_id, {1: 2})

    await warehouse.announce(order_id, {1: 1})


@pytest.mark.parametrize("restocked", [{1: 3}, {1: -1}, {2: 1}, {1: 10**30}])
async def test_restocking_more_than_was_announced_is_refused(
    warehouse: Warehouse, restocked: dict[int, int]
) -> None:
    return_id = await warehouse.announce(
        await _shipped(warehouse, await warehouse.variant(own=5)), {1: 2}
    )
    before = await warehouse.everything()

    with pytest.raises(Invalid):
        await warehouse.take_in(return_id, restocked)

    assert await warehouse.everything() == before


async def test_of_an_order_that_has_not_left_is_refused(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 1))

    with pytest.raises(Refused) as refusal:
        await warehouse.announce(order_id, {1: 1})
    assert refusal.value.code == "order_state"

    await warehouse.pick(order_id, {1: 1})
    with pytest.raises(Refused):
        await warehouse.announce(order_id, {1: 1})


async def test_of_a_part_that_left_and_of_a_completed_order_is_taken(warehouse: Warehouse) -> None:
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    await warehouse.ship_all(order_id, {1: 1})
    await warehouse.announce(order_id, {1: 1})
    second = await warehouse.ship_all(order_id, {1: 1})
    for package in (await warehouse.read(order_id)).packages:
        await warehouse.see(package.id, "delivered")
    assert await warehouse.state(order_id) == "completed"

    assert second
    await warehouse.announce(order_id, {1: 1})


async def test_keeps_the_reasons_of_a_line_together(warehouse: Warehouse) -> None:
    order_id = await _shipped(warehouse, await warehouse.variant(own=5))

    async with warehouse.db.begin() as tx:
        items = [
            ReturnItem(line_no=1, quantity=1, reason="broken"),
            ReturnItem(line_no=1, quantity=1),
            ReturnItem(line_no=1, quantity=1, reason="too small"),
        ]
        return_id = await announce_return(
            tx,
            shop_id=warehouse.shop.id,
            order_id=order_id,
            items=items,
            now=warehouse.clock.now(),
        )
        row = await tx.one(
            "select quantity, reason from order_return_lines where return_id = %s", (return_id,)
        )

    assert row == (3, "broken; too small")


async def test_of_goods_that_are_not_counted_puts_nothing_on_a_level(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=4)
    async with warehouse.db.begin() as tx:
        await tx.run(
            "update products p set sold_without_stock = true from variants v"
            " where v.id = %s and p.id = v.product_id",
            (good,),
        )
    order_id = await _shipped(warehouse, good)
    assert await warehouse.level(good) == (4, 0, 4)

    await warehouse.take_in(await warehouse.announce(order_id, {1: 3}), {1: 3})

    assert await warehouse.level(good) == (4, 0, 4)


async def test_of_another_shop_looks_like_an_unknown_one(warehouse: Warehouse) -> None:
    order_id = await _shipped(warehouse, await warehouse.variant(own=5))
    return_id = await warehouse.announce(order_id, {1: 2})
    other = await Warehouse.open(warehouse.db, warehouse.clock)

    for unknown in (order_id, 999_999_999):
        with pytest.raises(NotFound) as refusal:
            await other.announce(unknown, {1: 1})
        assert refusal.value.code == "order_not_found"
    for unknown in (return_id, 999_999_999):
        with pytest.raises(NotFound) as refusal:
            await other.take_in(unknown, {1: 1})
        assert refusal.value.code == "not_found"


@pytest.mark.races
async def test_received_by_many_at_once_is_received_once(warehouse: Warehouse) -> None:
    good = await warehouse.variant(own=5)
    return_id = await warehouse.announce(await _shipped(warehouse, good), {1: 2})

    outcomes = await asyncio.gather(
        *(warehouse.take_in(return_id, {1: 2}) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(outcome, Received) for outcome in outcomes) == 1
    assert await warehouse.level(good) == (4, 0, 4)


@pytest.mark.races
async def test_announced_by_many_at_once_never_exceeds_what_left(warehouse: Warehouse) -> None:
    order_id = await _shipped(warehouse, await warehouse.variant(own=5))

    outcomes = await asyncio.gather(
        *(warehouse.announce(order_id, {1: 2}) for _ in range(5)), return_exceptions=True
    )

    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
