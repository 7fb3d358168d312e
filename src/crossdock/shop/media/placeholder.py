"""The picture that stands in where a protocol wants one and there is none: a grey frame with hills and a sun.

It is an image like any other, with the checksum of its bytes. They are written without a compressor,
whose output differs between versions, so that every server has the same.
"""

import struct
import zlib
from functools import cache

from crossdock.shop.catalogue import ImageFacts
from crossdock.shop.media.reading import ImageLimits, ReadImage, marks_of, read_image

_EDGE = 400
_COLORS = (0xF2F2F2, 0xB4B4B4)
_BLOCK_BYTES = 65_535  # of a stored block (RFC 1951, 3.2.4)
_FRAME = range(12, 18)
_SUN = (130, 140, 34)
_HILLS = ((150, 210, 310), (250, 190, 310))
_LIMITS = ImageLimits(bytes_max=100_000, pixels_max=_EDGE * _EDGE)


@cache
def no_image() -> ImageFacts:
    """What is known of the picture; its id is 0."""
    read = _read()
    return ImageFacts(
        id=0,
        checksum=marks_of(draw()).checksum,
        format=read.format,
        width=read.width,
        height=read.height,
        color=read.color,
    )


def no_image_file(*, edge: int) -> bytes:
    """The file of one version; the original where there is no such version."""
    files = _read().files
    return files.get(edge) or files[0]


@cache
def draw() -> bytes:
    """The picture as a PNG of two colours."""
    rows = b"".join(b"\0" + _row(y) for y in range(_EDGE))
    header = struct.pack(">IIBBBBB", _EDGE, _EDGE, 1, 3, 0, 0, 0)
    palette = b"".join(color.to_bytes(3, "big") for color in _COLORS)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", _stored(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(name, data) for name, data in parts)


@cache
def _read() -> ReadImage:
    return read_image(draw(), limits=_LIMITS)


def _row(y: int) -> bytes:
    bits = 0
    for x in range(_EDGE):
        bits = bits << 1 | _is_drawn(x, y)
    return bits.to_bytes(_EDGE // 8, "big")


def _is_drawn(x: int, y: int) -> bool:
    edge = min(x, y, _EDGE - 1 - x, _EDGE - 1 - y)
    sun_x, sun_y, radius = _SUN
    is_hill = any(top + abs(x - middle) <= y < foot for middle, top, foot in _HILLS)
    return edge in _FRAME or (x - sun_x) ** 2 + (y - sun_y) ** 2 <= radius**2 or is_hill


def _stored(data: bytes) -> bytes:
    """The data as a zlib stream of blocks that are not compressed (RFC 1950, RFC 1951)."""
    blocks = [data[at : at + _BLOCK_BYTES] for at in range(0, len(data), _BLOCK_BYTES)]
    framed = (
        struct.pack("<BHH", block is blocks[-1], len(block), len(block) ^ 0xFFFF) + block
        for block in blocks
    )
    return b"\x78\x01" + b"".join(framed) + zlib.adler32(data).to_bytes(4, "big")


def _part(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
