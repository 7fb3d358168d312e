"""Two that work on one order at the same moment: the later one waits and then knows."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import (
    OrderState,
    cancel_order,
    expire_orders,
    move_order,
    place,
    read_order,
    rehearse,
    release_order,
    touch_order,
)
from tests.support.awaiting import Dropship
from tests.support.drafts import draft_of, line_of
from tests.support.factories import ShopFixture, level, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock
from tests.support.staff import Desk
from tests.support.warehousing import Warehouse

pytestmark = pytest.mark.races


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    """A shop whose orders no server looks at."""
    async with database.begin() as tx:
        return await make_shop(tx)


async def _order(
    database: Database, clock: FrozenClock, shop: ShopFixture, **values: Any
) -> tuple[int, int]:
    """A variant of which there are 5, and an order of 2 of it."""
    take = None if values.get("state") == "waiting_for_release" else "own_capped"
    async with database.begin() as tx:
        variant = await make_variant(tx, shop=shop, own=5)
        line = line_of(variant, shop=shop, quantity=2, take=take)
        placed = await place(tx, draft=draft_of(line, shop=shop, **values), now=clock.now())
    return variant, placed.id


async def _kinds(database: Database, shop: ShopFixture, order_id: int) -> list[str]:
    """What happened to the order itself."""
    async with database.statement() as tx:
        rows = await tx.all(
            "select kind from events where shop_id = %s and subject_id = %s"
            " and topic = 'orders' order by id",
            (shop.id, order_id),
        )
    return [kind for (kind,) in rows]


async def _allocations(database: Database, shop: ShopFixture, order_id: int) -> list[tuple]:
    async with database.statement() as tx:
        return await tx.all(
            "select pool, quantity, status from order_allocations"
            " where shop_id = %s and order_id = %s order by pool",
            (shop.id, order_id),
        )


async def test_of_two_that_cancel_an_order_the_second_waits_and_is_refused(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    variant, order_id = await _order(database, clock, shop)

    async def cancel() -> None:
        async with database.begin() as tx:
            await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    async with database.begin() as tx:
        await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())
        second = asyncio.create_task(cancel())
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(Refused) as refusal:
        await second

    assert refusal.value.message == "The order is cancelled already."
    async with database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 0, 5)
    assert await _kinds(database, shop, order_id) == [
        "order.placed",
        "order.lines_moved",
        "order.cancelled",
    ]


async def test_of_two_equal_moves_the_second_waits_and_is_refused(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    _, order_id = await _order(database, clock, shop)

    async def move() -> None:
        async with database.begin() as tx:
            await move_order(
                tx, shop_id=shop.id, order_id=order_id, to="in_fulfilment", now=clock.now()
            )

    async with database.begin() as tx:
        await move_order(
            tx, shop_id=shop.id, order_id=order_id, to="in_fulfilment", now=clock.now()
        )
        second = asyncio.create_task(move())
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(Refused) as refusal:
        await second

    assert refusal.value.code == "order_state"
    assert await _kinds(database, shop, order_id) == ["order.placed", "order.in_fulfilment"]


async def test_a_release_that_waits_for_another_takes_no_stock_again(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    """The stock run asks the function by itself, without the lock of `release_order`."""
    variant, order_id = await _order(
        database, clock, shop, state="waiting_for_release", release_policy="by_hand"
    )

    async def release() -> str:
        async with database.statement() as tx:
            return await tx.value(
                "select release_order(%s, %s, true, %s)", (shop.id, order_id, clock.now())
            )

    async with database.begin() as tx:
        state = await release_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())
        second = asyncio.create_task(release())
        await waiting_for_a_lock(database, behind=tx)

    assert (state, await second) == ("processing", "processing")
    async with database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 2, 3)
    assert await _allocations(database, shop, order_id) == [("own", 2, "committed")]
    assert await _kinds(database, shop, order_id) == ["order.placed", "order.released"]


async def test_a_release_that_waits_for_a_cancelling_takes_no_stock(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    variant, order_id = await _order(
        database, clock, shop, state="waiting_for_release", release_policy="by_hand"
    )

    async def release() -> str | None:
        async with database.statement() as tx:
            return await tx.value(
                "select release_order(%s, %s, true, %s)", (shop.id, order_id, clock.now())
            )

    async with database.begin() as tx:
        await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())
        releasing = asyncio.create_task(release())
        await waiting_for_a_lock(database, behind=tx)

    assert await releasing == "cancelled"
    async with database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 0, 5)
    assert await _allocations(database, shop, order_id) == []


async def test_an_order_that_somebody_works_on_is_left_for_the_next_expiry(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    awaiting = {"payment_state": "awaiting", "expires_at": clock.now() + timedelta(minutes=5)}
    _, busy = await _order(database, clock, shop, **awaiting)
    _, idle = await _order(database, clock, shop, **awaiting)
    clock.move(timedelta(minutes=5))

    async def states() -> list[str]:
        async with database.statement() as tx:
            return [(await read_order(tx, order_id=one)).payment_state for one in (busy, idle)]

    async with database.begin() as tx:
        await touch_order(tx, shop_id=shop.id, order_id=busy, now=clock.now())
        # It does not wait: this transaction lasts as long as the call.
        await expire_orders(database, now=clock.now())
        assert await states() == ["awaiting", "expired"]
    await expire_orders(database, now=clock.now())

    assert await states() == ["expired", "expired"]
    assert (await _kinds(database, shop, busy)).count("payment.expired") == 1


async def test_a_charge_that_waits_for_itself_finds_that_it_paid(
    database: Database, clock: FrozenClock
) -> None:
    desk = await Dropship.open(database, clock)
    placed = await desk.place((await desk.variant(), 1))
    async with database.begin() as tx:
        assert await desk.charge_in(tx, placed.id, "ch") is True
        second = asyncio.create_task(desk.charge(placed.id, "ch"))
        await waiting_for_a_lock(database, behind=tx)
    assert await second is False

    assert len(await desk.payments(placed.id)) == 1


async def test_an_answer_locks_the_order_before_its_payment(
    database: Database, clock: FrozenClock
) -> None:
    """As everybody does who has both; and what it does then is for the order as it is by then."""
    desk = await Desk.open(database, clock)
    placed = await desk.with_card((await desk.variant(), 2))
    (payment,) = await desk.payments(placed.id)
    asked = "select ask_payment(%s, %s, 'capture', %s, 'k', now() + interval '1 day', now())"
    async with database.begin() as tx:
        attempt_id = await tx.value(asked, (desk.shop.id, payment.id, payment.amount_minor))

    async def answer() -> bool:
        async with database.begin() as tx:
            answered = "select (answer_order_payment(%s, %s, true, 'c', '', now())).is_first"
            return bool(await tx.value(answered, (desk.shop.id, attempt_id)))

    async with database.begin() as tx:
        await touch_order(tx, shop_id=desk.shop.id, order_id=placed.id, now=clock.now())
        answering = asyncio.create_task(answer())
        await waiting_for_a_lock(database, behind=tx)
        free = "select 1 from payments where shop_id = %s and id = %s for no key update nowait"
        assert await tx.run(free, (desk.shop.id, payment.id)) == 1
    assert await answering is True

    assert (await desk.read(placed.id)).payment_state == "paid"


async def test_a_rehearsal_locks_packages_before_their_order(
    database: Database, clock: FrozenClock
) -> None:
    """As who ships does, so that neither waits in a circle."""
    warehouse = await Warehouse.open(database, clock)
    order_id = await warehouse.enter((await warehouse.variant(), 2))
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})

    async def rehearse_it() -> OrderState:
        async def look(tx: Transaction) -> None:
            await touch_order(tx, shop_id=warehouse.shop.id, order_id=order_id, now=clock.now())

        told = await rehearse(database, shop_id=warehouse.shop.id, order_id=order_id, move=look)
        return told.after

    async with database.begin() as tx:
        lock = "select 1 from {} where shop_id = %s and id = %s for no key update nowait"
        await tx.run(lock.format("packages"), (warehouse.shop.id, package_id))
        rehearsing = asyncio.create_task(rehearse_it())
        await waiting_for_a_lock(database, behind=tx)
        assert await tx.run(lock.format("orders"), (warehouse.shop.id, order_id)) == 1
    assert (await rehearsing).fulfilment == "in_fulfilment"
