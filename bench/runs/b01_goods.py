"""B1 for publishers: a page of 50 products, compared with a bare application that makes the same page."""

import asyncio
import random
import time
from typing import Any

from bench.floors.programs import bare_app
from bench.load import drive
from bench.measure import Bench, Measured, Size, alternate, compare
from bench.population import PAGE, populated
from proof.publishers import get, make_publisher
from proof.stand import Ground
from tests.support.raw_http import Connection, request_bytes

FLOOR = 0.60
INDEX_S = 60.0
PATH = f"/v3/catalog/?rows={PAGE}&navigation_type=none"


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Warm, keep-alive, 16 lanes, one worker; no write per read. The index says which, the database what."""
    async with populated(ground, "b1g", variants=2_000) as (stand, shop):
        async with stand.database.begin() as tx:
            merchant_id = await tx.value(
                "select visible_merchants[1] from partners where id = %s", (shop.page_partner.id,)
            )
            publisher = await make_publisher(tx, shop=shop.shop, visible_merchants=(merchant_id,))
        with (
            stand.serving(workers=1, log_level="info") as server,
            bare_app(
                stand.url,
                shop_id=shop.shop.id,
                merchant_id=merchant_id,
                file=stand.folder / "none",
            ) as bare,
        ):
            asked, page = get(publisher, PATH), request_bytes("GET", "/goods")
            told = await _page(server.port, asked, until=time.monotonic() + INDEX_S)
            faults = () if told == await _page(bare, page) else ("the two pages differ",)
            latencies: list[float] = []

            async def ours() -> float:
                load = await drive(server.port, [asked] * size["calls"], status=200)
                latencies.append(load.p99_ms)
                return load.rate

            async def theirs() -> float:
                return (await drive(bare, [page] * size["calls"], status=200)).rate

            await alternate(ours, theirs, pairs=1)
            found = await alternate(ours, theirs, pairs=size["pairs"])
    line = compare("50 rows, shoppable", "requests/s", *found, floor=FLOOR)
    return Measured(lines=(line,), faults=faults, figures={"p99_ms": round(max(latencies[1:]), 1)})


async def _page(port: int, request: bytes, *, until: float = 0.0) -> list[dict[str, Any]]:
    """The page's products in one order, once all are indexed."""
    connection = await Connection.open(port)
    try:
        while True:
            reply = await connection.exchange(request)
            products = reply.json().get("products", [])
            if len(products) == PAGE:
                return sorted(products, key=lambda product: str(product["part_number"]))
            if time.monotonic() > until:
                raise RuntimeError(f"no page of {PAGE}: {reply.status} {reply.body[:300]!r}")
            await asyncio.sleep(0.2)
    finally:
        connection.close()


BENCH = Bench(
    id="B1",
    title="a page of 50 products",
    compared_with="a bare Starlette app on the same server: one query for the same products, the same JSON",
    full={"calls": 4_000, "pairs": 7},
    quick={"calls": 1_000, "pairs": 5},
    run=run,
)
