"""Image files as people, phones and attackers make them."""

import io
import itertools
import struct
import zlib
from typing import Any

from PIL import Image


def photo(width: int = 60, height: int = 40, *, kind: str = "JPEG", **saving: Any) -> bytes:
    """A picture whose left part is red, a third of it, and whose right part is blue."""
    mode = saving.pop("mode", "RGB")
    image = Image.new("RGB", (width, height), (20, 40, 200))
    image.paste((220, 30, 30), (0, 0, max(1, width // 3), height))
    return saved(image.convert(mode), kind=kind, **saving)


def saved(image: Image.Image, *, kind: str = "JPEG", **saving: Any) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    image.save(file, format=kind, **saving)
    return file.getvalue()


def opened(body: bytes) -> Image.Image:
    """The picture of a file, decoded."""
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


def exif(*, orientation: int = 1) -> bytes:
    """EXIF data with an orientation, a camera and the place where the picture was taken."""
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = "SecretCamera"
    data.get_ifd(0x8825).update({1: "N", 2: (51.0, 3.0, 15.0), 3: "E", 4: (3.0, 43.0, 30.0)})
    return data.tobytes()


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG file."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    check = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + check


def png_of_size(width: int, height: int) -> bytes:
    """A PNG file that claims a size and has nearly no data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 64)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


_numbers = itertools.count(1)


def fresh(width: int = 500, height: int = 410) -> bytes:
    """A PNG file that no other test of this process has: addresses name no shop."""
    image = Image.new("RGB", (width, height), "red")
    image.putpixel((0, 0), tuple(next(_numbers).to_bytes(3, "big")))
    return saved(image, kind="PNG")
