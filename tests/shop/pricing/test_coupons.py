"""A coupon..."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.money import MINOR_MAX
from crossdock.shop.catalogue import offers
from crossdock.shop.pricing import (
    Coupon,
    CouponTerms,
    LowestPrice,
    add_coupon,
    enable_coupon,
    list_coupons,
    lowest_price,
)
from tests.support.factories import ShopFixture, make_merchant, make_shop, make_variant
from tests.support.shopping import partner_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)

amounts = st.integers(min_value=0, max_value=30_000) | st.integers(min_value=0, max_value=MINOR_MAX)
coupons = st.one_of(
    st.builds(
        CouponTerms, code=st.sampled_from("ABCDE"), kind=st.just("amount_off"),
        threshold_minor=amounts, amount_minor=amounts.map(lambda amount: amount or 1),
    ),
    st.builds(
        CouponTerms, code=st.sampled_from("ABCDE"), kind=st.just("percent_off"),
        threshold_minor=amounts, percent_bp=st.integers(min_value=1, max_value=10_000),
    ),
    st.builds(
        CouponTerms, code=st.sampled_from("ABCDE"), kind=st.just("free_shipping"), threshold_minor=amounts,
    ),
)  # fmt: skip
several = st.lists(coupons, max_size=4, unique_by=lambda coupon: coupon.code)


def amount_off(amount: int, *, above: int = 0, code: str = "A") -> CouponTerms:
    return CouponTerms(code=code, kind="amount_off", threshold_minor=above, amount_minor=amount)


def percent_off(percent_bp: int, *, above: int = 0, code: str = "P") -> CouponTerms:
    return CouponTerms(code=code, kind="percent_off", threshold_minor=above, percent_bp=percent_bp)


def shipping_free(*, above: int = 0) -> CouponTerms:
    return CouponTerms(code="S", kind="free_shipping", threshold_minor=above)


@pytest.mark.parametrize(
    ("retail", "active", "agreed", "given_coupons", "expected"),
    [
        # (sale, discount, price, ships free)
        (2000, 2000, None, [], (None, None, 2000, False)),
        (2000, 1500, None, [], (1500, None, 1500, False)),
        (2000, 2500, None, [], (None, None, 2000, False)),
        (2000, 0, None, [], (None, None, 2000, False)),
        (2000, 2000, None, [amount_off(300, above=1999)], (None, 1700, 1700, False)),
        (2000, 2000, None, [amount_off(300, above=2000)], (None, None, 2000, False)),
        (2000, 1500, None, [amount_off(300, above=1600)], (1500, None, 1500, False)),
        (2000, 1500, None, [amount_off(1600)], (1500, 0, 0, False)),
        (2000, 1500, None, [percent_off(1000)], (1500, 1350, 1350, False)),
        (1005, 1005, None, [percent_off(1000)], (None, 904, 904, False)),  # 100.5 off is 101
        (2000, 2000, None, [percent_off(1000), amount_off(150)], (None, 1800, 1800, False)),
        (2000, 2000, None, [shipping_free(above=1999)], (None, None, 2000, True)),
        (2000, 2000, None, [shipping_free(above=2000)], (None, None, 2000, False)),
        (2000, 1800, 1800, [amount_off(300), shipping_free()], (None, None, 1800, True)),
        (2000, 2200, 2200, [percent_off(5000)], (None, None, 2200, False)),
    ],
)
def test_lowers_the_price_as_the_spec_says(
    retail: int,
    active: int,
    agreed: int | None,
    given_coupons: list[CouponTerms],
    expected: tuple[Any, ...],
) -> None:
    price = lowest_price(retail=retail, active=active, agreed=agreed, coupons=given_coupons)

    found = (price.sale_minor, price.discount_minor, price.price_minor, price.ships_free)
    assert found == expected


@given(retail=amounts, active=amounts, given_coupons=several)
def test_never_makes_a_price_higher_or_less_than_nothing(
    retail: int, active: int, given_coupons: list[CouponTerms]
) -> None:
    price = lowest_price(retail=retail, active=active, agreed=None, coupons=given_coupons)
    alone = [
        lowest_price(retail=retail, active=active, agreed=None, coupons=[coupon]).price_minor
        for coupon in given_coupons
    ]

    assert 0 <= price.price_minor <= price.base_minor <= retail
    assert price.price_minor == min([price.base_minor, *alone])
    assert (price.discount_minor is None) == (price.price_minor == price.base_minor)
    assert all(0 <= coupon.saves_minor <= price.base_minor for coupon in price.coupons)


async def test_makes_the_same_price_in_a_statement(tx: Transaction) -> None:
    shop = await make_shop(tx)
    examples: list[tuple[int, int, int | None, list[CouponTerms]]] = []

    @given(retail=amounts, active=amounts, agreed=st.none() | amounts, given_coupons=several)
    def collect(
        retail: int, active: int, agreed: int | None, given_coupons: list[CouponTerms]
    ) -> None:
        examples.append((retail, agreed if agreed is not None else active, agreed, given_coupons))

    collect()
    for retail, active, agreed, given_coupons in examples:
        await tx.run("delete from coupons where shop_id = %s", (shop.id,))
        for coupon in given_coupons:
            await add_coupon(tx, shop_id=shop.id, terms=coupon, now=NOW)
        row = await tx.one(
            "select base_minor, sale_minor, discount_minor, price_minor, ships_free,"
            " coupons from lowest_price(%s, 1, 2, 'USD', %s, %s, %s, %s)",
            (shop.id, retail, active, agreed, NOW),
        )
        expected = lowest_price(retail=retail, active=active, agreed=agreed, coupons=given_coupons)
        assert row is not None
        assert _price(row) == expected, (retail, active, agreed, given_coupons)
    assert len(examples) >= 50


def _price(row: tuple[Any, ...]) -> LowestPrice:
    names = LowestPrice.__struct_fields__
    return msgspec.convert(dict(zip(names, row, strict=True)), LowestPrice)


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def best(
    tx: Transaction, shop: ShopFixture, variant_id: int, *, now: datetime = NOW
) -> LowestPrice:
    (offer,) = await offers(
        tx, partner=partner_of(shop), variant_ids=[variant_id], now=now, with_coupons=True
    )
    assert offer.lowest is not None
    return offer.lowest


async def add(tx: Transaction, shop: ShopFixture, terms: CouponTerms, **more: Any) -> Coupon:
    return await add_coupon(tx, shop_id=shop.id, terms=terms, now=NOW, **more)


async def test_is_good_for_the_shop_a_merchant_or_a_product(
    tx: Transaction, shop: ShopFixture
) -> None:
    other = await make_merchant(tx, shop_id=shop.id)
    mine = await make_variant(tx, shop=shop, price_minor=1000)
    beside = await make_variant(tx, shop=shop, price_minor=1000)
    theirs = await make_variant(tx, shop=shop, price_minor=1000, merchant_id=other)
    handle = await tx.value(
        "select p.handle from products p join variants v on v.shop_id = p.shop_id and v.product_id = p.id"
        " where v.shop_id = %s and v.id = %s", (shop.id, mine),
    )  # fmt: skip
    await add(tx, shop, amount_off(100, code="ALL"))
    await add(tx, shop, amount_off(200, code="MAIN"), merchant_id=shop.merchant_id)
    await add(tx, shop, amount_off(300, code="ONE"), merchant_id=shop.merchant_id, product=handle)

    prices = [(await best(tx, shop, variant)).price_minor for variant in (mine, beside, theirs)]
    assert prices == [700, 800, 900]
    codes = [coupon.code for coupon in (await best(tx, shop, mine)).coupons]
    assert codes == ["ALL", "MAIN", "ONE"]
    listed = {(c.code, c.merchant, c.product) for c in await list_coupons(tx, shop_id=shop.id)}
    assert listed == {("ALL", "", ""), ("MAIN", "main", ""), ("ONE", "main", handle)}


async def test_runs_in_its_time_while_it_is_enabled(tx: Transaction, shop: ShopFixture) -> None:
    good = await make_variant(tx, shop=shop, price_minor=1000)
    await add(tx, shop, amount_off(100), starts_at=NOW, ends_at=NOW + DAY)

    async def price(now: datetime) -> int | None:
        return (await best(tx, shop, good, now=now)).price_minor

    moments = (NOW - DAY / 24, NOW, NOW + DAY - DAY / 24, NOW + DAY)
    assert [await price(moment) for moment in moments] == [1000, 900, 900, 1000]
    await enable_coupon(tx, shop_id=shop.id, code="A", enabled=False, now=NOW)
    assert await price(NOW) == 1000
    await enable_coupon(tx, shop_id=shop.id, code="A", enabled=True, now=NOW)
    assert await price(NOW) == 900


async def test_is_told_of_even_below_its_threshold(tx: Transaction, shop: ShopFixture) -> None:
    good = await make_variant(tx, shop=shop, price_minor=1000)
    await add(tx, shop, percent_off(1000, above=5000))

    found = await best(tx, shop, good)

    assert [(c.code, c.threshold_minor, c.percent_bp, c.saves_minor) for c in found.coupons] == [
        ("P", 5000, 1000, 0)
    ]
    assert found.price_minor == 1000


async def test_of_another_shop_or_currency_does_nothing(tx: Transaction, shop: ShopFixture) -> None:
    good = await make_variant(tx, shop=shop, price_minor=1000)
    await add(tx, await make_shop(tx), amount_off(100))
    await add(tx, shop, amount_off(100))
    await tx.run("update coupons set currency = 'EUR' where shop_id = %s", (shop.id,))

    assert (await best(tx, shop, good)).coupons == ()


async def test_is_read_with_all_offers_in_one_statement(
    database: Database, database_url: str
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        goods = [await make_variant(tx, shop=shop, price_minor=1000) for _ in range(20)]
        await add(tx, shop, amount_off(100))
    statements: list[str] = []

    async def note(statement: str) -> None:
        statements.append(statement)

    counted = Database(database_url, hook=note)
    await counted.open()
    async with counted.statement() as tx:
        found = await offers(
            tx, partner=partner_of(shop), variant_ids=goods, now=NOW, with_coupons=True
        )
    await counted.close()

    assert [offer.lowest and offer.lowest.price_minor for offer in found] == [900] * 20
    assert len(statements) == 1


@pytest.mark.parametrize(
    ("terms", "more", "field"),
    [
        (amount_off(100, code=" "), {}, "code"),
        (amount_off(100, code=" A"), {}, "code"),
        (amount_off(100, code="A,B"), {}, "code"),
        (amount_off(100, code="A" * 41), {}, "code"),
        (amount_off(0), {}, "kind"),
        (CouponTerms(code="A", kind="amount_off", amount_minor=1, percent_bp=1), {}, "kind"),
        (CouponTerms(code="A", kind="free_shipping", amount_minor=1), {}, "kind"),
        (percent_off(0), {}, "kind"),
        (percent_off(10_001), {}, "kind"),
        (amount_off(100, above=-1), {}, "amount"),
        (amount_off(MINOR_MAX + 1), {}, "amount"),
        (amount_off(100), {"starts_at": NOW, "ends_at": NOW}, "ends"),
        (amount_off(100), {"product": "p-1"}, "merchant"),
    ],
)
async def test_that_cannot_be_one_is_refused(
    tx: Transaction, shop: ShopFixture, terms: CouponTerms, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await add(tx, shop, terms, **more)

    assert refusal.value.data == {"field": field}
    assert await list_coupons(tx, shop_id=shop.id) == []


async def test_is_added_once_and_for_goods_that_are_there(
    tx: Transaction, shop: ShopFixture
) -> None:
    await add(tx, shop, amount_off(100))

    with pytest.raises(Conflict, match="exists"):
        await add(tx, shop, percent_off(100, code="A"))
    with pytest.raises(NotFound, match="not_found"):
        await add(tx, shop, amount_off(1, code="B"), merchant_id=shop.merchant_id, product="none")
    with pytest.raises(NotFound, match="not_found"):
        await enable_coupon(tx, shop_id=shop.id, code="C", enabled=True, now=NOW)
    assert [coupon.code for coupon in await list_coupons(tx, shop_id=shop.id)] == ["A"]
