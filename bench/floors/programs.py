"""Start and stop the reference programs."""

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.generator import children_cpu_s
from crossdock.db.embedded import EmbeddedPostgres
from proof.stand import Ground
from tests.support.processes import ROOT, environment, free_port

START_S = 15.0
SCRIPTS = Path(__file__).parent
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_COUNT = re.compile(r"^number of transactions actually processed: ([0-9]+)", re.MULTILINE)


@contextlib.contextmanager
def bare_app(url: str, *, shop_id: int, merchant_id: int, file: Path) -> Iterator[int]:
    """Run the bare application; yields its port."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "bench.floors.bare_app"),
            *(str(port), url, str(shop_id), str(merchant_id), str(file)),
        ],
        env=environment(),
        cwd=ROOT,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """The result of pgbench, and the processor time of its client."""

    rate: float
    transactions: int
    cpu_s: float


def pgbench(
    ground: Ground,
    url: str,
    script: str,
    *,
    seconds: int = 0,
    transactions: int = 1,
    clients: int = 1,
    **values: int,
) -> Ran:
    """Run a script of this folder for so many seconds, or so many times per client."""
    placement = EmbeddedPostgres(ground.folder / "postgres").placement
    program = placement.bin_dir / "pgbench"
    if not program.exists():
        raise FileNotFoundError(f"{program}: B3 has no floor without pgbench")
    variables = [word for name, value in values.items() for word in ("-D", f"{name}={value}")]
    limit = ("--time", str(seconds)) if seconds else ("--transactions", str(transactions))
    before = children_cpu_s()
    result = subprocess.run(
        [
            *(str(program), "--no-vacuum", "--protocol=prepared", "--file", str(SCRIPTS / script)),
            *("--client", str(clients), "--jobs", "1", *limit, *variables, url),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    cpu_s = children_cpu_s() - before
    rate, count = _RATE.search(result.stdout), _COUNT.search(result.stdout)
    if result.returncode or rate is None or count is None:
        raise RuntimeError(f"pgbench: {result.stderr[-1000:]}")
    return Ran(rate=float(rate[1]), transactions=int(count[1]), cpu_s=cpu_s)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("the bare application did not start")
