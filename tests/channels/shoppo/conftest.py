"""A shop of three merchants on a server whose clock stands, and the drop shippers who sell its goods."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
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
    ShippingTerm,
    VariantRecord,
    upsert_merchants,
    upsert_products,
)
from crossdock.shop.shops import Shop, add_shop
from crossdock.shop.stock import StockRecord
from tests.conftest import NOON
from tests.support.clocked import ClockedServer, clocked
from tests.support.shoppo_client import DropShipper, add_drop_shipper
from tests.support.shoppo_inside import Inside, opened

OpenShipper = Callable[..., Awaitable[DropShipper]]
MERCHANTS = (
    MerchantRecord(name="Acme"),
    MerchantRecord(name="Lumen"),
    MerchantRecord(name="Closed", enabled=False),
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


GOODS = (
    product(
        "lipstick",
        "Velvet Lipstick",
        "Acme",
        variant("LIP-1", 899, upc="309972924759"),
        brand="Revlon",
        description="<p>Long lasting &amp; bright.</p>",
        categories=(("Beauty", "Makeup"),),
        attributes={"Color": "Red", "Has Battery": "No"},
        features=("Stays", "Shines"),
        target_users="women",
        images=(Image(url="/media/lip.svg"), Image(url="https://img.example/lip-2.png?v=1")),
        tags=("lips", "new"),
    ),
    product(
        "shirt",
        "Oxford Shirt",
        "Acme",
        *(
            variant(
                f"SHIRT-{color}-{size}",
                4000,
                sale_minor=3000 if color == "Blue" else None,
                options={"Color": color, "Size": size},
                own=0 if (color, size) == ("Red", "M") else 10,
                weight_g=250,
                length_mm=300,
                width_mm=200,
                height_mm=50,
                image=f"https://img.example/{color}.jpg",
            )
            for color, size in (("Red", "S"), ("Red", "M"), ("Blue", "M"))
        ),
        brand="Calvin Klein",
        categories=(("Clothing", "Men", "Shirts"), ("Sale",)),
        attributes={"Material": "Cotton"},
        shipping_minor=150,
        shipping_days=(3, 10),
        shipping_terms=(
            ShippingTerm(courier="IN19A04", price_minor=250, days=(12, 20)),
            ShippingTerm(courier="TH20A01", price_minor=400),
            ShippingTerm(courier="US19A08", price_minor=500),
            ShippingTerm(courier="FR99", price_minor=100),
        ),
        ships_to=("IN", "TH", "FR"),
        option_names=("Color", "Size"),
        images=(
            Image(url="https://img.example/all.jpg"),
            Image(url="https://img.example/Red.jpg", variant_sku="SHIRT-Red-S"),
        ),
    ),
    product(
        "lamp",
        "Desk Lamp",
        "Lumen",
        variant("LAMP-1", 6000),
        variant("LAMP-2", 7000, enabled=False),
        brand="",
        categories=(("Home",),),
    ),
    product("old", "Old Radio", "Lumen", variant("OLD-1", 100), enabled=False),
    product("gone", "Lost Goods", "Closed", variant("GONE-1", 100)),
    product("priceless", "Priceless", "Lumen", VariantRecord(sku="FREE-1")),
)
NAMES = ["Lost Goods", "Old Radio", "Desk Lamp", "Oxford Shirt", "Velvet Lipstick"]
"""Of what everybody sees, in the list's order."""


async def _fill(database: Database, shop: Shop) -> None:
    """Write the goods, the first one longest ago."""
    async with database.begin() as tx:
        await upsert_merchants(tx, shop_id=shop.id, records=MERCHANTS, now=NOON)
        for place, record in enumerate(GOODS):
            at = NOON - timedelta(hours=10 - place)
            await upsert_products(tx, shop=shop, records=[record], now=at)


@pytest.fixture(scope="module")
async def hall_database(database_url: str) -> AsyncIterator[Database]:
    """An open pool for a whole file of tests."""
    pool = Database(database_url, min_size=1, max_size=4)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture(scope="module")
async def hall_server(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClockedServer]:
    """The application for a whole file of tests, at noon."""
    folder = tmp_path_factory.mktemp("hall")
    async with clocked(
        database_url=database_url, data_dir=str(folder), clock=FrozenClock(NOON)
    ) as server:
        yield server


@pytest.fixture(scope="module")
async def hall(hall_database: Database) -> Shop:
    """The shop and its goods, which no test changes."""
    async with hall_database.begin() as tx:
        slug = f"hall-{RandomIds().random_token(8).lower()}"
        shop = await add_shop(tx, slug=slug, name="Hall", currency="USD")
    await _fill(hall_database, shop)
    return shop


@pytest.fixture
async def shippers(
    hall_database: Database, hall_server: ClockedServer, hall: Shop
) -> AsyncIterator[OpenShipper]:
    """Make a drop shipper of the shop with these terms."""
    async with AsyncExitStack() as stack:

        async def make(shop_id: int | None = None, **terms: Any) -> DropShipper:
            _, viewer, token = await add_drop_shipper(
                hall_database, shop_id=shop_id or hall.id, **terms
            )
            client = DropShipper(hall_server.url, token=token, viewer=viewer)
            return await stack.enter_async_context(client)

        yield make


@pytest.fixture
async def shipper(shippers: OpenShipper) -> DropShipper:
    """A drop shipper who may sell everything."""
    return await shippers()


@pytest.fixture
async def inside(
    database_url: str, hall_server: ClockedServer, shipper: DropShipper
) -> AsyncIterator[Inside]:
    """The executor without the server, for the shipper."""
    async with opened(
        url=database_url,
        settings=hall_server.app.runtime.settings,
        clock=hall_server.clock,
        viewer=shipper.viewer,
    ) as made:
        yield made
