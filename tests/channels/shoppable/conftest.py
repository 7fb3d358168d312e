"""A shop of three merchants on a server whose clock stands, and publishers who sell its goods."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.catalogue import (
    Image,
    MerchantRecord,
    ProductRecord,
    VariantRecord,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.events import number_events
from crossdock.shop.pricing import CouponTerms, add_coupon
from crossdock.shop.search import rebuild
from crossdock.shop.shops import Shop, add_shop
from crossdock.shop.stock import StockRecord
from tests.conftest import NOON
from tests.support.clocked import ClockedServer, clocked
from tests.support.shoppable_client import Publisher, add_publisher
from tests.support.shopper import Shopper, add_shopper
from tests.support.shopping import Mall

OpenPublisher = Callable[..., Awaitable[Publisher]]
MERCHANTS = (
    MerchantRecord(
        name="Walmart",
        shipping_flat_minor=595,
        free_shipping_from_minor=3500,
        customer_service_url="https://walmart.example/help",
        return_policy_url="https://walmart.example/returns",
    ),
    MerchantRecord(name="Lord And Taylor", shipping_flat_minor=700),
    MerchantRecord(name="Topman"),
)


def variant(sku: str, price: int, **fields: Any) -> VariantRecord:
    """Ten in stock, unless told otherwise."""
    own = fields.pop("own", 10)
    stock = (StockRecord(pool="own", on_hand=own),)
    return VariantRecord(sku=sku, retail_minor=price, stock=stock, **fields)


def product(handle: str, name: str, merchant: str, *variants: VariantRecord, **fields: Any) -> Any:
    """A product in dollars."""
    return ProductRecord(
        handle=handle, name=name, merchant=merchant, currency="USD", variants=variants, **fields
    )


SHIRT_OPTIONS = (("Red", "S"), ("Red", "M"), ("Blue", "M"))
GOODS = (
    product(
        "lipstick",
        "Velvet Lipstick",
        "Walmart",
        variant("LIP-1", 899, upc="309972924759", options={}),
        brand="Revlon",
        description="<p>Long lasting &amp; bright.</p><p>Not a mascara.</p>",
        categories=(("Beauty", "Makeup"),),
        attributes={"Color": "Red"},
        images=(Image(url="/media/lip.svg"), Image(url="https://img.example/lip-2.jpg")),
        shipping_minor=50,
    ),
    product(
        "mascara",
        "Volume Mascara",
        "Walmart",
        variant("MAS-1", 1299, upc="081555770167", sale_minor=999),
        brand="Revlon",
        categories=(("Beauty", "Makeup"),),
    ),
    product(
        "shirt",
        "Oxford Shirt",
        "Topman",
        *(
            variant(
                f"SHIRT-{color}-{size}",
                4000,
                sale_minor=3000 if color == "Blue" else None,
                upc=f"00000000{place}",
                merchant_sku=f"T{place}",
                part_number="OX-7",
                options={"Color": color, "Size": size},
                own=0 if (color, size) == ("Red", "M") else 10,
                weight_g=250,
                length_mm=300,
                width_mm=200,
                height_mm=50,
                image=f"https://img.example/{color}.jpg",
            )
            for place, (color, size) in enumerate(SHIRT_OPTIONS)
        ),
        brand="Calvin Klein",
        categories=(("Clothing", "Men", "Shirts"),),
        attributes={"Material": "Cotton"},
        option_names=("Color", "Size"),
        images=(Image(url="https://img.example/all.jpg"),),
    ),
    product(
        "dress",
        "Summer Dress",
        "Lord And Taylor",
        variant("DRESS-1", 6000, upc="603084459353", options={"Color": "Dark Red", "Size": "M"}),
        brand="Klein Calvin",
        categories=(("Clothing", "Women"),),
        option_names=("Color", "Size"),
    ),
    product(
        "jacket",
        "Rain Jacket",
        "Lord And Taylor",
        variant("JACKET-1", 9000, upc="309972924759", options={"Size": "6"}),
        brand="Northsea",
        categories=(("Clothing", "Children"),),
        option_names=("Size",),
        free_shipping=True,
    ),
)
COUPONS = (
    (CouponTerms(code="TEN", kind="percent_off", threshold_minor=2000, percent_bp=1000), "Topman"),
    (CouponTerms(code="FIVE", kind="amount_off", threshold_minor=5000, amount_minor=500),
     "Lord And Taylor"),
    (CouponTerms(code="SHIP", kind="free_shipping", threshold_minor=8000), "Lord And Taylor"),
)  # fmt: skip


async def _fill(database: Database, shop: Shop) -> None:
    """Write the goods, the first one last changed longest ago."""
    async with database.begin() as tx:
        await upsert_merchants(tx, shop_id=shop.id, records=MERCHANTS, now=NOON)
        for place, record in enumerate(GOODS):
            at = NOON - timedelta(hours=10 - place)
            await upsert_products(tx, shop=shop, records=[record], now=at)
        for terms, merchant in COUPONS:
            merchant_id = await tx.value(
                "select id from merchants where shop_id = %s and name = %s", (shop.id, merchant)
            )
            await add_coupon(tx, shop_id=shop.id, terms=terms, merchant_id=merchant_id, now=NOON)
    async with database.begin() as tx:
        await number_events(tx, shop_id=shop.id)


@pytest.fixture(scope="module")
async def mall_database(database_url: str) -> AsyncIterator[Database]:
    """An open pool for a whole file of tests."""
    pool = Database(database_url, min_size=1, max_size=4)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture(scope="module")
async def mall_server(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClockedServer]:
    """The application for a whole file of tests, at noon."""
    folder = tmp_path_factory.mktemp("mall")
    async with clocked(
        database_url=database_url, data_dir=str(folder), clock=FrozenClock(NOON)
    ) as server:
        yield server


@pytest.fixture(scope="module")
async def mall(mall_database: Database, mall_server: ClockedServer) -> Shop:
    """The shop, its goods and their index, which no test changes."""
    async with mall_database.begin() as tx:
        slug = f"mall-{RandomIds().random_token(8).lower()}"
        shop = await add_shop(tx, slug=slug, name="Mall", currency="USD")
    await _fill(mall_database, shop)
    await rebuild(mall_server.app.services.building, shop_id=shop.id)
    return shop


@pytest.fixture
async def publishers(
    mall_database: Database, mall_server: ClockedServer, mall: Shop
) -> AsyncIterator[OpenPublisher]:
    """Make a publisher of the shop with these terms."""
    async with AsyncExitStack() as stack:

        async def make(**terms: Any) -> Publisher:
            _, token = await add_publisher(mall_database, shop_id=mall.id, **terms)
            return await stack.enter_async_context(Publisher(mall_server.url, token=token))

        yield make


@pytest.fixture
async def publisher(publishers: OpenPublisher) -> Publisher:
    """A publisher who may sell everything."""
    return await publishers()


@dataclass
class Stall:
    """A shop of its own on the running server, and shoppers of one publisher there."""

    mall: Mall
    partner_id: int
    shopper: Shopper
    server: ClockedServer


OpenStall = Callable[..., Awaitable[Stall]]


@pytest.fixture
async def stalls(mall_database: Database, mall_server: ClockedServer) -> AsyncIterator[OpenStall]:
    """Open a stall; what is given are the partner's terms."""
    async with AsyncExitStack() as stack:

        async def open_stall(**terms: Any) -> Stall:
            opened = await Mall.open(mall_database, mall_server.clock)
            partner_id, shopper = await add_shopper(
                mall_database, mall_server.url, shop_id=opened.shop.id, **terms
            )
            await stack.enter_async_context(shopper)
            return Stall(opened, partner_id, shopper, mall_server)

        yield open_stall
