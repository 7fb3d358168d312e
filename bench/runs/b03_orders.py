"""B3: an order of two lines, acknowledged after commit, beside pgbench making the same rows."""

import random

from bench.floors.programs import pgbench
from bench.load import LANES, drive, orders, random_baskets
from bench.measure import Bench, Measured, Size, alternate, compare
from bench.population import Population, populated
from crossdock.settings import default_workers
from proof.stand import Ground, Stand

FLOOR = 0.40
LEG_S = 3


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """16 lanes, the workers that `serve` starts by itself.

    No job worker: the job is written by both sides and run by neither.
    """
    async with populated(ground, "b3", variants=size["variants"]) as (stand, shop):
        values = await floor_values(stand, shop)
        with stand.serving(workers=default_workers(), jobs=False, log_level="info") as server:
            latencies: list[float] = []

            async def ours() -> float:
                requests = orders(
                    shop.partner, size["orders"], baskets=random_baskets(shop.variants, rng)
                )
                load = await drive(server.port, requests, status=201)
                latencies.append(load.p99_ms)
                return load.rate

            async def theirs() -> float:
                return pgbench(
                    ground, stand.url, "order.sql", seconds=LEG_S, clients=LANES, **values
                )

            await alternate(ours, theirs, pairs=1)
            found = await alternate(ours, theirs, pairs=size["pairs"])
    line = compare("2 lines, shoppex_partner", "orders/s", *found, floor=FLOOR)
    return Measured(lines=(line,), figures={"p99_ms": round(max(latencies[1:]), 1)})


async def floor_values(stand: Stand, shop: Population) -> dict[str, int]:
    """What the pgbench script is told."""
    async with stand.database.statement() as tx:
        low, high = await tx.one(
            "select min(id), max(id) from variants where shop_id = %s and merchant_id = %s",
            (shop.shop.id, shop.shop.merchant_id),
        ) or (0, 0)
        customer, credential = await tx.one(
            "select p.customer_id, c.id from partners p join credentials c on c.partner_id = p.id"
            " where p.id = %s",
            (shop.partner.id,),
        ) or (0, 0)
    return {
        "shop": shop.shop.id,
        "partner": shop.partner.id,
        "customer": customer,
        "credential": credential,
        "low": low,
        "high": high,
    }


BENCH = Bench(
    id="B3",
    title="an order of 2 lines",
    compared_with="pgbench writing the same rows as one transaction, 16 clients, the same fsync",
    full={"orders": 2_000, "pairs": 7, "variants": 20_000},
    quick={"orders": 500, "pairs": 5, "variants": 5_000},
    run=run,
)
