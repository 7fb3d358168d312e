"""A dry run: it reports what the import would do, and nobody waits for more than one batch of it."""

import asyncio
import json

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.imports import batches
from crossdock.imports.running import ImportOrder, Summary, run_import
from crossdock.shop.catalogue import VariantPrices, price_variants
from crossdock.shop.stock import hold_stock

COUNTED = [name for name in Summary.__struct_fields__ if name not in ("dry_run", "file")]


@pytest.fixture
def batches_of_one(monkeypatch):
    """Each item is a batch of its own, dry or not."""
    monkeypatch.setattr(batches, "BATCH_ITEMS", 1)


def product(handle, *skus, **more):
    """A product of these variants, one line."""
    variants = [
        {
            "sku": sku,
            "retail_minor": 100,
            "options": {"Size": sku},
            "stock": [{"pool": "own", "on_hand": 5}],
        }
        for sku in skus
    ]
    return {"handle": handle, "name": handle, "option_names": ["Size"], "variants": variants} | more


def lines(*records):
    """A file in JSON Lines."""
    return "\n".join(json.dumps(record) for record in records)


POST = {"type": "blog_post", "slug": "news", "title": "News", "content": "<p>One</p>",
        "language": "en", "published_at": "2026-01-01T00:00:00Z"}  # fmt: skip


@pytest.mark.usefixtures("batches_of_one")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            lines(product("b", "1", "3"), product("a", "2")), id="taken from a later product"
        ),
        pytest.param(
            lines(product("a", "2"), product("b", "1", "3")), id="taken from an earlier product"
        ),
        pytest.param(
            lines(product("b", "3"), product("new", "1", "2")), id="all taken from the product"
        ),
        pytest.param(lines(POST, POST, POST | {"title": "Other"}), id="a post again"),
        pytest.param(
            lines(
                {"type": "merchant", "name": "Quay"},
                product("c", "8"),
                {"type": "merchant", "name": "Quay"},
                product("d", "9"),
                {"type": "merchant", "name": "Quay", "country": "NL"},
            ),
            id="a merchant again",
        ),
        pytest.param(
            lines(
                product("c", "9", merchant="Quay"),
                {"type": "merchant", "name": "Quay"},
            ),
            id="a merchant of a product",
        ),
        pytest.param(
            lines(
                {"type": "category", "path": ["Sea", "Ropes"]},
                {"type": "category", "path": ["sea", "Ropes"], "sort": 3},
                {"type": "category", "path": ["SEA", "Ropes"], "sort": 3},
            ),
            id="a category again",
        ),
        pytest.param(
            lines(
                product("c", "9", categories=[["Sea", "Ropes"]]),
                {"type": "category", "path": ["sea", "ropes"]},
                {"type": "category", "path": ["SEA"]},
            ),
            id="a category of a product",
        ),
    ],
)
async def test_counts_what_earlier_batches_would_have_changed(import_, text):
    await import_(lines(product("a", "1", "2"), product("b", "3")), "jsonl")
    dry = await import_(text, "jsonl", dry_run=True)
    wet = await import_(text, "jsonl")
    assert {n: getattr(dry, n) for n in COUNTED} == {n: getattr(wet, n) for n in COUNTED}
    assert dry.refused == 0


class Gate:
    """Stops a run while its second batch has its locks, and again before the third takes any."""

    def __init__(self) -> None:
        self.batch = 0
        self.is_at = {"within the second": asyncio.Event(), "before the third": asyncio.Event()}
        self.may_go = {place: asyncio.Event() for place in self.is_at}

    async def look(self, query):
        """The hook of the run's database."""
        if "pg_advisory_xact_lock" in query:
            self.batch += 1
            if self.batch == 3:
                await self._stop("before the third")
        elif "on_hand_delta" in query and self.batch == 2:
            await self._stop("within the second")

    async def _stop(self, place):
        self.is_at[place].set()
        await self.may_go[place].wait()

    def open(self):
        """Stop nobody any more."""
        for event in self.may_go.values():
            event.set()


async def waiting(database, *, count):
    """Until so many wait for a lock."""
    sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with asyncio.timeout(30), database.statement() as tx:
        while await tx.value(sql) < count:
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("batches_of_one")
async def test_keeps_nobody_waiting_for_longer_than_its_batch(
    import_, rows, database, database_url, shop, clock, tmp_path
):
    goods = [product(handle, f"{handle}-1") for handle in "abc"]
    await import_(lines(*goods), "jsonl")
    ids = dict(await rows("select sku, id from variants where shop_id = %s"))
    for one in goods:
        one["name"] = "New"
        one["variants"][0] |= {"retail_minor": 900, "stock": [{"pool": "own", "on_hand": 9}]}
    path = tmp_path / "new.jsonl"
    path.write_text(lines(*goods))

    async def order(sku):
        async with database.begin() as tx:
            await hold_stock(
                tx, shop_id=shop.id, variant_id=ids[sku], quantity=1, ttl_s=60, now=clock.now()
            )

    async def edit(sku):
        async with database.begin() as tx:
            prices = {ids[sku]: VariantPrices(retail_minor=250)}
            await price_variants(tx, shop_id=shop.id, prices=prices, now=clock.now())

    gate = Gate()
    held = Database(database_url, min_size=1, max_size=2, hook=gate.look)
    await held.open()
    dry = ImportOrder(path=path, format="jsonl", shop=shop, merchant="Harbour Goods", dry_run=True)
    run = asyncio.create_task(run_import(held, order=dry, clock=clock))
    try:
        await asyncio.wait_for(gate.is_at["within the second"].wait(), 30)
        await order("a-1")
        others = [asyncio.create_task(order("b-1")), asyncio.create_task(edit("b-1"))]
        await waiting(database, count=2)
        gate.may_go["within the second"].set()
        await asyncio.gather(*others)
        await asyncio.wait_for(gate.is_at["before the third"].wait(), 30)
        await edit("a-1")
        assert not run.done()
        gate.open()
        summary = await run
    finally:
        gate.open()
        await asyncio.gather(run, return_exceptions=True)
        await held.close()
    assert (summary.products_changed, summary.stock_changed, summary.error) == (3, 3, "")
    assert await rows(
        """select sku, retail_minor, on_hand, held from variants v
           join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id
           where v.shop_id = %s order by 1"""
    ) == [("a-1", 250, 5, 1), ("b-1", 250, 5, 1), ("c-1", 100, 5, 0)]
