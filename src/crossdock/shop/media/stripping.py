"""Take from a JPEG or PNG file what is not its picture: metadata, comments, further images, other files.

Reads the structure of the file alone, before anything is decoded. What is kept: the picture, its
colour profile and its resolution. What follows its end is cut off.
"""

import re
import struct
import zlib

import msgspec

from crossdock.errors import Invalid
from crossdock.shop.catalogue import ImageFormat

JPEG_START = b"\xff\xd8\xff"
PNG_START = b"\x89PNG\r\n\x1a\n"
SCANS_MAX = 100  # decoding takes as long as there are scans; encoders write about ten
PARTS_MAX = 50_000

_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_EOI, _SOS, _DQT, _DHT, _DRI = 0xD9, 0xDA, 0xDB, 0xC4, 0xDD
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
_OTHER_FRAMES = set(range(0xC3, 0xD0)) - {_DHT, 0xC8}
_JFIF_BYTES = 16
_EXIF = b"Exif\x00\x00"
_PNG_KEPT = {
    *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"),
    *(b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs"),
}


class Stripped(msgspec.Struct, frozen=True, kw_only=True):
    """The file without what was taken, and what its structure says; `exif` is without a prefix."""

    body: bytes
    format: ImageFormat
    width: int
    height: int
    exif: bytes = b""


def strip_image(body: bytes) -> Stripped:
    """Strip a JPEG or PNG file. Raises Invalid `image_invalid` for anything else, and what moves."""
    try:
        if body.startswith(JPEG_START):
            return _strip_jpeg(body)
        if body.startswith(PNG_START):
            return _strip_png(body)
    except (struct.error, IndexError):
        raise broken("it is cut off") from None
    raise broken("it is neither JPEG nor PNG")


def broken(reason: str) -> Invalid:
    """The error of a file that is no image that can be taken."""
    return Invalid("image_invalid", f"The image cannot be used: {reason}.")


def _strip_jpeg(body: bytes) -> Stripped:
    kept, size, exif, scans = [body[:2]], (0, 0), b"", 0
    at = 2
    for _ in range(PARTS_MAX):
        match = _NEXT_MARKER.match(body, at)
        if match is None:
            raise broken("it is cut off, or its structure is wrong")
        marker, start = match[1][0], match.end()
        if marker == _EOI:
            kept.append(b"\xff\xd9")
            break
        (length,) = struct.unpack_from(">H", body, start)
        data = body[start + 2 : start + length]
        if length < 2 or start + length > len(body):
            raise broken("it is cut off")
        at = start + length
        if marker in _FRAMES:
            size = _frame_size(data, before=size)
        elif marker in _OTHER_FRAMES:
            raise broken("this kind of JPEG is not read")
        elif marker == _APP1 and data.startswith(_EXIF):
            exif = exif or data[len(_EXIF) :]
        kept.append(_jpeg_part(marker, data))
        if marker == _SOS:
            scans += 1
            end = _NEXT_MARKER.search(body, at)
            if scans > SCANS_MAX:
                raise broken("it has too many scans")
            if end is None:
                raise broken("it is cut off")
            kept.append(body[at : end.start()])
            at = end.start()
    if kept[-1] != b"\xff\xd9" or not scans or 0 in size:
        raise broken("it has no picture")
    return Stripped(body=b"".join(kept), format="JPEG", width=size[0], height=size[1], exif=exif)


def _frame_size(data: bytes, *, before: tuple[int, int]) -> tuple[int, int]:
    depth, height, width = struct.unpack_from(">BHH", data)
    if depth != 8 or before != (0, 0):
        raise broken("this kind of JPEG is not read")
    return width, height


def _jpeg_part(marker: int, data: bytes) -> bytes:
    """The segment as it is kept, b'' where it is not."""
    if marker == _APP0 and data.startswith(b"JFIF\x00") and len(data) >= _JFIF_BYTES - 2:
        data = data[: _JFIF_BYTES - 4] + b"\x00\x00"  # without its thumbnail
    elif (marker == _APP2 and data.startswith(b"ICC_PROFILE\x00")) or (
        marker == _APP14 and data.startswith(b"Adobe")
    ):
        pass
    elif marker not in {*_FRAMES, _SOS, _DQT, _DHT, _DRI}:
        return b""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def _strip_png(body: bytes) -> Stripped:
    kept, size, exif = [PNG_START], (0, 0), b""
    at = len(PNG_START)
    for _ in range(PARTS_MAX):
        length, name = struct.unpack_from(">I4s", body, at)
        end = at + 12 + length
        if end > len(body):
            raise broken("it is cut off")
        data = body[at + 8 : end - 4]
        if (name == b"IHDR") is (size != (0, 0)):
            raise broken("its structure is wrong")
        if name == b"IHDR":
            size = struct.unpack_from(">II", data)
        elif name == b"acTL":
            raise broken("it is animated")
        elif name == b"eXIf":
            exif = data
        if name in _PNG_KEPT:
            if zlib.crc32(name + data) != int.from_bytes(body[end - 4 : end], "big"):
                raise broken("it is damaged")
            kept.append(body[at:end])
        elif not name[0] & 0x20:  # a part without which it cannot be read
            raise broken("this kind of PNG is not read")
        at = end
        if name == b"IEND":
            break
    if kept[-1][4:8] != b"IEND" or 0 in size:
        raise broken("it has no picture")
    return Stripped(body=b"".join(kept), format="PNG", width=size[0], height=size[1], exif=exif)
