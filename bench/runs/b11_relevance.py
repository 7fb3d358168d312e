"""B11: the relevance of real searches, by people's ratings, and what the re-rank adds and costs."""

import random
import statistics
import time
from collections.abc import Sequence
from importlib.util import find_spec

from bench import icecat
from bench.measure import Bench, Line, Measured, Size
from crossdock.settings.search import RERANK_PACKAGES
from crossdock.shop.search import Embedder, Engine, LocalEngine, words_request
from proof.stand import Ground
from tests.support.search_engines import joined_engine, local_engine, ranking

FLOOR = 0.77
RERANK_FLOOR = 0.79
RERANK_MS = 3.0
RERANKED = 50
RERANK_FOLDER = "b11-rerank"

Judgements = dict[str, dict[int, int]]


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Measure the default weights and, for comparison, one field with all texts joined."""
    if not icecat.is_there():
        return Measured(lines=(), figures={"not measured": "the judged searches are not here"})
    judgements = icecat.read_judgements()
    plain = local_engine(icecat.read_goods(), folder=ground.folder / "b11")
    ours, took_ms = _scored(plain, judgements)
    joined, _ = _scored(joined_engine(ground.folder / "b11"), judgements)
    line = _line(f"nDCG@10 of {len(judgements)} judged searches", ours, floor=FLOOR)
    figures: dict[str, float | int | str] = {
        "one joined field": round(joined, 4),
        "ms a search": round(took_ms, 2),
    }
    if not all(map(find_spec, RERANK_PACKAGES)):
        return Measured(lines=(line,), figures=figures | {"re-rank": "the extra is not installed"})
    again = _rerank_engine(ground, plain, judgements)
    meant, _ = _scored(again, judgements)
    same = LocalEngine(ground.folder / RERANK_FOLDER, ranking=ranking())
    costs = _costs_ms(same, again, [f"{query} unheard{n}" for n, query in enumerate(judgements)])
    figures["without and with the re-rank"] = f"{ours:.4f}, {meant:.4f}"
    figures["CPU ms of the re-rank, half and 99 of 100 searches"] = (
        f"{statistics.median(costs):.2f}, {statistics.quantiles(costs, n=100)[98]:.2f}"
    )
    lines = (
        line,
        _line("the same with the re-rank", meant, floor=RERANK_FLOOR),
        _line(
            "the re-rank's CPU time a search",
            statistics.median(costs),
            floor=RERANK_MS,
            unit="ms",
            at_most=True,
        ),
    )
    return Measured(lines=lines, figures=figures)


def _rerank_engine(ground: Ground, plain: LocalEngine, judgements: Judgements) -> LocalEngine:
    """Embeddings are made of the products that are ranked again, so that it does not take minutes."""
    found = {
        hit.product_id
        for query in judgements
        for hit in plain.search(words_request(query, currency="USD", limit=RERANKED)).hits
    }
    folder = ground.folder / RERANK_FOLDER
    return local_engine(icecat.read_goods(), folder=folder, embedder=Embedder(), embedded=found)


def _scored(engine: LocalEngine, judgements: Judgements) -> tuple[float, float]:
    began = time.perf_counter()
    found = icecat.relevance(engine, judgements)
    took_ms = 1000 * (time.perf_counter() - began) / len(judgements)
    return sum(found.values()) / len(found), took_ms


def _costs_ms(plain: Engine, again: Engine, searches: Sequence[str]) -> list[float]:
    """The differences in CPU time. Each search has a word that was in no search before.

    Both run in this thread. What other programs do meanwhile changes it less than the time that passes.
    """
    costs = []
    for words in searches:
        request = words_request(words, currency="USD", limit=icecat.DEPTH)
        plain.search(request)  # so that neither of the two finds the index cold
        began = time.thread_time()
        plain.search(request)
        between = time.thread_time()
        again.search(request)
        costs.append(1000 * (time.thread_time() - between - (between - began)))
    return costs


def _line(name: str, ours: float, *, floor: float, unit: str = "", at_most: bool = False) -> Line:
    return Line(
        name=name, unit=unit, ours=ours, theirs=None, ratio=ours, floor=floor, at_most=at_most
    )


BENCH = Bench(
    id="B11",
    title="relevance",
    compared_with="0.77; with the extra's re-rank 0.79 and 3 ms; one joined field is told beside it",
    full={},
    quick={},
    run=run,
)
