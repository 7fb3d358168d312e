"""A payment..."""

import asyncio
import itertools
from datetime import datetime
from typing import Any, get_args

import psycopg
import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError, Invalid, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.ledger import list_entries, verify_ledger
from crossdock.shop.payments import (
    MOVES,
    Answer,
    Asked,
    Card,
    Paying,
    Payment,
    PaymentState,
    Recorded,
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
from tests.support.factories import ShopFixture
from tests.support.ledger import balances
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import (
    DECLINED,
    FRAUD,
    GOOD,
    ORDER,
    OTHER,
    POOR,
    REFUSED_CAPTURE,
    REFUSED_REFUND,
    Noting,
    authorised,
    card,
    claimed,
)

STATES: tuple[str, ...] = get_args(PaymentState)


class Breaking(Noting):
    """Makes the transaction of the answer break at a step."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    async def write_answer(
        self, tx: Transaction, *, asked: Asked, answer: Answer, now: datetime
    ) -> Recorded:
        await tx.run("select set_config('crossdock.fail_point', %s, false)", (self._step,))
        try:
            return await super().write_answer(tx, asked=asked, answer=answer, now=now)
        finally:
            await tx.run("select set_config('crossdock.fail_point', '', false)")


async def attempts(db: Database, shop: ShopFixture, payment_id: int) -> list[tuple[str, str, str]]:
    async with db.statement() as tx:
        found = await list_attempts(tx, shop_id=shop.id, payment_id=payment_id)
    return [(attempt.action, attempt.outcome, attempt.reason) for attempt in found]


async def stored(db: Database, shop: ShopFixture, payment_id: int) -> Payment:
    async with db.statement() as tx:
        return await read_payment(tx, shop_id=shop.id, payment_id=payment_id)


async def test_is_authorised_captured_and_refunded(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id, number=OTHER)
    assert (payment.state, payment.amount_minor, payment.captured_minor) == (
        "authorised",
        10_000,
        0,
    )
    assert (payment.card_brand, payment.card_last4) == ("mastercard", "4444")
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {}

    captured = await capture(service, shop_id=shop.id, payment_id=payment.id)
    part = await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=2_500)
    whole = await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=7_500)

    assert (captured.state, captured.captured_minor) == ("captured", 10_000)
    assert (part.state, part.refunded_minor, part.refunding_minor) == (
        "partially_refunded",
        2_500,
        0,
    )
    assert (whole.state, whole.refunded_minor) == ("refunded", 10_000)
    assert await attempts(database, shop, payment.id) == [
        ("authorise", "done", ""),
        ("capture", "done", ""),
        ("refund", "done", ""),
        ("refund", "done", ""),
    ]
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {
            "clearing sandbox EUR": 0,
            "receivable customer:1 EUR": 10_000,
            "refunds EUR": -10_000,
        }
        rows = await list_entries(tx, shop_id=shop.id)
        assert [(row.kind, row.amount_minor, row.payment_id) for row in rows] == [
            ("refund", 7_500, payment.id),
            ("refund", 2_500, payment.id),
            ("capture", 10_000, payment.id),
        ]
        assert await verify_ledger(tx, shop_id=shop.id) == []


async def test_is_let_go_of_by_a_void(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)

    voided = await void(service, shop_id=shop.id, payment_id=payment.id)

    assert (voided.state, voided.captured_minor) == ("voided", 0)
    with pytest.raises(Refused) as refusal:
        await capture(service, shop_id=shop.id, payment_id=payment.id)
    assert refusal.value.code == "payment_state"
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {}


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (DECLINED, "card_declined"),
        (POOR, "insufficient_funds"),
        (FRAUD, "fraud"),
        ("4111111111111111", "not_a_test_card"),
        ("4242424242424243", "not_a_test_card"),
    ],
)
async def test_is_declined_by_what_the_card_says(
    database: Database, shop: ShopFixture, service: Paying, number: str, reason: str
) -> None:
    with pytest.raises(Refused) as refusal:
        await authorised(service, shop.id, number=number)

    assert refusal.value.code == "payment_declined"
    assert refusal.value.data["reason"] == reason
    payment = await stored(database, shop, refusal.value.data["payment_id"])
    assert (payment.state, payment.reason) == ("declined", reason)
    assert await attempts(database, shop, payment.id) == [("authorise", "refused", reason)]


async def test_stays_as_it_is_when_a_capture_or_refund_is_refused(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    uncaptured = await authorised(service, shop.id, number=REFUSED_CAPTURE)
    captured = await authorised(service, shop.id, number=REFUSED_REFUND)
    await capture(service, shop_id=shop.id, payment_id=captured.id)

    with pytest.raises(Refused, match="payment_declined"):
        await capture(service, shop_id=shop.id, payment_id=uncaptured.id)
    with pytest.raises(Refused, match="payment_declined"):
        await refund(service, shop_id=shop.id, payment_id=captured.id, amount_minor=100)

    assert (await stored(database, shop, uncaptured.id)).state == "authorised"
    after = await stored(database, shop, captured.id)
    assert (after.state, after.refunded_minor, after.refunding_minor) == ("captured", 0, 0)
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {
            "clearing sandbox EUR": -10_000,
            "receivable customer:1 EUR": 10_000,
        }


async def test_is_never_refunded_beyond_its_capture(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)
    await capture(service, shop_id=shop.id, payment_id=payment.id)
    await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=6_000)

    with pytest.raises(Refused) as refusal:
        await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=4_001)

    assert refusal.value.code == "refund_exceeds_capture"
    assert len(await attempts(database, shop, payment.id)) == 3
    await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=4_000)
    assert (await stored(database, shop, payment.id)).state == "refunded"


@pytest.mark.races
async def test_gives_one_of_two_refunds_at_once_that_pass_its_capture(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)
    await capture(service, shop_id=shop.id, payment_id=payment.id)

    async with database.begin() as tx:
        await tx.run(
            "select ask_payment(%s, %s, 'refund', 6000, 'k1', now() + interval '1 day', now())",
            (shop.id, payment.id),
        )
        second = asyncio.create_task(
            refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=6_000)
        )
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(Refused, match="refund_exceeds_capture"):
        await second

    after = await stored(database, shop, payment.id)
    assert (after.refunding_minor, after.refunded_minor) == (6_000, 0)


@pytest.mark.races
async def test_is_asked_one_thing_at_a_time(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)

    async with database.begin() as tx:
        await tx.run(
            "select ask_payment(%s, %s, 'capture', 10000, 'k1', now() + interval '1 day', now())",
            (shop.id, payment.id),
        )
        other = asyncio.create_task(void(service, shop_id=shop.id, payment_id=payment.id))
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(Refused, match="payment_state"):
        await other

    with pytest.raises(psycopg.errors.UniqueViolation):
        async with database.begin() as tx:
            await tx.run(
                "insert into payment_attempts (shop_id, payment_id, action, amount_minor, key,"
                " next_look_up_at, asked_at) values (%s, %s, 'void', 1, 'k2', now(), now())",
                (shop.id, payment.id),
            )


async def test_belongs_to_one_order(database: Database, shop: ShopFixture, service: Paying) -> None:
    payment = await authorised(service, shop.id)
    claim: dict[str, Any] = {
        "shop_id": shop.id,
        "payment_id": payment.id,
        "order_id": ORDER,
        "amount_minor": 10_000,
        "currency": "EUR",
        "now": NOON,
    }

    for wrong in ({"amount_minor": 9_999}, {"currency": "USD"}, {"payment_id": 0}):
        with pytest.raises(Refused, match="payment_state"):
            async with database.begin() as tx:
                await claim_payment(tx, **(claim | wrong))
    async with database.begin() as tx:
        await claim_payment(tx, **claim)
    with pytest.raises(Refused, match="payment_state"):
        async with database.begin() as tx:
            await claim_payment(tx, **(claim | {"order_id": ORDER + 1}))

    async with database.begin() as tx:
        (found,) = await list_payments(tx, shop_id=shop.id, order_id=ORDER)
    assert found.id == payment.id


async def test_tells_what_follows_in_the_transaction_of_the_answer(
    shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)
    await claimed(service, shop.id, payment)
    noting = Noting()

    await capture(service, shop_id=shop.id, payment_id=payment.id, follow=noting)
    await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=1_000, follow=noting)

    assert noting.told == [
        f"ask capture of {ORDER}",
        "capture 10000: captured",
        f"ask refund of {ORDER}",
        "refund 1000: partially_refunded",
    ]


async def test_by_bank_transfer_is_captured_when_it_is_noted_and_noted_once(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    note: dict[str, Any] = {
        "shop_id": shop.id,
        "order_id": ORDER,
        "payer": "customer:1",
        "amount_minor": 5_000,
        "currency": "EUR",
        "reference": "Statement 7/12",
        "now": NOON,
    }
    async with database.begin() as tx:
        payment = await record_transfer(tx, **note)
    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await record_transfer(tx, **note)
    refunded = await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=1_000)

    assert refusal.value.message == "A payment 'Statement 7/12' is recorded already."
    assert (payment.state, payment.captured_minor) == ("captured", 5_000)
    assert refunded.state == "partially_refunded"
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {
            "bank EUR": -4_000,
            "receivable customer:1 EUR": 5_000,
            "refunds EUR": -1_000,
        }


async def test_of_another_shop_is_not_found(
    database: Database, shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id)

    with pytest.raises(NotFound) as refusal:
        await capture(service, shop_id=shop.id + 1, payment_id=payment.id)

    assert refusal.value.code == "payment_not_found"
    assert (await stored(database, shop, payment.id)).state == "authorised"


@pytest.mark.parametrize(
    "step",
    [
        "answer_payment:attempt",
        "answer_payment:payment",
        "post_transfers:balances",
        "post_transfers:entry",
    ],
)
async def test_whose_answer_cannot_be_written_stays_asked(
    database: Database, shop: ShopFixture, service: Paying, step: str
) -> None:
    payment = await authorised(service, shop.id)
    await claimed(service, shop.id, payment)

    with pytest.raises(psycopg.Error) as failure:
        await capture(service, shop_id=shop.id, payment_id=payment.id, follow=Breaking(step))

    assert failure.value.sqlstate == "CD099"
    after = await stored(database, shop, payment.id)
    assert (after.state, after.captured_minor) == ("authorised", 0)
    assert (await attempts(database, shop, payment.id))[-1] == ("capture", "asked", "")
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(("", *STATES), STATES)))
async def test_moves_along_the_listed_arrows_alone(
    database: Database, shop: ShopFixture, before: str, after: str
) -> None:
    """The wall of the table, whatever the code does."""
    if before == after:
        return

    async def move() -> None:
        async with database.begin() as tx:
            await tx.run("set local session_replication_role = replica") if before else None
            payment_id = await tx.value(
                "insert into payments (shop_id, provider, reference, payer, state, currency,"
                " amount_minor, created_at, updated_at)"
                " values (%s, 'sandbox', %s, 'customer:1', %s, 'EUR', 5, now(), now()) returning id",
                (shop.id, f"{before}-{after}", before or after),
            )
            await tx.run("set local session_replication_role = origin")
            if before:
                await tx.run(
                    "update payments set state = %s where shop_id = %s and id = %s",
                    (after, shop.id, payment_id),
                )

    if (before, after) in MOVES:
        await move()
        return
    with pytest.raises(psycopg.Error) as refusal:
        await move()
    assert refusal.value.sqlstate == "CD010"


def test_prints_without_its_card_s_number() -> None:
    assert repr(card()) == "Card(visa, 4242)"
    assert repr([card(OTHER)]) == "[Card(mastercard, 4444)]"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "4242 4242"}, "card_number"),
        ({"number": "4242-4242-4242-424x"}, "card_number"),
        ({"number": "٤" * 16}, "card_number"),
        ({"number": "4242 4242 4242 4243"}, "card_number"),
        ({"month": 13}, "card_month"),
        ({"year": 2026, "month": 2}, "card_year"),
        ({"year": 2056}, "card_year"),
        ({"code": "12"}, "card_code"),
        ({"code": "12a"}, "card_code"),
    ],
)
def test_asks_for_a_card_that_can_be_one(
    clock: FrozenClock, changes: dict[str, Any], field: str
) -> None:
    given: dict[str, Any] = {
        "number": "4242 4242-42424242",
        "month": 3,
        "year": 2026,
        "code": "123",
    }
    assert checked_card(**given, now=clock.now()) == Card(
        number=GOOD, month=3, year=2026, code="123"
    )

    with pytest.raises(Invalid) as refusal:
        checked_card(**(given | changes), now=clock.now())

    assert refusal.value.data == {"field": field, "fields": [field]}
    assert str(given["number"]) not in refusal.value.message


async def test_never_keeps_or_tells_a_card(
    database: Database, shop: ShopFixture, service: Paying, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = []
    for number in (GOOD, DECLINED, "4111111111111111"):
        try:
            texts.append(str(await authorised(service, shop.id, number=number)))
        except CrossdockError as error:
            texts.append(f"{error} {error.data} {error.__cause__}")
    async with database.begin() as tx:
        for table in ("payments", "payment_attempts", "sandbox_operations", "events"):
            query = f"select t::text from {table} t where shop_id = %s"
            texts += [row[0] for row in await tx.all(query, (shop.id,))]
    texts.append("".join(capsys.readouterr()))

    assert len(texts) >= 12
    for number in (GOOD, DECLINED, "4111111111111111", "737"):
        assert not [text for text in texts if number in text.replace(" ", "")]
