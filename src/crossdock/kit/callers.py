"""Who really calls: the network address behind proxies that are trusted, and behind no others."""

import ipaddress
from collections.abc import Sequence


def caller_address(peer: str, *, forwarded_for: str, trusted: Sequence[str]) -> str:
    """The nearest address that is no trusted proxy.

    X-Forwarded-For grows to the right, so it is read from there, and only while the hop before was
    trusted; what a caller wrote into it himself is never reached.
    """
    networks = [ipaddress.ip_network(text) for text in trusted]
    address = peer
    for hop in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        if not _is_in(address, networks) or _parse(hop) is None:
            break
        address = hop
    return address


def caller_network(address: str) -> str:
    """The IPv4 address, or the /64 that one IPv6 customer has; other texts stay as they are."""
    parsed = _parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed) if parsed else address


def _is_in(text: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    address = _parse(text)
    return address is not None and any(address in network for network in networks)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
