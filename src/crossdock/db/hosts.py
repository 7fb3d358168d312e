"""The hosts of a database's URL: which to connect to, and which have stopped answering.

A frozen or unreachable host closes no connection: statements sent to it hang, and so would the pool,
long after another host was promoted. With several hosts, a late answer makes the watcher open a new
connection to that host. If that times out the host is silent: its connections are cut, and for a
while new ones go to the others only.

A single host is checked later, because there is no alternative: once an answer takes longer than any
statement may. This also ends waits that have no timeout of their own.
"""

import asyncio
import contextlib
import weakref
from time import monotonic

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crossdock.db.connection import Connection, connection_info

log = structlog.get_logger("crossdock.database")

LOOK_EVERY_S = 0.5
LATE_S = 1.5
ANSWER_WITHIN_S = 2.0
LATE_ALONE_S = 20.0  # a little over the server's own limit for a statement
ANSWER_ALONE_WITHIN_S = 5.0
SILENT_FOR_S = 10.0

Host = tuple[str, str]  # name or folder, and port


class Hosts:
    """The hosts of one URL; watches the connections of one pool."""

    def __init__(self, url: str, *, late_alone_s: float = LATE_ALONE_S) -> None:
        self._info = connection_info(url)
        self._hosts = _hosts_of(self._info)
        has_others = len(self._hosts) > 1
        self._late_s = LATE_S if has_others else late_alone_s
        self._answer_within_s = ANSWER_WITHIN_S if has_others else ANSWER_ALONE_WITHIN_S
        self._silent: dict[Host, float] = {}
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._watching: asyncio.Task[None] | None = None

    def conninfo(self) -> str:
        """The connection parameters now: all hosts except silent ones, or all if every one is silent."""
        asked = [host for host in self._hosts if not self._is_silent(host)] or self._hosts
        if len(self._hosts) < 2:
            return self._info
        names, ports = ",".join(host for host, _ in asked), ",".join(port for _, port in asked)
        return make_conninfo(self._info, host=names, port=ports)

    def add(self, connection: Connection) -> None:
        """Watch one more connection."""
        self._connections.add(connection)

    def start(self) -> None:
        """Start the watcher."""
        if self._hosts:
            self._watching = asyncio.create_task(self._watch(), name="watch database hosts")

    async def stop(self) -> None:
        """Stop the watcher."""
        if self._watching:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    def _is_silent(self, host: Host) -> bool:
        return self._silent.get(host, 0.0) > monotonic()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for host in {_host_of(c) for c in self._connections if c.waits_s() > self._late_s}:
                if not await self._answers(host):
                    log.warning("a database host is silent", host=host[0], port=host[1])
                    self._silent[host] = monotonic() + SILENT_FOR_S
                    self._cut(host)

    def _cut(self, host: Host) -> None:
        for connection in list(self._connections):
            if not connection.closed and _host_of(connection) == host:
                connection.cut()

    async def _answers(self, host: Host) -> bool:
        name, port = host
        info = make_conninfo(self._info, host=name, port=port, target_session_attrs="any")
        try:
            async with asyncio.timeout(self._answer_within_s):
                await (await psycopg.AsyncConnection.connect(info)).close()
        except TimeoutError:
            return False
        except psycopg.OperationalError as error:
            return "FATAL" in str(error)  # a refusal is an answer
        return True


def _hosts_of(info: str) -> list[Host]:
    parts = conninfo_to_dict(info)
    if "hostaddr" in parts:  # several addresses are left to libpq
        return []
    names = str(parts.get("host", "")).split(",")
    ports = str(parts.get("port", "5432")).split(",")
    if len(ports) == 1:
        ports *= len(names)
    return [(name, port or "5432") for name, port in zip(names, ports, strict=True)]


def _host_of(connection: Connection) -> Host:
    if connection.closed:
        return "", ""
    return connection.info.host, str(connection.info.port)
