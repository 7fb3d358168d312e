"""Limits on concurrent requests: of a process, and from one address."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from crossdock.errors import Unavailable

LOCAL = ("127.0.0.1", "::1")  # a proxy on the same machine forwards for many callers
_RETRY_S = 1

Client = tuple[str, int]


class Room:
    """Counts the requests in progress; a connection has one at a time."""

    def __init__(
        self, *, requests_max: int, per_address_max: int, proxies: Sequence[str] = ()
    ) -> None:
        self._max = requests_max
        self._per_address_max = per_address_max
        self._proxies = tuple(ip_network(text) for text in (*LOCAL, *proxies))
        self._by_address: dict[str, int] = {}
        self.busy: set[Client] = set()

    def enter(self, client: Client) -> None:
        """Count a request. Raises Unavailable `busy` if a limit is reached."""
        address = client[0]
        if not address:  # a socket without addresses
            return
        count = self._by_address.get(address, 0)
        is_full = len(self.busy) >= self._max
        if is_full or (count >= self._per_address_max and not self.is_proxy(address)):
            raise Unavailable("busy", "Too many requests at once.", {"retry_after_s": _RETRY_S})
        self._by_address[address] = count + 1
        self.busy.add(client)

    def leave(self, client: Client) -> None:
        """Uncount a request that has ended; one that was not counted is ignored."""
        if client not in self.busy:
            return
        self.busy.remove(client)
        left = self._by_address[client[0]] - 1
        if left:
            self._by_address[client[0]] = left
        else:
            del self._by_address[client[0]]

    def is_proxy(self, address: str) -> bool:
        """Whether the address is a proxy, which has no limit of its own."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found in network for network in self._proxies)
