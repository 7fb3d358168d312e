"""B5: a search with one filter and all facets, compared with the index library's own."""

import random
import statistics
import time

from bench.floors.index_library import HIGH, LOW, ROOTS, Library
from bench.measure import Bench, Line, Measured, Size
from bench.search_goods import fill_shop
from bench.searching import all_facets, open_search
from crossdock.shop.search import Bool, Chosen, Filter, Range, Scope, SearchRequest, Word
from proof.stand import Ground

EXTRA_MS = 2.0
# Categories are the same for all SKUs of a product; prices are not, so those SKUs are counted one by one.
FLOORED = "choice of categories"
FILTERS = {
    FLOORED: Filter(
        node=Bool(should=tuple(Chosen(facet="category", value=each) for each in ROOTS)),
        facet="category",
    ),
    "range of prices": Filter(node=Range(field="price", low=LOW, high=HIGH), facet="price"),
}


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """One caller at a time; the two take turns after each search. The figures are medians."""
    async with ground.stand("b5") as stand:
        shop = await fill_shop(stand.database, variants=size["variants"])
        async with open_search(stand, shop) as search:
            library = Library(search.folder)
            words = [f"series{rng.randrange(1000)}" for _ in range(size["words"])]
            lines: list[Line] = []
            figures: dict[str, float | int | str] = {}
            for name, chosen in (("a rare word", words), ("a common word", ["lamp", "desk"])):
                for kind, one in FILTERS.items():
                    ours, theirs = [], []
                    for number in range(size["searches"]):
                        word = chosen[number % len(chosen)]
                        began = time.perf_counter()
                        found = await search.service.search(_request(word, one), shop_id=shop.id)
                        ours.append(1000 * (time.perf_counter() - began))
                        began = time.perf_counter()
                        library.search(word, kind)
                        theirs.append(1000 * (time.perf_counter() - began))
                    if kind == FLOORED:
                        lines.append(beside_the_library(f"{name}, one {kind}", ours, theirs))
                    figures[f"{name}, one {kind}: products"] = found.count
                    figures[f"{name}, one {kind}: ms"] = round(statistics.median(ours), 2)
    return Measured(lines=tuple(lines), figures=figures)


def _request(word: str, one: Filter) -> SearchRequest:
    return SearchRequest(
        scope=Scope(currency="USD"), query=Word(text=word), filters=(one,), facets=all_facets()
    )


def beside_the_library(name: str, ours: list[float], theirs: list[float]) -> Line:
    """The median of our milliseconds beside the library's and EXTRA_MS."""
    mine, limit = statistics.median(ours), statistics.median(theirs) + EXTRA_MS
    return Line(
        name=f"{name}, beside the library + {EXTRA_MS:.0f} ms",
        unit="ms",
        ours=mine,
        theirs=limit,
        ratio=mine / limit,
        floor=1.0,
        at_most=True,
    )


BENCH = Bench(
    id="B5",
    title="a search with all facets",
    compared_with="the index library's own search and aggregation of the same words, and 2 ms",
    full={"variants": 100_000, "words": 50, "searches": 400},
    quick={"variants": 10_000, "words": 20, "searches": 200},
    run=run,
)
