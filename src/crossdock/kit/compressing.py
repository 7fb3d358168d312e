"""Gzip, with a bound on decompressed size, and the choice of a content coding."""

import re
import zlib
from collections.abc import Sequence

from crossdock.errors import CrossdockError, Invalid

LEVEL = 5
_MEMBERS_MAX = 16
_GZIP = zlib.MAX_WBITS | 16
_CODING = re.compile(r"\s*([a-z0-9*-]+)\s*(?:;\s*q=([0-9.]+))?\s*", re.IGNORECASE)


def gunzip(data: bytes, *, limit_bytes: int) -> bytes:
    """Decompress gzip data of one or several members.

    Raises CrossdockError `too_large` as soon as the output exceeds the limit, Invalid
    `invalid_input` for data that is truncated, damaged or not gzip.
    """
    found, rest, members = bytearray(), data, 0
    try:
        while rest:
            members += 1
            if members > _MEMBERS_MAX:
                raise Invalid("invalid_input", "The gzip body has too many members.")
            member = zlib.decompressobj(wbits=_GZIP)
            found += member.decompress(rest, limit_bytes + 1 - len(found))
            if len(found) > limit_bytes:
                raise CrossdockError("too_large", data={"limit_bytes": limit_bytes})
            if not member.eof:
                raise Invalid("invalid_input", "The gzip body is cut off.")
            rest = member.unused_data
    except zlib.error:
        raise Invalid("invalid_input", "The body is not gzip.") from None
    return bytes(found)


def gzip_whole(data: bytes) -> bytes:
    """Compress bytes; equal input gives equal output."""
    packer = gzip_pieces()
    return packer.compress(data) + packer.flush()


def gzip_pieces() -> "zlib._Compress":
    """A streaming compressor: call `compress` for each piece, then `flush`."""
    return zlib.compressobj(level=LEVEL, wbits=_GZIP)


def choose_coding(accept: str, *, offered: Sequence[str]) -> str:
    """The coding that Accept-Encoding prefers, '' for none; of equal weights the first offered."""
    weights: dict[str, float] = {}
    for part in accept.split(","):
        if match := _CODING.fullmatch(part):
            weights[match[1].lower()] = _weight(match[2])
    ranked = [(weights.get(name, weights.get("*", 0.0)), name) for name in offered]
    best = max(ranked, key=lambda offer: offer[0])
    return best[1] if best[0] > 0 and best[0] >= weights.get("identity", 0.0) else ""


def _weight(text: str | None) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
