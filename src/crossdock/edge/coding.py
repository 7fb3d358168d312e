"""Content codings of all routes: gzip bodies of requests are decompressed, large answers compressed."""

import asyncio
import hashlib
import zlib
from collections import OrderedDict

from starlette.types import Message, Scope, Send

from crossdock.errors import Invalid
from crossdock.kit.compressing import choose_coding, gzip_pieces, gzip_whole

LARGE_BYTES = 2_048
_THREAD_BYTES = 64 * 1024
_KEPT_BYTES = 8 * 1024 * 1024
_TYPES = (b"application/json", b"text/", b"image/svg+xml", b"application/javascript")
_VARY = (b"vary", b"Accept-Encoding")

Headers = list[tuple[bytes, bytes]]


def body_coding(scope: Scope) -> str:
    """The content coding of a request's body, '' for none. Raises Invalid for any but gzip."""
    named = [
        value for name, value in scope["headers"] if name == b"content-encoding" and value.strip()
    ]
    coding = b",".join(named).strip().lower()
    if coding in {b"", b"identity", b"utf-8", b"utf8"}:  # some clients send the charset here
        return ""
    if coding in {b"gzip", b"x-gzip"}:
        return "gzip"
    raise Invalid("invalid_input", "A request body may only be compressed with gzip.")


class Kept:
    """A cache of compressed files and pages by content, so that requests cannot force recompression."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    async def packed(self, body: bytes) -> bytes:
        """The body as gzip, from an LRU cache."""
        key = hashlib.blake2b(body, digest_size=32).digest()
        if key in self._bodies:
            self._bodies.move_to_end(key)
            return self._bodies[key]
        made = await _packed(body)
        if key not in self._bodies:
            self._keep(key, made)
        return made

    def _keep(self, key: bytes, made: bytes) -> None:
        self._bodies[key] = made
        self._bytes += len(made)
        while self._bytes > _KEPT_BYTES:
            _, dropped = self._bodies.popitem(last=False)
            self._bytes -= len(dropped)


class Compressing:
    """Sends a response, with gzip if it is large, of a compressible type, and the caller accepts it.

    Pages for one person are never compressed: they contain a CSRF token next to text from others,
    and the size of the answer would reveal the token (BREACH).
    """

    def __init__(self, scope: Scope, send: Send, *, kept: Kept) -> None:
        self._scope = scope
        self._send = send
        self._kept = kept
        self._start: Message | None = None
        self._packer: zlib._Compress | None = None
        self._lasts = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._start is not None:
            await self._first(message)
        elif self._packer is not None:
            await self._next(message)
        else:
            await self._send(message)

    async def _begin(self, message: Message) -> None:
        headers: Headers = message["headers"]
        if _is_small(headers):
            await self._send(message)
            return
        named = dict(headers)
        if not _shrinks(message["status"], named):
            await self._send(message)
            return
        headers.append(_VARY)
        if self._scope["method"] == "HEAD" or not self._accepts():
            await self._send(message)
            return
        self._start, self._lasts = message, _lasts(named)

    async def _first(self, message: Message) -> None:
        assert self._start is not None
        start, self._start = self._start, None
        body, has_more = message.get("body", b""), message.get("more_body", False)
        if not has_more:
            body = await (self._kept.packed(body) if self._lasts else _packed(body))
            await self._send(_coded(start, length=len(body)))
            await self._send({"type": "http.response.body", "body": body})
            return
        self._packer = gzip_pieces()
        await self._send(_coded(start, length=None))
        await self._next(message)

    async def _next(self, message: Message) -> None:
        assert self._packer is not None
        body, has_more = message.get("body", b""), message.get("more_body", False)
        if len(body) > _THREAD_BYTES:
            piece = await asyncio.to_thread(self._packer.compress, body)
        else:
            piece = self._packer.compress(body)
        if not has_more:
            piece += self._packer.flush()
        if piece or not has_more:
            await self._send({"type": "http.response.body", "body": piece, "more_body": has_more})

    def _accepts(self) -> bool:
        listed = [value for name, value in self._scope["headers"] if name == b"accept-encoding"]
        accept = b",".join(listed).decode("latin-1")
        return bool(accept) and choose_coding(accept, offered=("gzip",)) == "gzip"


def _is_small(headers: Headers) -> bool:
    for name, value in headers:
        if name == b"content-length":
            return int(value) < LARGE_BYTES
    return False


def _shrinks(status: int, headers: dict[bytes, bytes]) -> bool:
    """Whether an answer is large or of unknown length, of a compressible type, and has no coding yet."""
    if status in {204, 206, 304} or b"content-encoding" in headers or b"vary" in headers:
        return False
    kind = headers.get(b"content-type", b"")
    is_personal = kind.startswith(b"text/html") and b"no-store" in headers.get(
        b"cache-control", b""
    )
    return kind.startswith(_TYPES) and not is_personal


def _lasts(headers: dict[bytes, bytes]) -> bool:
    """Whether the answer may be requested again unchanged."""
    return b"etag" in headers and b"no-store" not in headers.get(b"cache-control", b"")


async def _packed(body: bytes) -> bytes:
    if len(body) > _THREAD_BYTES:
        return await asyncio.to_thread(gzip_whole, body)
    return gzip_whole(body)


def _coded(start: Message, *, length: int | None) -> Message:
    """The start of the gzip answer; its entity tag becomes weak, because the bytes differ."""
    headers: Headers = [(b"content-encoding", b"gzip")]
    for name, value in start["headers"]:
        if name == b"etag":
            headers.append((name, b"W/" + value.removeprefix(b"W/")))
        elif name != b"content-length":
            headers.append((name, value))
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    return {**start, "headers": headers}
