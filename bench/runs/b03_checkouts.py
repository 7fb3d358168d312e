"""B3 for publishers: a checkout of a filled cart of two lines, compared with pgbench writing the same rows."""

import random

from bench.carts import checkouts, number_carts
from bench.load import drive, random_baskets
from bench.measure import Bench, Measured, Size
from bench.ordering import floor_values, measure
from bench.population import populated
from crossdock.settings import default_workers
from proof.publishers import make_publisher
from proof.stand import Ground

ANSWERED = 200
WARM = 64
PER_S = 1_500  # more than either side does in a second


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """16 lanes, the workers that `serve` starts by itself; pgbench: 16 clients, same server, same fsync.

    Carts are filled before each leg. The card goes to the sandbox, whose books are in the same database.
    """
    async with populated(ground, "b3c", variants=size["variants"]) as (stand, shop):
        async with stand.database.begin() as tx:
            publisher = await make_publisher(tx, shop=shop.shop)
        baskets = random_baskets(shop.variants, rng)
        carts = PER_S * size["seconds"] * (size["pairs"] + 1)
        number_carts(publisher, carts, variants=shop.variants[:2], url=stand.url)
        with stand.serving(workers=default_workers(), jobs=False, log_level="info") as server:
            # The first checkout opens the accounts that all others, and pgbench, post to.
            first = checkouts(publisher, WARM, baskets=baskets, url=stand.url)
            await drive(server.port, first, status=ANSWERED)
            return await measure(
                "2 lines, shoppable",
                stand,
                server,
                prepare=lambda count: checkouts(publisher, count, baskets=baskets, url=stand.url),
                script="checkout.sql",
                values=await floor_values(stand, shop) | {"partner": publisher.id},
                size=size,
                status=ANSWERED,
                prepared_per_s=PER_S,
            )


BENCH = Bench(
    id="B3",
    title="a checkout of 2 lines",
    compared_with="pgbench writing the same rows as one transaction, 16 clients, the same fsync",
    full={"seconds": 3, "pairs": 7, "variants": 20_000},
    quick={"seconds": 2, "pairs": 5, "variants": 5_000},
    run=run,
)
