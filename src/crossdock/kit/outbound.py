"""An HTTP client for URLs that users enter: limits on time, size and reachable addresses.

OutboundError
├── Refused       the URL or its address is not allowed; no socket was opened
├── Unreachable   no connection; the request was not sent
└── Unanswered    the request may have been sent, and no complete answer came: outcome unknown
    └── Oversized   the answer is larger than the limit

The name is resolved once for each connection, every address is checked, and the socket connects to
a checked address, so DNS rebinding gains nothing. Redirects are not followed, proxies of the
environment are not used, and TLS verifies the host of the URL.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self

import httpcore2
import httpx2
import msgspec

from crossdock.kit.addresses import PORTS, AllowedHosts, Blocked, check_resolved, parse_address

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

DEADLINE_S = 15.0
ANSWER_LIMIT_BYTES = 1_048_576
_CONNECT_TIMEOUT_S = 5.0
_USER_AGENT = "Crossdock"


class OutboundError(Exception):
    """An outgoing call without a usable answer."""


class Refused(OutboundError):
    """The URL, port or address is not allowed; no socket was opened."""


class Unreachable(OutboundError):
    """No connection could be made; the other side has not received the request."""


class Unanswered(OutboundError):
    """The request may have arrived; whether it took effect is unknown."""


class Oversized(Unanswered):
    """The answer is larger than the limit; the rest was not read."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The response. `headers` have lower-case names; of repeated headers, the last."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body parsed as JSON, or None if it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def text(self, limit: int = 300) -> str:
        """The start of the body on one line, for error messages."""
        return " ".join(self.body[: 4 * limit].decode("utf-8", "replace").split())[:limit]


def shown_headers(headers: Mapping[str, str], *, hidden: Collection[str] = ()) -> dict[str, str]:
    """The headers as a log may have them; `hidden` are further names with secrets, in lower case."""
    secret = {*hidden, "authorization", "cookie", "set-cookie"}
    return {
        name: "[hidden]" if name.lower() in secret else value for name, value in headers.items()
    }


async def resolve(host: str, port: int) -> Sequence[str]:
    """Resolve the host with the system's resolver; addresses in its order."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Outbound:
    """A client for outgoing calls; create one per event loop and `close()` it.

    `allowed_hosts` ('host' or 'host:port') may be private and on any port: for tests,
    sandboxes and services of the operator's network. `deadline_s` is the default of `request`;
    `tls` and `resolver` are for tests.
    """

    def __init__(
        self,
        *,
        allowed_hosts: Iterable[str] = (),
        ports: frozenset[int] = PORTS,
        deadline_s: float = DEADLINE_S,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = AllowedHosts(allowed_hosts)
        self._ports = ports
        self._deadline_s = deadline_s
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls or httpx2.create_ssl_context(trust_env=False),
            max_connections=50,
            max_keepalive_connections=10,
            keepalive_expiry=10.0,
            network_backend=_CheckedNetwork(self._allowed, resolver),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        deadline_s: float | None = None,
        limit_bytes: int = ANSWER_LIMIT_BYTES,
    ) -> Answer:
        """Send one request and read the complete answer, whatever its status, before the deadline.

        Raises Refused, Unreachable or Unanswered; an answer over the limit is Unanswered.
        """
        target = self.check(url)
        deadline_s = self._deadline_s if deadline_s is None else deadline_s
        call = _Call()
        try:
            async with asyncio.timeout(deadline_s):
                return await self._exchange(
                    method,
                    target,
                    headers=headers or {},
                    content=content,
                    limit=limit_bytes,
                    call=call,
                )
        except Blocked as error:
            raise Refused(str(error)) from error
        except TimeoutError:
            raise call.failure(f"{target.host} did not answer within {deadline_s:g} s") from None
        except (
            httpcore2.TimeoutException,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
        ) as error:
            raise call.failure(f"{target.host}: {_words(error)}") from error

    def check(self, url: str, *, needs_tls: bool = False) -> httpx2.URL:
        """Parse and check a URL; its host name is resolved and checked later, at each connect.

        Raises Refused for schemes other than http and https, user names, ports or addresses that are
        not allowed, and with `needs_tls` for http:// to a host that is not among the allowed ones.
        """
        try:
            target = httpx2.URL(url)
        except (httpx2.InvalidURL, ValueError, TypeError) as error:
            raise Refused(f"not a URL: {error}") from error
        if target.scheme not in {"http", "https"} or not target.host:
            raise Refused("only http:// and https:// URLs with a host are called")
        if target.userinfo:
            raise Refused("a URL with a user name or password is not called")
        host, port = _host_and_port(target)
        if self._allowed.allows(host, port):
            return target
        if needs_tls and target.scheme != "https":
            raise Refused("only https:// is called")
        if port not in self._ports:
            raise Refused(f"port {port} is not one of {', '.join(map(str, sorted(self._ports)))}")
        try:
            if parse_address(host) is not None:
                check_resolved(host, [host])
        except Blocked as error:
            raise Refused(str(error)) from error
        return target

    async def _exchange(
        self,
        method: str,
        target: httpx2.URL,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        limit: int,
        call: "_Call",
    ) -> Answer:
        url = httpcore2.URL(
            scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
        )
        sent = {"User-Agent": _USER_AGENT, "Accept": "application/json", **headers}
        sent |= {"Accept-Encoding": "identity", "Host": target.netloc.decode("ascii")}
        extensions = {"timeout": {"connect": _CONNECT_TIMEOUT_S}, "trace": call.trace}
        async with self._pool.stream(
            method,
            url,
            headers=[
                (name.encode("ascii"), value.encode("latin-1")) for name, value in sent.items()
            ],
            content=content,
            extensions=extensions,
        ) as response:
            body = await _read(response, limit=limit)
            return Answer(status=response.status, headers=_headers(response), body=body)


class _Call:
    """Records whether the request may have been sent, which decides how a failure is classified."""

    def __init__(self) -> None:
        self._has_left = False

    async def trace(self, name: str, _info: Mapping[str, Any]) -> None:
        if name.endswith("send_request_headers.started"):
            self._has_left = True

    def failure(self, message: str) -> OutboundError:
        return Unanswered(message) if self._has_left else Unreachable(message)


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
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if last == len(addresses):
                    raise
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


def _host_and_port(target: httpx2.URL) -> tuple[str, int]:
    default = 443 if target.scheme == "https" else 80
    return target.raw_host.decode("ascii"), default if target.port is None else target.port


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
