"""B7: the whole catalogue in one answer, compared with the same bytes from a file."""

import random
import time
from pathlib import Path

import psutil

from bench.floors.programs import bare_app
from bench.load import drive, reads
from bench.measure import Bench, Measured, Size, absolute, alternate, compare
from bench.population import populated
from crossdock.serving.supervisor import WEB
from proof.stand import Ground
from tests.support.raw_http import Connection, request_bytes

FLOOR = 0.25
GROWTH_MB = 50.0
LANES = 4


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """The ratio is of cached answers; the first one, which is rendered, is for information."""
    async with populated(ground, "b7", variants=size["products"]) as (stand, shop):
        with stand.serving(workers=1, log_level="info") as server:
            (worker,) = server.children(WEB)
            # The code of the endpoint is loaded and the pool filled before memory is looked at.
            await drive(server.port, reads(shop.page_partner, 50), status=200)
            before = _memory_mb(worker)
            connection = await Connection.open(server.port)
            started = time.perf_counter()
            first = await connection.exchange(reads(shop.partner, 1)[0])
            cold_s = time.perf_counter() - started
            tag = first.header("etag") or ""
            again = await connection.exchange(
                reads(shop.partner, 1, headers={"If-None-Match": tag})[0]
            )
            connection.close()
            file = Path(stand.folder / "catalogue.json")
            file.write_bytes(first.body)
            with bare_app(stand.url, shop_id=0, merchant_id=0, file=file) as bare:

                async def ours() -> float:
                    requests = reads(shop.partner, size["calls"])
                    load = await drive(server.port, requests, status=200, lanes=LANES)
                    return load.body_bytes / load.seconds / 1e6

                async def theirs() -> float:
                    requests = [request_bytes("GET", "/file")] * size["calls"]
                    load = await drive(bare, requests, status=200, lanes=LANES)
                    return load.body_bytes / load.seconds / 1e6

                await alternate(ours, theirs, pairs=1)
                found = await alternate(ours, theirs, pairs=size["pairs"])
            growth = _memory_mb(worker) - before
    faults = [] if again.status == 304 else [f"a second identical request answers {again.status}"]
    faults += [] if len(first.json() or ()) == size["products"] else ["the list is not whole"]
    return Measured(
        lines=(
            compare("whole catalogue, warm", "MB/s", *found, floor=FLOOR),
            absolute("memory grown", "MB", [growth], limit=GROWTH_MB),
        ),
        faults=tuple(faults),
        figures={"megabytes": round(len(first.body) / 1e6, 1), "first_answer_s": round(cold_s, 2)},
    )


def _memory_mb(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / 1e6


BENCH = Bench(
    id="B7",
    title="the whole catalogue in one answer",
    compared_with="a bare Starlette app streaming the same bytes from a file",
    full={"products": 50_000, "calls": 40, "pairs": 5},
    quick={"products": 20_000, "calls": 40, "pairs": 5},
    run=run,
)
