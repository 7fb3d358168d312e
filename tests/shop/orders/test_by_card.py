"""An order that awaits its payment, paid by card..."""

from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import (
    ORDER_FOLLOWS,
    expire_orders,
    pay_awaiting_order,
    place,
)
from crossdock.shop.payments import authorise, capture, claim_payment, list_payments
from tests.support.drafts import draft_of, line_of
from tests.support.paying import GOOD, LOST_CAPTURE, REFUSED_CAPTURE, card
from tests.support.staff import Desk


@pytest.fixture
async def desk(empty_database_url: str, clock: FrozenClock):
    """A desk in whose database nobody else's payments wait."""
    database = Database(empty_database_url, min_size=1, max_size=6)
    await database.open()
    yield await Desk.open(database, clock)
    await database.close()


async def awaiting(desk: Desk) -> int:
    """The id of an order of 10.00 EUR that is to be paid within a day."""
    draft = draft_of(
        line_of(await desk.variant(), shop=desk.made, take="own"),
        shop=desk.made,
        currency="EUR",
        state="waiting_for_release",
        release_policy="delivered",
        payment_state="awaiting",
        expires_at=desk.clock.now() + timedelta(days=1),
    )
    async with desk.db.begin() as tx:
        return (await place(tx, draft=draft, now=desk.clock.now())).id


async def pay(desk: Desk, order_id: int, number: str = GOOD) -> bool:
    return await pay_awaiting_order(
        desk.paying, shop_id=desk.shop.id, order_id=order_id, card=card(number), provider="sandbox"
    )


async def payments(desk: Desk, order_id: int) -> list[tuple[str, int]]:
    async with desk.db.statement() as tx:
        found = await list_payments(tx, shop_id=desk.shop.id, order_id=order_id)
    return [(each.state, each.captured_minor) for each in found]


async def test_whose_capture_was_refused_is_not_charged_later(desk: Desk) -> None:
    order_id, now = await awaiting(desk), desk.clock.now()
    payment = await authorise(
        desk.paying,
        shop_id=desk.shop.id,
        provider="sandbox",
        card=card(REFUSED_CAPTURE),
        amount_minor=1000,
        currency="EUR",
        payer="customer",
        capture_at=now,
    )
    async with desk.db.begin() as tx:
        await claim_payment(
            tx, shop_id=desk.shop.id, payment_id=payment.id, order_id=order_id,
            amount_minor=1000, currency="EUR", now=now,
        )  # fmt: skip
    # The process ends after the refusal, before the card is let go of.
    with pytest.raises(Refused, match="payment_declined"):
        await capture(
            desk.paying, shop_id=desk.shop.id, payment_id=payment.id, follow=ORDER_FOLLOWS
        )
    async with desk.db.statement() as tx:
        asked = await tx.value(
            "select capture_at from payments where shop_id = %s and id = %s",
            (desk.shop.id, payment.id),
        )
    assert asked is None
    await settle_every_payment(desk.paying)
    assert await payments(desk, order_id) == [("voided", 0)]
    assert await pay(desk, order_id)
    assert (await desk.read(order_id)).payment_state == "paid"


async def test_of_which_a_provider_is_asked_does_not_run_out_meanwhile(desk: Desk) -> None:
    order_id = await awaiting(desk)
    assert not await pay(desk, order_id, LOST_CAPTURE)
    desk.clock.move(timedelta(days=1, seconds=1))

    assert await expire_orders(desk.db, now=desk.clock.now()) == 0

    async with desk.db.statement() as tx:
        alerts = await tx.value(
            "select count(*) from alerts where shop_id = %s and kind = 'job_failed'",
            (desk.shop.id,),
        )
    assert alerts == 0
    assert (await desk.read(order_id)).payment_state == "awaiting"
    await settle_every_payment(desk.paying)
    assert (await desk.read(order_id)).payment_state == "paid"
