"""A line that staff cancel..."""

import asyncio

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.orders import (
    cancel_line,
    cancel_order,
    close_order,
    note_picked,
    pay_awaiting_order,
    pay_order,
    place,
    refund_line,
)
from tests.support.awaiting import Dropship
from tests.support.drafts import draft_of, line_of
from tests.support.factories import make_merchant
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import GOOD, card
from tests.support.staff import Desk
from tests.support.warehousing import differences


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def three(desk: Desk) -> tuple[tuple[int, int], ...]:
    """Lines of 10.00, 20.00 and 70.00 EUR."""
    return tuple([(await desk.variant(price_minor=price), 1) for price in (1000, 2000, 7000)])


async def cancel_in(tx: Transaction, desk: Desk | Dropship, order_id: int, line_no: int) -> int:
    done = await cancel_line(
        tx,
        shop_id=desk.shop.id,
        order_id=order_id,
        line_no=line_no,
        reason="agreement",
        now=desk.clock.now(),
    )
    return done.amount_minor


async def cancel(desk: Desk | Dropship, order_id: int, line_no: int) -> int:
    async with desk.db.begin() as tx:
        return await cancel_in(tx, desk, order_id, line_no)


async def pay(desk: Desk, order_id: int, reference: str = "") -> None:
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=order_id, reference=reference)


async def examined(desk: Desk) -> list[str]:
    async with desk.db.statement() as tx:
        return await differences(tx, after_shop=desk.shop.id - 1)


async def test_is_not_captured_of_the_card(desk: Desk) -> None:
    placed = await desk.with_card(*await three(desk))

    assert await cancel(desk, placed.id, 1) == 1000
    await pay(desk, placed.id)

    (payment,) = await desk.payments(placed.id)
    assert (payment.state, payment.amount_minor, payment.captured_minor) == (
        "captured",
        10_000,
        9000,
    )
    assert await desk.balances() == {"clearing sandbox EUR": -9000, "sales merchant EUR": 9000}
    assert await examined(desk) == []


async def test_leaves_nothing_to_capture_where_the_others_are_free(desk: Desk) -> None:
    lines = [(await desk.variant(price_minor=price), 1) for price in (1000, 0)]
    placed = await desk.with_card(*lines)
    await cancel(desk, placed.id, 1)

    with pytest.raises(Refused, match="Nothing is owed"):
        await pay(desk, placed.id)

    assert (await desk.payments(placed.id))[0].captured_minor == 0


@pytest.mark.races
async def test_keeps_its_order_from_being_paid_by_a_card_for_all_of_it(desk: Desk) -> None:
    placed = await desk.on_account(*await three(desk))
    async with desk.db.begin() as tx:
        await cancel_in(tx, desk, placed.id, 1)
        paying = asyncio.create_task(
            pay_awaiting_order(
                desk.paying,
                shop_id=desk.shop.id,
                order_id=placed.id,
                card=card(GOOD),
                provider="sandbox",
            )
        )
        await waiting_for_a_lock(desk.db, behind=tx)
    with pytest.raises(Refused, match="order_state"):
        await paying

    async with desk.db.statement() as tx:
        states = await tx.all(
            "select state, captured_minor from payments where shop_id = %s", (desk.shop.id,)
        )
    assert states == [("voided", 0)]
    assert (await desk.read(placed.id)).payment_state == "awaiting"


async def test_is_not_paid_with_a_partner_s_charge(database: Database, clock: FrozenClock) -> None:
    desk = await Dropship.open(database, clock)
    lines = [(await desk.variant(price_minor=price), 1) for price in (1000, 9000)]
    placed = await desk.place(*lines)
    await cancel(desk, placed.id, 1)

    await desk.charge(placed.id, "ch-1")

    (payment,) = await desk.payments(placed.id)
    assert payment.captured_minor == 9000
    assert await desk.owed() == 0
    assert await desk.cancel(placed.id, 2) == 9000
    assert (await desk.states(placed.id))[:2] == ("refunded", "cancelled")
    assert await desk.differences() == []


@pytest.mark.parametrize("is_by_card", [False, True])
async def test_is_owed_no_more_once_whatever_is_cancelled_after_it(
    desk: Desk, is_by_card: bool
) -> None:
    async with desk.db.begin() as tx:
        terms = "update merchants set commission_bp = 1250 where id = %s"
        await tx.run(terms, (desk.made.merchant_id,))
    place_order = desk.with_card if is_by_card else desk.on_account
    placed = await place_order(*await three(desk), shipping_minor=500)

    assert await cancel(desk, placed.id, 1) == 1000
    assert await cancel(desk, placed.id, 2) == 2000

    assert await desk.balances() == {
        "commission merchant EUR": 875,
        "receivable customer EUR": -7500,
        "sales merchant EUR": 6125,
        "shipping EUR": 500,
    }
    assert await cancel(desk, placed.id, 3) == 7500
    await settle_every_payment(desk.paying)
    assert await desk.balances() == {}
    order = await desk.read(placed.id)
    assert (order.fulfilment_state, order.payment_state) == ("cancelled", "voided")
    assert await examined(desk) == []


async def test_is_owed_no_more_once_where_several_merchants_sell(desk: Desk) -> None:
    async with desk.db.begin() as tx:
        other = await make_merchant(tx, shop_id=desk.shop.id)
    lines = [
        line_of(
            await desk.variant(), shop=desk.made, quantity=1, price_minor=price,
            shipping_minor=shipping, merchant_id=merchant_id,
        )
        for price, shipping, merchant_id in (
            (1000, 100, desk.made.merchant_id), (2000, 200, other), (7000, 700, other),
        )
    ]  # fmt: skip
    draft = draft_of(*lines, shop=desk.made, currency="EUR", payment_state="awaiting")
    async with desk.db.begin() as tx:
        placed = await place(tx, draft=draft, now=desk.clock.now())

    given = [await cancel(desk, placed.id, line_no) for line_no in (1, 2, 3)]

    assert given == [1100, 2000, 7900]
    assert await desk.balances() == {}
    assert await examined(desk) == []


async def test_is_on_the_prepaid_account_again_once(desk: Desk) -> None:
    lines = [
        line_of(await desk.variant(), shop=desk.made, quantity=1, price_minor=price)
        for price in (1000, 2000, 7000)
    ]
    draft = draft_of(
        *lines, shop=desk.made, currency="EUR", payment_state="paid", prepaid_owner="r:1"
    )
    top_up = Transfer(
        debit=Account("bank", ""), credit=Account("prepaid", "r:1"), amount_minor=10_000,
        currency="EUR", kind="top_up",
    )  # fmt: skip
    async with desk.db.begin() as tx:
        await post_transfers(tx, shop_id=desk.shop.id, transfers=[top_up], now=desk.clock.now())
        placed = await place(tx, draft=draft, now=desk.clock.now())

    assert [await cancel(desk, placed.id, line_no) for line_no in (1, 2)] == [1000, 2000]
    assert (await desk.balances())["prepaid r:1 EUR"] == 3000
    assert (await desk.read(placed.id)).payment_state == "partially_refunded"
    assert await cancel(desk, placed.id, 3) == 7000
    assert (await desk.balances())["prepaid r:1 EUR"] == 10_000
    assert (await desk.read(placed.id)).payment_state == "refunded"
    assert await examined(desk) == []


@pytest.mark.parametrize("is_by_card", [False, True])
async def test_before_the_order_is_paid_is_not_given_back_after_that(
    desk: Desk, is_by_card: bool
) -> None:
    lines = await three(desk)
    place_order = desk.with_card if is_by_card else desk.on_account
    placed = await place_order(*lines, shipping_minor=500)
    await cancel(desk, placed.id, 1)
    await pay(desk, placed.id, "" if is_by_card else "S 1")

    with pytest.raises(Refused, match="cancelled before it was paid"):
        await refund_line(
            desk.paying, shop_id=desk.shop.id, order_id=placed.id, line_no=1, reason="agreement"
        )
    assert await cancel(desk, placed.id, 2) == 2000
    await settle_every_payment(desk.paying)

    (payment,) = await desk.payments(placed.id)
    assert (payment.captured_minor, payment.refunded_minor) == (9500, 2000)
    order = await desk.read(placed.id)
    assert [(line.refunded_minor, line.refunded_at) for line in order.lines] == [
        (0, None),
        (2000, desk.clock.now()),
        (0, None),
    ]
    async with desk.db.begin() as tx:
        await cancel_order(tx, shop_id=desk.shop.id, order_id=placed.id, now=desk.clock.now())
    await settle_every_payment(desk.paying)
    (payment,) = await desk.payments(placed.id)
    assert (payment.state, payment.refunded_minor) == ("refunded", 9500)
    order = await desk.read(placed.id)
    assert sum(line.refunded_minor for line in order.lines) == 9500
    assert order.lines[0].refunded_minor == order.lines[0].shipping_minor
    assert await examined(desk) == []


async def test_before_the_order_is_paid_is_no_goodwill_for_what_is_closed_short(desk: Desk) -> None:
    placed = await desk.on_account(*await three(desk))
    await cancel(desk, placed.id, 1)
    await pay(desk, placed.id, "S 1")

    async with desk.db.begin() as tx:
        closed = await close_order(
            tx, shop_id=desk.shop.id, order_id=placed.id, counts_refunds=True, now=desk.clock.now()
        )

    assert (closed.amount_minor, closed.cancelled) == (9000, {2: 1, 3: 1})


async def test_is_not_picked(desk: Desk) -> None:
    placed = await desk.on_account(*await three(desk))
    await cancel(desk, placed.id, 1)

    async with desk.db.begin() as tx:
        short = await note_picked(
            tx, shop_id=desk.shop.id, order_id=placed.id, quantities={1: 1, 2: 1}
        )

    assert short == 1


@pytest.mark.parametrize("state", ["awaiting", "paid"])
async def test_that_was_taken_back_twice_is_found_by_the_doctor(desk: Desk, state: str) -> None:
    placed = await desk.on_account(*await three(desk))
    await cancel(desk, placed.id, 1)
    if state == "paid":
        await pay(desk, placed.id, "S 1")
    again = Transfer(
        debit=Account("sales", f"merchant:{desk.made.merchant_id}"),
        credit=Account("receivable", f"customer:{desk.made.customer_id}"),
        amount_minor=1000,
        currency="EUR",
        kind="sale_taken_back",
    )
    async with desk.db.begin() as tx:
        await post_transfers(
            tx, shop_id=desk.shop.id, transfers=[again], order_id=placed.id, now=desk.clock.now()
        )

    most = "at most " if state == "paid" else ""
    (found,) = await examined(desk)
    assert found == (
        "sales without what was taken back are what is not cancelled:"
        f" shop {desk.shop.id} order {placed.id}: expected {most}1000 taken back,"
        " found 2000 of 10000 taken back"
    )


async def test_after_failed_attempts_asks_staff_to_look(desk: Desk) -> None:
    placed = await desk.on_account(*await three(desk))
    now = desk.clock.now()
    async with desk.db.begin() as tx:
        await tx.run(
            "insert into deliveries (shop_id, kind, target, subject_id, status, attempts, queued_at, updated_at)"
            " values (%s, 'dispatch', 'webhook', %s, 'failed', 7, %s, %s)",
            (desk.shop.id, placed.id, now, now),
        )
        told = await cancel_line(
            tx, shop_id=desk.shop.id, order_id=placed.id, line_no=2, reason="agreement", now=now
        )

    assert told.may_be_at == "webhook"
    message = f"Line 2 of order {placed.id} was cancelled after failed attempts; see that webhook lacks it."
    (alert,) = await desk.alerts()
    assert (alert.kind, alert.message, alert.order_id) == (
        "cancelled_after_attempts",
        message,
        placed.id,
    )
