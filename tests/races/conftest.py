"""Many buyers at once, each on a connection of its own, so that both web processes take part."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx2
import pytest

from crossdock.db.unit_of_work import Database
from tests.support.factories import PartnerFixture, ShopFixture, make_shop
from tests.support.partner_client import PartnerClient
from tests.support.processes import ServerProcess

AtOnce = Callable[[Sequence[tuple[PartnerFixture, Any]]], Awaitable[list[httpx2.Response]]]


@pytest.fixture
async def shop(server_database: Database) -> ShopFixture:
    """A shop of the test's own."""
    async with server_database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
def at_once(server: ServerProcess) -> AtOnce:
    """Place these orders, each (partner, document), at the same moment; the replies in order."""

    async def place(orders: Sequence[tuple[PartnerFixture, Any]]) -> list[httpx2.Response]:
        clients = [PartnerClient.of(server.url, partner) for partner, _ in orders]
        # Each connection is opened before the race begins.
        await asyncio.gather(*(client.send("GET", "/health", headers={}) for client in clients))
        replies = await asyncio.gather(
            *(
                client.create(document)
                for client, (_, document) in zip(clients, orders, strict=True)
            )
        )
        for client in clients:
            await client.__aexit__()
        return replies

    return place
