"""A running server's search index..."""

import asyncio
import time
import urllib.request
from datetime import UTC, datetime

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Unavailable
from crossdock.shop.catalogue import ProductRecord, VariantRecord, upsert_products
from crossdock.shop.search import LocalEngine, words_request
from crossdock.shop.shops import read_shop
from tests.support import postgres
from tests.support.factories import make_shop
from tests.support.processes import serving
from tests.support.search_engines import ranking

PATIENCE_S = 20.0
WITHIN_S = 2.0  # a second, and another for a machine that does other things


@pytest.fixture
async def own(postgres_url, run_dir, worker_id):
    """A database without the shops of other tests, whose indexes would be kept as well."""
    with postgres.clone(postgres_url, folder=run_dir, name=f"{worker_id}_search") as url:
        database = Database(url, min_size=1, max_size=2)
        await database.open()
        yield url, database
        await database.close()


async def test_knows_a_change_within_a_second(own, tmp_path):
    url, database = own
    async with database.begin() as tx:
        shop = await read_shop(tx, slug=(await make_shop(tx)).slug)
    engine = LocalEngine(tmp_path / "search" / str(shop.id), ranking=ranking())
    with serving(tmp_path, database_url=url, workers=1) as server:
        await _upsert(database, shop, "first")
        await _until_found(engine, "first", within_s=PATIENCE_S)

        took = []
        for word in ("second", "third", "fourth"):
            await _upsert(database, shop, word)
            took.append(await _until_found(engine, word, within_s=PATIENCE_S))
        assert min(took) < WITHIN_S, took
        metrics = urllib.request.urlopen(f"{server.url}/metrics").read().decode()
    assert f'crossdock_search_documents{{shop="{shop.slug}"}} 4' in metrics
    assert f'crossdock_search_unread_events{{shop="{shop.slug}"}} 0' in metrics


async def _upsert(database, shop, word: str) -> None:
    product = ProductRecord(
        handle=word,
        name=f"The {word} lamp",
        merchant="Norden",
        currency="USD",
        variants=(VariantRecord(sku=word, retail_minor=100),),
    )
    async with database.begin() as tx:
        await upsert_products(tx, shop=shop, records=[product], now=datetime.now(UTC))


async def _until_found(engine: LocalEngine, word: str, *, within_s: float) -> float:
    """How long it took, in seconds."""
    began = time.monotonic()
    while time.monotonic() - began < within_s:
        try:
            if engine.search(words_request(word, currency="USD")).count:
                return time.monotonic() - began
        except Unavailable:
            pass
        await asyncio.sleep(0.02)
    pytest.fail(f"{word} was not found within {within_s} s")
