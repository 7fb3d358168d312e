"""B3: an order of two lines, acknowledged after commit, compared with pgbench writing the same rows."""

import random

from bench.load import orders, random_baskets
from bench.measure import Bench, Measured, Size
from bench.ordering import floor_values, measure
from bench.population import populated
from crossdock.settings import default_workers
from proof.stand import Ground


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """16 lanes, the workers that `serve` starts by itself.

    There is no job worker: both sides write the job and neither runs it.
    """
    async with populated(ground, "b3", variants=size["variants"]) as (stand, shop):
        baskets = random_baskets(shop.variants, rng)
        with stand.serving(workers=default_workers(), jobs=False, log_level="info") as server:
            return await measure(
                "2 lines, shoppex_partner",
                stand,
                server,
                prepare=lambda count: orders(shop.partner, count, baskets=baskets),
                script="order.sql",
                values=await floor_values(stand, shop),
                size=size,
            )


BENCH = Bench(
    id="B3",
    title="an order of 2 lines",
    compared_with="pgbench writing the same rows as one transaction, 16 clients, the same fsync",
    full={"seconds": 3, "pairs": 7, "variants": 20_000},
    quick={"seconds": 1, "pairs": 5, "variants": 5_000},
    run=run,
)
