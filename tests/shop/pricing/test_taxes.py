"""A tax..."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, NotFound
from crossdock.shop.pricing import (
    Destination,
    Taxable,
    TaxRate,
    TaxTable,
    list_tax_rates,
    remove_tax_rate,
    set_tax_rate,
    tax_of,
)
from tests.support.factories import make_shop

LINES = [
    Taxable(variant_id=1, goods_minor=1000, shipping_minor=500),
    Taxable(variant_id=2, goods_minor=333, shipping_minor=0),
]


async def test_is_that_of_the_state_else_of_the_country_else_none(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        other = await make_shop(tx)
        for country, state, rate_bp in (("US", "", 500), ("us", " tx", 825), ("DE", "", 1900)):
            rate = TaxRate(country=country, state=state, rate_bp=rate_bp)
            await set_tax_rate(tx, shop_id=shop.id, rate=rate)
    table = TaxTable(database)

    async def taxes(country: str, state: str = "", shop_id: int = shop.id) -> list[int]:
        to = Destination(country=country, state=state)
        return await table.of_lines(shop_id=shop_id, currency="USD", to=to, lines=LINES)

    assert await taxes("US", "TX") == [83, 27]  # 82.5 and 27.4725
    assert await taxes("us", "tx ") == [83, 27]
    assert await taxes("US", "FL") == [50, 17]
    assert await taxes("DE") == [190, 63]
    assert await taxes("FR") == [0, 0]
    assert await taxes("US", "TX", shop_id=other.id) == [0, 0]


async def test_is_on_the_shipping_where_the_rate_says_so(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        rate = TaxRate(country="US", state="", rate_bp=1000, taxes_shipping=True)
        assert await set_tax_rate(tx, shop_id=shop.id, rate=rate) == rate

    to = Destination(country="US", state="NY")
    table = TaxTable(database)
    assert await table.of_lines(shop_id=shop.id, currency="USD", to=to, lines=LINES) == [150, 33]


async def test_rate_is_changed_listed_and_taken_away(database: Database) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        for rate_bp in (500, 600):
            rate = TaxRate(country="US", state="CA", rate_bp=rate_bp)
            await set_tax_rate(tx, shop_id=shop.id, rate=rate)
        assert await list_tax_rates(tx, shop_id=shop.id) == [rate]
        await remove_tax_rate(tx, shop_id=shop.id, country="us", state="ca")
        assert await list_tax_rates(tx, shop_id=shop.id) == []
        with pytest.raises(NotFound):
            await remove_tax_rate(tx, shop_id=shop.id, country="US", state="CA")
        for country, rate_bp in (("UK", 100), ("US", -1), ("US", 10_001)):
            rate = TaxRate(country=country, state="", rate_bp=rate_bp)
            with pytest.raises(Invalid):
                await set_tax_rate(tx, shop_id=shop.id, rate=rate)


@given(
    goods=st.integers(min_value=0, max_value=10**15),
    rate_bp=st.integers(min_value=0, max_value=10_000),
)
def test_of_a_line_is_the_nearest_minor_unit_and_a_half_goes_up(goods: int, rate_bp: int) -> None:
    line = Taxable(variant_id=1, goods_minor=goods, shipping_minor=7)

    tax = tax_of(line, rate=TaxRate(country="US", state="", rate_bp=rate_bp))

    assert (
        -5_000 < goods * rate_bp - tax * 10_000 < 5_000 or goods * rate_bp - tax * 10_000 == -5_000
    )
    assert tax_of(line, rate=None) == 0
