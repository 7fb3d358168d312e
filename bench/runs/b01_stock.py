"""B1 for web shops: a page of 50 stock items, compared with a bare application that makes the same page."""

import random

from bench.floors.programs import bare_app
from bench.load import drive, stock_reads
from bench.measure import Bench, Measured, Size, alternate, compare
from bench.population import populated
from proof.stand import Ground
from proof.web_shops import make_web_shop
from tests.support.raw_http import request_bytes

FLOOR = 0.60


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Warm, keep-alive, 16 lanes, one worker; this protocol needs no write per read."""
    async with populated(ground, "b1s", variants=2_000) as (stand, shop):
        async with stand.database.begin() as tx:
            merchant_id = await tx.value(
                "select visible_merchants[1] from partners where id = %s", (shop.page_partner.id,)
            )
            web_shop = await make_web_shop(tx, shop=shop.shop, visible_merchants=(merchant_id,))
        with (
            stand.serving(workers=1, log_level="info") as server,
            bare_app(
                stand.url,
                shop_id=shop.shop.id,
                merchant_id=merchant_id,
                file=stand.folder / "none",
            ) as bare,
        ):
            count = size["calls"]
            asking = stock_reads(web_shop, 1)[0]
            page = request_bytes("POST", "/stock", body=asking.partition(b"\r\n\r\n")[2])
            latencies: list[float] = []

            async def ours() -> float:
                load = await drive(server.port, stock_reads(web_shop, count), status=200)
                latencies.append(load.p99_ms)
                return load.rate

            async def theirs() -> float:
                return (await drive(bare, [page] * count, status=200)).rate

            await alternate(ours, theirs, pairs=1)
            found = await alternate(ours, theirs, pairs=size["pairs"])
    line = compare("50 rows, shopwedo", "requests/s", *found, floor=FLOOR)
    return Measured(lines=(line,), figures={"p99_ms": round(max(latencies[1:]), 1)})


BENCH = Bench(
    id="B1",
    title="a page of 50 stock items",
    compared_with="a bare Starlette app on the same server: one query for the same rows, the same JSON",
    full={"calls": 4_000, "pairs": 7},
    quick={"calls": 1_000, "pairs": 5},
    run=run,
)
