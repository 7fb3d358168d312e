"""A page of the catalogue that was rendered before..."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import (
    Image,
    MerchantRecord,
    tell_all_changed,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.pricing import CouponTerms, PriceRow, add_coupon, add_price_list, set_prices
from crossdock.shop.search import rebuild
from crossdock.shop.shops import Shop, add_shop, set_product_url
from tests.channels.shoppable.conftest import _fill, product, variant
from tests.conftest import NOON
from tests.support.shoppable_client import Publisher, add_publisher


@dataclass
class Booth:
    """A shop that a test changes, and its publisher, who has read the page twice."""

    db: Database
    shop: Shop
    publisher: Publisher

    async def shown(self, name: str = "Velvet Lipstick") -> dict[str, Any]:
        """A product as the page tells it."""
        page = await self.publisher.browse(sort="name")
        return next(each for each in page["products"] if each["name"] == name)

    async def write(self, **fields: Any) -> None:
        """The lipstick anew, at another price or with other fields."""
        own = {name: fields.pop(name) for name in ("price", "own") if name in fields}
        sku = variant("LIP-1", own.get("price", 899), own=own.get("own", 10), upc="309972924759")
        record = product("lipstick", "Velvet Lipstick", "Walmart", sku, **fields)
        async with self.db.begin() as tx:
            await upsert_products(tx, shop=self.shop, records=[record], now=NOON)


@pytest.fixture
async def booth(mall_database, mall_server):
    async with mall_database.begin() as tx:
        slug = f"booth-{RandomIds().random_token(8).lower()}"
        shop = await add_shop(tx, slug=slug, name="Booth", currency="USD")
    await _fill(mall_database, shop)
    await rebuild(mall_server.app.services.building, shop_id=shop.id)
    _, token = await add_publisher(mall_database, shop_id=shop.id)
    async with Publisher(mall_server.url, token=token) as publisher:
        for _ in range(2):
            await publisher.browse(sort="name")
        yield Booth(mall_database, shop, publisher)


async def test_is_told_again_as_it_was(booth):
    first = await booth.publisher.browse(sort="name")
    again = await booth.publisher.browse(sort="name")
    assert first.pop("query_time") >= 0
    assert again.pop("query_time") >= 0
    assert first == again
    assert first["metadata"]["returned"] == len(first["products"]) == 5


async def test_shows_a_new_price_at_once(booth):
    await booth.write(price=777)
    assert (await booth.shown())["price"] == Decimal("7.77")
    assert (await booth.shown("Rain Jacket"))["price"] == Decimal(85)


async def test_shows_at_once_that_the_stock_is_gone(booth):
    await booth.write(own=0)
    assert not (await booth.shown())["colors"][0]["sizes"][0]["active"]


async def test_shows_new_texts_and_pictures_at_once(booth):
    await booth.write(description="New words", images=(Image(url="https://img.example/n.jpg"),))
    shown = await booth.shown()
    assert (shown["description"], shown["image"]) == ("New words", "https://img.example/n.jpg")


async def test_leaves_out_at_once_what_is_not_sold_any_more_and_brings_it_back(booth):
    await booth.write(enabled=False)
    page = await booth.publisher.browse(sort="name")
    assert (page["count"], page["metadata"]["returned"], len(page["products"])) == (5, 4, 4)
    await booth.write()
    assert (await booth.shown())["name"] == "Velvet Lipstick"


async def test_shows_a_new_coupon_and_a_merchants_new_terms_at_once(booth):
    async with booth.db.begin() as tx:
        terms = CouponTerms(code="ALL", kind="amount_off", threshold_minor=0, amount_minor=100)
        await add_coupon(tx, shop_id=booth.shop.id, terms=terms, now=NOON)
    assert (await booth.shown())["discount_price"] == Decimal("7.99")
    async with booth.db.begin() as tx:
        record = MerchantRecord(name="Walmart", shipping_flat_minor=100)
        await upsert_merchants(tx, shop_id=booth.shop.id, records=[record], now=NOON)
    assert (await booth.shown())["ship_flat_rate"] == Decimal(1)


async def test_shows_the_new_address_of_its_products_at_once(booth):
    async with booth.db.begin() as tx:
        await set_product_url(tx, shop_id=booth.shop.id, template="https://shop.example/{handle}")
        await tell_all_changed(tx, shop_id=booth.shop.id, now=NOON)
    assert (await booth.shown())["url"] == "https://shop.example/lipstick"


async def test_shows_by_the_clock_alone_that_a_coupon_ended(booth, mall_server):
    async with booth.db.begin() as tx:
        terms = CouponTerms(code="SOON", kind="amount_off", threshold_minor=0, amount_minor=100)
        ends_at = NOON + timedelta(hours=1)
        await add_coupon(tx, shop_id=booth.shop.id, terms=terms, ends_at=ends_at, now=NOON)
    assert (await booth.shown())["price"] == Decimal("7.99")
    mall_server.clock.move(timedelta(hours=1))
    try:
        assert (await booth.shown())["price"] == Decimal("8.99")
    finally:
        mall_server.clock.move(-timedelta(hours=1))
    assert (await booth.shown())["price"] == Decimal("7.99")


async def test_is_no_other_publishers_page(booth, mall_server):
    async with booth.db.begin() as tx:
        mine = await add_price_list(tx, shop_id=booth.shop.id, name="Mine")
        rows = [PriceRow(sku="LIP-1", price_minor=500)]
        await set_prices(tx, shop_id=booth.shop.id, price_list_id=mine, rows=rows, now=NOON)
        walmart = await tx.value(
            "select id from merchants where shop_id = %s and name = 'Walmart'", (booth.shop.id,)
        )
    _, token = await add_publisher(
        booth.db, shop_id=booth.shop.id, price_list_id=mine, visible_merchants=(walmart,)
    )
    async with Publisher(mall_server.url, token=token) as other:
        page = await other.browse(sort="name")
    prices = {each["name"]: each["price"] for each in page["products"]}
    assert prices == {"Velvet Lipstick": Decimal(5), "Volume Mascara": Decimal("9.99")}
    assert (await booth.shown())["price"] == Decimal("8.99")


async def test_follows_the_index(booth, mall_server):
    async with booth.db.begin() as tx:
        record = product("cap", "A Cap", "Topman", variant("CAP-1", 500))
        await upsert_products(tx, shop=booth.shop, records=[record], now=NOON)
    await rebuild(mall_server.app.services.building, shop_id=booth.shop.id)
    assert (await booth.shown("A Cap"))["price"] == Decimal(5)
