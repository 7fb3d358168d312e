"""A partner's orders in pages..."""

from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.paging import Place, PlacePage
from crossdock.shop.orders import (
    OrderFilters,
    OrderView,
    browse_orders,
    count_orders,
)
from crossdock.shop.orders.browsing import _OPEN, _QUERIES, _are_open, _filtered
from crossdock.shop.orders.states import OPEN
from tests.support.awaiting import Dropship


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Dropship:
    return await Dropship.open(database, clock)


async def page_of(
    desk: Dropship, size: int = 20, *, filters: OrderFilters | None = None, **bounds: Any
) -> tuple[list[OrderView], bool]:
    async with desk.db.statement() as tx:
        return await browse_orders(
            tx,
            shop_id=desk.shop.id,
            partner_id=desk.partner.id,
            page=PlacePage(size=size, **bounds),
            filters=filters or OrderFilters(),
            sections=("lines", "packages"),
        )


def place(order: OrderView) -> Place:
    return order.placed_at, order.id


async def numbers(desk: Dropship, **filters: Any) -> list[int]:
    wanted = OrderFilters(**filters)
    found, _ = await page_of(desk, filters=wanted)
    async with desk.db.statement() as tx:
        count = await count_orders(
            tx, shop_id=desk.shop.id, partner_id=desk.partner.id, filters=wanted
        )
    assert count == len(found)
    return [order.id for order in found]


async def test_are_walked_both_ways_once_each_while_more_are_placed(desk: Dropship) -> None:
    variant = await desk.variant(own=100)
    placed = []
    for step in range(7):
        placed.append((await desk.place((variant, 1))).id)
        desk.clock.move(timedelta(seconds=step % 2))  # some at the same moment
    newest_first = placed[::-1]

    walked: list[int] = []
    bounds: dict[str, Any] = {}
    more = True
    while more:
        found, more = await page_of(desk, 2, **bounds)
        walked += [order.id for order in found]
        bounds = {"after": place(found[-1])}
        await desk.place((variant, 1))
    assert walked == newest_first

    back: list[int] = []
    bounds, more = {}, True
    while more:
        found, more = await page_of(desk, 3, is_last=True, **bounds)
        back = [order.id for order in found] + back
        bounds = {"before": place(found[0])}
    # `before` reads what stands in front of a place, the nearest to it.
    assert back[-7:] == newest_first


async def test_are_found_by_each_of_their_facts(desk: Dropship, clock: FrozenClock) -> None:
    one, two = [await desk.variant() for _ in range(2)]
    start = clock.now()
    first = (await desk.place((one, 1), number="A")).id
    clock.move(timedelta(seconds=10))
    second = (await desk.place((one, 1), (two, 1), number="B")).id
    clock.move(timedelta(seconds=10))
    await desk.charge(second, "ch")
    paid_at = clock.now()

    assert await numbers(desk) == [second, first]
    assert await numbers(desk, order_ids=(first, 10**12)) == [first]
    assert await numbers(desk, order_ids=()) == []
    assert await numbers(desk, number="B") == [second]
    assert await numbers(desk, number="C") == []
    assert await numbers(desk, variant_ids=(two,)) == [second]
    assert await numbers(desk, variant_ids=(one, two)) == [second, first]
    assert await numbers(desk, paid=(None, None)) == [second]
    assert await numbers(desk, paid=(paid_at, paid_at)) == [second]
    assert await numbers(desk, paid=(None, paid_at - timedelta(seconds=1))) == []
    assert await numbers(desk, placed=(start, start)) == [first]
    assert await numbers(desk, placed=(start + timedelta(seconds=1), None)) == [second]
    assert await numbers(desk, states=(("paid", "waiting_for_release"),)) == [second]
    assert await numbers(
        desk, states=(("awaiting", "waiting_for_release"), ("paid", "shipped"))
    ) == [first]
    assert await numbers(desk, states=()) == []
    assert await numbers(desk, number="B", variant_ids=(one,), states=(("awaiting", "x"),)) == []


async def test_that_are_open_are_found_by_their_index_among_many(desk: Dropship) -> None:
    order = (await desk.place((await desk.variant(), 1))).id
    async with desk.db.begin() as tx:
        await tx.run(
            "insert into orders (shop_id, order_key, channel, partner_id, fulfilment_state, payment_state,"
            " release_policy, currency, subtotal_minor, total_minor, billing, shipping, source, placed_at,"
            " updated_at, expires_at)"
            " select %s, n::text, 'test', %s, 'completed', 'paid', 'by_hand', 'USD', 0, 0, '{}', '{}', 't',"
            " %s, %s, %s from generate_series(1, 3000) n",
            (desk.shop.id, desk.partner.id, *[desk.clock.now()] * 3),
        )
        await tx.run("analyze orders")
        plans = []
        for state in ("waiting_for_release", "completed"):
            filters = OrderFilters(states=(("awaiting", state),))
            bounds = {"size": 21, "after_time": "infinity", "after_id": 2**62}
            bounds |= {"before_time": "-infinity", "before_id": 0}
            values = _filtered(filters) | bounds
            values |= {"shop": desk.shop.id, "partner": desk.partner.id}
            rows = await tx.all(f"explain {_QUERIES[False, _are_open(filters)]}", values)
            plans.append("\n".join(row[0] for row in rows))
            assert await numbers(desk, states=(("awaiting", state),)) == (
                [order] if state != "completed" else []
            )
        await tx.run("delete from orders where shop_id = %s and source = 't'", (desk.shop.id,))
    assert all(f"'{state}'" in _OPEN for state in OPEN)
    assert "orders_partner_open" in plans[0]
    assert "orders_partner_open" not in plans[1]


async def test_of_others_are_not_there(desk: Dropship, clock: FrozenClock) -> None:
    stranger = await Dropship.open(desk.db, clock)
    await stranger.place((await stranger.variant(), 1))
    assert await numbers(desk) == []


async def test_are_two_statements_however_many_lines_they_have(desk: Dropship) -> None:
    variants = [await desk.variant() for _ in range(3)]
    for _ in range(5):
        await desk.place(*((variant, 1) for variant in variants))
    found, more = await page_of(desk, 5)
    assert (len(found), more) == (5, False)
    assert {len(order.lines) for order in found} == {3}
    assert await page_of(desk, 0) == ([], True)
