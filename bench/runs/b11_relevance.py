"""B11: the relevance of real searches, by people's ratings."""

import random
import time

from bench import icecat
from bench.measure import Bench, Line, Measured, Size
from crossdock.shop.search import LocalEngine
from proof.stand import Ground
from tests.support.search_engines import joined_engine, local_engine

FLOOR = 0.77


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Measure the default weights and, for comparison, one field with all texts joined."""
    if not icecat.is_there():
        return Measured(lines=(), figures={"not measured": "the judged searches are not here"})
    judgements = icecat.read_judgements()
    ours = _scored(local_engine(icecat.read_goods(), folder=ground.folder / "b11"), judgements)
    joined = _scored(joined_engine(ground.folder / "b11"), judgements)
    line = Line(
        name=f"nDCG@10 of {len(judgements)} judged searches",
        unit="",
        ours=ours[0],
        theirs=None,
        ratio=ours[0],
        floor=FLOOR,
    )
    figures = {"one joined field": round(joined[0], 4), "ms a search": round(ours[1], 2)}
    return Measured(lines=(line,), figures=figures)


def _scored(engine: LocalEngine, judgements: dict[str, dict[int, int]]) -> tuple[float, float]:
    began = time.perf_counter()
    found = icecat.relevance(engine, judgements)
    took_ms = 1000 * (time.perf_counter() - began) / len(judgements)
    return sum(found.values()) / len(found), took_ms


BENCH = Bench(
    id="B11",
    title="relevance",
    compared_with="0.77; one joined field is told beside it",
    full={},
    quick={},
    run=run,
)
