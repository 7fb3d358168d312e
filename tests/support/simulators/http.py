"""A small HTTP server on a real socket, on which the simulators of other parties stand.

A handler answers, stays silent, or breaks the connection at a chosen moment:

    async with HttpSimulator(handler) as server:
        server.url              # http://127.0.0.1:<port>
        server.requests         # what arrived, in order
"""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import h11


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer; `body` may be anything JSON can say, or bytes as they are."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Hang:
    """Read the request and never answer."""


class Drop:
    """Read the request and close the connection without a word."""


@dataclass(frozen=True)
class Raw:
    """Send these bytes as the whole answer, whatever they are, then close."""

    data: bytes


Outcome = Reply | Hang | Drop | Raw
Handler = Callable[[Request], Awaitable[Outcome]]


class HttpSimulator:
    """Serves a handler on a free port of 127.0.0.1, with TLS if a context is given."""

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: list[Request] = []
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """How many callers hold a connection now."""
        return len(self._tasks)

    @property
    def host(self) -> str:
        """What an `allowed_outbound_hosts` entry names."""
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (asyncio.CancelledError, ConnectionError, h11.RemoteProtocolError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = h11.Connection(h11.SERVER)
        while request := await _read(wire, reader):
            self.requests.append(request)
            outcome = await self._handler(request)
            if isinstance(outcome, Hang):
                await asyncio.sleep(3600)
            if isinstance(outcome, Raw):
                writer.write(outcome.data)
                await writer.drain()
            if not isinstance(outcome, Reply):
                return
            writer.write(_encode(wire, outcome))
            await writer.drain()
            if wire.our_state is not h11.DONE or wire.their_state is not h11.DONE:
                return
            wire.start_next_cycle()


async def _read(wire: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head:
            headers = {name.decode(): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode(), head.target.decode(), headers, bytes(body))
        else:
            return None


def _encode(wire: h11.Connection, reply: Reply) -> bytes:
    body = reply.encoded()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **reply.headers,
    }
    parts = (
        wire.send(h11.Response(status_code=reply.status, headers=list(headers.items()))),
        wire.send(h11.Data(data=body)),
        wire.send(h11.EndOfMessage()),
    )
    return b"".join(part for part in parts if part)
