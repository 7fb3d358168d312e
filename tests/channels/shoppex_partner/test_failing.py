"""When the shop itself fails, the answer is in the channel's shape, says when to come back, and lies to nobody."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from structlog.testing import capture_logs

from crossdock.db.unit_of_work import Database
from tests.channels.shoppex_partner.conftest import traces
from tests.support.clocked import clocked
from tests.support.factories import level, make_partner, make_shop, make_variant
from tests.support.partner_client import PartnerClient, order_of
from tests.support.tcp_proxy import TcpProxy

STEPS = [
    "place_order:order",
    "place_order:lines",
    "place_order:event",
    "take_stock:allocated",
    "post_stock:levels",
    "post_stock:posted",
    "place_order:stock",
]


@pytest.fixture
async def world(database):
    """A shop, its partner and a product, made over a link of its own."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        partner = await make_partner(tx, shop=shop)
        return shop, partner, await make_variant(tx, shop=shop)


async def test_a_lost_database_is_told_as_such_and_recovers(
    database, database_url, tmp_path, clock, world
):
    shop, partner, product = world
    now = int(clock.now().timestamp())
    async with (
        TcpProxy(database_url) as proxy,
        clocked(database_url=proxy.url, data_dir=str(tmp_path), clock=clock) as server,
        PartnerClient.of(server.url, partner, now=now) as client,
    ):
        listed = await client.products()
        assert listed.status_code == 200
        before = await traces(database, shop.id)
        await proxy.cut()
        assert_unavailable(await client.products())
        assert_unavailable(await client.products(if_none_match=listed.headers["etag"]))
        assert_unavailable(await client.order(product), posted=True)
        assert await traces(database, shop.id) == before
        assert (await client.send("GET", "/health", headers={})).status_code == 200
        await proxy.mend()
        started = time.monotonic()
        while (await client.products()).status_code != 200:
            assert time.monotonic() - started < 30
        assert (await client.order(product)).status_code == 201


async def test_an_order_is_never_left_half_done_by_a_fault_and_the_fault_is_told_in_shape(
    empty_database_url, tmp_path, clock
):
    """A fail point between every two statements of the write path."""
    async with opened(empty_database_url) as database, database.begin() as tx:
        shop = await make_shop(tx)
        partner = await make_partner(tx, shop=shop)
        product = await make_variant(tx, shop=shop)
    before = await traces_at(empty_database_url, shop.id)
    now = int(clock.now().timestamp())
    async with (
        clocked(database_url=empty_database_url, data_dir=str(tmp_path), clock=clock) as server,
        PartnerClient.of(server.url, partner, now=now) as client,
    ):
        with capture_logs() as records:
            await break_each_step(empty_database_url, client, product, shop.id, before)
        failures = [record for record in records if record["event"] == "request failed"]
        assert len(failures) == len(STEPS)
        assert client.secret not in repr(records)
        await set_fail_point(empty_database_url, "", client=client)
        assert (await client.order(product, 3, number="N")).status_code == 201
    async with opened(empty_database_url) as database, database.statement() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=product) == (10, 0, 3, 7)


async def break_each_step(url, client, product, shop_id, before) -> None:
    for step in STEPS:
        await set_fail_point(url, step, client=client)
        assert_fault(await client.order(product, 3, number="N"), step)
        assert await traces_at(url, shop_id) == before


async def test_rows_that_somebody_else_holds_are_busy_and_not_a_fault(
    database, database_url, tmp_path, clock, world
):
    shop, partner, product = world
    now = int(clock.now().timestamp())
    async with (
        clocked(
            database_url=database_url, data_dir=str(tmp_path), clock=clock, lock_timeout_ms=200
        ) as server,
        PartnerClient.of(server.url, partner, now=now) as client,
    ):
        async with database.begin() as tx:
            await tx.run(
                "select 1 from stock_levels where shop_id = %s and variant_id = %s for update",
                (shop.id, product),
            )
            before = await traces(database, shop.id)
            assert_unavailable(await client.create(order_of((product, 1))), posted=True)
            assert await traces(database, shop.id) == before
        assert (await client.create(order_of((product, 1)))).status_code == 201


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    pool = Database(url, min_size=1, max_size=1)
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


async def traces_at(url: str, shop_id: int) -> dict:
    """Over a connection of its own: the others are broken on purpose."""
    async with opened(url) as database:
        return await traces(database, shop_id)


def assert_fault(reply, step: str) -> None:
    assert reply.status_code == 500, step
    document = reply.json()
    assert list(document) == ["success", "code", "message", "data"]
    assert document["code"] == "partner_internal_error"
    assert document["data"] == {"status": 500}
    for leak in ("Traceback", "fail point", "psycopg", "CD099", step):
        assert leak not in reply.text
    assert reply.headers["x-request-id"]
    assert reply.headers["content-type"] == "application/json; charset=UTF-8"


def assert_unavailable(reply, *, posted: bool = False) -> None:
    assert reply.status_code == 503, reply.text
    assert reply.json()["code"] == "partner_temporarily_unavailable"
    assert reply.json()["data"]["status"] == 503
    assert ("success" in reply.json()) is posted
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.headers["x-request-id"]


async def set_fail_point(url: str, step: str, *, client: PartnerClient) -> None:
    """Every order breaks at this step: the server's connections are made anew with the setting."""
    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL("alter database {} set crossdock.fail_point = {}").format(
                psycopg.sql.Identifier(str(name)), psycopg.sql.Literal(step)
            )
        )
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'crossdock'"
        )
    for _ in range(50):
        if {(await client.products()).status_code for _ in range(4)} == {200}:
            return
    raise AssertionError("the server did not come back")
