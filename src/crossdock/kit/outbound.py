"""An HTTP client for URLs that users enter: limits on time, size and reachable addresses.

The name is resolved once for each connection, every address is checked, and the socket connects to
a checked address, so DNS rebinding gains nothing. Redirects are not followed, proxies of the
environment are not used, and TLS verifies the host of the URL.
"""

import asyncio
import socket
import ssl
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from crossdock.kit.addresses import (
    PORTS,
    AllowedHosts,
    Blocked,
    Resolver,
    check_resolved,
    parse_address,
)
from crossdock.kit.outbound_answers import (
    Answer,
    OutboundError,
    Oversized,
    Refused,
    Unanswered,
    Unreachable,
)

if TYPE_CHECKING:
    import httpx2

    from crossdock.kit.outbound_http import Connections

__all__ = [
    "ANSWER_LIMIT_BYTES",
    "DEADLINE_S",
    "Answer",
    "Outbound",
    "OutboundError",
    "Oversized",
    "Refused",
    "Resolver",
    "Unanswered",
    "Unreachable",
    "resolve",
    "shown_headers",
]


DEADLINE_S = 15.0
ANSWER_LIMIT_BYTES = 1_048_576


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
        self._resolver = resolver
        self._tls = tls

    @cached_property
    def _connections(self) -> "Connections":
        """Imported when the first call is made: it costs every start a tenth of its time."""
        from crossdock.kit.outbound_http import Connections

        return Connections(self._allowed, resolver=self._resolver, tls=self._tls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if "_connections" in self.__dict__:
            await self._connections.close()

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
        from crossdock.kit.outbound_http import FAILURES

        target = self.check(url)
        deadline_s = self._deadline_s if deadline_s is None else deadline_s
        call = _Call()
        try:
            async with asyncio.timeout(deadline_s):
                return await self._connections.exchange(
                    method,
                    target,
                    headers=headers or {},
                    content=content,
                    limit=limit_bytes,
                    trace=call.trace,
                )
        except Blocked as error:
            raise Refused(str(error)) from error
        except TimeoutError:
            raise call.failure(f"{target.host} did not answer within {deadline_s:g} s") from None
        except FAILURES as error:
            raise call.failure(f"{target.host}: {_words(error)}") from error

    def check(self, url: str, *, needs_tls: bool = False) -> "httpx2.URL":
        """Parse and check a URL; its host name is resolved and checked later, at each connect.

        Raises Refused for schemes other than http and https, user names, ports or addresses that are
        not allowed, and with `needs_tls` for http:// to a host that is not among the allowed ones.
        """
        import httpx2

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


class _Call:
    """Records whether the request may have been sent, which decides how a failure is classified."""

    def __init__(self) -> None:
        self._has_left = False

    async def trace(self, name: str, _info: Mapping[str, Any]) -> None:
        if name.endswith("send_request_headers.started"):
            self._has_left = True

    def failure(self, message: str) -> OutboundError:
        return Unanswered(message) if self._has_left else Unreachable(message)


def _host_and_port(target: "httpx2.URL") -> tuple[str, int]:
    default = 443 if target.scheme == "https" else 80
    return target.raw_host.decode("ascii"), default if target.port is None else target.port


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
