"""Content codings of every route: gzip in what comes is undone, what is large goes out as gzip."""

import asyncio
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
    """The coding of a request's body, '' for none. Raises Invalid for any but gzip."""
    named = [
        value for name, value in scope["headers"] if name == b"content-encoding" and value.strip()
    ]
    coding = b",".join(named).strip().lower()
    if coding in {b"", b"identity", b"utf-8", b"utf8"}:  # some name the charset here
        return ""
    if coding in {b"gzip", b"x-gzip"}:
        return "gzip"
    raise Invalid("invalid_input", "A request body may be compressed with gzip and nothing else.")


class Kept:
    """Compressed files and pages by their entity tag, so that nobody makes us compress them anew."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, tag: bytes) -> bytes | None:
        """The body of this tag, if it is kept."""
        if tag in self._bodies:
            self._bodies.move_to_end(tag)
        return self._bodies.get(tag)

    def put(self, tag: bytes, body: bytes) -> None:
        """Keep it, and drop what was not used for longest."""
        if tag in self._bodies:
            return
        self._bodies[tag] = body
        self._bytes += len(body)
        while self._bytes > _KEPT_BYTES:
            _, dropped = self._bodies.popitem(last=False)
            self._bytes -= len(dropped)


class Compressing:
    """Sends one answer, as gzip where it is large, of a kind that shrinks, and the caller accepts it.

    A page for one person is never compressed: it holds the token of its forms beside what others
    may have put there, and its size would give the token away (BREACH).
    """

    def __init__(self, scope: Scope, send: Send, *, kept: Kept) -> None:
        self._scope = scope
        self._send = send
        self._kept = kept
        self._start: Message | None = None
        self._packer: zlib._Compress | None = None
        self._tag = b""

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
        named = dict(headers)
        if not _shrinks(message["status"], named):
            await self._send(message)
            return
        headers.append(_VARY)
        if self._scope["method"] == "HEAD" or not self._accepts():
            await self._send(message)
            return
        self._start, self._tag = message, _lasting_tag(named)

    async def _first(self, message: Message) -> None:
        assert self._start is not None
        start, self._start = self._start, None
        body, has_more = message.get("body", b""), message.get("more_body", False)
        if not has_more:
            body = await self._whole(body)
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

    async def _whole(self, body: bytes) -> bytes:
        if self._tag and (known := self._kept.get(self._tag)):
            return known
        if len(body) > _THREAD_BYTES:
            packed = await asyncio.to_thread(gzip_whole, body)
        else:
            packed = gzip_whole(body)
        if self._tag:
            self._kept.put(self._tag, packed)
        return packed

    def _accepts(self) -> bool:
        listed = [value for name, value in self._scope["headers"] if name == b"accept-encoding"]
        accept = b",".join(listed).decode("latin-1")
        return bool(accept) and choose_coding(accept, offered=("gzip",)) == "gzip"


def _shrinks(status: int, headers: dict[bytes, bytes]) -> bool:
    """Whether the answer is large or of unknown length, of a kind that shrinks, and has no coding."""
    length = headers.get(b"content-length")
    if (length is not None and int(length) < LARGE_BYTES) or status in {204, 206, 304}:
        return False
    if b"content-encoding" in headers or b"vary" in headers:
        return False
    kind = headers.get(b"content-type", b"")
    is_personal = kind.startswith(b"text/html") and b"no-store" in headers.get(
        b"cache-control", b""
    )
    return kind.startswith(_TYPES) and not is_personal


def _lasting_tag(headers: dict[bytes, bytes]) -> bytes:
    return b"" if b"no-store" in headers.get(b"cache-control", b"") else headers.get(b"etag", b"")


def _coded(start: Message, *, length: int | None) -> Message:
    """The start of the answer in gzip; its entity tag is weak, for the bytes are others."""
    headers: Headers = [(b"content-encoding", b"gzip")]
    for name, value in start["headers"]:
        if name == b"etag":
            headers.append((name, b"W/" + value.removeprefix(b"W/")))
        elif name != b"content-length":
            headers.append((name, value))
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    return {**start, "headers": headers}
