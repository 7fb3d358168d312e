"""Web shops of a fresh shop on the running server, its warehouse, and proof that nothing was written."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner
from tests.channels.shoppex_partner.conftest import traces
from tests.support.clocked import ClockedServer, clocked
from tests.support.factories import ShopFixture, box, make_shop, make_variant
from tests.support.processes import ServerProcess
from tests.support.shopwedo_client import ShopClient
from tests.support.warehousing import Warehouse

# The moment of the specification's token vectors.
SIGNED_AT = datetime.fromtimestamp(1_700_000_000, tz=UTC)

OpenClient = Callable[..., Awaitable[ShopClient]]
MakeVariant = Callable[..., Awaitable[int]]
NothingWritten = Callable[[], Any]


async def add_web_shop(
    database: Database,
    *,
    shop: ShopFixture,
    shop_id: str = "",
    key: str = "",
    is_test: bool = False,
    settings: dict[str, Any] | None = None,
    **terms: Any,
) -> tuple[int, str, str]:
    """The partner's id, its shop id and its shop key."""
    shop_id = shop_id or str(secrets.randbelow(10**15) + 10**6)
    async with database.begin() as tx:
        partner_id = await add_partner(
            tx,
            shop_id=shop.id,
            channel="shopwedo",
            name=f"Web shop {shop_id}",
            terms=Terms(settings=settings or {}, **terms),
        )
        made = await add_credential(
            tx,
            partner_id=partner_id,
            ids=RandomIds(),
            box=box(),
            key=shop_id,
            secret=key,
            is_test=is_test,
        )
    return partner_id, made.key, made.secret


@pytest.fixture
async def shop(server_database: Database) -> ShopFixture:
    """A shop of the test's own."""
    async with server_database.begin() as tx:
        return await make_shop(tx, currency="EUR")


@pytest.fixture
async def clients(
    server: ServerProcess, server_database: Database, shop: ShopFixture
) -> AsyncIterator[OpenClient]:
    """Make a web shop of the shop with these terms, and its client."""
    async with AsyncExitStack() as stack:

        async def make(*, of: ShopFixture | None = None, **terms: Any) -> ShopClient:
            _, shop_id, key = await add_web_shop(server_database, shop=of or shop, **terms)
            client = ShopClient(server.url, shop_id=shop_id, key=key)
            return await stack.enter_async_context(client)

        yield make


@pytest.fixture
async def client(clients: OpenClient) -> ShopClient:
    """A web shop with every default."""
    return await clients()


@pytest.fixture
def variant(server_database: Database, shop: ShopFixture) -> MakeVariant:
    """Make a variant in the shop: ten on hand unless told otherwise."""

    async def make(*, of: ShopFixture | None = None, **columns: Any) -> int:
        async with server_database.begin() as tx:
            return await make_variant(tx, shop=of or shop, **{"currency": "EUR", **columns})

    return make


@pytest.fixture
def warehouse(server_database: Database, shop: ShopFixture) -> Warehouse:
    """The people behind the shop, at a moment that stands still."""
    moment = datetime(2026, 7, 1, 10, 20, 30, tzinfo=UTC)
    return Warehouse(
        db=server_database,
        clock=FrozenClock(moment),
        shop=shop,
        partner=None,  # type: ignore[arg-type]  # orders come through the API here
    )


@pytest.fixture
def nothing_written(
    server_database: Database, shop: ShopFixture, warehouse: Warehouse
) -> NothingWritten:
    """`async with nothing_written():` fails when the block left any trace of an order."""

    @asynccontextmanager
    async def check() -> AsyncIterator[None]:
        before = await traces(server_database, shop.id), await warehouse.everything()
        yield
        assert (await traces(server_database, shop.id), await warehouse.everything()) == before

    return check


@pytest.fixture
async def clocked_server(database_url: str, tmp_path: Path) -> AsyncIterator[ClockedServer]:
    """The application with a clock that stands at SIGNED_AT, on this worker's database."""
    async with clocked(
        database_url=database_url, data_dir=str(tmp_path), clock=FrozenClock(SIGNED_AT)
    ) as server:
        yield server


@pytest.fixture
async def clocked_client(
    database: Database, clocked_server: ClockedServer
) -> AsyncIterator[ShopClient]:
    """The web shop of the token vectors there; its programs sign with the standing clock's time."""
    async with database.begin() as tx:
        shop = await make_shop(tx, currency="EUR")
        await tx.run("delete from credentials where channel = 'shopwedo' and public_key = '123'")
    await add_web_shop(database, shop=shop, shop_id="123", key="s3cr3t-key")
    now = SIGNED_AT.timestamp()
    async with ShopClient(clocked_server.url, shop_id="123", key="s3cr3t-key", now=now) as client:
        yield client
