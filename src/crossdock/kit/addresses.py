"""Restrict outgoing calls to addresses of the public internet."""

import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

PORTS = frozenset({80, 443, 8080, 8443})

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Gives the addresses of a host, in the order in which they are tried."""

# Networks that is_global accepts in some supported Python, or that embed an IPv4 address.
_REFUSED_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; some clouds keep metadata services in it
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "168.63.129.16/32",  # Azure's internal platform address
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",  # link-local and the old site-local
        "ff00::/8",
    )
)

_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,252}", re.IGNORECASE)

# A last label that an address parser would read as a number: 127.1, 0x7f.1, 2130706433.
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE)


class Blocked(Exception):
    """Outgoing calls may not go to this address, port or URL; no socket was opened."""


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Parse an IP address; None for a host name. Raises Blocked for forms such as `0x7f.1`."""
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        pass
    last_label = text.rstrip(".").rpartition(".")[2]
    if not _NAME.fullmatch(text) or _NUMERIC_LABEL.fullmatch(last_label):
        raise Blocked(f"{text!r} is neither a host name nor a plain address")
    return None


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address is public, unicast and embeds no other address."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv6Address) and address.scope_id:
        return False
    return not any(
        address in network for network in _REFUSED_NETWORKS if network.version == address.version
    )


class AllowedHosts:
    """Hosts that the operator exempts from the check: 'host' for all ports, 'host:port' for one."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._entries = frozenset(entry.strip().lower() for entry in entries)

    def allows(self, host: str, port: int) -> bool:
        """Whether this host, as written in the URL, is exempt from the check."""
        name = host.lower().strip("[]").rstrip(".")
        shown = f"[{name}]" if ":" in name else name
        return not self._entries.isdisjoint((name, shown, f"{shown}:{port}"))


def check_resolved(host: str, addresses: Sequence[str]) -> None:
    """Refuse a host if any of its addresses is not public: mixed results are an attack or a mistake.

    Raises Blocked.
    """
    for text in addresses:
        address = parse_address(text)
        if address is None or not is_public(address):
            raise Blocked(f"{host} is at {text}, which is not a public address")
