"""The environment of a claim: its own database on a durable PostgreSQL, and the real server."""

import asyncio
import base64
import contextlib
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
from psycopg import sql

from crossdock.db.embedded import EmbeddedPostgres
from crossdock.db.migrate import migrate
from crossdock.db.placement import discard
from crossdock.db.unit_of_work import Database
from crossdock.serving.supervisor import WEB
from tests.support.factories import MASTER_KEY
from tests.support.memory import keep_in_memory
from tests.support.postgres import with_database
from tests.support.processes import ServerProcess, serving
from tests.support.raw_http import Connection

T = TypeVar("T")
TEMPLATE = "proof_template"
ALL_READY_S = 60.0
RECOVERY_S = 60.0  # crash recovery, on a busy machine


@contextmanager
def running_postgres(folder: Path, *, temporary: bool = False) -> Iterator[str]:
    """Start a new PostgreSQL with a migrated template; yields the URL of its `postgres` database.

    It is as durable as in production unless `temporary`.
    """
    data_dir = folder / "postgres"
    if temporary:
        keep_in_memory(data_dir)
    server = EmbeddedPostgres(data_dir, temporary=temporary)
    try:
        with server:
            url = server.url("postgres")
            create_database(url, TEMPLATE, template="template0")
            migrate(with_database(url, TEMPLATE))
            yield url
    finally:
        discard(server.placement, data_dir=server.data_dir)


@contextmanager
def running_stand(*, workers: int, temporary: bool = False) -> Iterator["Ground"]:
    """Start PostgreSQL and create a folder for the run."""
    with tempfile.TemporaryDirectory(prefix="crossdock-proof-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with running_postgres(folder, temporary=temporary) as url:
            yield Ground(folder=folder, admin_url=url, workers=workers)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What all claims of a run share."""

    folder: Path
    admin_url: str
    workers: int

    @asynccontextmanager
    async def stand(self, name: str) -> AsyncIterator["Stand"]:
        """A fresh database and folder for one claim."""
        database_name = f"proof_{name.lower()}"
        create_database(self.admin_url, database_name)
        url = with_database(self.admin_url, database_name)
        folder = self.folder / name.lower()
        folder.mkdir(exist_ok=True)
        database = Database(url, min_size=1, max_size=8)
        await database.open()
        try:
            yield Stand(ground=self, url=url, folder=folder, database=database)
        finally:
            await database.close()
            drop_database(self.admin_url, database_name)


class Stand:
    """One claim's database, folder and servers."""

    def __init__(self, *, ground: Ground, url: str, folder: Path, database: Database) -> None:
        self.ground = ground
        self.url = url
        self.folder = folder
        self.database = database
        self._server: ServerProcess | None = None

    @property
    def server(self) -> ServerProcess:
        """The server that runs now."""
        if self._server is None:
            raise RuntimeError("this claim asked for no server")
        return self._server

    @asynccontextmanager
    async def recovered(self) -> AsyncIterator[Database]:
        """A pool of one connection, once the database has recovered."""
        await asyncio.to_thread(patiently, lambda: psycopg.connect(self.url).close())
        database = Database(self.url, min_size=1, max_size=1)
        await database.open()
        try:
            yield database
        finally:
            await database.close()

    def use(self, server: ServerProcess | None) -> None:
        """Register a server that a claim started itself as the running one."""
        self._server = server

    @property
    def server_settings(self) -> dict[str, object]:
        """The settings of every process of this claim."""
        return {
            "data_dir": self.folder,
            "database_url": self.url,
            "master_key": base64.b64encode(MASTER_KEY).decode(),
            "rate_limit_per_minute": 0,
            "guest_calls_per_minute": 0,
            "log_level": "warning",
        }

    @contextmanager
    def serving(
        self, *, port: int = 0, jobs: bool = True, **settings: Any
    ) -> Iterator[ServerProcess]:
        """Run a real `crossdock serve`; it is always stopped at the end."""
        chosen: dict[str, Any] = {
            **self.server_settings,
            "workers": self.ground.workers,
            **settings,
        }
        folder = Path(chosen.pop("data_dir"))
        with serving(folder, *(() if jobs else ("--no-jobs",)), port=port, **chosen) as server:
            _wait_all(server, count=int(chosen["workers"]))
            before, self._server = self._server, server
            try:
                yield server
            finally:
                self._server = before

    async def connect(self, count: int) -> list[Connection]:
        """Open so many connections; the kernel distributes them over the worker processes."""
        return [await Connection.open(self.server.port) for _ in range(count)]


def _wait_all(server: ServerProcess, *, count: int) -> None:
    """Wait until every web process listens, so that load is spread from the first request on."""
    deadline = time.monotonic() + ALL_READY_S
    while time.monotonic() < deadline:
        listening = [pid for pid in server.children(WEB) if _listens(pid)]
        if len(listening) >= count:
            return
        time.sleep(0.02)
    raise AssertionError(f"not all web processes listen:\n{server.log()}")


def _listens(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        connections = psutil.Process(pid).net_connections(kind="tcp")
        return any(c.status == psutil.CONN_LISTEN for c in connections)
    return False


def create_database(
    admin_url: str, name: str, *, template: str = TEMPLATE, strategy: str = "wal_log"
) -> None:
    """Create a database as a copy of the template."""
    with patiently(lambda: psycopg.connect(admin_url, autocommit=True)) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy {}").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(strategy)
            )
        )


def drop_database(admin_url: str, name: str) -> None:
    """Drop a database, even if it is in use."""
    with patiently(lambda: psycopg.connect(admin_url, autocommit=True)) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )


def patiently(ask: Callable[[], T], *, within_s: float = RECOVERY_S) -> T:
    """The result of `ask`, retried while PostgreSQL recovers after a kill."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            return ask()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def kill(pid: int) -> bool:
    """Send SIGKILL; whether the process existed."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False
