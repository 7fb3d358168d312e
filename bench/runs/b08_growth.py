"""B8: pages and orders in shops with ten and a hundred times the goods, compared with the small shop."""

import random
from contextlib import AsyncExitStack

from bench.load import drive, orders, random_baskets, reads
from bench.measure import Bench, Leg, Line, Measured, Size, compare
from bench.population import Population, populated
from proof.stand import Ground
from tests.support.processes import ServerProcess

FLOOR = 1.5


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """All shops exist at the same time, each with its own server, and take turns."""
    counts = [size["small"], size["middle"], size["large"]]
    async with AsyncExitStack() as stack:
        shops = []
        for count in counts:
            stand, shop = await stack.enter_async_context(
                populated(ground, f"b8_{count}", variants=count)
            )
            server = stack.enter_context(stand.serving(workers=1, jobs=False, log_level="info"))
            shops.append((server, shop))
        lines: list[Line] = []
        for name, leg in (("a page", _page), ("an order", _order)):
            legs = [leg(server, shop, size, rng) for server, shop in shops]
            found = await _take_turns(legs, pairs=size["pairs"])
            for count, times in zip(counts[1:], found[1:], strict=True):
                title = f"{name}, {count:,} variants"
                lines.append(compare(title, "ms", times, found[0], floor=FLOOR, at_most=True))
    return Measured(lines=tuple(lines))


async def _take_turns(legs: list[Leg], *, pairs: int) -> list[list[float]]:
    """Measure in turns (A B C A B C), after a warm-up."""
    found: list[list[float]] = [[] for _ in legs]
    for leg in legs:
        await leg()
    for _ in range(pairs):
        for times, leg in zip(found, legs, strict=True):
            times.append(await leg())
    return found


def _page(server: ServerProcess, shop: Population, size: Size, _: random.Random) -> Leg:
    async def leg() -> float:
        load = await drive(server.port, reads(shop.page_partner, size["calls"]), status=200)
        return 1000 / load.rate

    return leg


def _order(server: ServerProcess, shop: Population, size: Size, rng: random.Random) -> Leg:
    baskets = random_baskets(shop.variants, rng)

    async def leg() -> float:
        load = await drive(
            server.port, orders(shop.partner, size["orders"], baskets=baskets), status=201
        )
        return 1000 / load.rate

    return leg


BENCH = Bench(
    id="B8",
    title="growth",
    compared_with="the same work in the smallest of the shops",
    full={
        "small": 10_000,
        "middle": 100_000,
        "large": 1_000_000,
        "calls": 2_000,
        "orders": 600,
        "pairs": 5,
    },
    quick={
        "small": 2_000,
        "middle": 10_000,
        "large": 40_000,
        "calls": 500,
        "orders": 200,
        "pairs": 5,
    },
    run=run,
)
