"""B4: many orders for one variant, compared with orders over many variants."""

import itertools
import random
from collections.abc import Iterator, Sequence

from bench.generator import CREATED, PREPARED_PER_S, send
from bench.load import LANES, orders
from bench.measure import Bench, Leg, Measured, Size, alternate, compare
from bench.population import Population, populated
from crossdock.settings import default_workers
from proof.stand import Ground, Stand
from tests.support.processes import ServerProcess

FLOOR = 0.50
CLIENTS = 32


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """32 clients on one level, compared with B3's load with as many lines per order."""
    async with populated(ground, "b4", variants=5_000) as (stand, shop):
        hot = itertools.repeat((shop.variants[0],))
        many = ((variant,) for variant in itertools.cycle(shop.variants))
        with stand.serving(workers=default_workers(), jobs=False, log_level="info") as server:
            legs = [
                _leg(stand, server, shop, size, baskets=baskets, lanes=lanes)
                for baskets, lanes in ((hot, CLIENTS), (many, LANES))
            ]
            await alternate(*legs, pairs=1)
            found = await alternate(*legs, pairs=size["pairs"])
            deadlocks = await _deadlocks(stand)
    faults = (f"{deadlocks} deadlocks",) if deadlocks else ()
    line = compare("one hot variant, 32 clients", "orders/s", *found, floor=FLOOR)
    return Measured(lines=(line,), faults=faults, figures={"deadlocks": deadlocks})


def _leg(
    stand: Stand,
    server: ServerProcess,
    shop: Population,
    size: Size,
    *,
    baskets: Iterator[Sequence[int]],
    lanes: int,
) -> Leg:
    async def leg() -> float:
        requests = orders(shop.partner, PREPARED_PER_S * size["seconds"], baskets=baskets)
        return send(
            server.port,
            requests,
            folder=stand.folder,
            status=CREATED,
            seconds=size["seconds"],
            lanes=lanes,
        ).rate

    return leg


async def _deadlocks(stand: Stand) -> int:
    async with stand.database.statement() as tx:
        return await tx.value(
            "select deadlocks from pg_stat_database where datname = current_database()"
        )


BENCH = Bench(
    id="B4",
    title="orders for one hot variant",
    compared_with="the same channel's orders over many variants",
    full={"seconds": 3, "pairs": 5},
    quick={"seconds": 1, "pairs": 5},
    run=run,
)
