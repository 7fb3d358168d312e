"""A page of products that was rendered before..."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import (
    CategoryRecord,
    Image,
    MerchantRecord,
    VariantRecord,
    upsert_categories,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.pricing import PriceRow, add_price_list, set_prices
from crossdock.shop.shops import Shop, add_shop
from crossdock.shop.stock import adjust_stock
from tests.channels.shoppo.conftest import NAMES, _fill, product, variant
from tests.channels.shoppo.test_plans import EVERYTHING
from tests.conftest import NOON
from tests.support.clocked import ClockedServer
from tests.support.shoppo_client import DropShipper, add_drop_shipper
from tests.support.shoppo_inside import Inside, opened

FLAT = "{ productList(first: 50) { length edges { node { name } } pageInfo { hasNextPage } } }"


@dataclass
class Booth:
    """A shop that a test changes, and the executor of its drop shipper, who read all pages twice."""

    db: Database
    shop: Shop
    inside: Inside
    clock: FrozenClock

    async def told(self) -> list[bytes]:
        """The pages by plan, which the library answers as well."""
        await self.inside.admit()
        kept = [await self.inside.run(query) for query in (EVERYTHING, FLAT)]
        assert kept == [await self.inside.run(query, plans=False) for query in (EVERYTHING, FLAT)]
        return kept

    async def product(self, name: str) -> dict[str, Any]:
        """A product as the page tells it."""
        page = json.loads((await self.told())[0])["data"]["productList"]
        nodes = [edge["node"] for edge in page["edges"]]
        return next(each for each in nodes if each["name"] == name)

    async def names(self) -> list[str]:
        """The products of the page, whose length says how many there are."""
        page = json.loads((await self.told())[1])["data"]["productList"]
        assert page["length"] == len(page["edges"])
        return [edge["node"]["name"] for edge in page["edges"]]

    async def write(self, *records: Any) -> None:
        """Write products."""
        async with self.db.begin() as tx:
            await upsert_products(tx, shop=self.shop, records=list(records), now=NOON)


@pytest.fixture
async def open_booth(
    database_url: str, hall_database: Database, hall_server: ClockedServer
) -> AsyncIterator[Callable[..., Awaitable[Booth]]]:
    """Makes booths; with `priced` the caller has a price list with that price of the lamp."""
    async with AsyncExitStack() as stack:

        async def make(*, priced: int | None = None) -> Booth:
            slug = f"booth-{RandomIds().random_token(8).lower()}"
            terms: dict[str, Any] = {}
            async with hall_database.begin() as tx:
                shop = await add_shop(tx, slug=slug, name="Booth", currency="USD")
            await _fill(hall_database, shop)
            if priced is not None:
                async with hall_database.begin() as tx:
                    own = await add_price_list(tx, shop_id=shop.id, name="Own")
                    terms["price_list_id"] = own
                    await _price(tx, shop, price=priced)
            _, viewer, _ = await add_drop_shipper(hall_database, shop_id=shop.id, **terms)
            clock, settings = FrozenClock(NOON), hall_server.app.runtime.settings
            inside = await stack.enter_async_context(
                opened(url=database_url, settings=settings, clock=clock, viewer=viewer)
            )
            booth = Booth(hall_database, shop, inside, clock)
            assert await booth.told() == await booth.told()
            return booth

        yield make


@pytest.fixture
async def booth(open_booth: Callable[..., Awaitable[Booth]]) -> Booth:
    """A booth whose pages are kept."""
    return await open_booth()


async def _price(tx: Transaction, shop: Shop, *, price: int) -> None:
    """Set the lamp's price in the only price list of the shop."""
    own = await tx.value("select id from price_lists where shop_id = %s", (shop.id,))
    rows = [PriceRow(sku="LAMP-1", price_minor=price)]
    await set_prices(tx, shop_id=shop.id, price_list_id=own, rows=rows, now=NOON)


def lamp(price: int = 6000, *, own: int = 10, **fields: Any) -> Any:
    """The lamp with one Sku."""
    return product("lamp", "Desk Lamp", "Lumen", variant("LAMP-1", price, own=own), **fields)


async def test_is_told_again_without_a_statement(booth):
    await booth.told()
    booth.inside.statements.clear()
    await booth.inside.run(FLAT)
    assert booth.inside.statements == []


async def test_shows_a_new_price_at_once(booth):
    await booth.write(lamp(7777))
    assert (await booth.product("Desk Lamp"))["skus"][0]["price"] == 77.77


async def test_shows_at_once_what_was_sold_and_reads_that_product_alone(booth):
    async with booth.db.begin() as tx:
        variant_id = await tx.value(
            "select id from variants where shop_id = %s and sku = 'LAMP-1'", (booth.shop.id,)
        )
        await adjust_stock(
            tx, shop_id=booth.shop.id, variant_id=variant_id, difference=-4, now=NOON
        )
    await booth.inside.admit()
    booth.inside.statements.clear()
    await booth.inside.run(FLAT)
    changes, mended = booth.inside.statements
    assert "goods_changes" in changes
    assert "%(products)s" in mended
    assert (await booth.product("Desk Lamp"))["skus"][0]["inventory"] == 6


async def test_shows_new_names_texts_and_pictures_at_once(booth):
    picture = Image(url="https://img.example/new.jpg")
    await booth.write(lamp(description="New words", images=(picture,), tags=("new",)))
    shown = await booth.product("Desk Lamp")
    assert (shown["description"], shown["tags"]) == ("New words", ["new"])
    assert shown["coverImage"]["originalUrl"] == picture.url


async def test_shows_at_once_that_a_product_is_not_sold_any_more(booth):
    await booth.write(lamp(enabled=False))
    assert (await booth.product("Desk Lamp"))["enabled"] is False


async def test_shows_at_once_what_came(booth):
    await booth.write(product("cap", "A Cap", "Acme", variant("CAP-1", 500)))
    assert await booth.names() == ["A Cap", *NAMES]


async def test_shows_at_once_that_a_product_has_no_price_any_more(booth):
    await booth.write(product("old", "Old Radio", "Lumen", VariantRecord(sku="OLD-1")))
    assert await booth.names() == [each for each in NAMES if each != "Old Radio"]


async def test_shows_the_new_names_of_merchants_and_categories_at_once(booth):
    async with booth.db.begin() as tx:
        shop_id = booth.shop.id
        records = [MerchantRecord(name="LUMEN", enabled=False)]
        await upsert_merchants(tx, shop_id=shop_id, records=records, now=NOON)
        categories = [CategoryRecord(path=("HOME",))]
        await upsert_categories(tx, shop_id=shop_id, records=categories, now=NOON)
    shown = await booth.product("Desk Lamp")
    assert (shown["merchant"]["name"], shown["enabled"]) == ("LUMEN", False)
    assert [each["path"] for each in shown["consumerCategories"]] == ["HOME"]


async def test_shows_the_price_of_the_callers_own_list_and_a_new_one_at_once(open_booth):
    booth = await open_booth(priced=500)
    assert (await booth.product("Desk Lamp"))["skus"][0]["price"] == 5
    async with booth.db.begin() as tx:
        await _price(tx, booth.shop, price=400)
    assert (await booth.product("Desk Lamp"))["skus"][0]["price"] == 4


async def test_shows_by_the_clock_alone_that_a_sale_ended(booth):
    sold = variant("LAMP-1", 6000, sale_minor=100, sale_ends_at=NOON + timedelta(hours=1))
    await booth.write(product("lamp", "Desk Lamp", "Lumen", sold))
    assert (await booth.product("Desk Lamp"))["skus"][0]["price"] == 1
    booth.clock.move(timedelta(hours=1))
    assert (await booth.product("Desk Lamp"))["skus"][0]["price"] == 60
    booth.clock.move(-timedelta(hours=1))
    assert (await booth.product("Desk Lamp"))["skus"][0]["price"] == 1


async def test_is_no_other_callers_page(booth, hall_database, hall_server, database_url):
    async with hall_database.begin() as tx:
        acme = await tx.value(
            "select id from merchants where shop_id = %s and name = 'Acme'", (booth.shop.id,)
        )
    _, viewer, token = await add_drop_shipper(
        hall_database, shop_id=booth.shop.id, visible_merchants=(acme,)
    )
    _, other_viewer, other_token = await add_drop_shipper(hall_database, shop_id=booth.shop.id)
    async with (
        DropShipper(hall_server.url, token=token, viewer=viewer) as some,
        DropShipper(hall_server.url, token=other_token, viewer=other_viewer) as everything,
    ):
        told = [await each.ask(FLAT) for each in (everything, some, everything, some)]
    lengths = [each["productList"]["length"] for each in told]
    assert lengths == [5, 2, 5, 2]
    assert told[:2] == told[2:]


async def test_is_fresh_for_callers_over_http(booth, hall_database, hall_server):
    _, viewer, token = await add_drop_shipper(hall_database, shop_id=booth.shop.id)
    query = "{ productList(first: 1, filters: {productEnabled: true}) { edges { node { name skus { price } } } } }"
    async with DropShipper(hall_server.url, token=token, viewer=viewer) as shipper:
        for price in (6000, 5000, 4000):
            await booth.write(lamp(price))
            for _ in range(2):
                [edge] = (await shipper.ask(query))["productList"]["edges"]
                assert edge["node"]["skus"][0]["price"] * 100 == price


async def test_is_told_by_http_only_where_it_was_no_refusal(booth, hall_database, hall_server):
    _, viewer, token = await add_drop_shipper(hall_database, shop_id=booth.shop.id)
    async with DropShipper(hall_server.url, token=token, viewer=viewer) as shipper:
        for _ in range(2):
            error = await shipper.refusal("{ productList(first: -1) { length } }")
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert (await shipper.ask("{ productList { length } }"))["productList"]["length"] == 5
    async with DropShipper(hall_server.url, token=token, viewer="x") as stranger:
        reply = await stranger.post("{ productList { length } }", variables={})
    assert reply.status_code == 403  # the token is of another viewer
