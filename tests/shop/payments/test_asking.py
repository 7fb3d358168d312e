"""Asking about a payment, and writing down the answer..."""

import asyncio
import contextlib
from typing import Any, get_args

import psycopg
import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Invalid, Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.payments import (
    Action,
    Answer,
    Asked,
    Paying,
    Payment,
    PaymentState,
    Question,
    capture,
    checked_card,
    claim_payment,
    list_attempts,
    list_payments,
    read_payment,
    record_transfer,
    refund,
    void,
)
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop
from tests.support.ledger import balances
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import (
    GOOD,
    LOST_ANSWER,
    LOST_CAPTURE,
    ORDER,
    REFUSED_CAPTURE,
    Noting,
    authorised,
    card,
)

ASKED = "select ask_payment(%s, %s, %s, %s, %s, now() + interval '1 day', now())"
ANSWERED = "select answer_payment(%s, %s, true, 'code', '', now())"


@pytest.fixture
async def another(database: Database) -> ShopFixture:
    """A shop whose payments are none of the first one's business."""
    async with database.begin() as tx:
        return await make_shop(tx)


async def rows_of(
    db: Database, table: str, shop: ShopFixture, *, but: Payment | None = None
) -> list[tuple[Any, ...]]:
    """All rows of the shop, or all but those of one payment."""
    key = "id" if table == "payments" else "payment_id"
    async with db.statement() as tx:
        return await tx.all(
            f"select * from {table} where shop_id = %s and {key} <> %s order by id",
            (shop.id, but.id if but else 0),
        )


def places(*shops: ShopFixture) -> list[tuple[str, ShopFixture]]:
    return [(table, shop) for table in ("payments", "payment_attempts") for shop in shops]


def claim(shop: ShopFixture, payment: Payment) -> dict[str, Any]:
    return {
        "shop_id": shop.id,
        "payment_id": payment.id,
        "order_id": ORDER,
        "amount_minor": 10_000,
        "currency": "EUR",
        "now": NOON,
    }


async def make_bystanders(service: Paying, shop: ShopFixture) -> None:
    """One that is authorised, one captured, one whose authorisation and one whose capture is asked for."""
    await authorised(service, shop.id)
    captured = await authorised(service, shop.id)
    await capture(service, shop_id=shop.id, payment_id=captured.id)
    with contextlib.suppress(Unavailable):
        await authorised(service, shop.id, number=LOST_ANSWER)
    asked = await authorised(service, shop.id, number=LOST_CAPTURE)
    with contextlib.suppress(Unavailable):
        await capture(service, shop_id=shop.id, payment_id=asked.id)


async def test_leaves_all_other_payments_as_they_are(
    database: Database, shop: ShopFixture, another: ShopFixture, service: Paying
) -> None:
    for one in (shop, another):
        await make_bystanders(service, one)
    before = [await rows_of(database, *place) for place in places(shop, another)]

    payment = await authorised(service, shop.id)
    async with database.begin() as tx:
        await claim_payment(tx, **claim(shop, payment))
    await capture(service, shop_id=shop.id, payment_id=payment.id)
    await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=4_000)
    whole = await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=6_000)

    assert (whole.id, whole.state, whole.order_id) == (payment.id, "refunded", ORDER)
    others = [await rows_of(database, *place, but=payment) for place in places(shop, another)]
    assert others == before


ALLOWED: frozenset[tuple[PaymentState, Action]] = frozenset(
    {
        ("asked", "authorise"),
        ("authorised", "capture"),
        ("authorised", "void"),
        ("captured", "refund"),
        ("partially_refunded", "refund"),
    }
)


@pytest.mark.parametrize("state", get_args(PaymentState))
@pytest.mark.parametrize("action", get_args(Action))
async def test_is_allowed_by_the_payment_s_state_alone(
    tx: Transaction, shop: ShopFixture, state: PaymentState, action: Action
) -> None:
    await tx.run("set local session_replication_role = replica")
    payment_id = await tx.value(
        "insert into payments (shop_id, provider, reference, payer, state, currency, amount_minor,"
        " captured_minor, created_at, updated_at)"
        " values (%s, 'sandbox', 'r', 'customer:1', %s, 'EUR', 5, 5, now(), now()) returning id",
        (shop.id, state),
    )
    await tx.run("set local session_replication_role = origin")

    if (state, action) in ALLOWED:
        await tx.run(ASKED, (shop.id, payment_id, action, 5, "k"))
        asked = "select action, amount_minor, outcome from payment_attempts where shop_id = %s"
        assert await tx.all(asked, (shop.id,)) == [(action, 5, "asked")]
        return
    with pytest.raises(psycopg.Error) as refusal:
        await tx.run(ASKED, (shop.id, payment_id, action, 5, "k"))
    assert refusal.value.sqlstate == "CD005"


async def test_of_another_shop_s_payment_is_refused_and_writes_nothing(
    database: Database, shop: ShopFixture, another: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)
    captured = await authorised(service, shop.id)
    await capture(service, shop_id=shop.id, payment_id=captured.id)
    before = await rows_of(database, "payments", shop)

    for asked in (payment, captured):
        action = "capture" if asked is payment else "refund"
        with pytest.raises(psycopg.Error) as refusal:
            async with database.begin() as tx:
                await tx.run(ASKED, (another.id, asked.id, action, 1, "k"))
        assert refusal.value.sqlstate == "CD005"
    with pytest.raises(Refused, match="payment_state"):
        async with database.begin() as tx:
            await claim_payment(tx, **claim(another, payment))

    assert await rows_of(database, "payments", shop) == before
    assert await rows_of(database, "payment_attempts", another) == []


async def test_of_another_shop_s_question_answers_nothing(
    database: Database, shop: ShopFixture, another: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)
    async with database.begin() as tx:
        attempt_id = await tx.value(ASKED, (shop.id, payment.id, "capture", 10_000, "k"))
    before = await rows_of(database, "payment_attempts", shop)

    async with database.begin() as tx:
        assert await tx.value(ANSWERED, (another.id, attempt_id)) is False

    assert await rows_of(database, "payment_attempts", shop) == before


async def test_twice_with_the_same_answer_counts_once(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    await authorised(service, shop.id)
    payment = await authorised(service, shop.id)
    async with database.begin() as tx:
        attempt_id = await tx.value(ASKED, (shop.id, payment.id, "capture", 10_000, "k"))
    question = Question(
        shop_id=shop.id,
        reference=payment.reference,
        key="k",
        action="capture",
        amount_minor=10_000,
        currency="EUR",
    )
    noting = Noting()
    await authorised(service, shop.id)

    asked = Asked(attempt_id=attempt_id, payment_id=payment.id, order_id=None, question=question)

    async def write(answer: Answer) -> tuple[bool, int, PaymentState]:
        async with database.statement() as tx:
            found = await noting.write_answer(tx, asked=asked, answer=answer, now=NOON)
        return found.is_first, found.payment.id, found.payment.state

    yes = Answer(approved=True, code="c")
    assert [await write(a) for a in (yes, yes, Answer(approved=False, reason="late"))] == [
        (True, payment.id, "captured"),
        (False, payment.id, "captured"),
        (False, payment.id, "captured"),
    ]
    assert noting.told == ["capture 10000: captured"]
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {
            "clearing sandbox EUR": -10_000,
            "receivable customer:1 EUR": 10_000,
        }
        (_, attempt) = await list_attempts(tx, shop_id=shop.id, payment_id=payment.id)
    assert (attempt.outcome, attempt.reason) == ("done", "")


async def test_writes_nothing_captured_for_a_no(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id, number=REFUSED_CAPTURE)

    with pytest.raises(Refused, match="payment_declined"):
        await capture(service, shop_id=shop.id, payment_id=payment.id)

    async with database.begin() as tx:
        after = await read_payment(tx, shop_id=shop.id, payment_id=payment.id)
    assert (after.state, after.captured_minor, after.reason) == (
        "authorised",
        0,
        "processor_declined",
    )


@pytest.mark.races
async def test_waits_for_the_payment_before_it_touches_the_question(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    """Whoever holds the payment may write down the same answer; nobody waits in a circle."""
    payment = await authorised(service, shop.id)
    await capture(service, shop_id=shop.id, payment_id=payment.id)
    async with database.begin() as tx:
        attempt_id = await tx.value(ASKED, (shop.id, payment.id, "refund", 100, "k1"))

    async def answer() -> bool:
        async with database.begin() as other:
            return bool(await other.value(ANSWERED, (shop.id, attempt_id)))

    async with database.begin() as tx:
        await tx.run(ASKED, (shop.id, payment.id, "refund", 200, "k2"))
        second = asyncio.create_task(answer())
        await waiting_for_a_lock(database, behind=tx)
        assert await tx.value(ANSWERED, (shop.id, attempt_id)) is True
    assert await second is False

    async with database.begin() as tx:
        after = await read_payment(tx, shop_id=shop.id, payment_id=payment.id)
    assert (after.refunded_minor, after.refunding_minor) == (100, 200)


async def test_that_breaks_half_way_sets_nothing_aside(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)
    await capture(service, shop_id=shop.id, payment_id=payment.id)
    before = await rows_of(database, "payments", shop)

    async def ask_and_break() -> None:
        async with database.begin() as tx:
            await tx.run("select set_config('crossdock.fail_point', 'ask_payment:set_aside', true)")
            await tx.run(ASKED, (shop.id, payment.id, "refund", 100, "k"))

    with pytest.raises(psycopg.Error) as broken:
        await ask_and_break()

    assert broken.value.sqlstate == "CD099"
    assert await rows_of(database, "payments", shop) == before


async def test_by_an_order_is_refused_while_the_payment_is_asked_or_no_longer_authorised(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    asked, voided = await authorised(service, shop.id), await authorised(service, shop.id)
    await void(service, shop_id=shop.id, payment_id=voided.id)
    async with database.begin() as tx:
        await tx.run(ASKED, (shop.id, asked.id, "void", 10_000, "k"))
    before = await rows_of(database, "payments", shop)

    for payment in (asked, voided):
        with pytest.raises(Refused, match="payment_state"):
            async with database.begin() as tx:
                await claim_payment(tx, **claim(shop, payment))

    assert await rows_of(database, "payments", shop) == before


async def test_tells_any_other_fault_as_it_is(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)
    await capture(service, shop_id=shop.id, payment_id=payment.id)
    before = await rows_of(database, "payments", shop)

    with pytest.raises(psycopg.errors.CheckViolation):
        await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=0)

    assert await rows_of(database, "payments", shop) == before


async def test_lists_an_order_s_payments_and_a_payment_s_questions_as_they_came(
    database: Database, shop: ShopFixture, another: ShopFixture
) -> None:
    async def note(shop: ShopFixture, reference: str, amount_minor: int) -> Payment:
        async with database.begin() as tx:
            return await record_transfer(
                tx,
                shop_id=shop.id,
                order_id=ORDER,
                payer="customer:1",
                amount_minor=amount_minor,
                currency="EUR",
                reference=reference,
                now=NOON,
            )

    await note(another, "A", 700)
    first, second = await note(shop, "A", 500), await note(shop, "B", 300)
    async with database.begin() as tx:
        asked = [
            await tx.value(ASKED, (shop.id, first.id, "refund", amount, f"k{amount}"))
            for amount in (10, 20)
        ]
    async with database.begin() as tx:
        await tx.run(ANSWERED, (shop.id, asked[0]))

    async with database.begin() as tx:
        payments = await list_payments(tx, shop_id=shop.id, order_id=ORDER)
        questions = await list_attempts(tx, shop_id=shop.id, payment_id=first.id)
        assert await list_attempts(tx, shop_id=another.id, payment_id=first.id) == []
        assert await balances(tx, shop_id=shop.id) == {
            "bank EUR": -790,
            "receivable customer:1 EUR": 800,
            "refunds EUR": -10,
        }
    assert [(p.id, p.amount_minor, p.refunded_minor) for p in payments] == [
        (first.id, 500, 10),
        (second.id, 300, 0),
    ]
    assert [(q.id, q.amount_minor, q.outcome) for q in questions] == [
        (asked[0], 10, "done"),
        (asked[1], 20, "asked"),
    ]


@pytest.mark.parametrize(
    "edge",
    [
        {"number": "4" * 11 + "2"},
        {"number": "4" * 18 + "2"},
        {"month": 12},
        {"month": 1, "year": 2027},
        {"year": 2055},
        {"code": "1234"},
    ],
)
def test_takes_a_card_at_the_edge_of_what_can_be_one(
    clock: FrozenClock, edge: dict[str, Any]
) -> None:
    given: dict[str, Any] = {"number": GOOD, "month": 3, "year": 2026, "code": "123"}

    taken = checked_card(**(given | edge), now=clock.now())

    assert {name: getattr(taken, name) for name in edge} == edge


@pytest.mark.parametrize(
    ("beyond", "field"),
    [
        ({"number": "4" * 10 + "0"}, "number"),
        ({"number": "4" * 19 + "4"}, "number"),
        ({"month": 0, "year": 2027}, "month"),
        ({"code": "12345"}, "code"),
        ({"code": "١٢٣"}, "code"),
        ({"month": 13, "code": ""}, "month"),
    ],
)
def test_refuses_a_card_beyond_it_by_the_first_field_that_is_wrong(
    clock: FrozenClock, beyond: dict[str, Any], field: str
) -> None:
    given: dict[str, Any] = {"number": GOOD, "month": 3, "year": 2026, "code": "123"}

    with pytest.raises(Invalid) as refusal:
        checked_card(**(given | beyond), now=clock.now())

    assert refusal.value.message == f"The card's {field} cannot be right."
    assert refusal.value.data["field"] == f"card_{field}"


def test_knows_a_card_s_brand_by_its_first_digits() -> None:
    starts = ("4", "5", "2", "34", "37", "36", "6")

    assert [card(start.ljust(16, "0")).brand for start in starts] == [
        "visa",
        "mastercard",
        "mastercard",
        "amex",
        "amex",
        "other",
        "other",
    ]
