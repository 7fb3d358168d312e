"""Commission..."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.money import share_bp
from crossdock.shop.orders import refund_line
from crossdock.shop.resellers import release_commissions
from tests.conftest import NOON
from tests.support.earning import (
    book,
    buckets,
    campaign,
    faults,
    give_back,
    line,
    order,
    pay,
    sales,
    sold,
)
from tests.support.paying import paying
from tests.support.reselling import Reselling

WEEK = timedelta(days=7)


@pytest.fixture
async def selling(database: Database, clock: FrozenClock) -> Reselling:
    return await Reselling.open(database, clock, default_commission_bp=3000)


async def _told(selling: Reselling) -> list[dict[str, Any]]:
    """What was told of sales."""
    async with selling.database.statement() as tx:
        rows = await tx.all(
            "select subject_id, payload from events where shop_id = %s and kind = 'reseller.sale' order by id",
            (selling.shop.id,),
        )
    return [{"id": subject, **payload} for subject, payload in rows]


@pytest.mark.parametrize(
    ("price", "quantity", "discount", "rate", "commission"),
    [
        (1999, 3, 0, 3000, 1799),
        (1999, 3, 997, 3000, 1500),
        (1001, 1, 0, 5000, 501),
        (1, 1, 0, 4999, 0),
        (1, 1, 0, 5000, 1),
        (1000, 1, 1000, 3000, 0),
        (1000, 2, 0, 10_000, 2000),
        (1000, 2, 0, 0, 0),
    ],
)
async def test_is_a_share_of_the_lines_net_rounded_half_up(
    selling: Reselling, price: int, quantity: int, discount: int, rate: int, commission: int
) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller(commission_bp=rate)
    bought = line(
        selling,
        goods,
        price_minor=price,
        quantity=quantity,
        discount_minor=discount,
        tax_minor=77,
        shipping_minor=500,
    )

    await sold(selling, reseller, bought)

    [sale] = await sales(selling, reseller)
    gross = price * quantity
    assert (sale.gross_minor, sale.base_minor, sale.commission_minor) == (
        gross,
        gross - discount,
        commission,
    )
    assert (sale.commission_bp, sale.status, sale.customer_email) == (
        rate,
        "approved",
        "ada@buyer.example",
    )
    assert await buckets(selling, reseller) == (0, commission, 0, 0)
    assert await faults(selling) == []


async def test_is_earned_once_when_its_order_is_paid_and_told_once(selling: Reselling) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()
    running = await campaign(selling, reseller)
    order_id, _ = await order(selling, line(selling, goods, quantity=2), code=running.public_token)
    await book(selling)
    assert await sales(selling, reseller) == []

    await pay(selling, order_id)
    await book(selling)
    async with selling.database.begin() as tx:  # a consumer that lost its cursor begins anew
        await tx.run(
            "update event_consumers set position = 0 where shop_id = %s", (selling.shop.id,)
        )
    await book(selling)

    [sale] = await sales(selling, reseller)
    assert (sale.campaign_id, sale.order_id, sale.quantity) == (running.id, order_id, 2)
    assert await _told(selling) == [
        {
            "id": sale.id,
            "reseller_id": reseller.id,
            "email": "partner@example.com",
            "order_id": order_id,
            "product_id": goods.product_id,
            "variant_id": None,
            "quantity": 2,
            "gross_minor": 2000,
            "commission_bp": 3000,
            "commission_minor": 600,
            "currency": "USD",
            "campaign_id": running.id,
        }
    ]
    assert await buckets(selling, reseller) == (0, 600, 0, 0)
    assert await faults(selling) == []


@pytest.mark.parametrize("point", ["book_commission:sold", "book_commission:posted"])
async def test_is_whole_or_not_there_when_the_consumer_is_killed(
    selling: Reselling, point: str
) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()
    order_id, _ = await order(selling, line(selling, goods), code=reseller.attribution_code)
    await pay(selling, order_id)

    with pytest.raises(psycopg.Error):
        await _cut_off(selling, order_id, point=point)
    assert await sales(selling, reseller) == []
    assert await _told(selling) == []
    assert await buckets(selling, reseller) == (0, 0, 0, 0)

    await book(selling)

    assert await buckets(selling, reseller) == (0, 300, 0, 0)
    assert len(await _told(selling)) == 1


async def _cut_off(selling: Reselling, order_id: int, *, point: str) -> None:
    async with selling.database.begin() as tx:
        await tx.run("select set_config('crossdock.fail_point', %s, true)", (point,))
        await tx.run(
            "select book_commission(%s, %s, interval '0', %s)",
            (selling.shop.id, [order_id], selling.clock.now()),
        )


async def test_that_no_sale_explains_is_found_by_the_doctor(selling: Reselling) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()
    order_id = await sold(selling, reseller, line(selling, goods))

    async with selling.database.begin() as tx:
        await tx.run(
            "update reseller_sales set reversed_minor = 1 where order_id = %s", (order_id,)
        )

    assert await faults(selling) == ["commission_buckets"]


async def test_of_several_lines_is_a_sale_each(selling: Reselling) -> None:
    first, second = await selling.licence(), await selling.licence()
    reseller, _ = await selling.reseller()

    await sold(
        selling,
        reseller,
        line(selling, first, price_minor=333),
        line(selling, second, price_minor=5),
    )

    assert [each.commission_minor for each in await sales(selling, reseller)] == [100, 2]
    assert await buckets(selling, reseller) == (0, 102, 0, 0)


async def test_is_held_until_its_time_and_then_released_once(
    selling: Reselling, clock: FrozenClock
) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()
    await sold(selling, reseller, line(selling, goods), hold=WEEK)
    [sale] = await sales(selling, reseller)
    assert (sale.status, sale.available_at) == ("pending", clock.now() + WEEK)
    assert await buckets(selling, reseller) == (300, 0, 0, 0)

    due = clock.now() + WEEK
    early = due - timedelta(seconds=1)
    await release_commissions(selling.database, hold=WEEK, now=early)
    assert await buckets(selling, reseller) == (300, 0, 0, 0)
    for _ in range(2):
        await release_commissions(selling.database, hold=WEEK, now=due)

    assert await buckets(selling, reseller) == (0, 300, 0, 0)
    [sale] = await sales(selling, reseller, status="approved")
    assert sale.commission_minor == 300
    assert await sales(selling, reseller, status="pending") == []
    assert await faults(selling) == []


@pytest.mark.parametrize("hold", [timedelta(0), WEEK])
async def test_is_taken_back_whole_with_the_whole_refund(
    selling: Reselling, hold: timedelta
) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()
    order_id = await sold(
        selling, reseller, line(selling, goods, shipping_minor=499, tax_minor=80), hold=hold
    )

    await give_back(selling, order_id)
    await book(selling, hold=hold)

    [sale] = await sales(selling, reseller)
    assert (sale.status, sale.commission_minor, sale.reversed_minor) == ("reversed", 300, 300)
    assert await buckets(selling, reseller) == (0, 0, 0, 0)
    assert await faults(selling) == []
    assert len(await _told(selling)) == 1


async def test_is_taken_back_in_proportion_refund_by_refund(selling: Reselling) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()
    order_id = await sold(selling, reseller, line(selling, goods, price_minor=1999, quantity=3))
    assert await buckets(selling, reseller) == (0, 1799, 0, 0)

    left = []
    for refunded in (1999, 1999, 1998, 1):
        await give_back(selling, order_id, refunded)
        await book(selling)
        left.append((await buckets(selling, reseller))[1])

    # 17.99 of 59.97: two thirds, one third and a cent's worth of it are 11.993, 5.997 and 0.003
    assert left == [1199, 600, 0, 0]
    assert [each.status for each in await sales(selling, reseller)] == ["reversed"]
    assert await faults(selling) == []


async def test_of_the_line_that_is_refunded_by_name_is_taken_back(selling: Reselling) -> None:
    first, second = await selling.licence(), await selling.licence()
    reseller, _ = await selling.reseller()
    order_id = await sold(
        selling,
        reseller,
        line(selling, first, price_minor=1000, shipping_minor=300),
        line(selling, second, price_minor=500),
    )

    await refund_line(
        paying(selling.database, selling.clock),
        shop_id=selling.shop.id,
        order_id=order_id,
        line_no=1,
        reason="out_of_stock",
    )
    await book(selling)

    found = await sales(selling, reseller)
    assert [(each.status, each.reversed_minor) for each in found] == [
        ("reversed", 300),
        ("approved", 0),
    ]
    assert await buckets(selling, reseller) == (0, 150, 0, 0)


async def test_keeps_its_sales_when_its_campaign_is_over(selling: Reselling) -> None:
    goods = await selling.licence()
    reseller, _ = await selling.reseller()
    running = await campaign(selling, reseller)
    order_id, _ = await order(selling, line(selling, goods), code=running.public_token)
    async with selling.database.begin() as tx:
        await tx.run(
            "update embed_campaigns set status = 'paused', paused_at = now() where id = %s",
            (running.id,),
        )

    await pay(selling, order_id)
    await book(selling)

    [sale] = await sales(selling, reseller, campaign_id=running.id)
    assert sale.commission_minor == 300
    assert await sales(selling, reseller, campaign_id=running.id + 1) == []


MINOR = st.integers(0, 10**9)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(MINOR, st.integers(0, 10_000), MINOR, MINOR, MINOR), min_size=50, max_size=200
    )
)
def test_that_is_kept_is_the_exact_share_rounded_half_up(
    database_url: str, cases: list[tuple[int, int, int, int, int]]
) -> None:
    def expected(base: int, rate: int, refunded: int, due: int, left: int) -> int:
        share = Fraction(1)
        if base:
            share *= Fraction(max(0, base - refunded), base)
        if due:
            share *= Fraction(min(due, left), due)
        kept = share_bp(base, rate) * share
        return (2 * kept.numerator + kept.denominator) // (2 * kept.denominator)

    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select kept_share(share_bp(c.base, c.rate::integer), c.base, c.refunded, c.due, c.remaining)"
            " from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " with ordinality as c (base, rate, refunded, due, remaining, place) order by c.place",
            [list(column) for column in zip(*cases, strict=True)],
        ).fetchall()

    found = [row[0] for row in rows]
    assert found == [expected(*case) for case in cases]
    assert all(
        0 <= kept <= share_bp(case[0], case[1]) for kept, case in zip(found, cases, strict=True)
    )


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    prices=st.lists(st.integers(1, 9_999), min_size=1, max_size=4),
    rate=st.integers(0, 10_000),
    shares=st.lists(st.integers(1, 60), min_size=1, max_size=3),
)
async def test_adds_up_whatever_is_refunded(
    database: Database, prices: list[int], rate: int, shares: list[int]
) -> None:
    selling = await Reselling.open(database, FrozenClock(NOON), default_commission_bp=rate)
    goods = [await selling.licence() for _ in prices]
    reseller, _ = await selling.reseller()
    lines = [
        line(selling, each, price_minor=price) for each, price in zip(goods, prices, strict=True)
    ]
    order_id = await sold(selling, reseller, *lines)
    left, total = sum(prices), sum(prices)
    for share in shares:
        amount = min(left, max(1, total * share // 100))
        if amount:
            await give_back(selling, order_id, amount)
            await book(selling)
            left -= amount
            kept = (await buckets(selling, reseller))[1]
            # Each line is rounded once, so that it is off by half a cent at most.
            exact = sum((share_bp(price, rate) * left for price in prices), 0)
            assert 2 * abs(kept * total - exact) <= len(prices) * total
    if left:
        await give_back(selling, order_id)
        await book(selling)
    assert await buckets(selling, reseller) == (0, 0, 0, 0)
    assert await faults(selling) == []
