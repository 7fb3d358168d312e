"""A shop on a server whose clock stands, and the keys that manage it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from crossdock.channels.shoppex_reseller.ids import ShopIds
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import ProductRecord, VariantRecord, upsert_products
from crossdock.shop.shops import read_shop_by_id
from tests.conftest import NOON
from tests.support.clocked import ClockedServer, clocked
from tests.support.factories import ShopFixture, make_shop
from tests.support.reseller_client import KeyHolder, add_key_holder
from tests.support.reselling import Reselling
from tests.support.stock_desk import StockDesk

OpenKey = Callable[..., Awaitable[KeyHolder]]


@pytest.fixture(scope="module")
async def desk_database(database_url: str) -> AsyncIterator[Database]:
    """An open pool for a whole file of tests."""
    pool = Database(database_url, min_size=1, max_size=4)
    await pool.open()
    yield pool
    await pool.close()


@pytest.fixture(scope="module")
async def desk_server(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClockedServer]:
    """The application for a whole file of tests, at noon."""
    folder = tmp_path_factory.mktemp("desk")
    async with clocked(
        database_url=database_url, data_dir=str(folder), clock=FrozenClock(NOON)
    ) as server:
        yield server


@pytest.fixture
async def desk(desk_database: Database) -> ShopFixture:
    """A shop of the test's own."""
    async with desk_database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
async def keys(
    desk_database: Database, desk_server: ClockedServer, desk: ShopFixture
) -> AsyncIterator[OpenKey]:
    """Make a key of the shop with these scopes and terms."""
    async with AsyncExitStack() as stack:

        async def make(*permissions: str, shop_id: int | None = None, **terms: Any) -> KeyHolder:
            _, name, key = await add_key_holder(
                desk_database,
                shop_id=shop_id or desk.id,
                permissions=permissions or ("*",),
                **terms,
            )
            client = KeyHolder(desk_server.url, key=key, public_key=name)
            return await stack.enter_async_context(client)

        yield make


@pytest.fixture
async def merchant(keys: OpenKey) -> KeyHolder:
    """A key with every scope."""
    return await keys()


@pytest.fixture
async def cards(desk_database: Database, desk: ShopFixture, merchant: KeyHolder) -> str:
    """The id of a product of serials with two variants."""
    async with desk_database.begin() as tx:
        shop = await read_shop_by_id(tx, shop_id=desk.id)
        record = ProductRecord(
            handle="card", name="Card", merchant="Main", currency="USD", virtual=True,
            option_names=("Worth",),
            variants=tuple(
                VariantRecord(sku=f"CARD-{worth}", retail_minor=worth * 100, options={"Worth": f"{worth}"})
                for worth in (10, 20)
            ),
        )  # fmt: skip
        await upsert_products(tx, shop=shop, records=[record], now=NOON)
    [found] = await merchant.data("GET", "/dev/v1/products/search?q=card")
    return str(found["id"])


@pytest.fixture
async def buying(desk_database: Database, desk_server: ClockedServer) -> AsyncIterator[StockDesk]:
    """A merchant's key, a relationship, and thirty licences that it may buy."""
    selling = await Reselling.open(
        desk_database, desk_server.clock, channel="shoppex_reseller", default_discount_bp=3500
    )
    licence = await selling.licence(*(f"LIC-{n:03}" for n in range(30)), price_minor=1999)
    reseller, _ = await selling.reseller()
    _, name, key = await add_key_holder(desk_database, shop_id=selling.shop.id)
    ids = await ShopIds(desk_database).of(selling.shop.id)
    async with KeyHolder(desk_server.url, key=key, public_key=name) as http:
        yield StockDesk(selling, reseller, licence, http, ids)
