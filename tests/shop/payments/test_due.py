"""What is due of payments..."""

from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.payments import (
    NOTHING_FOLLOWS,
    Answer,
    Asked,
    Paying,
    Payment,
    Recorded,
    capture,
    capture_due,
    capture_now,
    is_given_back,
    plan_refund,
    read_payment,
    record_transfer,
    refund,
    refund_due,
    settle_by_hand,
    settle_payments,
    try_void,
)
from tests.support.factories import ShopFixture, make_shop
from tests.support.ledger import balances
from tests.support.paying import (
    GOOD,
    LOST_CAPTURE,
    ORDER,
    REFUSED_CAPTURE,
    REFUSED_REFUND,
    Noting,
    authorised,
    claimed,
    paying,
)

SECOND = timedelta(seconds=1)


@pytest.fixture
async def database(empty_database_url: str):
    """One in which nothing else is due."""
    pool = Database(empty_database_url, min_size=1, max_size=8)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture
def nobody(database: Database, clock: FrozenClock) -> Paying:
    """The service of an installation without a provider."""
    return Paying(db=database, clock=clock, ids=paying(database, clock).ids, providers={})


async def read(service: Paying, payment: Payment) -> Payment:
    async with service.db.statement() as tx:
        return await read_payment(tx, shop_id=await shop_of(tx, payment), payment_id=payment.id)


async def shop_of(tx: Transaction, payment: Payment) -> int:
    return int(await tx.value("select shop_id from payments where id = %s", (payment.id,)))


async def due_at(service: Paying, payment: Payment, seconds: float | None, **columns: int) -> None:
    """The capture is due so many seconds after now, and the payment has these columns."""
    at = None if seconds is None else service.clock.now() + timedelta(seconds=seconds)
    values = {"capture_at": at, **columns}
    changes = ", ".join(f"{name} = %s" for name in values)
    async with service.db.begin() as tx:
        await tx.run(f"update payments set {changes} where id = %s", (*values.values(), payment.id))


async def an_order_s(
    service: Paying,
    shop: ShopFixture,
    *,
    due_s: float | None = 0,
    number: str = GOOD,
    order_id: int = ORDER,
) -> Payment:
    """An authorised payment of an order, with its capture due so many seconds after now."""
    payment = await authorised(service, shop.id, number=number)
    await claimed(service, shop.id, payment, order_id=order_id)
    await due_at(service, payment, due_s)
    return payment


async def captured(
    service: Paying, shop: ShopFixture, *, number: str = GOOD, order_id: int = ORDER
) -> Payment:
    payment = await an_order_s(service, shop, due_s=None, number=number, order_id=order_id)
    return await capture(service, shop_id=shop.id, payment_id=payment.id)


async def plan(service: Paying, shop: ShopFixture, amount_minor: int, *, order_id: int = ORDER):
    async with service.db.begin() as tx:
        return await plan_refund(
            tx,
            shop_id=shop.id,
            order_id=order_id,
            amount_minor=amount_minor,
            now=service.clock.now(),
        )


async def alerts(service: Paying, shop: ShopFixture) -> list[tuple[str, int | None, str, str]]:
    async with service.db.statement() as tx:
        found = await list_alerts(tx, shop_id=shop.id)
    return [(alert.kind, alert.order_id, alert.subject, alert.message) for alert in found]


async def columns(service: Paying, payment: Payment, names: str) -> tuple:
    async with service.db.statement() as tx:
        row = await tx.one(f"select {names} from payments where id = %s", (payment.id,))
    assert row is not None
    return tuple(row)


async def test_is_captured_the_longest_waiting_first(
    shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    later = await an_order_s(service, shop, due_s=0, order_id=1)
    first = await an_order_s(service, shop, due_s=-5, order_id=2)
    not_yet = await an_order_s(service, shop, due_s=1, order_id=3)
    never = await an_order_s(service, shop, due_s=None, order_id=4)
    nothing_s = await authorised(service, shop.id)
    await due_at(service, nothing_s, -5)
    noting = Noting()

    assert await capture_due(service, follow=noting) == 2

    assert noting.told == [
        "ask capture of 2",
        "capture 10000: captured",
        "ask capture of 1",
        "capture 10000: captured",
    ]
    states = [(await read(service, p)).state for p in (first, later, not_yet, never, nothing_s)]
    assert states == ["captured", "captured", "authorised", "authorised", "authorised"]
    assert await capture_due(service, follow=noting) == 0
    clock.move(SECOND)
    assert await capture_due(service, follow=noting) == 1


async def test_is_captured_for_an_invoice_as_well(shop: ShopFixture, service: Paying) -> None:
    payment = await authorised(service, shop.id)
    await due_at(service, payment, 0, invoice_id=5)

    assert await capture_due(service, follow=NOTHING_FOLLOWS) == 1

    assert (await read(service, payment)).state == "captured"


async def test_is_not_captured_while_a_request_is_open(
    shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    lost = await an_order_s(service, shop, number=LOST_CAPTURE, order_id=1)
    other = await an_order_s(service, shop, due_s=1, order_id=2)

    with capture_logs() as logs:
        assert await capture_due(service, follow=NOTHING_FOLLOWS) == 0
    assert [(log["event"], log["payment"], log["code"]) for log in logs] == [
        ("a payment was not captured", lost.id, "payment_unsettled")
    ]
    clock.move(SECOND)
    with capture_logs() as logs:
        assert await capture_due(service, follow=NOTHING_FOLLOWS) == 1
    assert logs == []
    assert [(await read(service, p)).state for p in (lost, other)] == ["authorised", "captured"]
    assert await alerts(service, shop) == []


async def test_is_captured_no_more_once_it_was_refused_and_an_alert_says_so(
    shop: ShopFixture, service: Paying
) -> None:
    refused = await an_order_s(service, shop, number=REFUSED_CAPTURE, order_id=8)
    other = await an_order_s(service, shop, due_s=None, order_id=9)
    await due_at(service, other, 3600)

    assert await capture_due(service, follow=NOTHING_FOLLOWS) == 0

    assert await alerts(service, shop) == [
        (
            "capture_refused",
            8,
            "",
            (
                f"sandbox refused to capture payment {refused.id} of order 8:"
                f" {(await read(service, refused)).reason}. It is not paid."
            ),
        )
    ]
    assert (await read(service, refused)).state == "authorised"
    assert await columns(service, refused, "capture_at") == (None,)
    assert await columns(service, other, "capture_at is not null") == (True,)
    assert await capture_due(service, follow=NOTHING_FOLLOWS) == 0


async def test_is_captured_no_more_where_the_request_says_which_payment_it_was(
    shop: ShopFixture, service: Paying, database: Database
) -> None:
    """Only that of a capture counts, and only while nothing else became of its payment."""
    first = await an_order_s(service, shop, due_s=60, order_id=1)
    second = await an_order_s(service, shop, due_s=60, order_id=2)
    done = await an_order_s(service, shop, due_s=60, order_id=3)
    now = service.clock.now()
    async with database.begin() as tx:
        asked = [
            await tx.value(
                "select ask_payment(%s, %s, %s, 10000, %s, %s, %s)",
                (shop.id, payment.id, action, f"k{payment.id}", now, now),
            )
            for payment, action in ((first, "capture"), (second, "void"), (done, "capture"))
        ]
        await tx.run("update payments set state = 'captured' where id = %s", (done.id,))

        for shop_id, attempt_id in ((0, asked[0]), (shop.id, asked[1]), (shop.id, asked[2])):
            await tx.run("select stop_capture(%s, %s)", (shop_id, attempt_id))
        waiting = "select array_agg(id order by id) from payments where capture_at is not null"
        assert await tx.value(waiting) == [first.id, second.id, done.id]

        await tx.run("select stop_capture(%s, %s)", (shop.id, asked[0]))
        assert await tx.value(waiting) == [second.id, done.id]


async def test_is_told_by_the_invoice_that_it_would_have_paid(
    shop: ShopFixture, service: Paying
) -> None:
    payment = await authorised(service, shop.id, number=REFUSED_CAPTURE)
    await due_at(service, payment, 0, invoice_id=5)

    assert await capture_due(service, follow=NOTHING_FOLLOWS) == 0

    [(_, order_id, _, message)] = await alerts(service, shop)
    assert order_id is None
    assert f"to capture payment {payment.id} of invoice 5: " in message


async def test_is_let_go_of_where_that_is_possible_now(shop: ShopFixture, service: Paying) -> None:
    free, taken = await authorised(service, shop.id), await captured(service, shop)

    async def is_let_go(payment: Payment) -> bool:
        return await try_void(service, shop_id=shop.id, payment_id=payment.id)

    assert await is_let_go(free) is True
    assert [await is_let_go(payment) for payment in (free, taken)] == [False, False]
    assert [(await read(service, p)).state for p in (free, taken)] == ["voided", "captured"]


async def test_is_captured_at_once_and_a_refusal_told_to_whoever_asks(
    shop: ShopFixture, service: Paying
) -> None:
    good = await an_order_s(service, shop, due_s=60, order_id=1)
    bad = await an_order_s(service, shop, due_s=60, number=REFUSED_CAPTURE, order_id=2)
    noting = Noting()

    async def now(payment: Payment) -> Payment:
        return await capture_now(service, shop_id=shop.id, payment_id=payment.id, follow=noting)

    assert (await now(good)).state == "captured"
    assert noting.told == ["ask capture of 1", "capture 10000: captured"]
    with pytest.raises(Refused, match="payment_declined"):
        await now(bad)
    with pytest.raises(Refused, match="payment_state"):
        await now(good)
    assert [alert[:2] for alert in await alerts(service, shop)] == [("capture_refused", 2)]


async def test_is_planned_of_the_oldest_payment_first_and_no_more_than_there_is(
    shop: ShopFixture, service: Paying
) -> None:
    first, second = await captured(service, shop), await captured(service, shop)
    uncaptured = await an_order_s(service, shop, due_s=None)
    other = await captured(service, shop, order_id=ORDER + 1)
    dues = "refund_due_minor"

    assert await plan(service, shop, 1) == 1
    assert await columns(service, first, dues) == (1,)
    assert await plan(service, shop, 11_999) == 11_999
    assert await columns(service, first, dues) == (10_000,)
    assert await columns(service, second, dues) == (2_000,)
    assert await plan(service, shop, 12_000) == 8_000
    assert await plan(service, shop, 1) == 0
    for payment, due in ((second, 10_000), (uncaptured, 0), (other, 0)):
        assert await columns(service, payment, dues) == (due,)


async def test_is_nothing_of_an_order_without_a_capture_and_none_of_another_shop_s(
    shop: ShopFixture, service: Paying, database: Database
) -> None:
    await an_order_s(service, shop, due_s=None)
    async with database.begin() as tx:
        elsewhere = await make_shop(tx)
    payment = await captured(service, elsewhere)

    assert await plan(service, shop, 100) is None
    assert await columns(service, payment, "refund_due_minor") == (0,)


async def test_is_refunded_the_oldest_payment_first(
    shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    first = await captured(service, shop)
    clock.move(SECOND)
    second = await captured(service, shop, order_id=2)
    untouched = await captured(service, shop, order_id=3)
    assert await plan(service, shop, 300, order_id=2) == 300
    assert await plan(service, shop, 10_000) == 10_000
    noting = Noting()

    assert await refund_due(service, follow=noting) == 2

    assert noting.told == [
        f"ask refund of {ORDER}",
        "refund 10000: refunded",
        "ask refund of 2",
        "refund 300: partially_refunded",
    ]
    found = [await read(service, payment) for payment in (first, second, untouched)]
    assert [(p.refund_due_minor, p.refunding_minor, p.refunded_minor) for p in found] == [
        (0, 0, 10_000),
        (0, 0, 300),
        (0, 0, 0),
    ]
    assert await refund_due(service, follow=noting) == 0


async def test_is_not_refunded_again_once_it_was_refused_and_an_alert_says_so(
    shop: ShopFixture, service: Paying, database: Database
) -> None:
    payment = await captured(service, shop, number=REFUSED_REFUND)
    assert await plan(service, shop, 250) == 250

    with capture_logs() as logs:
        assert await refund_due(service, follow=NOTHING_FOLLOWS) == 0

    assert [(log["event"], log["payment"], log["code"]) for log in logs] == [
        ("a payment was not refunded", payment.id, "payment_declined")
    ]
    found = await read(service, payment)
    assert (found.refund_due_minor, found.refunding_minor, found.refunded_minor) == (0, 0, 0)
    async with database.statement() as tx:
        attempt_id = await tx.value("select max(id) from payment_attempts")
    assert await alerts(service, shop) == [
        (
            "refund_refused",
            ORDER,
            f"attempt:{attempt_id}",
            (
                f"sandbox refused to refund 2.50 EUR of payment {payment.id} of order {ORDER}:"
                f" {found.reason}. The money was not given back."
            ),
        )
    ]
    assert await refund_due(service, follow=NOTHING_FOLLOWS) == 0


async def test_is_told_again_when_another_refund_is_refused(
    shop: ShopFixture, service: Paying
) -> None:
    await captured(service, shop, number=REFUSED_REFUND)
    for amount_minor in (250, 120):
        assert await plan(service, shop, amount_minor) == amount_minor
        assert await refund_due(service, follow=NOTHING_FOLLOWS) == 0

    told = [message.partition(" of ")[0] for *_, message in await alerts(service, shop)]
    assert sorted(told) == [
        "sandbox refused to refund 1.20 EUR",
        "sandbox refused to refund 2.50 EUR",
    ]


async def test_is_taken_back_by_what_was_refused_whatever_happened_beside_it(
    shop: ShopFixture, service: Paying, database: Database
) -> None:
    payment = await captured(service, shop, number=REFUSED_REFUND)
    await plan(service, shop, 250)

    class Meanwhile(Noting):
        """Others plan 70 while the provider is asked for 250, and ask for 30 of that when it has refused."""

        async def write_answer(
            self, tx: Transaction, *, asked: Asked, answer: Answer, now: datetime
        ) -> Recorded:
            await plan(service, shop, 70)
            found = await super().write_answer(tx, asked=asked, answer=answer, now=now)
            async with database.begin() as other:
                await other.run(
                    "select ask_due_refund(%s, %s, 30, 'k', %s, %s)",
                    (shop.id, payment.id, now, now),
                )
            return found

    assert await refund_due(service, follow=Meanwhile()) == 0

    after = await read(service, payment)
    assert (after.refund_due_minor, after.refunding_minor) == (40, 30)
    [(*_, message)] = await alerts(service, shop)
    assert message.startswith("sandbox refused to refund 2.50 EUR of payment")


async def test_is_planned_of_what_other_refunds_leave(
    shop: ShopFixture, service: Paying, database: Database
) -> None:
    payment = await captured(service, shop)
    now = service.clock.now()
    await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=1_000)
    async with database.begin() as tx:
        await tx.run(
            "select ask_payment(%s, %s, 'refund', 500, 'k', %s, %s)",
            (shop.id, payment.id, now, now),
        )
    assert await plan(service, shop, 100) == 100

    assert await plan(service, shop, 10_000) == 8_400


async def test_is_not_refunded_while_another_refund_is_open(
    shop: ShopFixture, service: Paying, database: Database
) -> None:
    payment = await captured(service, shop)
    async with database.begin() as tx:
        await tx.run(
            "select ask_payment(%s, %s, 'refund', 100, 'k', %s, %s)",
            (shop.id, payment.id, service.clock.now(), service.clock.now()),
        )
    await plan(service, shop, 250)

    assert await refund_due(service, follow=NOTHING_FOLLOWS) == 0

    assert (await read(service, payment)).refund_due_minor == 250


async def transfer(service: Paying, shop: ShopFixture, reference: str, **other: int) -> Payment:
    async with service.db.begin() as tx:
        return await record_transfer(
            tx,
            shop_id=shop.id,
            order_id=other.get("order_id", ORDER),
            payer="customer:1",
            amount_minor=500,
            currency="EUR",
            reference=reference,
            now=service.clock.now(),
        )


async def test_is_refunded_by_hand_where_nobody_is_asked(
    shop: ShopFixture, service: Paying
) -> None:
    paid = [await transfer(service, shop, name) for name in ("one", "two")]
    other = await transfer(service, shop, "three", order_id=ORDER + 1)
    card = await captured(service, shop)
    for order_id in (ORDER, ORDER + 1):
        await plan(service, shop, 10_900, order_id=order_id)

    async def settle(shop_id: int) -> str | None:
        async with service.db.begin() as tx:
            return await settle_by_hand(
                tx, shop_id=shop_id, order_id=ORDER, now=service.clock.now()
            )

    assert await settle(0) is None
    assert await settle(shop.id) == "refunded"
    assert await settle(shop.id) is None

    found = [await read(service, payment) for payment in (*paid, other, card)]
    assert [(p.state, p.refunded_minor, p.refund_due_minor) for p in found] == [
        ("refunded", 500, 0),
        ("refunded", 500, 0),
        ("captured", 0, 500),
        ("captured", 0, 9_900),
    ]
    async with service.db.statement() as tx:
        keys = await tx.all(
            "select key from payment_attempts where payment_id = any(%s) order by id",
            ([payment.id for payment in paid],),
        )
        assert [key for (key,) in keys] == ["one-refund-1", "two-refund-1"]
        assert await balances(tx, shop_id=shop.id) == {
            "bank EUR": -500,
            "clearing sandbox EUR": -10_000,
            "receivable customer:1 EUR": 11_500,
            "refunds EUR": -1_000,
        }


async def test_is_all_given_back_when_nothing_of_the_capture_stays(
    shop: ShopFixture, service: Paying
) -> None:
    async def is_back(order_id: int = ORDER, shop_id: int = shop.id) -> bool:
        async with service.db.statement() as tx:
            return await is_given_back(tx, shop_id=shop_id, order_id=order_id)

    assert not await is_back()
    await an_order_s(service, shop, due_s=None)
    assert not await is_back()
    payment = await captured(service, shop)
    await captured(service, shop, order_id=ORDER + 1)
    assert not await is_back()
    await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=4_000)
    assert not await is_back()
    await plan(service, shop, 5_999)
    assert not await is_back()
    async with service.db.begin() as tx:
        await tx.run(
            "select ask_payment(%s, %s, 'refund', 1, 'k', %s, %s)",
            (shop.id, payment.id, service.clock.now(), service.clock.now()),
        )
    assert await is_back()
    assert not await is_back(shop_id=0)
    assert not await is_back(order_id=ORDER + 1)
    second = await captured(service, shop)
    assert not await is_back()
    await refund(service, shop_id=shop.id, payment_id=second.id, amount_minor=10_000)
    assert await is_back()


async def test_waits_and_is_told_where_its_provider_is_not_set_up_any_more(
    shop: ShopFixture, service: Paying, nobody: Paying, database: Database
) -> None:
    to_capture = await an_order_s(service, shop, order_id=1)
    to_refund = await captured(service, shop, order_id=2)
    await plan(service, shop, 250, order_id=2)
    await captured(service, shop, order_id=3)
    async with database.begin() as tx:
        elsewhere = await make_shop(tx)
    await transfer(service, elsewhere, "one")
    await plan(service, elsewhere, 250)

    with capture_logs() as logs:
        assert await capture_due(nobody, follow=NOTHING_FOLLOWS) == 0
        assert await refund_due(nobody, follow=NOTHING_FOLLOWS) == 1  # of the bank transfer
    assert logs == []
    for _ in range(2):
        assert await settle_payments(nobody, follow=NOTHING_FOLLOWS) == 0

    assert (await read(service, to_capture)).state == "authorised"
    assert (await read(service, to_refund)).refund_due_minor == 250
    assert await alerts(service, shop) == [
        (
            "payment_provider_unknown",
            None,
            "sandbox",
            (
                "2 open payments are with sandbox, which the settings do not name: they are neither"
                " captured, voided, refunded nor looked up until it is set up again."
            ),
        )
    ]
    assert await alerts(service, elsewhere) == []
    assert await capture_due(service, follow=NOTHING_FOLLOWS) == 1
    assert await refund_due(service, follow=NOTHING_FOLLOWS) == 1
    await settle_payments(service, follow=NOTHING_FOLLOWS)
    assert len(await alerts(service, shop)) == 1


async def test_is_told_of_an_answer_that_nobody_can_look_up(
    shop: ShopFixture, service: Paying, nobody: Paying, clock: FrozenClock
) -> None:
    payment = await an_order_s(service, shop, number=LOST_CAPTURE)
    with pytest.raises(Unavailable):
        await capture(service, shop_id=shop.id, payment_id=payment.id)

    clock.move(61 * SECOND)
    assert await settle_payments(nobody, follow=NOTHING_FOLLOWS) == 0
    async with service.db.statement() as tx:
        due = await tx.value(
            "select next_look_up_at from payment_attempts where payment_id = %s and outcome = 'asked'",
            (payment.id,),
        )
    assert due == clock.now() + 120 * SECOND
    assert [alert[0] for alert in await alerts(service, shop)] == ["payment_provider_unknown"]
