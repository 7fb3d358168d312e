"""B5 over HTTP: the publishers' catalogue with one filter and all facets, compared with the index library."""

import random
import time

from bench.floors.index_library import ROOTS, Library
from bench.measure import Bench, Line, Measured, Size
from bench.runs.b05_search import EXTRA_MS, FLOORED, beside_the_library
from bench.search_goods import fill_shop
from bench.searching import open_search
from proof.publishers import get, make_publisher
from proof.stand import Ground
from tests.support.raw_http import Connection

ROWS = 20


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """One caller on one connection; the two take turns after each search. The figures are medians."""
    async with ground.stand("b5h") as stand:
        shop = await fill_shop(stand.database, variants=size["variants"])
        async with stand.database.begin() as tx:
            publisher = await make_publisher(tx, shop=shop)
        rare = [f"series{rng.randrange(1000)}" for _ in range(size["words"])]
        lines: list[Line] = []
        figures: dict[str, float | int | str] = {}
        async with open_search(stand, shop) as search:
            library = Library(search.folder)
            with stand.serving(workers=1, jobs=False, log_level="info") as server:
                connection = await Connection.open(server.port)
                for name, words in (("a rare word", rare), ("a common word", ["lamp", "desk"])):
                    ours, theirs, products = [], [], 0
                    for number in range(-len(words), size["searches"]):
                        word = words[number % len(words)]
                        began = time.perf_counter()
                        reply = await connection.exchange(get(publisher, _path(word)))
                        between = time.perf_counter()
                        if reply.status != 200:
                            raise RuntimeError(f"{word}: {reply.status} {reply.body[:300]!r}")
                        searched = time.perf_counter()
                        library.search(word, FLOORED)
                        products += reply.json()["count"]
                        if number >= 0:  # the first ones warm up
                            ours.append(1000 * (between - began))
                            theirs.append(1000 * (time.perf_counter() - searched))
                    figures[f"{name}: products in all"] = products
                    lines.append(beside_the_library(f"{name} over HTTP", ours, theirs))
                connection.close()
    return Measured(lines=tuple(lines), figures=figures)


def _path(word: str) -> str:
    chosen = ",".join(ROOTS)
    return f"/v3/catalog/?search={word}&category_ids={chosen}&rows={ROWS}&navigation_type=all"


BENCH = Bench(
    id="B5",
    title="a search with all facets over HTTP",
    compared_with=f"the index library's own search and aggregation of the same words, and {EXTRA_MS:.0f} ms",
    full={"variants": 100_000, "words": 50, "searches": 400},
    quick={"variants": 10_000, "words": 20, "searches": 200},
    run=run,
)
