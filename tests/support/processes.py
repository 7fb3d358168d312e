"""The real `crossdock` command as a process of its own, spoken to over real sockets."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.forking import run_forked

ROOT = Path(__file__).parents[2]
# A start is four seconds of processor time, of which a machine that is busy gives a tenth.
READY_TIMEOUT_S = 90.0
END_TIMEOUT_S = 30.0
LISTENING = "0A"
WEB = "crossdock.serving.web"
JOBS = "crossdock.serving.jobs"


class ServerProcess:
    """A running `crossdock serve`."""

    def __init__(self, process: subprocess.Popen[bytes], *, port: int, log_path: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.database_url = ""
        self._log_path = log_path

    def log(self) -> str:
        """Everything the processes wrote so far."""
        return self._log_path.read_text(errors="replace")

    def children(self, module: str) -> list[int]:
        """Process ids of the running children that run `module`, oldest first."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                command = (entry / "cmdline").read_bytes().split(b"\0")
                if parent == self.process.pid and module.encode() in command:
                    found.append(int(entry.name))
        return sorted(found)

    def listening(self) -> int:
        """How many sockets listen on the server's port: one per web process that accepts requests."""
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(
            row[3] == LISTENING and int(row[1].split(":")[1], 16) == self.port for row in rows
        )

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(END_TIMEOUT_S)


def environment(**settings: object) -> dict[str, str]:
    """A clean environment for a crossdock process with these settings."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("CROSSDOCK_")}
    chosen = {f"CROSSDOCK_{name.upper()}": str(value) for name, value in settings.items()}
    return {**inherited, "PYTHONPATH": str(ROOT / "src"), **chosen}


def run_command(
    *arguments: str,
    settings: Mapping[str, object],
    timeout_s: float = 60,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one `crossdock` command to its end, in a process of its own."""
    return run_forked(
        arguments, env=environment(**settings), cwd=str(settings["data_dir"]),
        timeout_s=timeout_s, stdin=stdin,
    )  # fmt: skip


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(
    data_dir: Path,
    *arguments: str,
    wait: bool = True,
    module: str = "crossdock",
    command: str = "serve",
    port: int = 0,
    **settings: object,
) -> Iterator[ServerProcess]:
    """`crossdock serve`, or `run`, on a free port, or this one, until the block ends."""
    port = port or free_port()
    data_dir.mkdir(parents=True, exist_ok=True)
    log_path = data_dir / f"serve-{port}.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, command, "--port", str(port), *arguments],
            env=environment(data_dir=data_dir, **settings), cwd=data_dir,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    server = ServerProcess(process, port=port, log_path=log_path)
    try:
        if wait:
            wait_ready(server)
        yield server
    finally:
        server.end()


def wait_ready(server: ServerProcess, *, timeout_s: float = READY_TIMEOUT_S) -> None:
    """Wait until every web process listens and /ready says 200.

    Fails with the log when the server ends or time is up.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise AssertionError(f"the server ended:\n{server.log()}")
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{server.url}/ready", timeout=2).close()
            if server.listening() >= len(server.children(WEB)) > 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"the server is not ready:\n{server.log()}")
