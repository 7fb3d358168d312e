"""P24: with thousands of connections that do nothing or read nothing, other clients are hardly slower."""

import asyncio
import random
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psutil

from crossdock.serving.supervisor import WEB
from proof.claim import Claim, Findings, Result, Size, Unavailable
from proof.stand import Stand
from tests.support.raw_http import Connection, request_bytes

P99_MAX_S = 1.0
MEMORY_MAX_BYTES = 300_000_000
SPARE_FILES = 500
PAUSE_S = 0.02
SMALL_BUFFER = 4096
BURST = 100
HEALTH = request_bytes("GET", "/health")
ASKED_AHEAD = request_bytes("GET", "/docs/") * 1_000
SLOW_BODY = b"POST /admin/api/authTest HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\nauth="
KINDS = {"idle": b"", "half": b"GET /docs/ HTTP/1.1\r\nHos", "unread": ASKED_AHEAD, "slow": SLOW_BODY}  # fmt: skip


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Open one kind of connection after the other, keep all, and send requests on new connections meanwhile."""
    findings = Findings()
    honest = Honest(stand.server.port)
    asking = asyncio.create_task(honest.ask())
    figures: dict[str, int | float] = {}
    with ExitStack() as opened:
        opened.enter_context(_files(sum(size[kind] for kind in KINDS)))
        try:
            for kind, data in KINDS.items():
                honest.waited_s.clear()
                for number in range(size[kind]):
                    opened.enter_context(_connection(stand.server.port, data))
                    if number % BURST == 0:
                        await asyncio.sleep(0)  # the honest client is of this loop
                await asyncio.sleep(size["hold_s"])
                figures[f"{kind}_p99_s"] = honest.p99_s()
                findings.expect(honest.p99_s() < P99_MAX_S, f"{kind}: p99 {honest.p99_s()} s")
        finally:
            asking.cancel()
    for pid in stand.server.children(WEB):
        used = psutil.Process(pid).memory_info().rss
        findings.expect(used < MEMORY_MAX_BYTES, f"a web process has {used:,} bytes")
        figures["memory_mb"] = max(figures.get("memory_mb", 0), used // 1_000_000)
    findings.expect(not honest.failures, f"not answered: {honest.failures[:3]}")
    return findings.result(answers=honest.answers, **figures)


class Honest:
    """A client that sends one request after another, each on a new connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.answers = 0
        self.waited_s: list[float] = []
        self.failures: list[str] = []

    async def ask(self) -> None:
        """Send requests until cancelled."""
        while True:
            started = time.monotonic()
            try:
                connection = await Connection.open(self._port)
                reply = await connection.exchange(HEALTH)
                connection.close()
                if reply.status != 200:
                    self.failures.append(str(reply.status))
            except OSError as error:
                self.failures.append(repr(error))
            self.answers += 1
            self.waited_s.append(time.monotonic() - started)
            await asyncio.sleep(PAUSE_S)

    def p99_s(self) -> float:
        """The 99th percentile of this phase's requests; the slowest if there are few."""
        ordered = sorted(self.waited_s)
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3)


@contextmanager
def _connection(port: int, data: bytes) -> Iterator[None]:
    """A connection that sent as much of `data` as it could, and reads nothing."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        made.settimeout(5)
        with suppress(OSError):  # the server may refuse it
            made.connect(("127.0.0.1", port))
            made.setblocking(False)
            made.send(data)
        yield


@contextmanager
def _files(count: int) -> Iterator[None]:
    """Allow so many open files in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, count + SPARE_FILES)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise Unavailable(f"it opens {wanted:,} files, and this process may open {hard:,}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


CLAIM = Claim(
    id="P24",
    title="connections",
    workload="connections that send nothing, half a header, a thousand requests without reading an "
    "answer, or a body that never ends, all of them kept open, while a client asks on new connections",
    must_hold="the client is always answered, its p99 stays under 1 s in every phase, and no web process "
    "has more than 300 MB",
    full={"idle": 2_000, "half": 2_000, "unread": 1_000, "slow": 1_100, "hold_s": 10},
    quick={"idle": 600, "half": 600, "unread": 300, "slow": 300, "hold_s": 3},
    run=run,
)
