"""A move that is rehearsed..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import (
    OrderState,
    StockChange,
    cancel_order,
    pay_order,
    rehearse,
    rehearse_cancelling,
    rehearse_payment,
)
from tests.support.staff import Desk


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def cancelled(desk: Desk, order_id: int):
    """What cancelling the order would do."""

    async def cancel(tx):
        return await cancel_order(tx, shop_id=desk.shop.id, order_id=order_id, now=desk.clock.now())

    return await rehearse(desk.db, shop_id=desk.shop.id, order_id=order_id, move=cancel)


async def test_tells_levels_states_and_money_and_writes_nothing(desk):
    lamp = await desk.variant(sku="LAMP-8")
    placed = await desk.with_card((lamp, 3))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    before = await desk.read(placed.id)
    counts = [await desk.count(table) for table in ("events", "stock_entries", "ledger_entries")]

    told = await cancelled(desk, placed.id)

    assert (told.result.amount_minor, told.result.given_back) == (5997, "refund")
    assert told.before == OrderState("processing", "paid")
    assert told.after == OrderState("cancelled", "paid")
    assert told.stock == [
        StockChange(variant_id=lamp, sku="LAMP-8", pool="own", on_hand=0, available=3)
    ]
    assert await desk.read(placed.id) == before
    assert counts == [
        await desk.count(table) for table in ("events", "stock_entries", "ledger_entries")
    ]


async def test_tells_what_then_happens(desk):
    lamp = await desk.variant()
    placed = await desk.on_account((lamp, 2))
    before = await desk.level(lamp)

    told = await cancelled(desk, placed.id)
    async with desk.db.begin() as tx:
        done = await cancel_order(
            tx, shop_id=desk.shop.id, order_id=placed.id, now=desk.clock.now()
        )

    assert told.result == done
    after = await desk.level(lamp)
    assert [(change.on_hand, change.available) for change in told.stock] == [
        (after[0] - before[0], after[3] - before[3])
    ]


async def test_counts_no_entry_of_another_order(desk):
    lamp = await desk.variant()
    first, _second = await desk.on_account((lamp, 2)), await desk.on_account((lamp, 1))

    assert [change.available for change in (await cancelled(desk, first.id)).stock] == [2]


async def test_is_refused_as_the_move_is(desk):
    placed = await desk.on_account((await desk.variant(), 1))
    async with desk.db.begin() as tx:
        await cancel_order(tx, shop_id=desk.shop.id, order_id=placed.id, now=desk.clock.now())

    with pytest.raises(Refused):
        await cancelled(desk, placed.id)
    with pytest.raises(NotFound):
        await cancelled(desk, 999_999)


async def test_adds_up_what_cancelling_several_gives_back(desk):
    lamp = await desk.variant(own=50)
    paid, owed = await desk.with_card((lamp, 3)), await desk.on_account((lamp, 2))
    gone = await desk.on_account((lamp, 1))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=paid.id)
    async with desk.db.begin() as tx:
        await cancel_order(tx, shop_id=desk.shop.id, order_id=gone.id, now=desk.clock.now())

    told = await rehearse_cancelling(
        desk.db,
        shop_id=desk.shop.id,
        order_ids=[paid.id, owed.id, gone.id],
        now=desk.clock.now(),
    )

    assert {(each.payment, part.orders, part.units) for each, part in told.by_state.items()} == {
        ("paid", 1, 3),
        ("awaiting", 1, 2),
    }
    assert (told.whole.orders, told.whole.units) == (2, 5)
    assert told.whole.money == {("refund", "EUR"): 5997, ("not_owed", "EUR"): 3998}
    assert (told.looked_at, told.last) == (3, gone.id)
    assert {number: error.code for number, error in told.refused.items()} == {
        gone.id: "order_state"
    }
    assert await desk.level(lamp) == (50, 0, 5, 45)


async def test_ends_when_no_time_is_left_but_looks_at_one(desk):
    lamp = await desk.variant(own=50)
    numbers = [(await desk.on_account((lamp, each))).id for each in (1, 2, 4)]
    left = iter((True, False))

    async def told(has_time):
        found = await rehearse_cancelling(
            desk.db,
            shop_id=desk.shop.id,
            order_ids=numbers,
            now=desk.clock.now(),
            has_time=has_time,
        )
        return found.looked_at, found.last, found.whole.units

    assert await told(lambda: False) == (1, numbers[0], 1)
    assert await told(lambda: next(left)) == (2, numbers[1], 3)
    assert await desk.level(lamp) == (50, 0, 7, 43)


async def test_tells_a_transfer_and_a_capture_by_what_is_owed(desk):
    lamp = await desk.variant()
    by_card, owed = await desk.with_card((lamp, 1)), await desk.on_account((lamp, 2))

    async def told(order_id: int, reference: str = "ACME 12") -> int:
        found = await rehearse_payment(
            desk.db,
            shop_id=desk.shop.id,
            order_id=order_id,
            reference=reference,
            now=desk.clock.now(),
        )
        return found.result

    assert (await told(by_card.id), await told(owed.id)) == (1999, 3998)
    assert await desk.payments(owed.id) == []
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=by_card.id)
    with pytest.raises(Refused):
        await told(by_card.id)
