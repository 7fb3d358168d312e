"""The money of an order that is cancelled after it was paid..."""

import asyncio
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.orders import (
    cancel_order,
    pay_order,
    place,
    refund_order,
)
from crossdock.shop.warehouse import refund_with_goods
from tests.support.drafts import draft_of, line_of
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import GOOD, LOST_REFUND, REFUSED_REFUND
from tests.support.staff import Desk
from tests.support.warehousing import differences

TOTAL = 3998


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def paid(desk: Desk, *, card_number: str = GOOD) -> int:
    """A paid order of two."""
    placed = await desk.with_card((await desk.variant(), 2), card_number=card_number)
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    return placed.id


async def cancel(desk: Desk, order_id: int) -> None:
    async with desk.db.begin() as tx:
        await cancel_in(tx, desk, order_id)


async def cancel_in(tx: Transaction, desk: Desk, order_id: int) -> None:
    await cancel_order(tx, shop_id=desk.shop.id, order_id=order_id, now=desk.clock.now())


async def refund(desk: Desk, order_id: int, amount_minor: int | None = None) -> None:
    await refund_order(
        desk.paying, shop_id=desk.shop.id, order_id=order_id, amount_minor=amount_minor
    )


async def states(desk: Desk, order_id: int) -> tuple[str, str]:
    order = await desk.read(order_id)
    return order.fulfilment_state, order.payment_state


async def examined(desk: Desk) -> list[str]:
    async with desk.db.statement() as tx:
        return await differences(tx, after_shop=desk.shop.id - 1)


async def test_is_refunded_once_and_nobody_is_told(desk: Desk) -> None:
    order_id = await paid(desk)

    await cancel(desk, order_id)
    (due,) = await desk.payments(order_id)
    settled = [await settle_every_payment(desk.paying) for _ in range(3)]

    assert (due.state, due.refund_due_minor) == ("captured", TOTAL)
    assert settled[1:] == [0, 0]
    (payment,) = await desk.payments(order_id)
    assert (payment.state, payment.refund_due_minor, payment.refunded_minor) == (
        "refunded",
        0,
        TOTAL,
    )
    assert await desk.refunds() == [(True, TOTAL)]
    assert await states(desk, order_id) == ("cancelled", "refunded")
    assert await desk.balances() == {"refunds EUR": -TOTAL, "sales merchant EUR": TOTAL}
    assert await desk.alerts() == []
    assert await examined(desk) == []


async def test_stays_due_as_it_is_when_it_is_cancelled_again(desk: Desk) -> None:
    order_id = await paid(desk)
    await cancel(desk, order_id)

    with pytest.raises(Refused, match="cancelled already"):
        await cancel(desk, order_id)

    (payment,) = await desk.payments(order_id)
    assert payment.refund_due_minor == TOTAL


async def test_is_not_due_where_the_order_was_not_cancelled_after_all(desk: Desk) -> None:
    order_id = await paid(desk)

    async def cancel_twice() -> None:
        async with desk.db.begin() as tx:
            await cancel_in(tx, desk, order_id)
            await cancel_in(tx, desk, order_id)

    with pytest.raises(Refused, match="cancelled already"):
        await cancel_twice()
    await settle_every_payment(desk.paying)

    assert await desk.refunds() == []
    assert await states(desk, order_id) == ("processing", "paid")


@pytest.mark.parametrize("before", [1, 1000, TOTAL - 1, TOTAL])
async def test_is_refunded_as_far_as_it_was_not_yet(desk: Desk, before: int) -> None:
    order_id = await paid(desk)
    await refund(desk, order_id, before)

    await cancel(desk, order_id)
    await settle_every_payment(desk.paying)

    rest = [(True, TOTAL - before)] if before < TOTAL else []
    assert await desk.refunds() == [(True, before), *rest]
    assert await states(desk, order_id) == ("cancelled", "refunded")
    assert await examined(desk) == []


async def test_is_not_refunded_by_hand_as_well(desk: Desk) -> None:
    order_id = await paid(desk)
    await cancel(desk, order_id)

    with pytest.raises(Refused, match="refund_exceeds_capture"):
        await refund(desk, order_id, 1)
    with pytest.raises(Refused, match="is being refunded already"):
        await refund(desk, order_id)
    await settle_every_payment(desk.paying)

    assert await desk.refunds() == [(True, TOTAL)]


async def test_is_refunded_once_though_the_answer_was_lost(desk: Desk) -> None:
    order_id = await paid(desk, card_number=LOST_REFUND)
    await cancel(desk, order_id)

    await settle_every_payment(desk.paying)
    await settle_every_payment(desk.paying)
    desk.clock.move(timedelta(seconds=61))
    await settle_every_payment(desk.paying)

    assert await desk.refunds() == [(True, TOTAL)]
    assert await states(desk, order_id) == ("cancelled", "refunded")


async def test_waits_for_the_answer_to_a_refund_by_hand(desk: Desk) -> None:
    order_id = await paid(desk, card_number=LOST_REFUND)
    with pytest.raises(Unavailable):
        await refund(desk, order_id, 1000)

    with pytest.raises(Refused, match="provider is being asked"):
        await cancel(desk, order_id)
    desk.clock.move(timedelta(seconds=61))
    await settle_every_payment(desk.paying)
    await cancel(desk, order_id)

    (payment,) = await desk.payments(order_id)
    assert (payment.refunded_minor, payment.refund_due_minor) == (1000, TOTAL - 1000)


async def test_is_left_to_staff_when_the_provider_refuses(desk: Desk) -> None:
    order_id = await paid(desk, card_number=REFUSED_REFUND)
    await cancel(desk, order_id)

    for _ in range(3):
        await settle_every_payment(desk.paying)

    assert await desk.refunds() == [(False, TOTAL)]
    assert [(a.kind, a.order_id) for a in await desk.alerts()] == [("refund_refused", order_id)]
    assert await states(desk, order_id) == ("cancelled", "paid")


async def test_is_recorded_as_refunded_where_a_transfer_paid_it(desk: Desk) -> None:
    placed = await desk.on_account((await desk.variant(), 2))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id, reference="S 1")

    await cancel(desk, placed.id)
    await settle_every_payment(desk.paying)

    assert await desk.balances() == {"refunds EUR": -TOTAL, "sales merchant EUR": TOTAL}
    assert await states(desk, placed.id) == ("cancelled", "refunded")


@pytest.mark.parametrize("prepaid_owner", ["r:1", None])
async def test_is_prepaid_again_or_told_of_where_no_payment_is_known(
    desk: Desk, prepaid_owner: str | None
) -> None:
    line = line_of(await desk.variant(), shop=desk.made, quantity=2, price_minor=500)
    draft = draft_of(
        line, shop=desk.made, currency="EUR", payment_state="paid", prepaid_owner=prepaid_owner
    )
    top_up = Transfer(
        debit=Account("bank", ""),
        credit=Account("prepaid", "r:1"),
        amount_minor=2000,
        currency="EUR",
        kind="top_up",
    )
    async with desk.db.begin() as tx:
        await post_transfers(tx, shop_id=desk.shop.id, transfers=[top_up], now=desk.clock.now())
        placed = await place(tx, draft=draft, now=desk.clock.now())
    balances = await desk.balances()

    await cancel(desk, placed.id)

    kinds = [(alert.kind, alert.order_id) for alert in await desk.alerts()]
    if prepaid_owner:
        assert await desk.balances() == {"bank EUR": -2000, "prepaid r:1 EUR": 2000}
        assert await states(desk, placed.id) == ("cancelled", "refunded")
        assert kinds == []
    else:
        assert await desk.balances() == balances
        assert await states(desk, placed.id) == ("cancelled", "paid")
        assert kinds == [("cancelled_after_payment", placed.id)]


@pytest.mark.parametrize("amount_minor", [None, TOTAL])
async def test_is_told_of_where_all_of_it_is_refunded_and_goods_are_to_leave(
    desk: Desk, amount_minor: int | None
) -> None:
    order_id = await paid(desk)
    await refund(desk, order_id, 1000)
    assert await desk.alerts() == []

    await refund(desk, order_id, amount_minor and amount_minor - 1000)

    assert [(a.kind, a.order_id) for a in await desk.alerts()] == [("refunded_in_hand", order_id)]
    assert await states(desk, order_id) == ("processing", "refunded")


async def test_is_told_of_where_the_answer_to_a_refund_of_all_is_lost(desk: Desk) -> None:
    order_id = await paid(desk, card_number=LOST_REFUND)
    with pytest.raises(Unavailable):
        await refund(desk, order_id)
    assert [(a.kind, a.order_id) for a in await desk.alerts()] == [("refunded_in_hand", order_id)]


async def test_is_not_told_of_where_nothing_is_refunded_or_goods_come_back(desk: Desk) -> None:
    refused = await paid(desk, card_number=REFUSED_REFUND)
    with pytest.raises(Refused, match="payment_declined"):
        await refund(desk, refused)
    await refund_with_goods(desk.paying, shop_id=desk.shop.id, order_id=await paid(desk))
    assert await desk.alerts() == []


@pytest.mark.races
@pytest.mark.parametrize("amount_minor", [1000, None])
async def test_is_not_refunded_by_who_waits_for_the_cancelling(
    desk: Desk, amount_minor: int | None
) -> None:
    order_id = await paid(desk)
    async with desk.db.begin() as clerk:
        await cancel_in(clerk, desk, order_id)
        late = asyncio.create_task(refund(desk, order_id, amount_minor))
        await waiting_for_a_lock(desk.db, behind=clerk)
    with pytest.raises(Refused):
        await late
    await settle_every_payment(desk.paying)

    assert await desk.refunds() == [(True, TOTAL)]


@pytest.mark.races
async def test_is_due_less_what_was_refunded_while_the_cancelling_waited(desk: Desk) -> None:
    order_id = await paid(desk)
    query = "select 1 from orders where shop_id = %s and id = %s for no key update"
    async with desk.db.begin() as first:
        await first.run(query, (desk.shop.id, order_id))
        both = [
            asyncio.create_task(refund(desk, order_id, 1000)),
            asyncio.create_task(cancel(desk, order_id)),
        ]
        await waiting_for_a_lock(desk.db, behind=first, count=2)
    results = await asyncio.gather(*both, return_exceptions=True)
    refused = [isinstance(result, Refused) for result in results]
    if refused[1]:  # the provider was being asked for the other refund
        await cancel(desk, order_id)
    await settle_every_payment(desk.paying)

    assert sum(refused) <= 1
    assert sum(amount for _, amount in await desk.refunds()) == TOTAL
    assert await states(desk, order_id) == ("cancelled", "refunded")
    assert await examined(desk) == []


@pytest.mark.races
async def test_is_refunded_once_by_many_workers(desk: Desk) -> None:
    order_id = await paid(desk)
    await cancel(desk, order_id)

    await asyncio.gather(*(settle_every_payment(desk.paying) for _ in range(4)))

    assert await desk.refunds() == [(True, TOTAL)]
