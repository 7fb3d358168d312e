"""P21: after all processes are killed at once, with the embedded database's, the next start works."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import psycopg

from crossdock.db.embedded import EmbeddedPostgres
from proof.claim import Claim, Findings, Result, Size
from proof.claims.p03_kill import Shoppers
from proof.claims.p22_full_disk import acknowledged, make_shops
from proof.stand import Stand, patiently
from tests.support.processes import (
    ServerProcess,
    environment,
    free_port,
    wait_ready,
)

CLIENTS = 8
ORDERS = 10  # acknowledged between two crashes
START_MAX_S = 10.0
GONE_S = 30.0
LAST_ORDER_S = 60.0
CONTAINED = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


async def run(stand: Stand, size: Size, rng: random.Random) -> Result:
    """Start, order, kill everything, and again; every third time in a fresh process namespace."""
    findings = Findings()
    starting = Starting(stand, findings)
    shoppers: Shoppers | None = None
    tasks: list[asyncio.Task[None]] = []
    try:
        await asyncio.to_thread(starting.measure)
        for number in range(size["crashes"] + 1):
            server = await asyncio.to_thread(starting.start, is_contained=number % 3 == 1)
            stand.use(server)
            if shoppers is None:
                doors, variants = await make_shops(starting.url)
                shoppers = Shoppers(stand, doors, variants)
                tasks = [
                    asyncio.create_task(shoppers.shop(random.Random(rng.random())))
                    for _ in range(CLIENTS)
                ]
            await acknowledged(shoppers, more=ORDERS)
            if number < size["crashes"]:
                await asyncio.sleep(rng.uniform(0, 1))
                await asyncio.to_thread(starting.crash)
        assert shoppers is not None
        shoppers.stopping.set()
        async with asyncio.timeout(LAST_ORDER_S):
            await asyncio.gather(*tasks)
        _account(starting.url, shoppers, findings)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.to_thread(starting.end)
        stand.use(None)
    return findings.result(
        crashes=size["crashes"],
        contained=starting.contained,
        orders=len(shoppers.acknowledged),
        found_by_retry=shoppers.found_existing,
        clean_start_s=round(starting.clean_s, 1),
        slowest_start_s=round(starting.slowest_s, 1),
    )


class Starting:
    """Servers on one data folder with its embedded database, one after the other."""

    def __init__(self, stand: Stand, findings: Findings) -> None:
        self.slowest_s = 0.0
        self.contained = 0
        self._stand = stand
        self._findings = findings
        self._folder = stand.folder / "embedded"
        self._folder.mkdir()
        self._port = free_port()
        self._server: ServerProcess | None = None
        self._may_contain = _may_contain()
        self.clean_s = 0.0

    @property
    def url(self) -> str:
        """The embedded database's URL."""
        return EmbeddedPostgres(self._folder).url()

    def start(self, *, is_contained: bool) -> ServerProcess:
        """Start a server and wait until it is ready."""
        is_contained = is_contained and self._may_contain
        settings = {**self._stand.server_settings, "data_dir": self._folder, "database_url": ""}
        log_path = self._folder / "serve.log"
        command = [sys.executable, "-m", "crossdock", "serve", "--port", str(self._port)]
        started = time.monotonic()
        with log_path.open("ab") as log:
            process = subprocess.Popen(
                [*(CONTAINED if is_contained else ()), *command],
                env=environment(**settings), cwd=self._folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self._server = ServerProcess(process, port=self._port, log_path=log_path)
        _wait(self._server, is_contained=is_contained)
        took_s = time.monotonic() - started
        if self.clean_s:
            self.slowest_s = max(self.slowest_s, took_s)
            most_s = max(START_MAX_S, 2 * self.clean_s)
            self._findings.expect(took_s < most_s, f"ready only after {took_s:.1f} s")
        self.contained += is_contained
        return self._server

    def measure(self) -> None:
        """Create the cluster, then measure a start after a clean stop, for comparison on a busy machine."""
        self.start(is_contained=False)
        self.stop()
        started = time.monotonic()
        self.start(is_contained=False)
        self.clean_s = time.monotonic() - started
        self.stop()

    def stop(self) -> None:
        """Stop the server properly."""
        if self._server and self._server.process.poll() is None:
            parent = psutil.Process(self._server.process.pid)
            target = parent.children()[0] if "unshare" in parent.name() else parent
            target.send_signal(signal.SIGTERM)
            self._server.process.wait(GONE_S)

    def crash(self) -> None:
        """SIGKILL all processes of the server; they are stopped first, so that none reacts to another's end."""
        assert self._server
        parent = psutil.Process(self._server.process.pid)
        everybody = [parent, *parent.children(recursive=True)]
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in everybody:
                try:
                    process.send_signal(number)
                except psutil.NoSuchProcess:
                    continue
        self._server.process.wait(GONE_S)
        psutil.wait_procs(everybody, timeout=GONE_S)

    def end(self) -> None:
        """Stop the last server, and delete the cluster."""
        self.stop()
        with EmbeddedPostgres(self._folder, temporary=True):
            pass


def _wait(server: ServerProcess, *, is_contained: bool) -> None:
    """Wait until it is ready; in a namespace the children have another parent, so only /ready is asked."""
    if not is_contained:
        wait_ready(server, timeout_s=60)
        return
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            urlopen(f"{server.url}/ready", timeout=2).close()
        except (URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the server is not ready:\n{server.log()}")


def _may_contain() -> bool:
    """Whether this process may create process namespaces."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    return subprocess.run([*CONTAINED, "true"], check=False, capture_output=True).returncode == 0


def _account(url: str, shoppers: Shoppers, findings: Findings) -> None:
    with patiently(lambda: psycopg.connect(url)) as connection:
        rows = connection.execute("select partner_order_id, id from orders").fetchall()
    booked: dict[str, int] = dict(rows)
    told = shoppers.acknowledged
    lost = [number for number, order_id in told.items() if booked.get(number) != order_id]
    findings.expect(not lost, f"{len(lost)} acknowledged orders are lost: {lost[:3]}")
    findings.expect(len(rows) == len(booked), f"{len(rows) - len(booked)} orders are doubled")
    findings.expect(len(rows) == len(told), f"{len(rows)} orders, {len(told)} acknowledged")
    findings.expect(not shoppers.strange, f"strange answers: {dict(shoppers.strange)}")


CLAIM = Claim(
    id="P21",
    title="crash of everything",
    workload="SIGKILL to the server, its workers, the embedded database and its backends at once, while "
    "clients of two channels order; every third server in a fresh process namespace",
    must_hold="the next start works by itself in under 10 s, or twice the time of a clean start on a "
    "busy machine; no acknowledged order lost or doubled",
    full={"crashes": 50},
    quick={"crashes": 3},
    run=run,
    server=False,
)
