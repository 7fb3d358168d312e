"""HTTP/1.1 by hand: keep-alive connections that cost the client next to nothing, and raw sockets.

For load and for malformed requests, where a client library would be the slowest part, or too polite.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

BODILESS = frozenset({204, 304})


class Reply(NamedTuple):
    """One answer as it came over the wire."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """The header's value, or None."""
        for line in self.head.split(b"\r\n")[1:]:
            field, _, value = line.partition(b":")
            if field.lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None

    def json(self) -> Any:
        """The body as JSON; None when it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def request_bytes(
    method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """A whole request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: crossdock.test"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Connection(asyncio.Protocol):
    """A keep-alive connection: one request at a time, answers with a Content-Length."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._wanted = -1
        self._head = b""
        self._is_bodiless = False
        self._waiting: asyncio.Future[Reply] | None = None

    @classmethod
    async def open(cls, port: int, host: str = "127.0.0.1") -> "Connection":
        """A connected one."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, host, port)
        return connection

    @property
    def is_open(self) -> bool:
        """Whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._wanted < 0:
            self._read_head()
        if 0 <= self._wanted <= self._size:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("the connection ended"))

    async def exchange(self, request: bytes, *, bodiless: bool = False) -> Reply:
        """Send and wait for the answer. Raises ConnectionError when there is none.

        `bodiless` for a HEAD request, whose Content-Length announces nothing.
        """
        if self._transport is None:
            raise ConnectionResetError("the connection is closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._is_bodiless = bodiless
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Close, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def _read_head(self) -> None:
        whole = b"".join(self._parts)
        end = whole.find(b"\r\n\r\n")
        if end < 0:
            self._parts = [whole]
            return
        self._head, rest = whole[:end], whole[end + 4 :]
        self._parts, self._size = [rest], len(rest)
        self._wanted = 0 if self._is_bodiless else _content_length(self._head)

    def _finish(self) -> None:
        reply = Reply(_status(self._head), self._head, b"".join(self._parts))
        self._parts, self._size, self._wanted = [], 0, -1
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(reply)


def _status(head: bytes) -> int:
    return int(head[9:12])


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at < 0:
        return 0
    end = lower.find(b"\r\n", at + 2)
    return 0 if _status(head) in BODILESS else int(lower[at + 17 : end if end > 0 else None])


async def speak(port: int, data: bytes, *, half_close: bool = False, wait_s: float = 5.0) -> bytes:
    """Say anything to a fresh socket and hear everything until it closes or `wait_s` is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    try:
        async with asyncio.timeout(wait_s):
            writer.write(data)
            await writer.drain()
            if half_close:
                writer.write_eof()
            while part := await reader.read(65_536):
                heard += part
                if _is_whole(heard):
                    break
    except (TimeoutError, OSError):
        pass
    finally:
        writer.transport.abort()
    return heard


def _is_whole(heard: bytes) -> bool:
    head, found, body = heard.partition(b"\r\n\r\n")
    return bool(found) and len(body) >= _content_length(head)
