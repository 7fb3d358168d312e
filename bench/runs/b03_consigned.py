"""B3 for web shops: an order of two lines, entered and released, beside pgbench making the same rows."""

import random

from bench.floors.programs import pgbench
from bench.load import LANES, consigned_orders, drive, random_baskets
from bench.measure import Bench, Measured, Size, alternate, compare
from bench.population import populated
from bench.runs.b03_orders import FLOOR, LEG_S, floor_values
from crossdock.settings import default_workers
from proof.stand import Ground
from proof.web_shops import make_web_shop


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """16 lanes, the workers that `serve` starts by itself; pgbench: 16 clients, same server, same fsync."""
    async with populated(ground, "b3s", variants=size["variants"]) as (stand, shop):
        async with stand.database.begin() as tx:
            web_shop = await make_web_shop(tx, shop=shop.shop)
        values = await floor_values(stand, shop) | {"partner": web_shop.id}
        with stand.serving(workers=default_workers(), jobs=False, log_level="info") as server:
            latencies: list[float] = []

            async def ours() -> float:
                requests = consigned_orders(
                    web_shop, size["orders"], baskets=random_baskets(shop.variants, rng)
                )
                load = await drive(server.port, requests, status=201)
                latencies.append(load.p99_ms)
                return load.rate

            async def theirs() -> float:
                return pgbench(
                    ground, stand.url, "consignment.sql", seconds=LEG_S, clients=LANES, **values
                )

            await alternate(ours, theirs, pairs=1)
            found = await alternate(ours, theirs, pairs=size["pairs"])
    line = compare("2 lines released, shopwedo", "orders/s", *found, floor=FLOOR)
    return Measured(lines=(line,), figures={"p99_ms": round(max(latencies[1:]), 1)})


BENCH = Bench(
    id="B3",
    title="an order of 2 lines, released",
    compared_with="pgbench writing the same rows as one transaction, 16 clients, the same fsync",
    full={"orders": 2_000, "pairs": 7, "variants": 20_000},
    quick={"orders": 500, "pairs": 5, "variants": 5_000},
    run=run,
)
