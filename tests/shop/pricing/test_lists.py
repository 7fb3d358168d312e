"""Price lists."""

import pytest

from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.shop.pricing import (
    PriceRow,
    add_price_list,
    list_price_lists,
    read_price_list,
    read_prices,
    set_prices,
)
from tests.conftest import NOON
from tests.support.factories import make_merchant, make_shop, make_variant


@pytest.fixture
async def shop(tx):
    return await make_shop(tx)


@pytest.fixture
async def gold(tx, shop):
    return await add_price_list(tx, shop_id=shop.id, name="Gold")


async def put(tx, shop, gold, *rows):
    return await set_prices(tx, shop_id=shop.id, price_list_id=gold, rows=rows, now=NOON)


async def prices(tx, shop, gold):
    found = await read_prices(tx, shop_id=shop.id, price_list_id=gold)
    return {price.sku: price.price_minor for price in found}


async def version(tx, shop):
    return await tx.value("select count(*) from events where shop_id = %s", (shop.id,))


async def test_is_found_by_name_and_number(tx, shop, gold):
    assert (await read_price_list(tx, shop_id=shop.id, name="Gold")).id == gold
    assert (await read_price_list(tx, shop_id=shop.id, name=str(gold))).name == "Gold"
    assert [found.items for found in await list_price_lists(tx, shop_id=shop.id)] == [0]


async def test_has_a_name_of_its_own(tx, shop, gold):
    with pytest.raises(Conflict):
        await add_price_list(tx, shop_id=shop.id, name="Gold")
    with pytest.raises(Invalid):
        await add_price_list(tx, shop_id=shop.id, name="12")


async def test_takes_changes_and_drops_prices(tx, shop, gold):
    for sku in ("A", "B"):
        await make_variant(tx, shop=shop, sku=sku)

    assert (
        await put(
            tx, shop, gold, PriceRow(sku="A", price_minor=100), PriceRow(sku="B", price_minor=0)
        )
        == 2
    )
    assert await prices(tx, shop, gold) == {"A": 100, "B": 0}
    assert (
        await put(
            tx, shop, gold, PriceRow(sku="A", price_minor=90), PriceRow(sku="B", price_minor=None)
        )
        == 2
    )
    assert await prices(tx, shop, gold) == {"A": 90}


async def test_tells_of_a_change_and_only_of_a_change(tx, shop, gold):
    await make_variant(tx, shop=shop, sku="A")
    row = PriceRow(sku="A", price_minor=100)

    before = await version(tx, shop)
    assert await put(tx, shop, gold, row) == 1
    assert await version(tx, shop) == before + 1
    assert await put(tx, shop, gold, row) == 0
    assert await version(tx, shop) == before + 1


async def test_asks_which_merchant_where_two_use_a_sku(tx, shop, gold):
    await make_variant(tx, shop=shop, sku="A")
    other = await make_merchant(tx, shop_id=shop.id, slug="north")
    await make_variant(tx, shop=shop, sku="A", merchant_id=other)

    with pytest.raises(NotFound, match="several"):
        await put(tx, shop, gold, PriceRow(sku="A", price_minor=1))
    assert await put(tx, shop, gold, PriceRow(sku="A", price_minor=1, merchant="north")) == 1


async def test_refuses_all_rows_for_one_strange_sku(tx, shop, gold):
    await make_variant(tx, shop=shop, sku="A")
    foreign = await make_shop(tx)
    await make_variant(tx, shop=foreign, sku="FOREIGN")

    with pytest.raises(NotFound, match="1 of 2 rows"):
        await put(
            tx, shop, gold,
            PriceRow(sku="A", price_minor=1), PriceRow(sku="FOREIGN", price_minor=1),
        )  # fmt: skip
    assert await prices(tx, shop, gold) == {}
