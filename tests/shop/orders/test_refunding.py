"""What a partner takes back, and what staff refund of a line..."""

import asyncio
from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Invalid, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.orders import (
    LineView,
    RefundReason,
    cancel_freely,
    cancel_order,
    place,
    refund_line,
    refund_order,
    release_order,
    run_releases,
)
from crossdock.shop.warehouse import Consignment, announce_package, close_short, ship_package
from tests.support.awaiting import DAY_S, WINDOW_S, Dropship
from tests.support.drafts import draft_of, line_of
from tests.support.factories import make_merchant
from tests.support.locks import waiting_for_a_lock


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Dropship:
    return await Dropship.open(database, clock)


async def two(desk: Dropship) -> int:
    """The order of the worked example, paid."""
    first = await desk.variant(price_minor=1999, terms={"IN19A04": 250})
    second = await desk.variant(price_minor=500, terms={"IN19A04": 100})
    return await desk.paid((first, 2), (second, 1))


def facts(line: LineView) -> tuple[int, bool, str]:
    return line.refunded_minor, line.shipping_refunded, line.refund_reason


async def refund(desk: Dropship, order_id: int, line_no: int = 1, *, shipping: bool = False) -> int:
    return await refund_line(
        desk.paying,
        shop_id=desk.shop.id,
        order_id=order_id,
        line_no=line_no,
        reason="out_of_stock",
        with_shipping=shipping,
    )


async def test_a_line_is_given_back_with_its_shipping_and_the_last_one_closes_the_order(
    desk: Dropship,
) -> None:
    order_id = await two(desk)
    desk.clock.move(timedelta(minutes=1))

    assert await desk.cancel(order_id, 2) == 600

    order = await desk.read(order_id)
    assert await desk.states(order_id) == (
        "partially_refunded",
        "waiting_for_release",
        ["open", "cancelled"],
    )
    assert facts(order.lines[1]) == (600, True, "customer_cancelled")
    assert order.lines[1].refunded_at == desk.clock.now()
    assert facts(order.lines[0]) == (0, False, "")
    assert (order.total_minor, order.lines[0].refunded_at) == (5098, None)
    assert await desk.level(order.lines[1].variant_id) == (10, 0, 0, 10)

    assert await desk.cancel(order_id, 1) == 4498

    assert await desk.states(order_id) == ("refunded", "cancelled", ["cancelled", "cancelled"])
    (payment,) = await desk.payments(order_id)
    assert (payment.state, payment.refunded_minor, payment.refund_due_minor) == (
        "refunded",
        5098,
        0,
    )
    assert await desk.differences() == []
    kinds = [event.kind for event in (await desk.read(order_id)).timeline]
    assert kinds.count("order.lines_refunded") == 2
    assert kinds[-1] != "order.placed"
    assert "order.cancelled" in kinds


async def test_a_whole_order_is_given_back_at_once_or_not_at_all(desk: Dropship) -> None:
    order_id = await two(desk)
    assert await desk.cancel(order_id) == 5098
    assert (await desk.states(order_id))[:2] == ("refunded", "cancelled")

    partly = await two(desk)
    with pytest.raises(NotFound, match="order_not_found"):
        await desk.cancel(partly, 3)
    await desk.cancel(partly, 1)
    before = await desk.read(partly)
    with pytest.raises(Refused, match="order_state"):
        await desk.cancel(partly)
    assert await desk.read(partly) == before


async def test_one_variant_on_two_lines_gives_back_each_by_itself(desk: Dropship) -> None:
    variant = await desk.variant()
    order_id = await desk.paid((variant, 2), (variant, 3))
    assert await desk.level(variant) == (10, 0, 5, 5)
    await desk.cancel(order_id, 1)
    assert await desk.level(variant) == (10, 0, 3, 7)
    assert await desk.differences() == []
    await desk.cancel(order_id, 2)
    assert await desk.level(variant) == (10, 0, 0, 10)
    assert await desk.differences() == []


@pytest.mark.parametrize(
    "state", ["open", "expired", "cancelled", "in_fulfilment", "shipped", "unknown"]
)
async def test_only_what_is_paid_and_not_in_fulfilment_is_taken_back(
    desk: Dropship, state: str
) -> None:
    placed = await desk.place((await desk.variant(), 1))
    shop_id, order_id, now = desk.shop.id, placed.id, desk.clock.now()
    if state == "expired":
        desk.clock.move(timedelta(seconds=DAY_S))
    if state not in {"open", "expired"}:
        await desk.charge(order_id, "ch")
    async with desk.db.begin() as tx:
        if state == "in_fulfilment":
            await release_order(tx, shop_id=shop_id, order_id=order_id, now=now)
        if state == "shipped":
            await announce_package(
                tx,
                shop_id=shop_id,
                order_id=order_id,
                quantities=None,
                carrier="dhl",
                tracking_number="N1",
                now=now,
            )
    if state == "cancelled":
        await desk.cancel(order_id, 1)
    before = await desk.read(order_id)

    for line_no in (1, None):
        wanted = (10**12, line_no) if state == "unknown" else (order_id, line_no)
        with pytest.raises(CrossdockError) as refusal:
            await desk.cancel(*wanted)
        assert refusal.value.code == ("order_not_found" if state == "unknown" else "order_state")
    assert await desk.read(order_id) == before


async def test_twice_at_once_is_given_back_once(desk: Dropship) -> None:
    order_id = await two(desk)
    found = await asyncio.gather(
        *(desk.cancel(order_id, 2) for _ in range(6)), return_exceptions=True
    )
    assert found.count(600) == 1
    assert {each.code for each in found if isinstance(each, CrossdockError)} == {"order_state"}
    (payment,) = await desk.payments(order_id)
    assert payment.refunded_minor == 600
    assert await desk.differences() == []


@pytest.mark.races
async def test_waits_for_a_release_and_is_refused_by_it(desk: Dropship) -> None:
    order_id = await two(desk)
    async with desk.db.begin() as tx:
        await release_order(tx, shop_id=desk.shop.id, order_id=order_id, now=desk.clock.now())
        late = asyncio.create_task(desk.cancel(order_id, 1))
        await waiting_for_a_lock(desk.db, behind=tx)
    with pytest.raises(Refused, match="order_state"):
        await late


async def test_staff_refund_a_line_first_without_its_shipping_and_then_that(desk: Dropship) -> None:
    order_id = await two(desk)

    assert await refund(desk, order_id) == 3998

    (line, other) = (await desk.read(order_id)).lines
    assert (line.state, facts(line)) == ("open", (3998, False, "out_of_stock"))
    assert facts(other) == (0, False, "")
    with pytest.raises(Refused, match="payment_state"):
        await refund(desk, order_id)
    assert await refund(desk, order_id, shipping=True) == 500
    assert facts((await desk.read(order_id)).lines[0]) == (4498, True, "out_of_stock")
    with pytest.raises(Refused, match="payment_state"):
        await refund(desk, order_id, shipping=True)
    assert (await desk.states(order_id))[0] == "partially_refunded"
    assert await refund(desk, order_id, 2, shipping=True) == 600
    assert (await desk.states(order_id))[0] == "refunded"
    assert await desk.differences() == []


async def test_what_is_refunded_as_a_whole_is_not_released_by_itself(desk: Dropship) -> None:
    order_id = await two(desk)
    for line_no in (1, 2):
        await refund(desk, order_id, line_no, shipping=True)
    desk.clock.move(timedelta(seconds=WINDOW_S))
    await run_releases(desk.db, now=desk.clock.now())
    assert await desk.states(order_id) == ("refunded", "waiting_for_release", ["open", "open"])


async def test_nothing_is_refunded_beyond_what_was_paid(desk: Dropship) -> None:
    order_id = await two(desk)
    await refund_order(desk.paying, shop_id=desk.shop.id, order_id=order_id, amount_minor=5000)
    before = await desk.read(order_id)
    with pytest.raises(Refused, match="refund_exceeds_capture"):
        await refund(desk, order_id)
    assert await desk.read(order_id) == before
    (payment,) = await desk.payments(order_id)
    assert (payment.refunded_minor, payment.refund_due_minor) == (5000, 0)


async def test_nothing_is_refunded_of_what_is_not_there(desk: Dropship) -> None:
    placed = await desk.place((await desk.variant(), 1))
    with pytest.raises(Refused, match="payment_state"):
        await refund(desk, placed.id)
    with pytest.raises(Invalid, match="no such line"):
        await refund(desk, placed.id, 9)
    with pytest.raises(NotFound, match="order_not_found"):
        await refund(desk, 10**12)


async def test_what_staff_cancel_is_given_back_but_for_what_was_before(desk: Dropship) -> None:
    order_id = await two(desk)
    await desk.cancel(order_id, 2)
    async with desk.db.begin() as tx:
        await cancel_order(tx, shop_id=desk.shop.id, order_id=order_id, now=desk.clock.now())
    await settle_every_payment(desk.paying)

    order = await desk.read(order_id)
    assert await desk.states(order_id) == ("refunded", "cancelled", ["cancelled", "cancelled"])
    assert [(line.refunded_minor, line.shipping_refunded) for line in order.lines] == [
        (4498, True),
        (600, True),
    ]
    (payment,) = await desk.payments(order_id)
    assert (payment.refunded_minor, payment.refund_due_minor) == (5098, 0)
    assert await desk.differences() == []


@pytest.mark.parametrize("counts_refunds", [False, True])
async def test_what_is_closed_short_is_given_back_but_for_what_was_before(
    desk: Dropship, counts_refunds: bool
) -> None:
    variants = [
        await desk.variant(price_minor=price, shipping_minor=shipping)
        for price, shipping in ((1999, 250), (500, 100), (300, 0))
    ]
    order_id = await desk.paid(*((variant, 1) for variant in variants))
    await desk.cancel(order_id, 2)
    async with desk.db.begin() as tx:
        await announce_package(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            quantities={1: 1},
            carrier="dhl",
            tracking_number="N1",
            now=desk.clock.now(),
        )
        package_id = await tx.value("select id from packages where order_id = %s", (order_id,))
    async with desk.db.begin() as tx:
        await ship_package(
            tx,
            shop_id=desk.shop.id,
            package_id=package_id,
            consignment=Consignment(carrier="dhl", tracking_number="N1", tracking_url=""),
            now=desk.clock.now(),
        )
        closed = await close_short(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            now=desk.clock.now(),
            counts_refunds=counts_refunds,
        )
    await settle_every_payment(desk.paying)

    assert (closed.amount_minor, closed.given_back) == (300, "refund")
    (payment,) = await desk.payments(order_id)
    assert payment.refunded_minor == 600 + 300
    lines = (await desk.read(order_id)).lines
    assert [line.refunded_minor for line in lines] == [0, 600, 300]
    assert [line.state for line in lines] == ["shipped", "cancelled", "cancelled"]
    assert await desk.differences() == []


async def test_a_line_with_a_discount_gives_back_what_was_paid_for_it(desk: Dropship) -> None:
    lines = [
        line_of(
            await desk.variant(),
            shop=desk.shop,
            quantity=3,
            price_minor=333,
            discount_minor=discount,
            shipping_minor=shipping,
        )
        for discount, shipping in ((100, 70), (1, 0))
    ]
    draft = draft_of(
        *lines,
        shop=desk.shop,
        partner_id=desk.partner.id,
        state="waiting_for_release",
        payment_state="awaiting",
        release_policy="by_hand",
        expires_at=desk.clock.now() + timedelta(seconds=DAY_S),
    )
    async with desk.db.statement() as tx:
        placed = await place(tx, draft=draft, now=desk.clock.now())
    await desk.charge(placed.id, "ch")

    assert await refund(desk, placed.id, 1) == 899
    assert await refund(desk, placed.id, 1, shipping=True) == 70
    assert await desk.cancel(placed.id, 2) == 998
    assert await desk.cancel(placed.id, 1) == 0  # it was refunded already
    assert (await desk.states(placed.id))[:2] == ("refunded", "cancelled")
    assert await desk.differences() == []


async def test_what_was_refunded_before_does_not_keep_a_line_from_being_taken_back(
    desk: Dropship,
) -> None:
    order_id = await two(desk)
    assert await refund(desk, order_id, 1) == 3998
    assert await desk.cancel(order_id, 1) == 500
    assert facts((await desk.read(order_id)).lines[0]) == (4498, True, "customer_cancelled")

    other = await two(desk)
    await refund_order(desk.paying, shop_id=desk.shop.id, order_id=other, amount_minor=5000)
    await desk.cancel(other)
    (payment,) = await desk.payments(other)
    assert (payment.state, payment.refunded_minor) == ("refunded", 5098)
    assert (await desk.states(other))[:2] == ("refunded", "cancelled")
    assert await desk.differences() == []


async def ship(desk: Dropship, order_id: int, quantities: dict[int, int]) -> None:
    """Send off units of the order's lines, and close what is left of it."""
    now = desk.clock.now()
    async with desk.db.begin() as tx:
        await announce_package(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            quantities=quantities,
            carrier="dhl",
            tracking_number="N1",
            now=now,
        )
        package_id = await tx.value("select id from packages where order_id = %s", (order_id,))
    sent = Consignment(carrier="dhl", tracking_number="N1", tracking_url="")
    async with desk.db.begin() as tx:
        await ship_package(
            tx, shop_id=desk.shop.id, package_id=package_id, consignment=sent, now=now
        )
        await close_short(tx, shop_id=desk.shop.id, order_id=order_id, now=now)
    await settle_every_payment(desk.paying)


async def test_units_that_were_closed_short_are_not_refunded_again_with_their_line(
    desk: Dropship,
) -> None:
    first = await desk.variant(price_minor=1000, shipping_minor=50)
    order_id = await desk.paid((first, 3), (await desk.variant(price_minor=5000), 1))
    await ship(desk, order_id, {1: 1, 2: 1})
    (payment,) = await desk.payments(order_id)
    assert payment.refunded_minor == 2000

    assert await refund(desk, order_id, shipping=True) == 1000 + 150

    (payment,) = await desk.payments(order_id)
    assert payment.refunded_minor == 3000 + 150
    assert await desk.differences() == []


@pytest.mark.parametrize("is_refunded_before", [False, True])
async def test_shipping_that_was_given_back_with_all_of_a_merchants_lines_is_not_refunded_again(
    desk: Dropship, is_refunded_before: bool
) -> None:
    async with desk.db.begin() as tx:
        other = await make_merchant(tx, shop_id=desk.shop.id)
    kept = await desk.variant(price_minor=5000)
    gone = await desk.variant(price_minor=1000, shipping_minor=300, merchant_id=other)
    order_id = await desk.paid((kept, 1), (gone, 1))
    if is_refunded_before:
        assert await refund(desk, order_id, 2) == 1000
    await ship(desk, order_id, {1: 1})
    (payment,) = await desk.payments(order_id)
    assert payment.refunded_minor == 1300

    with pytest.raises(Refused, match="payment_state"):
        await refund(desk, order_id, 2, shipping=True)

    assert facts((await desk.read(order_id)).lines[1])[:2] == (1300, True)
    assert await desk.differences() == []


async def test_what_is_told_is_what_was_given_back(desk: Dropship) -> None:
    order_id = await two(desk)
    await refund_order(desk.paying, shop_id=desk.shop.id, order_id=order_id, amount_minor=5000)
    assert await desk.cancel(order_id) == 98
    assert await refunds_told(desk) == [({"1": 98, "2": 0}, "customer_cancelled")]


async def refunds_told(desk: Dropship) -> list[tuple[dict[str, int], str]]:
    """The amounts by line and the reason of each event about refunded lines."""
    async with desk.db.statement() as tx:
        rows = await tx.all(
            "select payload from events where shop_id = %s and kind = 'order.lines_refunded' order by id",
            (desk.shop.id,),
        )
    return [(payload["lines"], payload["reason"]) for (payload,) in rows]


async def test_what_is_told_of_a_refund_is_the_amount_of_each_line_by_that_one(
    desk: Dropship,
) -> None:
    order_id = await two(desk)
    await refund(desk, order_id, 1)
    await refund(desk, order_id, 1, shipping=True)
    await desk.cancel(order_id)

    assert await refunds_told(desk) == [
        ({"1": 3998}, "out_of_stock"),
        ({"1": 500}, "out_of_stock"),
        ({"2": 600}, "customer_cancelled"),
    ]


@pytest.mark.parametrize(
    ("named", "told"), [(None, "out_of_stock"), ("bad_address", "bad_address")]
)
async def test_what_the_shop_cancels_has_a_reason_too(
    desk: Dropship, named: RefundReason | None, told: str
) -> None:
    order_id = await two(desk)
    await refund_line(
        desk.paying, shop_id=desk.shop.id, order_id=order_id, line_no=2, reason="agreement"
    )
    async with desk.db.begin() as tx:
        await cancel_order(
            tx,
            shop_id=desk.shop.id,
            order_id=order_id,
            refund_reason=named,
            now=desk.clock.now(),
        )
    lines = (await desk.read(order_id)).lines
    assert [facts(line) for line in lines] == [(4498, True, told), (600, True, "agreement")]


@pytest.mark.races
async def test_what_a_partner_takes_back_locks_levels_before_accounts(desk: Dropship) -> None:
    variant = await desk.variant(own=10, price_minor=1000)
    await desk.cancel(await desk.paid((variant, 1)))  # opens the accounts of refunds
    order_id = await desk.paid((variant, 1))
    async with desk.db.begin() as tx:  # an order that is placed or cancelled meanwhile
        await tx.run(
            "select 1 from stock_levels where shop_id = %s and variant_id = %s for no key update",
            (desk.shop.id, variant),
        )
        cancelling = asyncio.create_task(desk.cancel(order_id))
        await waiting_for_a_lock(desk.db, behind=tx)
        free = await tx.all(
            "select 1 from accounts where shop_id = %s and kind = 'refunds'"
            " for no key update skip locked",
            (desk.shop.id,),
        )
    assert await cancelling == 1000
    assert len(free) == 1
    assert await desk.differences() == []


async def cancel_unpaid(desk: Dropship, order_id: int) -> int:
    async with desk.db.begin() as tx:
        return await cancel_freely(
            tx,
            shop_id=desk.shop.id,
            partner_id=desk.partner.id,
            order_id=order_id,
            allows_unpaid=True,
            now=desk.clock.now(),
        )


async def test_what_is_not_paid_is_taken_back_where_that_is_allowed(desk: Dropship) -> None:
    variant = await desk.variant(own=1)
    order_id = (await desk.place((variant, 1))).id
    with pytest.raises(Refused, match="order_state"):
        await desk.cancel(order_id)

    assert await cancel_unpaid(desk, order_id) == 0

    assert (await desk.states(order_id))[:2] == ("voided", "cancelled")
    assert await desk.level(variant) == (1, 0, 0, 1)


@pytest.mark.races
async def test_what_is_paid_and_released_while_it_is_taken_back_unpaid_stays(
    desk: Dropship,
) -> None:
    order_id = (await desk.place((await desk.variant(), 1))).id
    async with desk.db.begin() as tx:
        await desk.charge_in(tx, order_id, "ch")
        cancelling = asyncio.create_task(cancel_unpaid(desk, order_id))
        await waiting_for_a_lock(desk.db, behind=tx)
        await release_order(tx, shop_id=desk.shop.id, order_id=order_id, now=desk.clock.now())
    with pytest.raises(Refused, match="order_state"):
        await cancelling
    assert (await desk.states(order_id))[:2] == ("paid", "processing")
