"""Refunds and look-ups of one payment at the same moment: nothing is given back or asked twice."""

import asyncio

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.shop.payments import plan_refund, record_transfer, settle_by_hand
from tests.support.factories import ShopFixture, make_shop
from tests.support.locks import waiting_for_a_lock

pytestmark = pytest.mark.races

ORDER = 77
ASKED = "select ask_payment(%s, %s, 'refund', %s, %s, %s, %s)"


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


async def _transfer(tx: Transaction, shop: ShopFixture, clock: FrozenClock) -> int:
    """The id of a payment of 100.00 EUR by bank transfer."""
    payment = await record_transfer(
        tx,
        shop_id=shop.id,
        order_id=ORDER,
        payer="customer:1",
        amount_minor=10_000,
        currency="EUR",
        reference="Statement 1",
        now=clock.now(),
    )
    return payment.id


async def _ask(
    tx: Transaction, shop: ShopFixture, payment_id: int, clock: FrozenClock, amount_minor: int
) -> int:
    """The number of the question for a refund, whose answer is overdue at once."""
    return int(
        await tx.value(
            ASKED, (shop.id, payment_id, amount_minor, f"k{amount_minor}", clock.now(), clock.now())
        )
    )


async def test_what_is_planned_beside_a_refund_is_what_that_leaves(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    async with database.begin() as tx:
        payment_id = await _transfer(tx, shop, clock)

    async def plan() -> int | None:
        async with database.begin() as tx:
            return await plan_refund(
                tx, shop_id=shop.id, order_id=ORDER, amount_minor=10_000, now=clock.now()
            )

    async with database.begin() as tx:
        await _ask(tx, shop, payment_id, clock, 6_000)
        planning = asyncio.create_task(plan())
        await waiting_for_a_lock(database, behind=tx)
    assert await planning == 4_000


async def test_what_somebody_gives_back_by_hand_is_not_given_back_again(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    async with database.begin() as tx:
        await _transfer(tx, shop, clock)
        await plan_refund(tx, shop_id=shop.id, order_id=ORDER, amount_minor=2_500, now=clock.now())

    async def settle(tx: Transaction) -> str | None:
        return await settle_by_hand(tx, shop_id=shop.id, order_id=ORDER, now=clock.now())

    async def settle_too() -> str | None:
        async with database.begin() as tx:
            return await settle(tx)

    async with database.begin() as tx:
        assert await settle(tx) == "partially_refunded"
        second = asyncio.create_task(settle_too())
        await waiting_for_a_lock(database, behind=tx)
    assert await second is None

    async with database.statement() as tx:
        given = "select refunded_minor, refund_due_minor from payments where shop_id = %s"
        assert await tx.one(given, (shop.id,)) == (2_500, 0)


async def test_a_question_that_somebody_looks_up_is_left_to_them(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    async with database.begin() as tx:
        payment_id = await _transfer(tx, shop, clock)
        mine = await _ask(tx, shop, payment_id, clock, 100)

    async def look_up(tx: Transaction) -> list[int]:
        due = "select id from due_attempts(10000, %s, %s) where shop_id = %s"
        return [id_ for (id_,) in await tx.all(due, (clock.now(), clock.now(), shop.id))]

    async def look_up_too() -> list[int]:
        async with database.begin() as tx:
            return await look_up(tx)

    async with database.begin() as tx:
        assert await look_up(tx) == [mine]
        assert await asyncio.wait_for(look_up_too(), timeout=5) == []  # it does not wait
