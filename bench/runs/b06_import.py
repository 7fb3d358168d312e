"""B6: an import of a whole catalogue, compared with COPY of the same rows into one table."""

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.measure import Bench, Measured, Size, absolute, alternate, compare
from proof.stand import Ground
from tests.support.catalogue_files import made_products, write_jsonl
from tests.support.factories import make_shop
from tests.support.processes import ROOT, environment

FLOOR = 10.0
MEMORY_MB = 400.0


async def run(ground: Ground, size: Size, rng: random.Random) -> Measured:
    """Whole processes, including their start, over the same JSON Lines file; each import into a new shop."""
    async with ground.stand("b6") as stand:
        path = stand.folder / "catalogue.jsonl"
        write_jsonl(path, made_products(size["variants"], seed=rng.randrange(10**9), prefix="b6"))
        peaks: list[float] = []
        faults: list[str] = []

        async def ours() -> float:
            async with stand.database.begin() as tx:
                shop = await make_shop(tx)
            command = ["-m", "crossdock", "import", str(path), "--format", "jsonl"]
            seconds, peak, code = await asyncio.to_thread(
                _timed,
                [*command, "--shop", shop.slug, "--json"],
                environment(**stand.server_settings),
            )
            peaks.append(peak)
            if code:
                faults.append(f"an import ended with {code}")
            return seconds

        async def theirs() -> float:
            command = ["-m", "bench.floors.copy_rows", str(path), stand.url]
            return (await asyncio.to_thread(_timed, command, environment()))[0]

        found = await alternate(ours, theirs, pairs=size["pairs"])
    return Measured(
        lines=(
            compare("import, JSON Lines", "s", *found, floor=FLOOR, at_most=True),
            absolute("memory at its peak", "MB", [max(peaks)], limit=MEMORY_MB),
        ),
        faults=tuple(faults),
        figures={"variants_per_s": round(size["variants"] / min(found[0]))},
    )


def _timed(arguments: list[str], env: dict[str, str]) -> tuple[float, float, int]:
    """Seconds, peak memory in MB, exit code of a Python process."""
    started, peak = time.perf_counter(), 0.0
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=env,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        peak = max(peak, _memory_mb(process.pid))
        time.sleep(0.02)
    return time.perf_counter() - started, peak, process.returncode


def _memory_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return psutil.Process(pid).memory_info().rss / 1e6 if psutil.pid_exists(pid) else 0.0
    found = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0].split()[1]) / 1000 if found else 0.0


BENCH = Bench(
    id="B6",
    title="an import",
    compared_with="a Python program that reads the same file and COPYs its variants into one table",
    full={"variants": 100_000, "pairs": 5},
    quick={"variants": 10_000, "pairs": 5},
    run=run,
)
