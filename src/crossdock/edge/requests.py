"""ASGI middleware for every request: id, body limit, headers, errors, access log, metrics.

One class instead of a stack of middlewares, because this runs for every request.
"""

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import Mapping, Sequence

import orjson
import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crossdock.channels.contract import SENT_BODY, Answer, Channel
from crossdock.edge.coding import Compressing, Kept, body_coding
from crossdock.edge.guests import Guests, pace_headers, waiting_page
from crossdock.edge.listening import Listening
from crossdock.edge.metrics import Metrics
from crossdock.edge.room import Client, Room
from crossdock.errors import (
    Conflict,
    CrossdockError,
    Invalid,
    NotFound,
    SealBroken,
    StorageFull,
    Unavailable,
)
from crossdock.kit.clock import Clock, SystemClock
from crossdock.kit.compressing import gunzip
from crossdock.kit.ids import RandomIds
from crossdock.kit.logging import log_request
from crossdock.kit.pacing import Pace
from crossdock.kit.storage import is_full
from crossdock.shop.partners import Calls

log = structlog.get_logger("crossdock.access")

# Unique without drawing random bytes for each request.
_PROCESS = RandomIds().random_token(12).encode()
_numbers = itertools.count(1)
BODY_S = 30.0  # time limit for receiving a whole body
UPLOAD_S = 900.0  # the same where files are uploaded
_DRAIN_BYTES = 4 * 1024 * 1024  # of a body that is too large, beyond what a permitted one may have
_DRAIN_S = 5.0
_LOGGED_PATH_MAX = 300
_AFTER_TOKEN = re.compile(r"(/token/)[^/]+")  # a caller's token, also in a path that nobody answers
_SECRET_BELOW = ("/track/", "/pay/")  # the rest of these paths is secret and never logged
_REQUEST_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,127}")
_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]
_STATUS_OF_CODE = {"too_large": 413, "rate_limited": 429, "invalid_input": 400, "internal": 500}


class Edge:
    """Routes a request to its channel and applies what holds for every response."""

    def __init__(
        self,
        *,
        channels: Sequence[Channel],
        operating: ASGIApp,
        metrics: Metrics,
        room: Room,
        guests: Guests,
        body_limit_bytes: int,
        uploads: Mapping[str, int] | None = None,
        calls: Calls | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`calls` keeps those of watched partners, `uploads` has the limits of paths that take larger bodies, from
        who is signed in, and more slowly.
        """
        self._mounts = sorted(
            ((path.rstrip("/"), channel) for channel in channels for path in channel.paths),
            key=lambda mount: -len(mount[0]),
        )
        self._operating = operating
        self._metrics = metrics
        self._room = room
        self._guests = guests
        self._body_limit_bytes = body_limit_bytes
        self._uploads = uploads or {}
        self._calls = calls
        self._clock = clock or SystemClock()
        self._kept = Kept()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        if "//" in scope["path"]:
            scope = _with_single_slashes(scope)
        send = Compressing(scope, send, kept=self._kept)
        exchange = _Exchange(scope, receive, send, channel=self._channel(scope["path"]))
        structlog.contextvars.bind_contextvars(request_id=exchange.request_id.decode())
        try:
            await self._answer(exchange)
        finally:
            self._room.leave(exchange.client)
            self._note(exchange, seconds=(seconds := time.perf_counter() - started))
            if exchange.listening.heard.partner and self._calls:
                await self._keep(exchange, self._calls, seconds=seconds)
            structlog.contextvars.unbind_contextvars("request_id")

    def _channel(self, path: str) -> Channel | None:
        for prefix, channel in self._mounts:
            if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in {"", "/"}:
                return channel
        return None

    async def _answer(self, exchange: "_Exchange") -> None:
        channel = exchange.channel
        limit = _limit(channel, exchange.scope) or self._body_limit_bytes
        if upload := self._uploads.get(exchange.scope["path"]):
            limit = upload
            exchange.take_time()
        try:
            self._room.enter(exchange.client)
            exchange.pace = self._guests.take(exchange.scope)
            await exchange.bound_body(limit)
            await self._hand_over(exchange)
        except CrossdockError as error:
            await exchange.fail(error)
        except SealBroken as error:  # for the operator; the text names a place, never a value
            log.critical("a stored secret does not open", reason=str(error))
            await exchange.fail(CrossdockError("internal"))
        except Exception as error:
            log.exception("request failed", path=_printable(exchange.logged_path))
            told = StorageFull() if is_full(error) else CrossdockError("internal")
            await exchange.fail(told)

    async def _hand_over(self, exchange: "_Exchange") -> None:
        scope, channel = exchange.scope, exchange.channel
        raw_path = scope.get("raw_path") or b""
        if channel and b"%" in raw_path:
            # A channel's paths match exactly: one with percent-encoding does not match.
            scope["path"] = raw_path.decode("latin-1")
        handler = channel.direct.get((scope["method"], scope["path"])) if channel else None
        if handler:
            scope["crossdock.route"] = scope["path"]
            response = await handler(Request(scope, exchange.receive))
            await response(scope, exchange.receive, exchange.send)
            return
        app = channel.app if channel else self._operating
        await app(scope, exchange.receive, exchange.send)

    def _note(self, exchange: "_Exchange", *, seconds: float) -> None:
        channel = exchange.channel.name if exchange.channel else "server"
        route = exchange.route()
        status = exchange.status or 499  # the client disconnected before the response
        self._metrics.count(channel=channel, route=route, status=status, seconds=seconds)
        log_request(
            method=exchange.scope["method"],
            path=_printable(exchange.logged_path),
            status=status,
            ms=round(seconds * 1000, 1),
            channel=channel,
            request_id=exchange.request_id.decode(),
        )

    async def _keep(self, exchange: "_Exchange", calls: Calls, *, seconds: float) -> None:
        await exchange.listening.keep(
            calls,
            exchange.scope,
            clock=self._clock,
            path=_printable(exchange.logged_path),
            status=exchange.status or 499,
            seconds=seconds,
        )


def _limit(channel: Channel | None, scope: Scope) -> int | None:
    """The channel's limit for a body of this type, if it has one."""
    if channel is None:
        return None
    if channel.body_limits:
        types = [value for name, value in scope["headers"] if name == b"content-type"]
        kind = types[-1].decode("latin-1").partition(";")[0].strip().lower() if types else ""
        if kind in channel.body_limits:
            return channel.body_limits[kind]
    return channel.body_limit_bytes


class _Exchange:
    """One request and its response in progress."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, *, channel: Channel | None
    ) -> None:
        self.scope = scope
        self.logged_path: str = scope["path"]  # decoded, so that no secret hides in an encoding
        self.channel = channel
        self.client: Client = scope.get("client") or ("", 0)
        self.status = 0
        self.pace: Pace | None = None
        self.listening = Listening()
        self.request_id = _request_id(scope)
        self._receive = receive
        self._send = send
        self._limit_bytes = self._room_bytes = 0
        self._is_decoded = self._is_drained = False
        self._is_body_whole = self._is_body_late = False
        self._body_until = asyncio.get_running_loop().time() + BODY_S
        scope["crossdock.request_id"] = self.request_id.decode()

    def route(self) -> str:
        """A label from a small set: the route's template, never the path itself."""
        own = self.scope.get("crossdock.route")
        return own or getattr(self.scope.get("route"), "path", None) or "unmatched"

    def take_time(self) -> None:
        """Let the body take as long as an upload may."""
        self._body_until += UPLOAD_S - BODY_S

    async def bound_body(self, limit_bytes: int) -> None:
        """Refuse a body whose Content-Length is too large; count the bytes of one without."""
        self._limit_bytes = self._room_bytes = limit_bytes
        for name, value in self.scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > limit_bytes:
                await self._drain()
                raise _too_large(limit_bytes)

    async def receive(self) -> Message:
        """The next part of the decompressed body.

        Raises if the body, or its decompressed form, is too large, too slow, truncated or invalid.
        """
        message = await self._piece()
        if self._is_decoded or not message.get("body"):
            return self.listening.take(message)
        self._is_decoded = True
        is_coded = body_coding(self.scope)
        return self.listening.take(await self._decoded(message) if is_coded else message)

    async def _decoded(self, first: Message) -> Message:
        """The whole decompressed body; the scope keeps the original bytes, which a signature covers."""
        sent, message = bytearray(first["body"]), first
        while message.get("more_body"):
            message = await self._piece()
            sent += message.get("body", b"")
        self.scope[SENT_BODY] = bytes(sent)
        body = gunzip(self.scope[SENT_BODY], limit_bytes=self._limit_bytes)
        return {"type": "http.request", "body": body, "more_body": False}

    async def _piece(self) -> Message:
        message = await self._next()
        if message["type"] != "http.request":
            if not self._is_body_whole:
                raise Invalid("invalid_input", "The request body ended early.")
            return message
        self._is_body_whole = not message.get("more_body", False)
        self._room_bytes -= len(message.get("body", b""))
        if self._room_bytes < 0:
            await self._drain()
            raise _too_large(None)
        return message

    async def _next(self) -> Message:
        if self._is_body_whole:  # the next message is a disconnect
            return await self._receive()
        # As asyncio.timeout_at, at a third of its cost.
        task = asyncio.current_task()
        assert task is not None  # a request is one
        timer = asyncio.get_running_loop().call_at(self._body_until, self._end_body, task)
        try:
            return await self._receive()
        except asyncio.CancelledError:
            if not self._is_body_late or task.uncancel() > 0:  # the second: others cancel it too
                raise
            raise Invalid("invalid_input", "The request body was sent too slowly.") from None
        finally:
            timer.cancel()

    def _end_body(self, task: asyncio.Task[object]) -> None:
        self._is_body_late = True
        task.cancel()

    def _is_body_unread(self) -> bool:
        """Whether a request that was let in has a body that nobody has read, nor given up."""
        if self._is_body_whole or self._is_body_late or self._is_drained or not self._limit_bytes:
            return False
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
            for name, value in self.scope["headers"]
        )

    async def _drain(self) -> None:
        """Keep reading for a while: a client that is disconnected while it sends never sees the response."""
        self._is_drained = True
        if any(name == b"expect" for name, _ in self.scope["headers"]):
            return
        left = _DRAIN_BYTES + self._limit_bytes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                while left > 0 and not self._is_body_whole:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    self._is_body_whole = not message.get("more_body", False)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] >= 400 and self._is_body_unread():
                await self._drain()
            self.status = message["status"]
            message["headers"] = [
                *self._paced(list(message.get("headers", ()))),
                (b"x-request-id", self.request_id),
                *_SECURITY_HEADERS,
            ]
        if self.listening.heard.partner:
            self.listening.answer(message)
        await self._send(message)

    def _paced(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers with what is left for a guest, unless they tell of a limit of the door's own."""
        if self.pace is None or any(name.lower() == b"x-ratelimit-limit" for name, _ in headers):
            return headers
        return [*headers, *pace_headers(self.pace)]

    async def fail(self, error: CrossdockError) -> None:
        """Render an error in the channel's format; only logs it if the response has started."""
        if self.status:
            log.error("failed after the answer began", code=error.code)
            return
        answer = self._told(error)
        headers = {"content-type": answer.content_type, "content-length": str(len(answer.body))}
        headers |= {name.lower(): value for name, value in answer.headers.items()}
        if isinstance(error, Unavailable):
            headers.setdefault("retry-after", str(error.data.get("retry_after_s", 2)))
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send(
            {"type": "http.response.start", "status": answer.status, "headers": encoded}
        )
        await self.send({"type": "http.response.body", "body": answer.body})

    def _told(self, error: CrossdockError) -> Answer:
        """The error in the channel's words; a guest's browser, which called too often, gets a page."""
        pace = error.data.get("pace")
        if isinstance(error, Unavailable) and isinstance(pace, Pace):
            self.pace = pace
            if "text/html" in Headers(scope=self.scope).get("accept", ""):
                return waiting_page(error)
        if self.channel:
            return self.channel.render_error(error, self.scope["method"])
        return render_error(error)


def _with_single_slashes(scope: Scope) -> Scope:
    """The request with repeated slashes in its path collapsed, because base URLs may end with one."""
    raw_path = re.sub(rb"/{2,}", b"/", scope.get("raw_path") or b"")
    return {**scope, "path": re.sub("/{2,}", "/", scope["path"]), "raw_path": raw_path}


def render_error(error: CrossdockError) -> Answer:
    """The response for an error outside any channel."""
    body = {"error": {"code": error.code, "message": error.message}}
    return Answer(status=_status(error), body=orjson.dumps(body))


def _status(error: CrossdockError) -> int:
    if found := _STATUS_OF_CODE.get(error.code):
        return found
    by_class = ((Unavailable, 503), (NotFound, 404), (Conflict, 409))
    return next((status for kind, status in by_class if isinstance(error, kind)), 400)


def _printable(path: str) -> str:
    """The path for the log: shortened, without secrets and terminal escape sequences."""
    for prefix in _SECRET_BELOW:
        if path.startswith(prefix):
            return f"{prefix}..."
    if "/token/" in path:
        path = _AFTER_TOKEN.sub(r"\1...", path)
    if len(path) > _LOGGED_PATH_MAX:
        path = path[:_LOGGED_PATH_MAX] + "..."
    if path.isascii() and path.isprintable():
        return path
    return path.encode("unicode_escape").decode("ascii")


def _too_large(limit_bytes: int | None) -> CrossdockError:
    return CrossdockError("too_large", data={"limit_bytes": limit_bytes} if limit_bytes else None)


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return bytes(value)
    return b"%s-%x" % (_PROCESS, next(_numbers))
