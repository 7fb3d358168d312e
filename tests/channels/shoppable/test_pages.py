"""A page of the catalogue that was rendered before..."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import (
    CategoryRecord,
    Image,
    MerchantRecord,
    Promotion,
    tell_all_changed,
    upsert_categories,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.partners import Terms, set_terms
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


@pytest.mark.parametrize("kind", ["sale", "promotion"])
async def test_shows_by_the_clock_alone_that_a_sale_begins_and_ends(booth, mall_server, kind):
    starts, ends = NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)
    if kind == "sale":
        fields = {"sale_minor": 500, "sale_starts_at": starts, "sale_ends_at": ends}
    else:
        promotion = Promotion(price_minor=500, starts_at=starts, ends_at=ends)
        fields = {"promotions": (promotion,)}
    sku = variant("LIP-1", 899, upc="309972924759", **fields)
    async with booth.db.begin() as tx:
        record = product("lipstick", "Velvet Lipstick", "Walmart", sku)
        await upsert_products(tx, shop=booth.shop, records=[record], now=NOON)

    prices = [(await booth.shown())["price"]]
    try:
        for _ in range(2):
            mall_server.clock.move(timedelta(minutes=10))
            prices += [(await booth.shown())["price"]]
    finally:
        mall_server.clock.move(NOON - mall_server.clock.now())
    assert prices == [Decimal("8.99"), Decimal(5), Decimal("8.99")]


async def test_leaves_out_the_goods_of_a_merchant_that_was_disabled_at_once(booth):
    record = MerchantRecord(name="Walmart", enabled=False)
    async with booth.db.begin() as tx:
        await upsert_merchants(tx, shop_id=booth.shop.id, records=[record], now=NOON)
    page = await booth.publisher.browse(sort="name")
    assert [each["name"] for each in page["products"]] == [
        "Oxford Shirt", "Rain Jacket", "Summer Dress",
    ]  # fmt: skip
    async with booth.db.begin() as tx:
        record = MerchantRecord(name="Walmart")
        await upsert_merchants(tx, shop_id=booth.shop.id, records=[record], now=NOON)
    assert (await booth.shown())["merchant"] == "Walmart"


async def test_shows_the_new_name_of_a_category_at_once(booth):
    record = CategoryRecord(path=("Beauty", "MAKEUP"))
    async with booth.db.begin() as tx:
        assert await upsert_categories(tx, shop_id=booth.shop.id, records=[record], now=NOON) == 1
    assert "MAKEUP" in (await booth.shown())["category"]


async def test_shows_a_sku_with_the_product_that_has_it_now_and_no_other(booth):
    taken = variant("SHIRT-Blue-M", 3000, upc="000000002", options={"Color": "Blue", "Size": "M"})
    record = product("blouse", "Blouse", "Topman", taken, option_names=("Color", "Size"))
    async with booth.db.begin() as tx:
        await upsert_products(tx, shop=booth.shop, records=[record], now=NOON)
    colors = [color["color"] for color in (await booth.shown("Oxford Shirt"))["colors"]]
    assert colors == ["Red"]


async def test_is_of_the_merchants_that_its_publisher_sees_by_now(booth, mall_server):
    async with booth.db.begin() as tx:
        ids = dict(
            await tx.all("select name, id from merchants where shop_id = %s", (booth.shop.id,))
        )
    partner_id, token = await add_publisher(
        booth.db, shop_id=booth.shop.id, visible_merchants=(ids["Topman"],)
    )
    async with Publisher(mall_server.url, token=token) as other:
        seen = [await other.names(sort="name")]
        for visible in ((ids["Walmart"],), ()):
            async with booth.db.begin() as tx:
                await set_terms(tx, partner_id=partner_id, terms=Terms(visible_merchants=visible))
            seen.append(await other.names(sort="name"))
    assert seen == [["Oxford Shirt"], ["Velvet Lipstick", "Volume Mascara"], []]
    assert (await booth.shown())["price"] == Decimal("8.99")


async def test_is_no_other_shops_page(booth, mall_server):
    async with mall_server.app.services.runtime.database.begin() as tx:
        slug = f"booth-{RandomIds().random_token(8).lower()}"
        shop = await add_shop(tx, slug=slug, name="Other", currency="USD")
        record = product("lipstick", "Velvet Lipstick", "Walmart", variant("LIP-1", 111))
        await upsert_products(tx, shop=shop, records=[record], now=NOON)
    await rebuild(mall_server.app.services.building, shop_id=shop.id)
    _, token = await add_publisher(booth.db, shop_id=shop.id)
    async with Publisher(mall_server.url, token=token) as other:
        for _ in range(2):
            theirs = await other.browse(sort="name")
            mine = await booth.publisher.browse(sort="name")
            assert [each["price"] for each in theirs["products"]] == [Decimal("1.11")]
            assert (mine["count"], (await booth.shown())["price"]) == (5, Decimal("8.99"))


async def test_is_never_older_than_what_was_committed_before_it_was_asked_for(booth):
    """Readers ask while prices rise one by one; none may see less than what was committed when it asked."""
    committed, is_over = 899, False

    async def read() -> int:
        count = 0
        while not is_over:
            least = committed
            assert (await booth.shown())["price"] * 100 >= least
            count += 1
        return count

    readers = [asyncio.create_task(read()) for _ in range(3)]
    for price in range(901, 931):
        await booth.write(price=price)
        committed = price
        assert (await booth.shown())["price"] * 100 == price
    is_over = True
    assert min(await asyncio.gather(*readers)) > 0


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
