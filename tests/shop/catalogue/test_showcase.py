"""What a page of the showcase costs, counted in the blocks that the server touches."""

import json
from datetime import UTC, datetime

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.catalogue import ProductRecord, VariantRecord, upsert_products
from crossdock.shop.catalogue.showcase import _PRODUCTS_PAGE
from crossdock.shop.shops import Shop, add_shop

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SMALL_SHOPS = 60
PRODUCTS = 600
BLOCKS_PER_ROW_MAX = 30


def products(count: int) -> list[ProductRecord]:
    return [
        ProductRecord(
            handle=f"p{n}",
            name=f"Product {n}",
            merchant="Main",
            currency="USD",
            related_handles=(f"p{n + 1}", f"p{n + 2}"),
            variants=(VariantRecord(sku=f"s{n}", retail_minor=100),),
        )
        for n in range(count)
    ]


async def stock_up(database: Database, shop: Shop, count: int) -> None:
    async with database.begin() as tx:
        await upsert_products(tx, shop=shop, records=products(count), now=NOW)


@pytest.fixture
async def crowded(empty_database_url):
    """A database where many small shops were analysed, and nothing has been since."""
    pool = Database(empty_database_url, min_size=1, max_size=2)
    await pool.open()
    for number in range(SMALL_SHOPS):
        async with pool.begin() as tx:
            small = await add_shop(tx, slug=f"small-{number}", name="Small", currency="USD")
        await stock_up(pool, small, 2)
    async with pool.statement() as tx:
        await tx.run("analyze")
        for table in ("products", "variants", "stock_levels"):
            await tx.run(f"alter table {table} set (autovacuum_enabled = off)")
    yield pool
    await pool.close()


async def test_a_page_costs_the_rows_on_it_however_small_other_shops_were(crowded):
    async with crowded.begin() as tx:
        large = await add_shop(tx, slug="large", name="Large", currency="USD")
    await stock_up(crowded, large, PRODUCTS)
    parameters = {
        "shop": large.id, "merchants": None, "currency": "USD", "price_list": None, "backorder": False,
        "own_requires_stock": False, "ids": None, "categories": None, "now": NOW, "limit": 100,
        "offset": 400,
    }  # fmt: skip

    async with crowded.statement() as tx:
        plan = await tx.value(
            "explain (analyze, buffers, format json) " + _PRODUCTS_PAGE, parameters
        )
        (top,) = plan if isinstance(plan, list) else json.loads(plan)

    assert top["Plan"]["Actual Rows"] == 100
    assert top["Plan"]["Shared Hit Blocks"] < 100 * BLOCKS_PER_ROW_MAX
