"""The floors of B3 write the rows that an order writes."""

from collections.abc import Callable
from functools import partial

import psycopg
import pytest
from psycopg import sql

from bench.carts import checkouts, number_carts
from bench.floors.programs import pgbench
from bench.load import consigned_orders, orders
from bench.ordering import floor_values
from bench.population import Population, populated
from bench.runs.b03_fulfilments import furnish
from proof.publishers import make_publisher
from proof.stand import Ground, Stand, running_stand
from proof.web_shops import make_web_shop
from tests.support.factories import PartnerFixture

Prepare = Callable[..., list[bytes]]


@pytest.mark.slow
@pytest.mark.xdist_group("floors")
async def test_pgbench_writes_as_many_rows_into_the_same_tables_as_an_order_of_each_channel() -> (
    None
):
    with running_stand(workers=1, temporary=True) as ground:
        async with populated(ground, "floors", variants=60) as (stand, shop):
            async with stand.database.begin() as tx:
                web_shop = await make_web_shop(tx, shop=shop.shop)
                publisher = await make_publisher(tx, shop=shop.shop)
            number_carts(publisher, 1, variants=shop.variants[:2], url=stand.url)
            with stand.serving(jobs=False):
                ordered = await _ordered(stand, shop, shop.partner, prepare=orders)
                consigned = await _ordered(stand, shop, web_shop, prepare=consigned_orders)
                fill = partial(checkouts, url=stand.url)
                bought = await _ordered(stand, shop, publisher, prepare=fill, status=200)
                houses, of_reseller = await furnish(stand, serials=64, floor_serials=64)
                first, second = (houses[0][0].fulfil(houses[0][1], order=name) for name in "ab")
                fulfilled = await _answered(stand, first, second, status=201)
            values = await floor_values(stand, shop)
            floor = _floor(ground, stand, script="order.sql", values=values)
            values["partner"] = web_shop.id
            consigned_floor = _floor(ground, stand, script="consignment.sql", values=values)
            values["partner"] = publisher.id
            checkout_floor = _floor(ground, stand, script="checkout.sql", values=values)
            fulfilled_floor = _floor(ground, stand, script="fulfilment.sql", values=of_reseller)

    assert floor == ordered
    assert consigned_floor == consigned
    assert checkout_floor == bought
    assert fulfilled_floor == fulfilled
    assert ordered["orders"] == consigned["orders"] == bought["orders"] == 1


async def _ordered(
    stand: Stand, shop: Population, partner: PartnerFixture, *, prepare: Prepare, status: int = 201
) -> dict[str, int]:
    """Rows by table of the second order: the first finds out what is remembered afterwards."""
    first, second = prepare(partner, 2, baskets=iter([shop.variants[:2], shop.variants[2:4]]))
    return await _answered(stand, first, second, status=status)


async def _answered(stand: Stand, first: bytes, second: bytes, *, status: int) -> dict[str, int]:
    """Rows by table of the second call."""
    (connection,) = await stand.connect(1)
    assert (await connection.exchange(first)).status == status
    before = _now(stand.url)
    assert (await connection.exchange(second)).status == status
    connection.close()
    return _rows_since(stand.url, before)


def _floor(ground: Ground, stand: Stand, *, script: str, values: dict[str, int]) -> dict[str, int]:
    before = _now(stand.url)
    assert pgbench(ground, stand.url, script, **values).transactions == 1
    return _rows_since(stand.url, before)


def _now(url: str) -> int:
    """A transaction id that is older than everything written from now on."""
    with psycopg.connect(url) as connection:
        row = connection.execute("select pg_current_xact_id()::text::bigint").fetchone()
    assert row
    return int(row[0])


def _rows_since(url: str, xid: int) -> dict[str, int]:
    """How many rows of each table were inserted or updated since."""
    found = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'public' order by tablename"
        ).fetchall()
        for (table,) in tables:
            row = connection.execute(
                sql.SQL("select count(*) from {} where xmin::text::bigint > %s").format(
                    sql.Identifier(table)
                ),
                (xid,),
            ).fetchone()
            if row and row[0]:
                found[table] = int(row[0])
    return found
