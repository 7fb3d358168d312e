"""`python -m bench [--quick] [--only B3] [--seed N]`."""

import argparse
import random
import secrets
import sys
import time
import traceback
from datetime import UTC, datetime

import uvloop
from rich.console import Console

from bench.measure import Bench
from bench.report import Heading, Row, show, write_reports
from bench.runs import BENCHES
from crossdock.kit.logging import configure_logging
from proof.stand import Ground, running_stand
from tests.support.machine import commit, machine


def main() -> None:
    """Run the benchmarks; exit code 1 if a floor is missed."""
    arguments = _arguments()
    wanted = {name.strip().upper() for name in arguments.only.split(",") if name.strip()}
    benches = [bench for bench in BENCHES if not wanted or bench.id in wanted]
    if not benches or wanted - {bench.id for bench in benches}:
        sys.exit(f"there are {', '.join(bench.id for bench in BENCHES)}")
    passed = uvloop.run(_run(benches, seed=arguments.seed, is_quick=arguments.quick))
    sys.exit(0 if passed else 1)


async def _run(benches: list[Bench], *, seed: int, is_quick: bool) -> bool:
    console = Console()
    started = time.monotonic()
    configure_logging(level="error", format="console")
    heading = Heading(
        commit=commit(),
        machine=machine(),
        seed=seed,
        is_quick=is_quick,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    console.print(f"bench of {heading.commit}, seed {seed}, {heading.machine}")
    rows = []
    with running_stand(workers=1) as ground:
        for bench in benches:
            console.print(f"{bench.id} {bench.title} ...")
            rows.append(await _try(bench, ground, seed=seed, is_quick=is_quick))
    show(rows, console)
    path = write_reports(heading, rows, duration_s=time.monotonic() - started)
    console.print(f"{time.monotonic() - started:.0f} s, report in {path}")
    return all(row.passes for row in rows)


async def _try(bench: Bench, ground: Ground, *, seed: int, is_quick: bool) -> Row:
    started = time.monotonic()
    size = bench.quick if is_quick else bench.full
    measured, error = None, ""
    try:
        measured = await bench.run(ground, size, random.Random(f"{seed}:{bench.id}"))
    except Exception:  # noqa: BLE001 - a benchmark that breaks down has failed; the others go on
        error = traceback.format_exc()[-2_000:]
    return Row(bench=bench, measured=measured, error=error, duration_s=time.monotonic() - started)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Run the benchmarks.")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--only", default="", help="benchmarks to run, such as B1,B3")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeat a run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
