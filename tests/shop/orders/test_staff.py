"""An order that staff take down..."""

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec
import psycopg
import pytest
from psycopg import sql

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, CrossdockError, Invalid, Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.ledger import verify_ledger
from crossdock.shop.orders import (
    cancel_order,
    list_orders,
    pay_order,
    place,
    refund_order,
)
from crossdock.shop.payments import list_attempts
from crossdock.shop.stock import expire_holds
from tests.support.drafts import draft_of, line_of
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import (
    DECLINED,
    LOST_ANSWER,
    LOST_CAPTURE,
    LOST_REFUND,
    REFUSED_CAPTURE,
)
from tests.support.staff import Desk

SALE = {"receivable customer EUR": -3998, "sales merchant EUR": 3998}


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


@pytest.fixture
async def alone(empty_database_url: str, clock: FrozenClock):
    """A desk in whose database nobody else's payments wait."""
    database = Database(empty_database_url, min_size=1, max_size=6)
    await database.open()
    yield await Desk.open(database, clock)
    await database.close()


async def test_on_account_is_owed_until_the_transfer_is_noted(desk: Desk) -> None:
    good = await desk.variant()

    placed = await desk.on_account((good, 2), number="T-1", shipping_minor=595)

    order = await desk.read(placed.id)
    assert (order.channel, order.partner_id, order.fulfilment_state, order.payment_state) == (
        "staff",
        None,
        "processing",
        "awaiting",
    )
    assert (order.subtotal_minor, order.shipping_minor, order.total_minor) == (3998, 595, 4593)
    assert await desk.level(good) == (5, 0, 2, 3)
    assert await desk.balances() == {
        "receivable customer EUR": -4593,
        "sales merchant EUR": 3998,
        "shipping EUR": 595,
    }

    with pytest.raises(Invalid):
        await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    payment = await pay_order(
        desk.paying, shop_id=desk.shop.id, order_id=placed.id, reference="S 7/1"
    )

    assert payment is not None
    assert (payment.state, payment.captured_minor) == ("captured", 4593)
    assert await desk.balances() == {
        "bank EUR": -4593,
        "sales merchant EUR": 3998,
        "shipping EUR": 595,
    }
    assert (await desk.read(placed.id)).payment_state == "paid"
    assert await desk.kinds(placed.id) == ["order.placed", "payment.paid"]
    with pytest.raises(Refused, match="order_state"):
        await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id, reference="S 7/2")


async def test_that_is_free_is_paid_without_a_payment(desk: Desk) -> None:
    placed = await desk.on_account((await desk.variant(price_minor=0), 1))
    assert (await desk.read(placed.id)).payment_state == "awaiting"

    assert await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id) is None

    assert (await desk.read(placed.id)).payment_state == "paid"
    assert (await desk.payments(placed.id), await desk.balances()) == ([], {})
    assert await desk.kinds(placed.id) == ["order.placed", "payment.paid"]


async def test_with_a_card_is_authorised_captured_and_refunded(desk: Desk) -> None:
    good = await desk.variant()

    placed = await desk.with_card((good, 2))
    assert await desk.balances() == SALE
    assert await desk.level(good) == (5, 0, 2, 3)
    paid = await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
    for amount in (1_000, 998, None):
        await refund_order(
            desk.paying, shop_id=desk.shop.id, order_id=placed.id, amount_minor=amount
        )

    assert paid is not None
    assert (paid.state, paid.card_brand, paid.card_last4) == ("captured", "visa", "4242")
    (payment,) = await desk.payments(placed.id)
    assert (payment.state, payment.refunded_minor) == ("refunded", 3998)
    assert (await desk.read(placed.id)).payment_state == "refunded"
    assert await desk.kinds(placed.id) == [
        "order.placed",
        "payment.paid",
        "payment.partially_refunded",
        "payment.partially_refunded",
        "payment.refunded",
    ]
    told = [event.payload for event in (await desk.read(placed.id)).timeline[2:]]
    assert [(each["from"], each["to"], each["amount_minor"]) for each in told] == [
        ("paid", "partially_refunded", 1_000),
        ("partially_refunded", "partially_refunded", 998),
        ("partially_refunded", "refunded", 2_000),
    ]
    assert await desk.balances() == {"refunds EUR": -3998, "sales merchant EUR": 3998}
    with pytest.raises(Refused, match="payment_state"):
        await refund_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)


async def test_is_not_refunded_by_nothing_or_too_much(desk: Desk) -> None:
    placed = await desk.with_card((await desk.variant(), 1))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)

    for amount, code in (
        (0, "invalid_input"),
        (-1, "invalid_input"),
        (2000, "refund_exceeds_capture"),
    ):
        with pytest.raises(CrossdockError, match=code):
            await refund_order(
                desk.paying, shop_id=desk.shop.id, order_id=placed.id, amount_minor=amount
            )

    assert (await desk.payments(placed.id))[0].state == "captured"


async def test_is_refunded_by_as_little_as_one_cent(desk: Desk) -> None:
    placed = await desk.with_card((await desk.variant(), 1))
    await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)

    refunded = await refund_order(
        desk.paying, shop_id=desk.shop.id, order_id=placed.id, amount_minor=1
    )

    assert (refunded.state, refunded.refunded_minor) == ("partially_refunded", 1)


async def test_gives_no_commission_on_what_was_taken_off(desk: Desk) -> None:
    good = await desk.variant()
    line = line_of(good, shop=desk.made, price_minor=10_000, discount_minor=2_000)
    async with desk.db.begin() as tx:
        terms = "update merchants set commission_bp = 1250 where id = %s"
        await tx.run(terms, (desk.made.merchant_id,))
        draft = draft_of(
            line, shop=desk.made, currency="EUR", customer_id=desk.made.customer_id,
            payment_state="awaiting",
        )  # fmt: skip
        await place(tx, draft=draft, now=desk.clock.now())

    assert await desk.balances() == {
        "commission merchant EUR": 1_000,
        "receivable customer EUR": -8_000,
        "sales merchant EUR": 7_000,
    }


async def test_with_a_declined_card_leaves_nothing(desk: Desk) -> None:
    good = await desk.variant()

    with pytest.raises(Refused) as refusal:
        await desk.with_card((good, 2), card_number=DECLINED)

    assert refusal.value.code == "payment_declined"
    assert await desk.level(good) == (5, 0, 0, 5)
    assert (await desk.count("orders"), await desk.balances()) == (0, {})


async def test_whose_card_tells_nothing_is_not_placed_and_its_money_let_go_of(
    alone: Desk, clock: FrozenClock
) -> None:
    good = await alone.variant()

    with pytest.raises(Unavailable) as refusal:
        await alone.with_card((good, 2), card_number=LOST_ANSWER)
    assert refusal.value.code == "payment_unsettled"
    assert await alone.level(good) == (5, 0, 0, 5)

    for _ in range(2):
        clock.move(timedelta(seconds=901))
        await settle_every_payment(alone.paying)
    async with alone.db.statement() as tx:
        states = await tx.all("select state from payments where shop_id = %s", (alone.shop.id,))
    assert states == [("voided",)]


async def test_that_loses_its_number_meanwhile_is_voided_and_its_goods_are_let_go_of(
    desk: Desk,
) -> None:
    good = await desk.variant()
    first = await desk.on_account((good, 1), number="T-1")

    with pytest.raises(Conflict) as refusal:
        await desk.with_card((good, 2), number="T-1")

    assert refusal.value.data["order_id"] == first.id
    assert await desk.level(good) == (5, 0, 1, 4)
    async with desk.db.statement() as tx:
        states = await tx.all("select state from payments where shop_id = %s", (desk.shop.id,))
    assert states == [("voided",)]
    assert await desk.count("orders") == 1


async def test_of_more_than_there_is_is_refused_before_the_card_is_asked(desk: Desk) -> None:
    good, other = await desk.variant(own=1), await desk.variant()

    with pytest.raises(Refused, match="stock_limit_exceeded"):
        await desk.with_card((other, 1), (good, 2))

    assert await desk.level(other) == (5, 0, 0, 5)
    assert (await desk.count("payments"), await desk.count("orders")) == (0, 0)


async def test_asks_for_an_active_customer_with_addresses_and_a_line(desk: Desk) -> None:
    good = await desk.variant()
    with pytest.raises(Refused, match="order_amount_not_allowed"):
        await desk.on_account()
    async with desk.db.begin() as tx:
        await tx.run("update customers set active = false where shop_id = %s", (desk.shop.id,))

    with pytest.raises(Refused, match="customer_inactive"):
        await desk.with_card((good, 1))

    assert (await desk.count("holds"), await desk.count("payments")) == (0, 0)


async def test_that_is_cancelled_is_owed_no_more_and_its_card_let_go_of(desk: Desk) -> None:
    good = await desk.variant()
    account = await desk.on_account((good, 1))
    card = await desk.with_card((good, 2))

    for placed in (account, card):
        async with desk.db.begin() as tx:
            await cancel_order(tx, shop_id=desk.shop.id, order_id=placed.id, now=desk.clock.now())
    with pytest.raises(Refused, match="order_state"):
        await pay_order(desk.paying, shop_id=desk.shop.id, order_id=card.id)
    with pytest.raises(Refused, match="order_state"):
        await pay_order(desk.paying, shop_id=desk.shop.id, order_id=account.id, reference="S 1")
    await settle_every_payment(desk.paying)

    assert await desk.level(good) == (5, 0, 0, 5)
    assert await desk.balances() == {}
    assert (await desk.payments(card.id))[0].state == "voided"
    for placed in (account, card):
        assert (await desk.read(placed.id)).payment_state == "voided"
        assert (await desk.kinds(placed.id)).count("payment.voided") == 1
    async with desk.db.statement() as tx:
        assert await verify_ledger(tx, shop_id=desk.shop.id) == []


async def test_is_not_cancelled_while_its_card_is_asked(alone: Desk, clock: FrozenClock) -> None:
    placed = await alone.with_card((await alone.variant(), 2), card_number=LOST_CAPTURE)
    with pytest.raises(Unavailable):
        await pay_order(alone.paying, shop_id=alone.shop.id, order_id=placed.id)

    with pytest.raises(Refused, match="order_state"):
        async with alone.db.begin() as tx:
            await cancel_order(tx, shop_id=alone.shop.id, order_id=placed.id, now=clock.now())
    clock.move(timedelta(seconds=61))
    assert await settle_every_payment(alone.paying) == 1

    assert (await alone.read(placed.id)).payment_state == "paid"
    assert await alone.balances() == {
        "clearing sandbox EUR": -3998,
        "sales merchant EUR": 3998,
    }


async def test_whose_capture_is_refused_stays_authorised(desk: Desk) -> None:
    placed = await desk.with_card((await desk.variant(), 1), card_number=REFUSED_CAPTURE)

    with pytest.raises(Refused, match="payment_declined"):
        await pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)

    assert (await desk.read(placed.id)).payment_state == "authorised"


async def test_whose_refund_is_lost_moves_once_it_is_known(alone: Desk, clock: FrozenClock) -> None:
    placed = await alone.with_card((await alone.variant(), 1), card_number=LOST_REFUND)
    await pay_order(alone.paying, shop_id=alone.shop.id, order_id=placed.id)
    with pytest.raises(Unavailable):
        await refund_order(alone.paying, shop_id=alone.shop.id, order_id=placed.id)
    assert (await alone.read(placed.id)).payment_state == "paid"

    clock.move(timedelta(seconds=61))
    await settle_every_payment(alone.paying)

    assert (await alone.read(placed.id)).payment_state == "refunded"
    (payment,) = await alone.payments(placed.id)
    async with alone.db.statement() as tx:
        attempts = await list_attempts(tx, shop_id=alone.shop.id, payment_id=payment.id)
    assert [attempt.action for attempt in attempts] == ["authorise", "capture", "refund"]


async def test_gives_the_shop_its_share_of_a_merchant_s_sale_and_takes_it_back(desk: Desk) -> None:
    async with desk.db.begin() as tx:
        terms = "update merchants set commission_bp = 1250 where id = %s"
        await tx.run(terms, (desk.made.merchant_id,))
    placed = await desk.on_account((await desk.variant(price_minor=10_000), 1))

    assert await desk.balances() == {
        "commission merchant EUR": 1_250,
        "receivable customer EUR": -10_000,
        "sales merchant EUR": 8_750,
    }
    async with desk.db.begin() as tx:
        await cancel_order(tx, shop_id=desk.shop.id, order_id=placed.id, now=desk.clock.now())
    assert await desk.balances() == {}


@pytest.mark.parametrize(
    "step", ["place_order:payment", "place_order:sale", "post_transfers:entry"]
)
async def test_that_breaks_half_way_is_not_placed_and_can_be_settled(
    alone: Desk, clock: FrozenClock, empty_database_url: str, step: str
) -> None:
    good = await alone.variant()
    name = sql.Identifier(urlsplit(empty_database_url).path.lstrip("/"))
    async with alone.db.statement() as tx:
        setting = sql.SQL("alter database {} set crossdock.fail_point to {}")
        await tx.connection.execute(setting.format(name, sql.Literal(step)))
    broken = Database(empty_database_url, min_size=1, max_size=4)
    await broken.open()
    service = msgspec.structs.replace(alone.placing, db=broken)
    half = Desk(broken, clock, alone.made, alone.shop, service, alone.paying)

    with pytest.raises(psycopg.Error) as failure:
        await half.with_card((good, 2))
    await broken.close()
    async with alone.db.statement() as tx:
        await tx.connection.execute(sql.SQL("alter database {} reset all").format(name))

    assert failure.value.sqlstate == "CD099"
    assert (await alone.count("orders"), await alone.balances()) == (0, {})
    clock.move(timedelta(seconds=901))
    await settle_every_payment(alone.paying)
    async with alone.db.begin() as tx:
        await expire_holds(tx, now=clock.now())
        states = await tx.all("select state from payments where shop_id = %s", (alone.shop.id,))
    assert states == [("voided",)]
    assert await alone.level(good) == (5, 0, 0, 5)


async def test_is_listed_with_the_others_page_by_page(desk: Desk) -> None:
    good = await desk.variant()
    first, second = await desk.on_account((good, 1)), await desk.with_card((good, 1))

    async def listed(tx: Transaction, **values: object) -> list[int]:
        return [row.id for row in await list_orders(tx, shop_id=desk.shop.id, **values)]  # type: ignore[arg-type]

    async with desk.db.statement() as tx:
        assert await listed(tx) == [second.id, first.id]
        assert await listed(tx, limit=1) == [second.id]
        assert await listed(tx, before=second.id) == [first.id]
        assert await listed(tx, payment_state="awaiting") == [first.id]
        assert await listed(tx, fulfilment_state="cancelled") == []


@pytest.mark.races
async def test_is_captured_or_cancelled_but_never_both(desk: Desk) -> None:
    placed = await desk.with_card((await desk.variant(), 1))

    async with desk.db.begin() as tx:
        await cancel_order(tx, shop_id=desk.shop.id, order_id=placed.id, now=desk.clock.now())
        capture = asyncio.create_task(
            pay_order(desk.paying, shop_id=desk.shop.id, order_id=placed.id)
        )
        await waiting_for_a_lock(desk.db, behind=tx)
    with pytest.raises(Refused, match="order_state"):
        await capture

    await settle_every_payment(desk.paying)
    assert (await desk.payments(placed.id))[0].state == "voided"
    assert await desk.balances() == {}
