"""The connections of outgoing calls. A process that makes none never imports this."""

import select
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import httpcore2
import httpx2

from crossdock.kit.addresses import AllowedHosts, Blocked, Resolver, check_resolved, parse_address
from crossdock.kit.outbound_answers import Answer, Oversized

FAILURES = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)
_AT_ONCE = 50
_CONNECT_TIMEOUT_S = 5.0
_USER_AGENT = "Crossdock"

Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class Connections:
    """A pool of connections to checked addresses."""

    def __init__(
        self, allowed: AllowedHosts, *, resolver: Resolver, tls: ssl.SSLContext | None
    ) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls or httpx2.create_ssl_context(trust_env=False),
            max_connections=_AT_ONCE,
            max_keepalive_connections=_AT_ONCE,  # calls come in bursts, and the next one wants them
            keepalive_expiry=10.0,
            network_backend=_CheckedNetwork(allowed, resolver),
        )

    async def close(self) -> None:
        await self._pool.aclose()

    async def exchange(
        self,
        method: str,
        target: httpx2.URL,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        limit: int,
        trace: Trace,
    ) -> Answer:
        """Send one request and read the whole answer. Raises one of FAILURES, Blocked or Oversized."""
        url = httpcore2.URL(
            scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
        )
        sent = {"User-Agent": _USER_AGENT, "Accept": "application/json", **headers}
        sent |= {"Accept-Encoding": "identity", "Host": target.netloc.decode("ascii")}
        async with self._pool.stream(
            method,
            url,
            headers=[
                (name.encode("ascii"), value.encode("latin-1")) for name, value in sent.items()
            ],
            content=content,
            extensions={"timeout": {"connect": _CONNECT_TIMEOUT_S}, "trace": trace},
        ) as response:
            body = await _read(response, limit=limit)
            return Answer(status=response.status, headers=_headers(response), body=body)


class _CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens sockets only to addresses that it has just checked."""

    def __init__(self, allowed: AllowedHosts, resolver: Resolver) -> None:
        self._allowed = allowed
        self._resolver = resolver
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the base class's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await self._addresses(host, port)
        for last, address in enumerate(addresses, start=1):
            try:
                stream = await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if last == len(addresses):
                    raise
            else:
                return _Watched(stream)
        raise httpcore2.ConnectError("the name has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise Blocked("unix sockets are not called")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        is_allowed = self._allowed.allows(host, port)
        if not is_allowed and parse_address(host) is not None:
            check_resolved(host, [host])
        try:
            addresses = await self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"the name cannot be resolved: {error}") from error
        if not is_allowed:
            check_resolved(host, addresses)
        return addresses


class _Watched(httpcore2.AsyncNetworkStream):
    """A stream that tells whether there is something to read by one system call.

    The pool asks that of every idle connection at the start and the end of every request.
    """

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._socket: socket.socket | None = stream.get_extra_info("socket")
        self._number = -1 if self._socket is None else self._socket.fileno()
        self._poll = select.poll()
        if self._number >= 0:
            self._poll.register(self._number, select.POLLIN)

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        return _Watched(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        if info != "is_readable":
            return self._stream.get_extra_info(info)
        if self._socket is None or self._number < 0 or self._socket.fileno() != self._number:
            return True  # closed: its number may be another's by now
        return bool(self._poll.poll(0))


async def _read(response: httpcore2.Response, *, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > limit:
            raise Oversized(f"the answer is larger than {limit} bytes")
    return bytes(body)


def _headers(response: httpcore2.Response) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
    }
