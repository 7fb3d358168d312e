"""An answer that was lost..."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.payments import (
    NOTHING_FOLLOWS,
    Action,
    Answer,
    AnswerLost,
    Paying,
    Payment,
    Question,
    Sandbox,
    capture,
    read_payment,
    record_transfer,
    refund,
    settle_payments,
)
from tests.support.factories import ShopFixture
from tests.support.ledger import balances
from tests.support.paying import (
    DECLINED,
    LOST_ANSWER,
    LOST_CAPTURE,
    LOST_QUESTION,
    LOST_REFUND,
    ORDER,
    Noting,
    authorised,
    claimed,
    paying,
)

DUE = "select id from due_attempts(%s, %s, %s)"


@pytest.fixture
async def database(empty_database_url: str):
    """One in which nobody else waits for an answer."""
    pool = Database(empty_database_url, min_size=1, max_size=8)
    await pool.open()
    yield pool
    await pool.close()


async def payments(db: Database, shop: ShopFixture) -> list[Payment]:
    async with db.statement() as tx:
        ids = await tx.all("select id from payments where shop_id = %s order by id", (shop.id,))
        return [await read_payment(tx, shop_id=shop.id, payment_id=id_) for (id_,) in ids]


async def operations(db: Database, shop: ShopFixture) -> list[str]:
    """What the provider has in its books."""
    async with db.statement() as tx:
        rows = await tx.all(
            "select action from sandbox_operations where shop_id = %s order by id", (shop.id,)
        )
    return [row[0] for row in rows]


async def test_to_an_authorisation_is_looked_up_and_the_payment_let_go_of(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    with pytest.raises(Unavailable) as refusal:
        await authorised(service, shop.id, number=LOST_ANSWER)
    assert (refusal.value.code, refusal.value.data) == ("payment_unsettled", {"retry_after_s": 60})
    assert [p.state for p in await payments(database, shop)] == ["asked"]
    assert await settle_payments(service, follow=NOTHING_FOLLOWS) == 0

    clock.move(timedelta(seconds=61))
    assert await settle_payments(service, follow=NOTHING_FOLLOWS) == 1
    assert [p.state for p in await payments(database, shop)] == ["authorised"]

    clock.move(timedelta(seconds=901))
    assert await settle_payments(service, follow=NOTHING_FOLLOWS) == 0
    assert [p.state for p in await payments(database, shop)] == ["voided"]
    assert await operations(database, shop) == ["authorise", "void"]


async def test_to_a_question_that_never_arrived_ends_the_payment(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    with pytest.raises(Unavailable):
        await authorised(service, shop.id, number=LOST_QUESTION)

    clock.move(timedelta(seconds=61))
    assert await settle_payments(service, follow=NOTHING_FOLLOWS) == 1

    (payment,) = await payments(database, shop)
    assert (payment.state, payment.reason) == ("abandoned", "never_arrived")
    assert await operations(database, shop) == []


async def test_to_a_capture_is_posted_once_it_is_known_and_never_asked_for_again(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    payment = await authorised(service, shop.id, number=LOST_CAPTURE)
    await claimed(service, shop.id, payment)
    with pytest.raises(Unavailable):
        await capture(service, shop_id=shop.id, payment_id=payment.id)
    with pytest.raises(Refused, match="payment_state"):
        await capture(service, shop_id=shop.id, payment_id=payment.id)
    noting = Noting()

    clock.move(timedelta(seconds=61))
    settled = [await settle_payments(service, follow=noting) for _ in range(2)]

    assert settled == [1, 0]
    assert noting.told == ["capture 10000: captured"]
    assert await operations(database, shop) == ["authorise", "capture"]
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {
            "clearing sandbox EUR": -10_000,
            "receivable customer:1 EUR": 10_000,
        }


async def test_to_a_refund_keeps_its_amount_set_aside_until_it_is_known(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    payment = await authorised(service, shop.id, number=LOST_REFUND)
    await claimed(service, shop.id, payment)
    await capture(service, shop_id=shop.id, payment_id=payment.id)
    with pytest.raises(Unavailable):
        await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=6_000)
    with pytest.raises(Refused, match="refund_exceeds_capture"):
        await refund(service, shop_id=shop.id, payment_id=payment.id, amount_minor=4_001)

    clock.move(timedelta(seconds=61))
    await settle_payments(service, follow=NOTHING_FOLLOWS)

    (after,) = await payments(database, shop)
    assert (after.state, after.refunded_minor, after.refunding_minor) == (
        "partially_refunded",
        6_000,
        0,
    )
    assert await operations(database, shop) == ["authorise", "capture", "refund"]


class Silent(Sandbox):
    """A provider that answers nothing for a while."""

    async def look_up(self, question: Question) -> None:
        raise AnswerLost


async def test_that_stays_lost_is_asked_for_less_and_less_and_then_told(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    payment = await authorised(service, shop.id, number=LOST_CAPTURE)
    await claimed(service, shop.id, payment)
    with pytest.raises(Unavailable):
        await capture(service, shop_id=shop.id, payment_id=payment.id)
    silent = paying(database, clock)
    silent = Paying(
        db=database,
        clock=clock,
        ids=silent.ids,
        providers={"sandbox": Silent(database, clock=clock)},
    )

    waits, told = [], []
    for _ in range(6):
        async with database.statement() as tx:
            due = await tx.value(
                "select next_look_up_at from payment_attempts where outcome = 'asked'"
            )
        waits.append(int((due - clock.now()).total_seconds()))
        clock.move(due - clock.now())
        assert await settle_payments(silent, follow=NOTHING_FOLLOWS) == 0
        async with database.begin() as tx:
            told.append(len(await list_alerts(tx, shop_id=shop.id)))

    assert waits == [60, 120, 300, 900, 3_600, 3_600]
    assert told == [0, 0, 0, 0, 1, 1]
    async with database.begin() as tx:
        (alert,) = await list_alerts(tx, shop_id=shop.id)
    assert (alert.kind, alert.order_id) == ("payment_unsettled", ORDER)
    assert alert.message == (
        f"sandbox does not tell what became of a capture of payment {payment.id}, asked 2026-03-02 12:00 UTC."
    )
    clock.move(timedelta(seconds=3_601))
    assert await settle_payments(service, follow=NOTHING_FOLLOWS) == 1


async def test_of_a_payment_that_an_order_took_is_left_alone(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    taken = await authorised(service, shop.id)
    await claimed(service, shop.id, taken)
    young = await authorised(service, shop.id)

    with pytest.raises(Refused, match="payment_declined"):
        await authorised(service, shop.id, number=DECLINED)

    states = []
    for seconds in (899, 1, 1):
        clock.move(timedelta(seconds=seconds))
        with capture_logs() as logs:
            await settle_payments(service, follow=NOTHING_FOLLOWS)
        assert logs == []
        states.append({p.id: p.state for p in await payments(database, shop)})

    waiting = {taken.id: "authorised", young.id: "authorised", young.id + 1: "declined"}
    assert states == [waiting, waiting, waiting | {young.id: "voided"}]


class Stubborn(Sandbox):
    """A provider that lets go of nothing."""

    async def void(self, question: Question) -> Answer:
        return Answer(approved=False, reason="not_now")


async def test_of_a_payment_that_the_provider_does_not_let_go_of_is_noted_in_the_log(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    payment = await authorised(service, shop.id)
    stubborn = asking(service, Stubborn(database, clock=clock))

    clock.move(timedelta(seconds=901))
    with capture_logs() as logs:
        assert await settle_payments(stubborn, follow=NOTHING_FOLLOWS) == 0

    assert logs == [
        {
            "event": "an unclaimed payment was not voided",
            "log_level": "warning",
            "payment": payment.id,
            "code": "payment_declined",
        }
    ]
    assert [p.state for p in await payments(database, shop)] == ["authorised"]


class Deaf(Silent):
    """A provider that never answers, and counts how often it is asked to let go of something."""

    asked = 0

    async def void(self, question: Question) -> Answer:
        self.asked += 1
        raise AnswerLost


async def test_to_letting_go_of_a_payment_is_looked_up_and_not_asked_for_again(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    payment = await authorised(service, shop.id)
    deaf = Deaf(database, clock=clock)

    clock.move(timedelta(seconds=901))
    with capture_logs() as logs:
        for _ in range(3):
            await settle_payments(asking(service, deaf), follow=NOTHING_FOLLOWS)
            clock.move(timedelta(seconds=901))

    assert deaf.asked == 1
    assert [(log["payment"], log["code"]) for log in logs] == [(payment.id, "payment_unsettled")]
    assert await settle_payments(service, follow=NOTHING_FOLLOWS) == 1
    clock.move(timedelta(seconds=901))
    assert await settle_payments(service, follow=NOTHING_FOLLOWS) == 0
    assert [p.state for p in await payments(database, shop)] == ["voided"]


async def test_about_one_payment_keeps_no_other_from_being_let_go_of(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    asked, other = await authorised(service, shop.id), await authorised(service, shop.id)
    clock.move(timedelta(seconds=901))
    later = FrozenClock(clock.now() + timedelta(minutes=1))
    async with database.begin() as tx:
        await note_question(tx, shop, asked.id, "void", due=later)

    await settle_payments(service, follow=NOTHING_FOLLOWS)

    assert [(p.id, p.state) for p in await payments(database, shop)] == [
        (asked.id, "authorised"),
        (other.id, "voided"),
    ]


async def test_to_letting_go_comes_for_the_longest_waiting_first(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    late, early = await authorised(service, shop.id), await authorised(service, shop.id)
    async with database.begin() as tx:
        await tx.run(
            "update payments set updated_at = updated_at + interval '1 second' where id = %s",
            (late.id,),
        )
    stubborn = asking(service, Stubborn(database, clock=clock))

    clock.move(timedelta(seconds=902))
    with capture_logs() as logs:
        await settle_payments(stubborn, follow=NOTHING_FOLLOWS)

    assert [log["payment"] for log in logs] == [early.id, late.id]


class Broken(Sandbox):
    """A provider whose answer about one payment cannot be understood."""

    reference = ""

    async def look_up(self, question: Question) -> Answer | None:
        if question.reference == self.reference:
            raise ValueError("not JSON")
        return await super().look_up(question)


async def test_that_cannot_be_understood_keeps_no_other_and_is_looked_up_again_a_minute_after(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    for _ in range(2):
        with pytest.raises(Unavailable):
            await authorised(service, shop.id, number=LOST_ANSWER)
        clock.move(timedelta(seconds=1))
    clock.move(timedelta(seconds=61))
    first, _ = await payments(database, shop)
    broken = Broken(database, clock=clock)
    broken.reference = first.reference

    assert await settle_payments(asking(service, broken), follow=NOTHING_FOLLOWS) == 1

    assert [p.state for p in await payments(database, shop)] == ["asked", "authorised"]
    async with database.statement() as tx:
        due = await tx.value("select next_look_up_at from payment_attempts where outcome = 'asked'")
        (alert,) = await list_alerts(tx, shop_id=shop.id)
    assert due - clock.now() == timedelta(seconds=60)
    assert (alert.kind, alert.subject) == ("job_failed", f"settle_payments payment {first.id}")
    clock.move(timedelta(seconds=60))
    assert await settle_payments(service, follow=NOTHING_FOLLOWS) == 1


async def test_to_a_refund_by_bank_transfer_is_yes_for_people_make_it(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    """Noted, and then the server stopped before it wrote that it is done."""
    async with database.begin() as tx:
        payment = await record_transfer(
            tx,
            shop_id=shop.id,
            order_id=ORDER,
            payer="customer:1",
            amount_minor=500,
            currency="EUR",
            reference="Statement 1",
            now=clock.now(),
        )
        await note_question(tx, shop, payment.id, "refund", amount_minor=200, due=clock)

    assert await settle_payments(service, follow=NOTHING_FOLLOWS) == 1

    (after,) = await payments(database, shop)
    assert (after.state, after.refunded_minor) == ("partially_refunded", 200)
    async with database.begin() as tx:
        assert await balances(tx, shop_id=shop.id) == {
            "bank EUR": -300,
            "receivable customer:1 EUR": 500,
            "refunds EUR": -200,
        }


async def test_is_taken_by_one_of_two_workers_and_the_other_does_not_wait(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    questions = await make_questions(service, shop, clock)
    later = clock.now() + timedelta(hours=1)

    async with database.begin() as one, database.begin() as other:
        await other.run("set local lock_timeout = '5s'")
        first = await one.all(DUE, (1, later, clock.now()))
        second = await other.all(DUE, (9, later, clock.now()))
        assert await other.all(DUE, (9, later, clock.now())) == []

    assert [first, second] == [[(questions[1],)], [(questions[0],)]]


async def test_is_due_by_itself_the_most_overdue_first(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    """Nothing else of the shop is touched: what is answered, and what is not due yet."""
    questions = await make_questions(service, shop, clock)
    later = clock.now() + timedelta(hours=1)
    looks = "select id, look_ups, next_look_up_at from payment_attempts order by id"
    async with database.begin() as tx:
        before = {row[0]: row[1:] for row in await tx.all(looks)}

        assert await tx.all(DUE, (1, later, clock.now())) == [(questions[1],)]

        after = {row[0]: row[1:] for row in await tx.all(looks)}
        assert after == before | {questions[1]: (1, later)}
        assert await tx.all(DUE, (9, later, clock.now())) == [(questions[0],)]
        assert await tx.all(DUE, (9, later, clock.now())) == []


async def test_puts_off_its_own_next_look_alone(
    database: Database, shop: ShopFixture, service: Paying, clock: FrozenClock
) -> None:
    (_, _, not_due) = await make_questions(service, shop, clock)
    due = "select next_look_up_at from payment_attempts where id = %s"
    async with database.begin() as tx:
        before = await tx.value(due, (not_due,))

    await settle_payments(asking(service, Silent(database, clock=clock)), follow=NOTHING_FOLLOWS)

    async with database.begin() as tx:
        assert await tx.value(due, (not_due,)) == before


def asking(service: Paying, provider: Sandbox) -> Paying:
    """The service with another provider in the sandbox's place."""
    return Paying(
        db=service.db, clock=service.clock, ids=service.ids, providers={"sandbox": provider}
    )


async def note_question(
    tx: Transaction,
    shop: ShopFixture,
    payment_id: int,
    action: Action,
    *,
    amount_minor: int = 10_000,
    due: FrozenClock,
) -> int:
    """The number of a question that is due for a look-up now."""
    return int(
        await tx.value(
            "select ask_payment(%s, %s, %s, %s, %s, %s, %s)",
            (shop.id, payment_id, action, amount_minor, f"k{payment_id}", due.now(), due.now()),
        )
    )


async def make_questions(service: Paying, shop: ShopFixture, clock: FrozenClock) -> list[int]:
    """Two captures that are due, the second since longer, and one that is due in ten minutes."""
    questions = []
    for minutes in (-1, -2, 10):
        payment = await authorised(service, shop.id)
        moved = FrozenClock(clock.now() + timedelta(minutes=minutes))
        async with service.db.begin() as tx:
            questions.append(await note_question(tx, shop, payment.id, "capture", due=moved))
    return questions
