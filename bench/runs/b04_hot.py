"""B4: many orders for one hot variant beside orders over many variants."""

import itertools
import random

from bench.load import LANES, drive, orders
from bench.measure import Bench, Measured, Size, alternate, compare
from bench.population import populated
from crossdock.settings import default_workers
from proof.stand import Ground

FLOOR = 0.50
CLIENTS = 32


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """32 clients on one level; the comparison is B3's load with baskets of as many lines."""
    async with populated(ground, "b4", variants=5_000) as (stand, shop):
        hot = itertools.repeat((shop.variants[0],))
        many = ((variant,) for variant in itertools.cycle(shop.variants))
        count = size["orders"]
        with stand.serving(workers=default_workers(), jobs=False, log_level="info") as server:

            async def ours() -> float:
                requests = orders(shop.partner, count, baskets=hot)
                return (await drive(server.port, requests, status=201, lanes=CLIENTS)).rate

            async def theirs() -> float:
                requests = orders(shop.partner, count, baskets=many)
                return (await drive(server.port, requests, status=201, lanes=LANES)).rate

            await alternate(ours, theirs, pairs=1)
            found = await alternate(ours, theirs, pairs=size["pairs"])
            deadlocks = await _deadlocks(stand)
    faults = (f"{deadlocks} deadlocks",) if deadlocks else ()
    line = compare("one hot variant, 32 clients", "orders/s", *found, floor=FLOOR)
    return Measured(lines=(line,), faults=faults, figures={"deadlocks": deadlocks})


async def _deadlocks(stand) -> int:
    async with stand.database.statement() as tx:
        return await tx.value(
            "select deadlocks from pg_stat_database where datname = current_database()"
        )


BENCH = Bench(
    id="B4",
    title="orders for one hot variant",
    compared_with="the same channel's orders over many variants",
    full={"orders": 2_000, "pairs": 5},
    quick={"orders": 400, "pairs": 5},
    run=run,
)
