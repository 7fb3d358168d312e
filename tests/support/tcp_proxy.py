"""A small TCP proxy in front of the database, whose link can be cut and mended."""

import asyncio
import contextlib
from typing import Self
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict


class TcpProxy:
    """Passes bytes both ways between its own port and a target, until it is told otherwise.

    `cut()` resets every connection and refuses new ones; `mend()` passes again.
    """

    def __init__(self, url: str) -> None:
        self._parts = conninfo_to_dict(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The database's URL with this proxy as its host and port."""
        login = ":".join(
            quote(str(self._parts[k])) for k in ("user", "password") if k in self._parts
        )
        return f"postgresql://{login}@127.0.0.1:{self.port}/{self._parts['dbname']}"

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        """Listen again, on the same port as before."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Stop listening and reset what is open."""
        assert self._server
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            far_reader, far_writer = await self._open()
            self._writers.add(far_writer)
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
            self._writers.discard(far_writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = str(self._parts.get("host", "127.0.0.1")), self._parts.get("port", 5432)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, int(str(port)))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
