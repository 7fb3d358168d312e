"""An answer that was lost..."""

from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.payments import (
    NOTHING_FOLLOWS,
    AnswerLost,
    Paying,
    Payment,
    Question,
    Sandbox,
    capture,
    read_payment,
    refund,
    settle_payments,
)
from tests.support.factories import ShopFixture
from tests.support.ledger import balances
from tests.support.paying import (
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
    assert noting.told == [f"lock {ORDER}", "capture 10000: captured"]
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

    waits = []
    for _ in range(6):
        async with database.statement() as tx:
            due = await tx.value(
                "select next_look_up_at from payment_attempts where outcome = 'asked'"
            )
        waits.append(int((due - clock.now()).total_seconds()))
        clock.move(due - clock.now())
        assert await settle_payments(silent, follow=NOTHING_FOLLOWS) == 0

    assert waits == [60, 120, 300, 900, 3_600, 3_600]
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

    clock.move(timedelta(seconds=899))
    await settle_payments(service, follow=NOTHING_FOLLOWS)

    assert [(p.id, p.state) for p in await payments(database, shop)] == [
        (taken.id, "authorised"),
        (young.id, "authorised"),
    ]
