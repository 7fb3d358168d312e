"""The money of an order that is closed short..."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from math import floor
from typing import Any

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.orders import (
    Closed,
    DraftLine,
    close_order,
    pay_order,
    place,
    refund_order,
)
from crossdock.shop.payments import Answer, AnswerLost, Question, Sandbox, plan_refund
from crossdock.shop.warehouse import (
    Consignment,
    ReturnItem,
    announce_return,
    close_short,
    pack_lines,
    pick_lines,
    receive_return,
    ship_package,
)
from tests.support.drafts import draft_of, line_of
from tests.support.factories import make_merchant, make_variant
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import LOST_CAPTURE, LOST_REFUND, REFUSED_REFUND
from tests.support.staff import Desk
from tests.support.warehousing import differences

PRICE = 1999
Sums = tuple[int, int, int, int]


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def ship(desk: Desk, order_id: int, quantities: dict[int, int]) -> None:
    place_: dict[str, Any] = {"shop_id": desk.shop.id, "now": desk.clock.now()}
    async with desk.db.begin() as tx:
        await pick_lines(tx, order_id=order_id, quantities=quantities, **place_)
        package_id = await pack_lines(tx, order_id=order_id, quantities=quantities, **place_)
        gone = Consignment(carrier="own", tracking_number=f"N{order_id}", tracking_url="")
        await ship_package(tx, package_id=package_id, consignment=gone, **place_)


async def close(desk: Desk, order_id: int) -> Closed:
    async with desk.db.begin() as tx:
        return await close_short(tx, shop_id=desk.shop.id, order_id=order_id, now=desk.clock.now())


async def pay(desk: Desk, order_id: int) -> None:
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=order_id, reference=f"B{order_id}")


async def paid(desk: Desk, good: int, quantity: int = 3, **more: str) -> int:
    """A paid order."""
    placed = await desk.with_card((good, quantity), **more)
    await pay(desk, placed.id)
    return placed.id


async def examined(desk: Desk) -> list[str]:
    async with desk.db.statement() as tx:
        return await differences(tx, after_shop=desk.shop.id - 1)


async def test_is_not_owed_any_more_on_account(desk: Desk) -> None:
    placed = await desk.on_account((await desk.variant(), 3))
    await ship(desk, placed.id, {1: 1})

    closed = await close(desk, placed.id)

    assert (closed.given_back, closed.amount_minor, closed.currency) == ("not_owed", 3998, "EUR")
    assert await desk.balances() == {"receivable customer EUR": -PRICE, "sales merchant EUR": PRICE}
    await pay(desk, placed.id)
    (payment,) = await desk.payments(placed.id)
    assert (payment.amount_minor, payment.captured_minor) == (PRICE, PRICE)
    assert await desk.balances() == {"bank EUR": -PRICE, "sales merchant EUR": PRICE}
    assert (await desk.read(placed.id)).payment_state == "paid"
    assert await examined(desk) == []


async def test_is_not_captured_where_it_was_authorised(desk: Desk) -> None:
    placed = await desk.with_card((await desk.variant(), 3))
    await ship(desk, placed.id, {1: 2})

    assert (await close(desk, placed.id)).given_back == "not_owed"
    await pay(desk, placed.id)

    (payment,) = await desk.payments(placed.id)
    assert (payment.state, payment.amount_minor, payment.captured_minor) == ("captured", 5997, 3998)
    assert await desk.balances() == {"clearing sandbox EUR": -3998, "sales merchant EUR": 3998}
    assert (await desk.read(placed.id)).payment_state == "paid"
    assert await examined(desk) == []


async def test_is_refunded_where_it_was_paid(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant())
    await ship(desk, order_id, {1: 1})

    closed = await close(desk, order_id)
    (due,) = await desk.payments(order_id)
    settled = [await settle_every_payment(desk.paying) for _ in range(3)]

    assert (closed.given_back, closed.amount_minor) == ("refund", 3998)
    assert (due.refund_due_minor, due.refunded_minor) == (3998, 0)
    assert settled[1:] == [0, 0]
    (payment,) = await desk.payments(order_id)
    assert (payment.state, payment.refund_due_minor, payment.refunded_minor) == (
        "partially_refunded",
        0,
        3998,
    )
    assert await desk.refunds() == [(True, 3998)]
    assert await desk.balances() == {
        "clearing sandbox EUR": -PRICE,
        "refunds EUR": -3998,
        "sales merchant EUR": 5997,
    }
    assert (await desk.read(order_id)).payment_state == "partially_refunded"
    assert await examined(desk) == []


async def test_is_all_refunded_where_nothing_has_left(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant())

    closed = await close(desk, order_id)
    await settle_every_payment(desk.paying)

    assert (closed.state, closed.given_back, closed.amount_minor) == ("cancelled", "refund", 5997)
    order = await desk.read(order_id)
    assert (order.fulfilment_state, order.payment_state) == ("cancelled", "refunded")
    assert await desk.alerts() == []


async def test_is_refunded_by_hand_where_a_transfer_paid_it(desk: Desk) -> None:
    placed = await desk.on_account((await desk.variant(), 3))
    await pay(desk, placed.id)
    await ship(desk, placed.id, {1: 2})

    assert (await close(desk, placed.id)).given_back == "refund"
    await settle_every_payment(desk.paying)

    assert await desk.balances() == {
        "bank EUR": -3998,
        "refunds EUR": -PRICE,
        "sales merchant EUR": 5997,
    }


@pytest.mark.parametrize(("before", "due"), [(1000, 3998), (3000, 2997), (5997, 0)])
async def test_is_refunded_as_far_as_something_is_left(desk: Desk, before: int, due: int) -> None:
    order_id = await paid(desk, await desk.variant())
    await refund_order(desk.paying, shop_id=desk.shop.id, order_id=order_id, amount_minor=before)
    await ship(desk, order_id, {1: 1})

    closed = await close(desk, order_id)
    await settle_every_payment(desk.paying)

    assert closed.amount_minor == due
    (payment,) = await desk.payments(order_id)
    assert payment.refunded_minor == before + due
    expected = "refunded" if before + due == 5997 else "partially_refunded"
    assert (await desk.read(order_id)).payment_state == expected
    assert await examined(desk) == []


@pytest.mark.parametrize(("before", "due"), [(1000, 2998), (3998, 0), (5000, 0)])
async def test_is_refunded_less_what_was_refunded_for_it_before(
    desk: Desk, before: int, due: int
) -> None:
    order_id = await paid(desk, await desk.variant())
    await refund_order(desk.paying, shop_id=desk.shop.id, order_id=order_id, amount_minor=before)
    await ship(desk, order_id, {1: 1})

    async with desk.db.begin() as tx:
        closed = await close_short(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            now=desk.clock.now(),
            counts_refunds=True,
        )
    await settle_every_payment(desk.paying)

    assert closed.amount_minor == due
    (payment,) = await desk.payments(order_id)
    assert (payment.refunded_minor, payment.refund_due_minor) == (before + due, 0)
    assert await examined(desk) == []


async def test_is_refunded_beside_what_was_refunded_for_returned_goods(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant())
    await ship(desk, order_id, {1: 2})
    place_: dict[str, Any] = {"shop_id": desk.shop.id, "now": desk.clock.now()}
    async with desk.db.begin() as tx:
        items = [ReturnItem(line_no=1, quantity=1)]
        return_id = await announce_return(tx, order_id=order_id, items=items, **place_)
        await receive_return(tx, return_id=return_id, restocked={1: 1}, **place_)
    await refund_order(desk.paying, shop_id=desk.shop.id, order_id=order_id, amount_minor=PRICE)

    async with desk.db.begin() as tx:
        closed = await close_short(tx, order_id=order_id, counts_refunds=True, **place_)

    assert closed.amount_minor == PRICE


async def test_is_kept_for_it_when_staff_refund_meanwhile(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant())
    await ship(desk, order_id, {1: 1})
    await close(desk, order_id)

    with pytest.raises(Refused, match="refund_exceeds_capture"):
        await refund_order(desk.paying, shop_id=desk.shop.id, order_id=order_id, amount_minor=2000)
    await refund_order(desk.paying, shop_id=desk.shop.id, order_id=order_id)
    await settle_every_payment(desk.paying)

    assert await desk.refunds() == [(True, PRICE), (True, 3998)]
    assert (await desk.read(order_id)).payment_state == "refunded"


async def test_is_refunded_once_though_the_answer_was_lost(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant(), card_number=LOST_REFUND)
    await ship(desk, order_id, {1: 1})
    await close(desk, order_id)

    await settle_every_payment(desk.paying)
    (asked,) = await desk.payments(order_id)
    assert (asked.refund_due_minor, asked.refunding_minor) == (0, 3998)
    await settle_every_payment(desk.paying)
    desk.clock.move(timedelta(seconds=61))
    await settle_every_payment(desk.paying)

    assert await desk.refunds() == [(True, 3998)]
    (payment,) = await desk.payments(order_id)
    assert (payment.refunded_minor, payment.refunding_minor) == (3998, 0)


class Deaf(Sandbox):
    """A provider whom no request for a refund reaches."""

    async def refund(self, question: Question) -> None:  # type: ignore[override]
        raise AnswerLost


async def test_is_refunded_after_all_when_the_request_never_arrived(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant())
    await ship(desk, order_id, {1: 1})
    await close(desk, order_id)
    deaf = msgspec.structs.replace(
        desk.paying, providers={"sandbox": Deaf(desk.db, clock=desk.clock)}
    )

    await settle_every_payment(deaf)
    assert await desk.refunds() == []
    desk.clock.move(timedelta(seconds=61))
    await settle_every_payment(desk.paying)
    await settle_every_payment(desk.paying)

    assert await desk.refunds() == [(True, 3998)]
    assert await examined(desk) == []


async def test_is_left_to_staff_when_the_provider_refuses(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant(), card_number=REFUSED_REFUND)
    await ship(desk, order_id, {1: 1})
    await close(desk, order_id)

    for _ in range(3):
        await settle_every_payment(desk.paying)

    assert await desk.refunds() == [(False, 3998)]
    (payment,) = await desk.payments(order_id)
    assert (payment.state, payment.refund_due_minor, payment.refunded_minor) == ("captured", 0, 0)
    [alert] = await desk.alerts()
    assert (alert.kind, alert.order_id) == ("refund_refused", order_id)
    assert "The money was not given back." in alert.message


class Planning(Sandbox):
    """A provider at whose first refund another 10.00 of the order is planned."""

    order_id = 0

    async def refund(self, question: Question) -> Answer:
        order_id, self.order_id = self.order_id, 0
        if order_id:
            async with self._db.begin() as tx:
                await plan_refund(
                    tx,
                    shop_id=question.shop_id,
                    order_id=order_id,
                    amount_minor=1000,
                    now=self._clock.now(),
                )
        return await super().refund(question)


async def test_is_left_to_staff_but_for_what_was_planned_meanwhile(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant(), card_number=REFUSED_REFUND)
    await ship(desk, order_id, {1: 1})
    await close(desk, order_id)
    provider = Planning(desk.db, clock=desk.clock)
    provider.order_id = order_id
    service = msgspec.structs.replace(desk.paying, providers={"sandbox": provider})

    await settle_every_payment(service)
    (payment,) = await desk.payments(order_id)
    assert (payment.refund_due_minor, payment.refunding_minor) == (1000, 0)
    for _ in range(2):
        await settle_every_payment(service)

    assert await desk.refunds() == [(False, 3998), (False, 1000)]
    messages = sorted(alert.message for alert in await desk.alerts())
    told = [message.split(" of payment")[0] for message in messages]
    assert told == [
        "sandbox refused to refund 10.00 EUR",
        "sandbox refused to refund 39.98 EUR",
    ]


@pytest.mark.parametrize("by_card", [True, False])
async def test_is_let_go_of_where_all_that_costs_is_cancelled(desk: Desk, by_card: bool) -> None:
    free, good = await desk.variant(price_minor=0), await desk.variant()
    wanted = (free, 1), (good, 1)
    placed = await (desk.with_card(*wanted) if by_card else desk.on_account(*wanted))
    await ship(desk, placed.id, {1: 1})
    await close(desk, placed.id)

    with pytest.raises(Refused) as refusal:
        await pay(desk, placed.id)
    assert refusal.value.code == "order_state"
    await settle_every_payment(desk.paying)

    order = await desk.read(placed.id)
    assert (order.fulfilment_state, order.payment_state) == ("shipped", "voided")
    assert [p.state for p in await desk.payments(placed.id)] == (["voided"] if by_card else [])
    assert await desk.balances() == {}


async def test_is_prepaid_again(desk: Desk) -> None:
    good = await desk.variant()
    line = line_of(good, shop=desk.made, quantity=3, price_minor=500, tax_minor=100)
    draft = draft_of(
        line, shop=desk.made, currency="EUR", payment_state="paid", prepaid_owner="r:1"
    )
    now = desk.clock.now()
    async with desk.db.begin() as tx:
        top_up = Transfer(
            debit=Account("bank", ""),
            credit=Account("prepaid", "r:1"),
            amount_minor=2000,
            currency="EUR",
            kind="top_up",
        )
        await post_transfers(tx, shop_id=desk.shop.id, transfers=[top_up], now=now)
        placed = await place(tx, draft=draft, now=now)
    await ship(desk, placed.id, {1: 1})

    closed = await close(desk, placed.id)

    assert (closed.given_back, closed.amount_minor) == ("prepaid", 1067)
    assert await desk.balances() == {
        "bank EUR": -2000,
        "prepaid r:1 EUR": 1467,
        "sales merchant EUR": 500,
        "tax EUR": 33,
    }
    assert (await desk.read(placed.id)).payment_state == "partially_refunded"


async def test_waits_for_an_answer_of_the_provider(desk: Desk) -> None:
    placed = await desk.with_card((await desk.variant(), 3), card_number=LOST_CAPTURE)
    await ship(desk, placed.id, {1: 1})
    with pytest.raises(Unavailable):
        await pay(desk, placed.id)

    with pytest.raises(Refused, match="provider is being asked"):
        await close(desk, placed.id)

    desk.clock.move(timedelta(seconds=61))
    await settle_every_payment(desk.paying)
    assert (await close(desk, placed.id)).given_back == "refund"


@pytest.mark.parametrize("shipped", [0, 1])
async def test_stays_while_goods_are_picked(desk: Desk, shipped: int) -> None:
    placed = await desk.on_account((await desk.variant(), 3))
    if shipped:
        await ship(desk, placed.id, {1: shipped})
    async with desk.db.begin() as tx:
        place_: dict[str, Any] = {
            "shop_id": desk.shop.id,
            "order_id": placed.id,
            "now": desk.clock.now(),
        }
        await pick_lines(tx, quantities={1: 1}, **place_)
        with pytest.raises(Refused, match="un-pick them first"):
            await close_order(tx, **place_)


async def test_is_on_the_account_of_its_own_order(desk: Desk) -> None:
    good = await desk.variant(own=9)
    line = line_of(good, shop=desk.made, quantity=2, price_minor=500)
    orders = []
    async with desk.db.begin() as tx:
        for _ in range(3):
            draft = draft_of(line, shop=desk.made, currency="EUR", payment_state="awaiting")
            orders.append(await place(tx, draft=draft, now=desk.clock.now()))
    await ship(desk, orders[1].id, {1: 1})

    await close(desk, orders[1].id)

    assert await desk.balances() == {
        f"receivable order:{orders[0].id} EUR": -1000,
        f"receivable order:{orders[1].id} EUR": -500,
        f"receivable order:{orders[2].id} EUR": -1000,
        "sales merchant EUR": 2500,
    }


async def test_is_nothing_of_an_order_that_is_over(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant())
    await ship(desk, order_id, {1: 3})

    closed = await close(desk, order_id)

    assert closed == Closed(state="shipped", cancelled={}, currency="EUR")
    assert (closed.amount_minor, closed.given_back, closed.may_be_at) == (0, "", "")


async def test_is_not_all_that_goes_back_orders_that_wait_are_looked_at(desk: Desk) -> None:
    good = await desk.variant()
    placed = await desk.on_account((good, 3))
    waiting = draft_of(
        line_of(good, shop=desk.made, quantity=4),
        shop=desk.made,
        currency="EUR",
        state_when_short="reserved",
        release_policy="when_available",
    )
    async with desk.db.begin() as tx:
        assert (await place(tx, draft=waiting, now=desk.clock.now())).state == "reserved"
        await tx.run("delete from procrastinate_jobs where task_name = 'run_releases'")
        await close_order(tx, shop_id=desk.shop.id, order_id=placed.id, now=desk.clock.now())
        query = "select count(*) from procrastinate_jobs where task_name = 'run_releases'"
        assert await tx.value(query) == 1


@pytest.mark.races
async def test_is_not_captured_by_who_waits_for_the_closing(desk: Desk) -> None:
    placed = await desk.with_card((await desk.variant(), 3))
    await ship(desk, placed.id, {1: 1})
    async with desk.db.begin() as clerk:
        await close_short(clerk, shop_id=desk.shop.id, order_id=placed.id, now=desk.clock.now())
        late = asyncio.create_task(pay(desk, placed.id))
        await waiting_for_a_lock(desk.db, behind=clerk)

    await late
    (payment,) = await desk.payments(placed.id)
    assert payment.captured_minor == PRICE


@pytest.mark.races
async def test_is_refunded_once_by_two_workers(desk: Desk) -> None:
    order_id = await paid(desk, await desk.variant())
    await ship(desk, order_id, {1: 1})
    await close(desk, order_id)

    await asyncio.gather(*(settle_every_payment(desk.paying) for _ in range(4)))

    assert await desk.refunds() == [(True, 3998)]


def rounded(value: Fraction) -> int:
    """Half up."""
    return floor(value + Fraction(1, 2))


def kept(amount_minor: int, quantity: int, cancelled: int) -> int:
    return rounded(Fraction(amount_minor * (quantity - cancelled), quantity))


def model(lines: Sequence[DraftLine], cancelled: Sequence[int], commission_bp: int) -> Sums:
    """What of goods, shipping, tax and commission of these lines of one merchant is cancelled."""
    goods = tax = sold = 0
    for line, gone in zip(lines, cancelled, strict=True):
        discount = line.discount_minor - kept(line.discount_minor, line.quantity, gone)
        goods += line.unit_price_minor * gone - discount
        tax += line.tax_minor - kept(line.tax_minor, line.quantity, gone)
        sold += line.unit_price_minor * line.quantity - line.discount_minor
    is_whole = all(line.quantity == gone for line, gone in zip(lines, cancelled, strict=True))
    commission = rounded(Fraction(sold * commission_bp, 10_000))
    left = rounded(Fraction(commission * (sold - goods), sold)) if sold else 0
    shipping = sum(line.shipping_minor for line in lines) if is_whole else 0
    return goods, shipping, tax, commission - left


async def test_is_the_share_of_the_cancelled_units(desk: Desk) -> None:
    """What is kept is rounded half up, neither half is below zero, and what is sold stays the sum."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    bp = rng.randrange(3_000)
    good = await desk.variant(own=10_000)
    async with desk.db.begin() as tx:
        await tx.run(
            "update merchants set commission_bp = %s where shop_id = %s", (bp, desk.shop.id)
        )
        for _ in range(60):
            lines, cancelled = [], []
            for _ in range(rng.randrange(1, 4)):
                quantity, price = rng.randrange(1, 7), rng.choice([0, 1, 333, 1999])
                lines.append(
                    line_of(
                        good,
                        shop=desk.made,
                        quantity=quantity,
                        price_minor=price,
                        discount_minor=rng.randrange(price * quantity + 1),
                        tax_minor=rng.randrange(500),
                        shipping_minor=rng.randrange(700),
                    )
                )
                cancelled.append(rng.choice([0, quantity, rng.randrange(quantity + 1)]))
            draft = draft_of(*lines, shop=desk.made, currency="EUR", payment_state="awaiting")
            placed = await place(tx, draft=draft, now=desk.clock.now())
            await tx.run(
                "update order_lines l set cancelled = x.gone from unnest(%s::bigint[]) with ordinality"
                " as x (gone, line_no) where l.order_id = %s and l.line_no = x.line_no",
                (cancelled, placed.id),
            )
            row = await tx.one(
                "select goods_minor, shipping_minor, tax_minor, commission_minor"
                " from cancelled_sums(%s, %s)",
                (desk.shop.id, placed.id),
            )
            assert row == model(lines, cancelled, bp), (seed, lines, cancelled)
            assert min(row) >= 0
            total = await tx.value("select cancelled_total(%s, %s)", (desk.shop.id, placed.id))
            assert total == sum(row[:3])
            if all(line.quantity == gone for line, gone in zip(lines, cancelled, strict=True)):
                assert total == draft.total_minor


async def test_is_the_shipping_of_a_merchant_of_whom_nothing_left(desk: Desk) -> None:
    good = await desk.variant(own=9)
    async with desk.db.begin() as tx:
        other = await make_merchant(tx, shop_id=desk.shop.id)
        theirs = await make_variant(tx, shop=desk.made, own=9, merchant_id=other)
        lines = (
            line_of(good, shop=desk.made, quantity=2, shipping_minor=500),
            line_of(theirs, shop=desk.made, merchant_id=other, shipping_minor=300),
        )
        draft = draft_of(*lines, shop=desk.made, currency="EUR", payment_state="awaiting")
        placed = await place(tx, draft=draft, now=desk.clock.now())
    await ship(desk, placed.id, {1: 1})

    closed = await close(desk, placed.id)

    assert (closed.cancelled, closed.amount_minor) == ({1: 1, 2: 1}, 1000 + 1000 + 300)
    balances = await desk.balances()
    assert balances.pop(f"receivable order:{placed.id} EUR") == -1500
    assert balances == {"sales merchant EUR": 1000, "shipping EUR": 500}
