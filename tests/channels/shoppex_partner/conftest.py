"""A fresh shop on the running server, partners of it, and proof that a refusal wrote nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.support.clocked import ClockedServer, clocked
from tests.support.factories import (
    PartnerFixture,
    ShopFixture,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.partner_client import PartnerClient
from tests.support.processes import ServerProcess

# The moment of the specification's worked examples: Unix time 1775726400.
SIGNED_AT = datetime(2026, 4, 9, 9, 20, tzinfo=UTC)

OpenClient = Callable[..., Awaitable[PartnerClient]]
MakeVariant = Callable[..., Awaitable[int]]
NothingWritten = Callable[[], Any]


@pytest.fixture
async def shop(server_database: Database) -> ShopFixture:
    """A shop of the test's own."""
    async with server_database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
async def clients(
    server: ServerProcess, server_database: Database, shop: ShopFixture
) -> AsyncIterator[OpenClient]:
    """Make a partner of the shop with these terms, and its client."""
    async with AsyncExitStack() as stack:

        async def make(*, of: ShopFixture | None = None, **terms: Any) -> PartnerClient:
            async with server_database.begin() as tx:
                partner = await make_partner(tx, shop=of or shop, **terms)
            return await stack.enter_async_context(PartnerClient.of(server.url, partner))

        yield make


@pytest.fixture
async def partner(clients: OpenClient) -> PartnerClient:
    """A partner with every permission, a complete customer, no backorder and no amount rule."""
    return await clients()


@pytest.fixture
def variant(server_database: Database, shop: ShopFixture) -> MakeVariant:
    """Make a variant in the shop: SC, managed, ten in stock at 19.99 unless told otherwise."""

    async def make(*, of: ShopFixture | None = None, **columns: Any) -> int:
        async with server_database.begin() as tx:
            return await make_variant(tx, shop=of or shop, **columns)

    return make


@pytest.fixture
def nothing_written(server_database: Database, shop: ShopFixture) -> NothingWritten:
    """`async with nothing_written():` fails when the block left any trace of an order."""

    @asynccontextmanager
    async def check() -> AsyncIterator[None]:
        before = await traces(server_database, shop.id)
        yield
        assert await traces(server_database, shop.id) == before

    return check


@pytest.fixture
async def clocked_server(database_url: str, tmp_path: Path) -> AsyncIterator[ClockedServer]:
    """The application with a clock that stands at SIGNED_AT, on this worker's database."""
    async with clocked(
        database_url=database_url, data_dir=str(tmp_path), clock=FrozenClock(SIGNED_AT)
    ) as server:
        yield server


@pytest.fixture(scope="module")
async def standing_server(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClockedServer]:
    """The same for a whole file of tests, none of which moves the clock."""
    folder = tmp_path_factory.mktemp("standing")
    async with clocked(
        database_url=database_url, data_dir=str(folder), clock=FrozenClock(SIGNED_AT)
    ) as server:
        yield server


@pytest.fixture
async def standing_partner(
    database: Database, standing_server: ClockedServer
) -> AsyncIterator[PartnerClient]:
    """A partner of a fresh shop there; its client signs with the standing clock's time."""
    async with database.begin() as tx:
        partner = await make_partner(tx, shop=await make_shop(tx))
    now = int(SIGNED_AT.timestamp())
    async with PartnerClient.of(standing_server.url, partner, now=now) as client:
        yield client


@pytest.fixture
async def clocked_partner(
    database: Database, clocked_server: ClockedServer
) -> AsyncIterator[tuple[PartnerClient, PartnerFixture, ShopFixture]]:
    """A partner of a fresh shop there; its client signs with the standing clock's time."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        partner = await make_partner(tx, shop=shop)
    now = int(SIGNED_AT.timestamp())
    async with PartnerClient.of(clocked_server.url, partner, now=now) as client:
        yield client, partner, shop


async def traces(database: Database, shop_id: int) -> dict[str, Any]:
    """Everything that an order would leave behind in this shop."""
    async with database.statement() as tx:
        row = await tx.one(_TRACES, {"shop": shop_id})
    assert row is not None
    return dict(
        zip(
            ("orders", "lines", "entries", "allocations", "events", "dispatches", "jobs", "levels"),
            row,
            strict=True,
        )
    )


_TRACES = """
    select (select count(*) from orders where shop_id = %(shop)s),
           (select count(*) from order_lines where shop_id = %(shop)s),
           (select count(*) from stock_entries where shop_id = %(shop)s),
           (select count(*) from order_allocations where shop_id = %(shop)s),
           (select count(*) from events where shop_id = %(shop)s and topic <> 'alerts'),
           (select count(*) from deliveries where shop_id = %(shop)s),
           (select count(*) from procrastinate_jobs where args ->> 'shop_id' = %(shop)s::text),
           (select jsonb_agg(to_jsonb(l) - 'updated_at' order by l.variant_id, l.pool)
            from stock_levels l where l.shop_id = %(shop)s)
"""
