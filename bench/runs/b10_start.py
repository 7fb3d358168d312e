"""B10: how long `serve` takes to be ready on existing data, and the memory of an idle worker."""

import random
import time
import urllib.error
import urllib.request

import psutil

from bench.measure import Bench, Measured, Size, absolute
from bench.population import populated
from crossdock.serving.supervisor import WEB
from proof.stand import Ground
from tests.support.processes import serving, wait_ready

READY_S = 3.0
IDLE_MB = 150.0
TIMES = 5


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Start the whole product with its own database several times on one data folder."""
    folder = ground.folder / "b10"
    with serving(folder):
        pass  # makes the data folder
    starts: list[float] = []
    for _ in range(TIMES):
        started = time.perf_counter()
        with serving(folder, wait=False) as server:
            _wait(f"{server.url}/ready", server)
            starts.append(time.perf_counter() - started)
    async with populated(ground, "b10", variants=size["variants"]) as (stand, _):
        with stand.serving(workers=2, log_level="info") as server:
            wait_ready(server)
            time.sleep(size["idle_s"])
            memory = [_memory_mb(pid) for pid in server.children(WEB)]
    return Measured(
        lines=(
            absolute("ready on existing data", "s", starts, limit=READY_S),
            absolute("an idle worker's memory", "MB", [max(memory)], limit=IDLE_MB),
        )
    )


def _wait(url: str, server) -> None:
    """Wait in shorter steps than the tests do, because the time is measured."""
    while server.process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    raise RuntimeError(server.log())


def _memory_mb(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / 1e6


BENCH = Bench(
    id="B10",
    title="memory and start",
    compared_with="-",
    full={"variants": 10_000, "idle_s": 5},
    quick={"variants": 1_000, "idle_s": 2},
    run=run,
)
