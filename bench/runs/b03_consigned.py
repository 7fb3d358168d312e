"""B3 for web shops: an order of two lines, placed and released, compared with pgbench writing the same rows."""

import random

from bench.load import consigned_orders, random_baskets
from bench.measure import Bench, Measured, Size
from bench.ordering import floor_values, measure
from bench.population import populated
from crossdock.settings import default_workers
from proof.stand import Ground
from proof.web_shops import make_web_shop


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """16 lanes, the workers that `serve` starts by itself; pgbench: 16 clients, same server, same fsync."""
    async with populated(ground, "b3s", variants=size["variants"]) as (stand, shop):
        async with stand.database.begin() as tx:
            web_shop = await make_web_shop(tx, shop=shop.shop)
        baskets = random_baskets(shop.variants, rng)
        with stand.serving(workers=default_workers(), jobs=False, log_level="info") as server:
            return await measure(
                "2 lines released, shopwedo",
                stand,
                server,
                prepare=lambda count: consigned_orders(web_shop, count, baskets=baskets),
                script="consignment.sql",
                values=await floor_values(stand, shop) | {"partner": web_shop.id},
                size=size,
            )


BENCH = Bench(
    id="B3",
    title="an order of 2 lines, released",
    compared_with="pgbench writing the same rows as one transaction, 16 clients, the same fsync",
    full={"seconds": 3, "pairs": 7, "variants": 20_000},
    quick={"seconds": 1, "pairs": 5, "variants": 5_000},
    run=run,
)
