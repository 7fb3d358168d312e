"""B12, and B8 for searches: all facets in shops with ten and a hundred times the goods."""

import asyncio
import random
import statistics
import subprocess
import sys
import time
from contextlib import AsyncExitStack

from bench.measure import Bench, Line, Measured, Size, absolute, compare
from bench.search_goods import fill_shop
from bench.searching import OpenSearch, all_facets, open_search
from crossdock.shop.search import Chosen, Filter, Scope, SearchRequest, Word
from proof.stand import Ground
from tests.support.processes import ROOT, environment

P99_MS = 10.0
INDEX_MB = 1_000.0
GROWTH = 1.5
AT_ONCE = 4


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Searches that find a few hundred products at every size, four at a time, in turns."""
    counts = [size[name] for name in ("small", "middle", "large") if name in size]
    figures: dict[str, float | int | str] = {}
    times: dict[int, list[float]] = {}
    async with AsyncExitStack() as stack:
        shops = []
        for count in counts:
            stand = await stack.enter_async_context(ground.stand(f"b12_{count}"))
            shop = await fill_shop(stand.database, variants=count)
            search = await stack.enter_async_context(open_search(stand, shop))
            shops.append((count, search, shop.id))
            figures |= _told(count, search)
        for count, search, shop_id in shops:
            times[count] = await _ask(search, shop_id, count, calls=size["calls"], rng=rng)
        for _ in range(size["pairs"]):
            for count, search, shop_id in shops:
                times[count] += await _ask(search, shop_id, count, calls=size["calls"], rng=rng)
        for count in counts:
            figures[f"{count:,}: p50 and p99, ms"] = _spread(times[count])
        for count, search, shop_id in shops:
            figures[f"{count:,}: memory, MB"] = await asyncio.to_thread(_memory, search)
            figures[f"{count:,}: everything with all facets, ms"] = await _everything(
                search, shop_id
            )
    return Measured(lines=_lines(counts, times, shops[-1][1]), figures=figures)


def _told(count: int, search: OpenSearch) -> dict[str, float | int | str]:
    return {
        f"{count:,}: build, s": round(search.build_s, 1),
        f"{count:,}: index, MB": round(search.size_mb, 1),
    }


def _spread(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"{cuts[49]:.1f} and {cuts[98]:.1f}"


def _memory(search: OpenSearch) -> float:
    """How much more memory a process needs, without the index pages that all processes share."""
    said = subprocess.run(
        [sys.executable, "-m", "bench.search_memory", str(search.folder.parent)],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    before, after = said.split()
    return round(float(after) - float(before), 1)


async def _ask(
    search: OpenSearch, shop_id: int, count: int, *, calls: int, rng: random.Random
) -> list[float]:
    """Milliseconds that each search takes for its caller."""
    requests = [_request(count, rng) for _ in range(calls)]
    took: list[float] = []

    async def caller(own: list[SearchRequest]) -> None:
        for request in own:
            began = time.perf_counter()
            await search.service.search(request, shop_id=shop_id)
            took.append(1000 * (time.perf_counter() - began))

    await asyncio.gather(*(caller(requests[place::AT_ONCE]) for place in range(AT_ONCE)))
    return took


def _request(count: int, rng: random.Random) -> SearchRequest:
    """One of four kinds; each finds a few hundred SKUs at every size."""
    rare = Word(text=f"series{rng.randrange(1000)}")
    filters = (
        (),
        (Filter(node=Chosen(facet="color", value="Red"), facet="color"),),
        (Filter(node=Chosen(facet="on_sale", value="true"), facet="on_sale"),),
        (Filter(node=Chosen(facet="merchant", value="1"), facet="merchant"),),
    )
    return SearchRequest(
        scope=Scope(currency="USD"), query=rare, filters=rng.choice(filters), facets=all_facets()
    )


async def _everything(search: OpenSearch, shop_id: int) -> float:
    took = []
    for _ in range(5):
        began = time.perf_counter()
        request = SearchRequest(scope=Scope(currency="USD"), facets=all_facets())
        await search.service.search(request, shop_id=shop_id)
        took.append(1000 * (time.perf_counter() - began))
    return round(statistics.median(took), 1)


def _lines(
    counts: list[int], times: dict[int, list[float]], largest: OpenSearch
) -> tuple[Line, ...]:
    first = [statistics.median(times[counts[0]])]
    lines = [
        compare(
            f"p50 of a search, {count:,} SKUs",
            "ms",
            [statistics.median(times[count])],
            first,
            floor=GROWTH,
            at_most=True,
        )
        for count in counts[1:]
    ]
    p99 = statistics.quantiles(times[counts[-1]], n=100)[98]
    lines.append(absolute(f"p99 of a search, {counts[-1]:,} SKUs", "ms", [p99], limit=P99_MS))
    lines.append(absolute("the index on the disk", "MB", [largest.size_mb], limit=INDEX_MB))
    return tuple(lines)


BENCH = Bench(
    id="B12",
    title="growth of a search",
    compared_with="the same searches in the smallest of the shops; 10 ms; 1 GB",
    full={"small": 10_000, "middle": 100_000, "large": 1_000_000, "calls": 200, "pairs": 5},
    quick={"small": 2_000, "middle": 10_000, "large": 40_000, "calls": 100, "pairs": 3},
    run=run,
)
