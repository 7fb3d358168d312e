"""A partner's order feed..."""

import asyncio
from datetime import datetime, timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid
from crossdock.kit.clock import FrozenClock
from crossdock.shop.events import number_events
from crossdock.shop.events.kinds import KINDS
from crossdock.shop.orders import (
    Fed,
    FedOrder,
    cancel_order,
    commission_of,
    read_changed_orders,
    read_order_page,
)
from crossdock.shop.orders.feed import FED_KINDS
from tests.support.shopping import Mall


@pytest.fixture
async def mall(database: Database, clock: FrozenClock) -> Mall:
    return await Mall.open(database, clock)


async def _ordered(mall: Mall, *, good: int = 0) -> int:
    good = good or await mall.variant()
    return (await mall.check_out(await mall.cart((good, 1)))).order_id


async def _number(mall: Mall) -> None:
    async with mall.db.begin() as tx:
        await number_events(tx, shop_id=mall.shop.id)


async def _changed(mall: Mall, *, after: int, limit: int = 100, partner_id: int = 0) -> Fed:
    async with mall.db.statement() as tx:
        return await read_changed_orders(
            tx,
            shop_id=mall.shop.id,
            partner_id=partner_id or mall.partner.id,
            after=after,
            limit=limit,
        )


async def _page(
    mall: Mall, start: datetime, end: datetime, *, offset: int = 0, limit: int = 10
) -> tuple[FedOrder, ...]:
    async with mall.db.statement() as tx:
        return await read_order_page(
            tx,
            shop_id=mall.shop.id,
            partner_id=mall.partner.id,
            start=start,
            end=end,
            offset=offset,
            limit=limit,
        )


def _ids(orders: tuple[FedOrder, ...]) -> list[int]:
    return [fed.order.id for fed in orders]


async def test_has_pages_by_date_with_both_ends(mall: Mall) -> None:
    noon = mall.clock.now()
    orders = []
    for _ in range(3):
        orders.append(await _ordered(mall))
        mall.clock.move(timedelta(minutes=1))

    last = noon + timedelta(minutes=2)
    assert _ids(await _page(mall, noon, last)) == orders
    assert _ids(await _page(mall, noon, last - timedelta(seconds=1))) == orders[:2]
    assert _ids(await _page(mall, noon + timedelta(seconds=1), last)) == orders[1:]
    assert _ids(await _page(mall, noon, last, offset=1, limit=1)) == orders[1:2]
    assert _ids(await _page(mall, noon, last, offset=3)) == []


async def test_refuses_a_number_that_no_change_has_yet(mall: Mall) -> None:
    await _ordered(mall)
    await _number(mall)
    last = (await _changed(mall, after=0)).upto

    assert (await _changed(mall, after=last)).upto == last
    with pytest.raises(Invalid, match=str(last)):
        await _changed(mall, after=last + 1)


async def test_tells_an_order_again_only_after_it_changed(mall: Mall) -> None:
    first, second = await _ordered(mall), await _ordered(mall)
    assert (await _changed(mall, after=0)).orders == ()  # nothing has a number yet
    await _number(mall)

    fed = await _changed(mall, after=0)
    assert _ids(fed.orders) == [first, second]
    pages = await _page(mall, mall.clock.now(), mall.clock.now())
    assert [each.sequence for each in pages] == [each.sequence for each in fed.orders]
    assert (await _changed(mall, after=fed.upto)) == Fed(orders=(), upto=fed.upto)

    async with mall.db.begin() as tx:
        await cancel_order(tx, shop_id=mall.shop.id, order_id=first, now=mall.clock.now())
    await _number(mall)
    again = await _changed(mall, after=fed.upto)
    assert _ids(again.orders) == [first]
    assert again.orders[0].lines[0].history == ("placed", "cancelled")
    assert again.upto > again.orders[0].sequence > fed.upto  # stock came back after it
    # From the start each order is told once, at its newest change.
    assert _ids((await _changed(mall, after=0)).orders) == [second, first]


async def test_tells_a_change_without_a_number_only_when_it_has_one(mall: Mall) -> None:
    order_id = await _ordered(mall)
    await _number(mall)
    async with mall.db.begin() as tx:
        await cancel_order(tx, shop_id=mall.shop.id, order_id=order_id, now=mall.clock.now())

    fed = await _changed(mall, after=0)

    assert [line.history for line in fed.orders[0].lines] == [("placed",)]
    await _number(mall)
    later = await _changed(mall, after=fed.upto)
    assert [line.history for line in later.orders[0].lines] == [("placed", "cancelled")]


async def test_is_a_partner_s_own(mall: Mall) -> None:
    await _ordered(mall)
    await _number(mall)
    other = await mall.another_partner()

    fed = await _changed(mall, after=0, partner_id=other.id)

    assert fed.orders == ()
    assert fed.upto > 0  # it goes on after what others ordered


async def test_skips_and_repeats_nothing_while_orders_arrive(mall: Mall) -> None:
    good = await mall.variant(own=100)
    told: list[int] = []
    wanted, after, is_over = 24, 0, asyncio.Event()

    async def shop(count: int) -> list[int]:
        return [await _ordered(mall, good=good) for _ in range(count)]

    async def number() -> None:
        while not is_over.is_set():
            await _number(mall)

    numbering = asyncio.create_task(number())
    shopping = asyncio.gather(*(shop(wanted // 4) for _ in range(4)))
    while not (shopping.done() and len(told) >= wanted):
        fed = await _changed(mall, after=after, limit=3)
        told += _ids(fed.orders)
        assert fed.upto >= after
        after = fed.upto
    is_over.set()
    await numbering
    await _number(mall)

    assert _ids((await _changed(mall, after=after)).orders) == []
    assert sorted(told) == sorted(order for some in shopping.result() for order in some)


async def test_knows_of_every_kind_of_event_whether_the_feed_tells_it(mall: Mall) -> None:
    about_orders = [kind for kind, payload in KINDS.items() if payload.topic == "orders"]

    async with mall.db.statement() as tx:
        told = {
            kind
            for kind in about_orders
            if await tx.value("select alters_feed(%s, %s::jsonb)", (kind, '{"final": true}'))
        }
        attempt = await tx.value("select alters_feed('dispatch.failed', '{\"final\": false}')")

    assert told == FED_KINDS
    assert attempt is False


async def test_shares_each_merchant_s_commission_over_its_lines(mall: Mall) -> None:
    merchant = await mall.merchant(commission_bp=1250, shipping_flat_minor=500)
    free = await mall.merchant()
    goods = [await mall.variant(merchant_id=merchant, price_minor=333) for _ in range(3)]
    other = await mall.variant(merchant_id=free, price_minor=1000)

    done = await mall.check_out(await mall.cart(*((good, 1) for good in goods), (other, 1)))

    order = await mall.order(done.order_id)
    found = commission_of(order)
    # 12.5 % of 9.99 is 1.25, of which each third has 0.42 or 0.41.
    assert [(found[n].percent, found[n].amount_minor) for n in (1, 2, 3, 4)] == [
        (13, 42), (13, 42), (13, 41), (0, 0),
    ]  # fmt: skip
    assert (await mall.balances())[f"commission merchant:{merchant} USD"] == 125
