"""The caller's network address, taken from X-Forwarded-For only behind trusted proxies."""

import ipaddress
import re
from collections.abc import Sequence

_WITH_PORT = re.compile(r"\[([^\]]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)


def caller_address(peer: str, *, forwarded_for: str, trusted: Sequence[str]) -> str:
    """The nearest address that is not a trusted proxy.

    X-Forwarded-For is read from the right, and only while the previous hop is a trusted proxy, so
    entries that the caller forged are never used. Some proxies add the port, as in
    `192.0.2.7:5000` and `[2001:db8::7]:5000`.
    """
    networks = [ipaddress.ip_network(text) for text in trusted]
    address = peer
    for hop in reversed([_bare(part) for part in forwarded_for.split(",") if part.strip()]):
        if not _is_in(address, networks) or _parse(hop) is None:
            break
        address = hop
    return address


def caller_network(address: str) -> str:
    """The IPv4 address, or the /64 network of an IPv6 address; other texts are returned unchanged."""
    parsed = _parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed) if parsed else address


def is_trusted(address: str, *, trusted: Sequence[str]) -> bool:
    """Whether the address is in one of the trusted networks."""
    return _is_in(address, [ipaddress.ip_network(text) for text in trusted])


def _bare(hop: str) -> str:
    """The address alone, without a port or brackets."""
    match = _WITH_PORT.fullmatch(hop.strip())
    return (match[1] or match[2]) if match else hop.strip()


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
