"""Start and stop the floor programs."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from crossdock.db.embedded import EmbeddedPostgres
from proof.stand import Ground
from tests.support.processes import ROOT, environment, free_port

START_S = 15.0
SCRIPTS = Path(__file__).parent


@contextlib.contextmanager
def bare_app(url: str, *, shop_id: int, merchant_id: int, file: Path) -> Iterator[int]:
    """The bare application; its port."""
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


def pgbench(
    ground: Ground, url: str, script: str, *, seconds: int, clients: int, **values: int
) -> float:
    """Transactions per second of a script in this folder."""
    placement = EmbeddedPostgres(ground.folder / "postgres").placement
    program = placement.bin_dir / "pgbench"
    if not program.exists():
        raise FileNotFoundError(f"{program}: B3 has no floor without pgbench")
    variables = [word for name, value in values.items() for word in ("-D", f"{name}={value}")]
    result = subprocess.run(
        [
            *(str(program), "--no-vacuum", "--protocol=prepared", "--file", str(SCRIPTS / script)),
            *("--client", str(clients), "--jobs", "1", "--time", str(seconds), *variables, url),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    for line in result.stdout.splitlines():
        if line.startswith("tps ="):
            return float(line.split()[2])
    raise RuntimeError(f"pgbench: {result.stderr[-1000:]}")


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("the bare application did not start")
