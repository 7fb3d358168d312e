"""Origins of web addresses: scheme and host, as browsers compare them."""

import re
from urllib.parse import urlsplit

URL_MAX = 2_000
_PORT = 443
# A name or an IPv4 address; what else a browser would accept for a host is not needed here.
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_PLAIN = re.compile(r"[!-~]+", re.ASCII)


def origin_of(url: str, *, is_bare: bool = False) -> str | None:
    """`https://host` or `https://host:port` of an https address; None for every other text.

    Refused are other schemes, names and passwords before the host, and the spellings that browsers
    read otherwise than programs do: a backslash, a blank, a control character, a missing slash.
    With `is_bare` the address may have nothing behind the host.
    """
    if len(url) > URL_MAX or not _PLAIN.fullmatch(url) or "\\" in url:
        return None
    if not url.lower().startswith("https://"):
        return None
    try:
        parts = urlsplit(url)
        port = _PORT if parts.port is None else parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    if "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    if parts.netloc.lower() not in {host, f"{host}:{parts.port}"}:
        return None
    if is_bare and (parts.path not in {"", "/"} or parts.query or parts.fragment):
        return None
    return f"https://{host}" if port == _PORT else f"https://{host}:{port}"
