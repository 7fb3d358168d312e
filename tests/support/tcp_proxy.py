"""A small TCP proxy in front of the database, whose link can be cut and mended."""

import asyncio
import contextlib
from typing import Self
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict


class TcpProxy:
    """Passes bytes both ways between its own port and a target, until it is told otherwise.

    `cut()` resets every connection and refuses new ones; `mend()` passes again. `half_close()` ends
    one direction of every connection. `freeze()` passes nothing and closes nothing until `thaw()`.
    `delay_s` holds each piece back for so long.
    """

    delay_s = 0.0

    def __init__(self, url: str) -> None:
        self._parts = conninfo_to_dict(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._far_writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
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
        for writer in [*self._writers, *self._far_writers]:
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        """Pass nothing on, and close nothing: as a host that stands still."""
        self._flows.clear()

    def thaw(self) -> None:
        """Pass on again, what came meanwhile included."""
        self._flows.set()

    def half_close(self, *, towards_target: bool) -> None:
        """End what flows to the target, or what flows from it, on every open connection."""
        for writer in list(self._far_writers if towards_target else self._writers):
            with contextlib.suppress(OSError, RuntimeError):
                writer.write_eof()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._flows.wait()
            far_reader, far_writer = await self._open()
            self._far_writers.add(far_writer)
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
            self._far_writers.discard(far_writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            while data := await reader.read(65_536):
                await self._flows.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = str(self._parts.get("host", "127.0.0.1")), self._parts.get("port", 5432)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, int(str(port)))
