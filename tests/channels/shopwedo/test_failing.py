"""When the database is away or a row is busy: 503 in this channel's words, and nothing half done."""

import asyncio

import pytest

from crossdock.kit.clock import SystemClock
from tests.channels.shopwedo.conftest import add_web_shop
from tests.support.clocked import clocked
from tests.support.factories import make_shop, make_variant
from tests.support.shopwedo_client import ShopClient, order_of
from tests.support.tcp_proxy import TcpProxy


def unavailable(reply) -> None:
    assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.headers["content-type"] == "application/json"


async def test_a_lost_database_is_told_and_found_again(database, database_url, tmp_path):
    async with database.begin() as tx:
        shop = await make_shop(tx, currency="EUR")
        sku = await make_variant(tx, shop=shop, currency="EUR")
    _, shop_id, key = await add_web_shop(database, shop=shop)
    async with (
        TcpProxy(database_url) as proxy,
        clocked(
            database_url=proxy.url, data_dir=str(tmp_path), clock=SystemClock()  # type: ignore[arg-type]
        ) as server,
        ShopClient(server.url, shop_id=shop_id, key=key) as client,
    ):  # fmt: skip
        order_id = await client.create(order_of((sku, 1), number="before"))
        await proxy.cut()
        during = order_of((sku, 1), number="during")
        for method, data in (("createOrder", during), ("getStock", {})):
            unavailable(await client.call(method, data))
        await proxy.mend()
        for _ in range(100):
            if (await client.call("authTest")).status_code == 202:
                break
            await asyncio.sleep(0.1)
        assert (await client.order(order_id))["status_string"] == "waiting_for_release"
        assert await client.create(order_of((sku, 1), number="during"))


async def test_a_busy_level_is_told_and_nothing_is_written(database, database_url, tmp_path):
    async with database.begin() as tx:
        shop = await make_shop(tx, currency="EUR")
        sku = await make_variant(tx, shop=shop, currency="EUR")
    _, shop_id, key = await add_web_shop(database, shop=shop)
    async with (
        clocked(
            database_url=database_url, data_dir=str(tmp_path), clock=SystemClock(),  # type: ignore[arg-type]
            lock_timeout_ms=300,
        ) as server,
        ShopClient(server.url, shop_id=shop_id, key=key) as client,
    ):  # fmt: skip
        document = order_of((sku, 1), release=1, number="busy")
        async with database.begin() as tx:
            await tx.run("select 1 from stock_levels where shop_id = %s for update", (shop.id,))
            unavailable(await client.call("createOrder", document))
        reply = await client.call("getOrder", {"external_order_id": "busy"})
        assert reply.json()["error"] == "order_not_found"
        assert await client.create(document)


@pytest.mark.parametrize("data", ["[1]", "{"])
async def test_a_lost_database_is_told_before_bad_data(database, database_url, tmp_path, data):
    async with database.begin() as tx:
        shop = await make_shop(tx, currency="EUR")
    _, shop_id, key = await add_web_shop(database, shop=shop)
    async with (
        TcpProxy(database_url) as proxy,
        clocked(
            database_url=proxy.url, data_dir=str(tmp_path), clock=SystemClock()  # type: ignore[arg-type]
        ) as server,
        ShopClient(server.url, shop_id=shop_id, key=key) as client,
    ):  # fmt: skip
        await proxy.cut()
        unavailable(await client.form("getStock", data))
