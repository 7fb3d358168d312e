"""An order that awaits its payment..."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, CrossdockError, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.dispatch.dispatching import dispatch_order
from crossdock.shop.orders import AwaitingTerms, expire_orders, release_order, run_releases
from tests.support.awaiting import DAY_S, PUNE, WINDOW_S, Dropship
from tests.support.locks import waiting_for_a_lock


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Dropship:
    return await Dropship.open(database, clock)


async def everything(desk: Dropship) -> tuple[object, ...]:
    async with desk.db.statement() as tx:
        row = await tx.one(
            "select (select count(*) from orders where shop_id = %(shop)s),"
            " (select count(*) from identities where shop_id = %(shop)s),"
            " (select count(*) from stock_entries where shop_id = %(shop)s),"
            " (select count(*) from events where shop_id = %(shop)s)",
            {"shop": desk.shop.id},
        )
    assert row is not None
    return row


async def test_costs_what_the_goods_and_their_shipping_to_its_country_cost(desk: Dropship) -> None:
    first = await desk.variant(price_minor=1999, shipping_minor=900, terms={"IN19A04": 250})
    second = await desk.variant(price_minor=500, shipping_minor=100, terms={"US19A08": 1})

    placed = await desk.place((first, 2), (second, 1))

    order = await desk.read(placed.id)
    assert (placed.outcome, order.subtotal_minor, order.shipping_minor) == ("created", 4498, 600)
    assert (order.discount_minor, order.total_minor) == (0, 5098)
    assert [line.shipping_minor for line in order.lines] == [500, 100]
    assert (order.payment_state, order.fulfilment_state) == ("awaiting", "waiting_for_release")
    assert order.expires_at == desk.clock.now() + timedelta(seconds=DAY_S)
    assert order.shipping == PUNE
    assert await desk.owed() == 5098
    assert (await desk.level(first), await desk.level(second)) == ((10, 0, 2, 8), (10, 0, 1, 9))
    assert await desk.differences() == []


async def test_of_several_couriers_takes_the_cheapest_and_ships_free_what_is_free(
    desk: Dropship,
) -> None:
    cheapest = await desk.variant(shipping_minor=5, terms={"IN1": 300, "IN2": 200, "US1": 1})
    free = await desk.variant(shipping_minor=5, terms={"IN1": 300})
    async with desk.db.begin() as tx:
        product_id = await desk.product_of(tx, free)
    await desk.change("products", product_id, free_shipping=True)

    order = await desk.read((await desk.place((cheapest, 3), (free, 2))).id)

    assert [line.shipping_minor for line in order.lines] == [600, 0]


async def test_asks_shipping_once_for_a_line_if_told_so(desk: Dropship) -> None:
    desk.terms = msgspec.structs.replace(desk.terms, ships_per_line=True)
    order = await desk.read((await desk.place((await desk.variant(shipping_minor=70), 3))).id)
    assert order.shipping_minor == 70


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    lines=st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(0, 10**5), st.integers(1, 9)),
        min_size=1,
        max_size=5,
    )
)
async def test_adds_up_to_the_cent_and_gives_back_what_it_took(
    desk: Dropship, lines: list[tuple[int, int, int]]
) -> None:
    wanted = [
        (await desk.variant(own=9, price_minor=price, shipping_minor=shipping), quantity)
        for price, shipping, quantity in lines
    ]
    order = await desk.read(await desk.paid(*wanted))
    goods = sum(price * quantity for price, _, quantity in lines)
    shipping = sum(each * quantity for _, each, quantity in lines)

    assert (order.subtotal_minor, order.shipping_minor) == (goods, shipping)
    assert order.total_minor == goods + shipping
    given_back = [await desk.cancel(order.id, line.line_no) for line in order.lines]
    assert given_back == [(price + each) * quantity for price, each, quantity in lines]
    assert [await desk.level(variant) for variant, _ in wanted] == [(9, 0, 0, 9)] * len(wanted)
    for payment in await desk.payments(order.id):
        assert (payment.state, payment.refunded_minor) == ("refunded", order.total_minor)


async def test_of_285_18_costs_285_18(desk: Dropship) -> None:
    dear = await desk.variant(price_minor=17131, shipping_minor=550)
    cheap = await desk.variant(price_minor=10737, shipping_minor=100)
    order = await desk.read((await desk.place((dear, 1), (cheap, 1))).id)
    assert order.total_minor == 28518


async def test_keeps_its_goods_as_they_were_sold(desk: Dropship) -> None:
    variant = await desk.variant(price_minor=1000)
    placed = await desk.place((variant, 1))
    await desk.change("variants", variant, retail_minor=9999, name="Another name")

    (line,) = (await desk.read(placed.id)).lines

    assert line.as_sold == {"variant": variant}
    assert (line.unit_price_minor, line.name != "Another name") == (1000, True)


async def test_is_placed_once_by_its_number_and_answered_whatever_became_of_it(
    desk: Dropship,
) -> None:
    variant = await desk.variant(own=3)
    first = await desk.place((variant, 3), number="N-1", digest=b"same")
    await desk.change("variants", variant, enabled=False, listed=False)

    again = await desk.place((variant, 3), number="N-1", digest=b"same")
    with pytest.raises(Conflict, match="partner_order_exists"):
        await desk.place((variant, 2), number="N-1", digest=b"other")

    assert (again.id, again.outcome) == (first.id, "replayed")
    assert await desk.level(variant) == (3, 0, 3, 0)
    desk.clock.move(timedelta(seconds=DAY_S))
    await expire_orders(desk.db, now=desk.clock.now())
    assert (await desk.place((variant, 3), number="N-1", digest=b"same")).id == first.id


@pytest.mark.races
async def test_keeps_nobody_from_the_stock_of_another_when_it_expires(desk: Dropship) -> None:
    first, second = await desk.variant(own=5), await desk.variant(own=5)
    unpaid = [await desk.place((variant, 1)) for variant in (second, first)]
    desk.clock.move(timedelta(seconds=DAY_S))
    lock = "select 1 from stock_levels where shop_id = %s and variant_id = %s for no key update"
    async with desk.db.begin() as tx:  # takes both, in the order in which all do
        await tx.run(lock, (desk.shop.id, first))
        expiring = asyncio.create_task(expire_orders(desk.db, now=desk.clock.now()))
        await waiting_for_a_lock(desk.db, behind=tx)
        await tx.run(f"{lock} nowait", (desk.shop.id, second))

    assert await expiring == 2
    assert {(await desk.states(each.id))[0] for each in unpaid} == {"expired"}
    assert (await desk.level(first), await desk.level(second)) == ((5, 0, 0, 5), (5, 0, 0, 5))


async def test_with_one_number_at_once_is_placed_once(desk: Dropship) -> None:
    variant = await desk.variant(own=50)
    placed = await asyncio.gather(
        *(desk.place((variant, 1), number="N-1", digest=b"same") for _ in range(8))
    )
    assert len({each.id for each in placed}) == 1
    assert sorted(each.outcome for each in placed).count("created") == 1
    assert await desk.level(variant) == (50, 0, 1, 49)


async def test_of_the_last_unit_is_placed_by_one(desk: Dropship) -> None:
    variant = await desk.variant(own=1)
    found = await asyncio.gather(
        *(desk.place((variant, 1)) for _ in range(6)), return_exceptions=True
    )
    refused = [each for each in found if isinstance(each, Refused)]
    assert {each.code for each in refused} == {"stock_limit_exceeded"}
    assert (len(refused), await desk.level(variant)) == (5, (1, 0, 1, 0))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unknown", "variant_not_found"),
        ("foreign", "variant_not_found"),
        ("variant", "variant_disabled"),
        ("product", "variant_disabled"),
        ("merchant", "variant_disabled"),
        ("country", "country_not_served"),
        ("stock", "stock_limit_exceeded"),
        ("address", "shipping_incomplete"),
    ],
)
async def test_that_breaks_a_rule_is_refused_as_a_whole(
    desk: Dropship, clock: FrozenClock, fault: str, code: str
) -> None:
    good = await desk.variant()
    ships_to = ("US", "CN") if fault == "country" else ()
    bad = await desk.variant(own=1 if fault == "stock" else 10, ships_to=ships_to)
    async with desk.db.begin() as tx:
        product_id = await desk.product_of(tx, bad)
    if fault == "variant":
        await desk.change("variants", bad, enabled=False, listed=False)
    if fault == "product":
        await desk.change("products", product_id, enabled=False)
        await desk.change("variants", bad, listed=False)
    if fault == "merchant":
        await desk.change("merchants", desk.shop.merchant_id, enabled=False)
    if fault == "foreign":
        bad = await (await Dropship.open(desk.db, clock)).variant()
    if fault == "unknown":
        bad = 10**12
    to = msgspec.structs.replace(PUNE, city=" ") if fault == "address" else PUNE
    before = await everything(desk)

    with pytest.raises(CrossdockError) as refusal:
        await desk.place((good, 1), (bad, 1), (bad, 1), to=to)

    assert refusal.value.code == code
    assert await everything(desk) == before


async def test_expires_with_its_stock_and_its_debt(desk: Dropship) -> None:
    variant = await desk.variant()
    placed = await desk.place((variant, 4))
    desk.clock.move(timedelta(seconds=DAY_S))

    await expire_orders(desk.db, now=desk.clock.now())

    assert await desk.states(placed.id) == ("expired", "cancelled", ["cancelled"])
    assert (await desk.level(variant), await desk.owed()) == ((10, 0, 0, 10), 0)
    kinds = [event.kind for event in (await desk.read(placed.id)).timeline]
    assert {"payment.expired", "order.cancelled", "order.lines_moved"} <= set(kinds)
    assert await desk.differences() == []


async def test_is_released_by_itself_when_its_window_is_over(desk: Dropship) -> None:
    order_id = await desk.paid((await desk.variant(), 1))
    unpaid = await desk.place((await desk.variant(), 1))
    desk.clock.move(timedelta(seconds=WINDOW_S - 1))
    await run_releases(desk.db, now=desk.clock.now())
    assert await desk.states(order_id) == ("paid", "waiting_for_release", ["open"])

    desk.clock.move(timedelta(seconds=1))
    await run_releases(desk.db, now=desk.clock.now())

    assert await desk.states(order_id) == ("paid", "processing", ["open"])
    assert (await desk.states(unpaid.id))[1] == "waiting_for_release"
    assert [event.kind for event in (await desk.read(order_id)).timeline][-1] == "order.released"


async def test_without_a_window_waits_for_staff(desk: Dropship) -> None:
    desk.terms = AwaitingTerms(pay_within_s=DAY_S, release_after_s=None)
    order_id = await desk.paid((await desk.variant(), 1))
    desk.clock.move(timedelta(days=30))
    await run_releases(desk.db, now=desk.clock.now())
    assert (await desk.read(order_id)).release_at is None
    assert (await desk.states(order_id))[1] == "waiting_for_release"

    async with desk.db.begin() as tx:
        state = await release_order(
            tx, shop_id=desk.shop.id, order_id=order_id, now=desk.clock.now()
        )
    assert state == "processing"


async def test_of_which_a_line_was_taken_back_is_released_without_it(desk: Dropship) -> None:
    kept, given_back = [await desk.variant(own=2) for _ in range(2)]
    order_id = await desk.paid((kept, 2), (given_back, 2))
    await desk.cancel(order_id, 2)
    told = dispatch_order(await desk.read(order_id), target="")
    assert [line.line_no for line in told.lines] == [1]
    assert (told.subtotal_minor, told.shipping_minor, told.total_minor) == (3998, 0, 3998)
    desk.clock.move(timedelta(seconds=WINDOW_S))

    await run_releases(desk.db, now=desk.clock.now())

    assert await desk.states(order_id) == (
        "partially_refunded",
        "processing",
        ["open", "cancelled"],
    )
    assert (await desk.level(kept), await desk.level(given_back)) == ((2, 0, 2, 0), (2, 0, 0, 2))
    assert await desk.differences() == []


@pytest.mark.races
async def test_that_is_paid_while_it_is_expired_by_another_is_one_of_both(desk: Dropship) -> None:
    placed = await desk.place((await desk.variant(), 1))
    async with desk.db.begin() as tx:
        await desk.charge_in(tx, placed.id, "ch")
        late = desk.clock.now() + timedelta(seconds=DAY_S)
        await expire_orders(desk.db, now=late)  # does not wait for who pays
    assert (await desk.states(placed.id))[0] == "paid"

    other = await desk.place((await desk.variant(), 1))
    async with desk.db.begin() as tx:
        await tx.run("select 1 from orders where id = %s for no key update", (other.id,))
        waiter = asyncio.create_task(desk.charge(other.id, "ch-2"))
        await waiting_for_a_lock(desk.db, behind=tx)
        await tx.run("update orders set payment_state = 'expired' where id = %s", (other.id,))
    with pytest.raises(Refused, match="order_expired"):
        await waiter


async def test_that_cannot_expire_keeps_no_later_one_and_is_told_of(desk: Dropship) -> None:
    broken = await desk.variant()
    first = await desk.place((broken, 1))
    desk.clock.move(timedelta(seconds=1))
    later = [await desk.place((await desk.variant(), 1)) for _ in range(2)]
    async with desk.db.begin() as tx:  # releasing its stock would leave less than none
        await tx.run(
            "update stock_levels set committed = 0 where shop_id = %s and variant_id = %s",
            (desk.shop.id, broken),
        )
    desk.clock.move(timedelta(seconds=DAY_S))

    for _ in range(2):
        await expire_orders(desk.db, now=desk.clock.now())

    assert (await desk.states(first.id))[:2] == ("awaiting", "waiting_for_release")
    assert [(await desk.states(each.id))[:2] for each in later] == [("expired", "cancelled")] * 2
    async with desk.db.begin() as tx:
        (alert,) = await list_alerts(tx, shop_id=desk.shop.id)
        await tx.run("update orders set expires_at = null where id = %s", (first.id,))
    assert (alert.kind, alert.order_id) == ("job_failed", first.id)
    assert alert.message == (
        f"The job expire_orders failed for order {first.id}: stock_insufficient; see the log."
    )


async def test_that_somebody_works_on_keeps_no_later_one_from_its_release(
    desk: Dropship, database_url: str
) -> None:
    busy, other = [await desk.paid((await desk.variant(), 1)) for _ in range(2)]
    desk.clock.move(timedelta(seconds=WINDOW_S))
    impatient = Database(database_url, max_size=2, lock_timeout_ms=100)
    await impatient.open()
    try:
        async with desk.db.begin() as tx:
            await tx.run("select 1 from orders where id = %s for no key update", (busy,))
            await run_releases(impatient, now=desk.clock.now())
    finally:
        await impatient.close()

    assert [(await desk.states(each))[1] for each in (busy, other)] == [
        "waiting_for_release",
        "processing",
    ]
    async with desk.db.statement() as tx:
        assert await list_alerts(tx, shop_id=desk.shop.id) == []


@pytest.mark.races
async def test_that_is_refunded_while_its_release_begins_is_not_released(desk: Dropship) -> None:
    order_id = await desk.paid((await desk.variant(), 1))
    desk.clock.move(timedelta(seconds=WINDOW_S))
    async with desk.db.begin() as tx:
        await tx.run("select 1 from orders where id = %s for no key update", (order_id,))
        releasing = asyncio.create_task(run_releases(desk.db, now=desk.clock.now()))
        await waiting_for_a_lock(desk.db, behind=tx)
        await tx.run("update orders set payment_state = 'refunded' where id = %s", (order_id,))
    await releasing
    assert (await desk.states(order_id))[:2] == ("refunded", "waiting_for_release")


async def test_of_nobody_is_not_found(desk: Dropship) -> None:
    with pytest.raises(NotFound, match="order_not_found"):
        await desk.charge(10**12, "ch")
