"""Read an uploaded image: check it, turn it upright, make its versions, find its main colour.

A pure function over bytes that takes its time, for a thread. It needs four bytes of memory for each
pixel, several times over.
"""

import hashlib
import io
import struct
import zlib
from collections import Counter
from typing import Any

import msgspec
from PIL import Image

from crossdock.errors import Invalid
from crossdock.shop.catalogue import ImageFormat
from crossdock.shop.media.model import ORIGINAL, edges_of, scaled
from crossdock.shop.media.stripping import Stripped, broken, strip_image

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DECODER_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, IndexError, OverflowError, EOFError),
    *(struct.error, zlib.error, Image.DecompressionBombError),
)
_TURNED_QUALITY = 95
_VERSION_QUALITY = 85
_SAMPLE_EDGE = 64
_SAMPLE_COLORS = 8


class ImageLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How large an uploaded image may be."""

    bytes_max: int
    pixels_max: int


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """What tells the bytes of an upload from others: MD5 in hexadecimal digits, and SHA-256."""

    checksum: str
    digest: bytes


class ReadImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image with the files of its versions, by short edge; that of the original is ORIGINAL."""

    format: ImageFormat
    width: int
    height: int
    color: str
    files: dict[int, bytes]


def marks_of(body: bytes) -> Marks:
    """The marks of uploaded bytes."""
    return Marks(
        checksum=hashlib.md5(body, usedforsecurity=False).hexdigest(),
        digest=hashlib.sha256(body).digest(),
    )


def read_image(body: bytes, *, limits: ImageLimits) -> ReadImage:
    """Read an image. Raises Invalid: `image_invalid`, or `image_too_large` before it is decoded.

    The file of the original is what was uploaded without metadata; one that its metadata turn is
    turned and encoded again.
    """
    require_size(body, limits=limits)
    found = strip_image(body)
    if found.width * found.height > limits.pixels_max:
        message = f"The image has more than {limits.pixels_max} pixels."
        raise Invalid("image_too_large", message, {"limit": limits.pixels_max})
    try:
        with Image.open(io.BytesIO(found.body), formats=[found.format]) as opened:
            if opened.size != (found.width, found.height):
                raise broken("its structure is wrong")
            opened.load()
            return _made(opened, found)
    except _DECODER_ERRORS as error:
        raise broken("it cannot be decoded") from error


def require_size(body: bytes, *, limits: ImageLimits) -> None:
    """Raises Invalid for a file that is empty or has too many bytes."""
    if not body:
        raise broken("the file is empty")
    if len(body) > limits.bytes_max:
        message = f"The image has more than {limits.bytes_max} bytes."
        raise Invalid("image_too_large", message, {"limit": limits.bytes_max})


def _made(opened: Image.Image, found: Stripped) -> ReadImage:
    pixels, profile = _plain(opened)
    turn = _TURNS.get(_orientation(found.exif))
    original = found.body
    if turn is not None:
        pixels = pixels.transpose(turn)
        original = _encoded(pixels, found.format, profile, quality=_TURNED_QUALITY)
    files = {ORIGINAL: original}
    for edge in edges_of(*pixels.size):
        smaller = pixels.resize(
            scaled(*pixels.size, edge=edge), Image.Resampling.LANCZOS, reducing_gap=3
        )
        files[edge] = _encoded(smaller, found.format, profile, quality=_VERSION_QUALITY)
    width, height = pixels.size
    return ReadImage(
        format=found.format, width=width, height=height, color=main_color(pixels), files=files
    )


def _orientation(exif: bytes) -> int:
    """The orientation that EXIF data name, 1 if they name none or cannot be read."""
    if not exif:
        return 1
    try:
        read = Image.Exif()
        read.load(exif)
        return int(read.get(_ORIENTATION, 1))
    except _DECODER_ERRORS:
        return 1


def _plain(image: Image.Image) -> tuple[Image.Image, bytes | None]:
    """The pixels as L, RGB or RGBA with eight bits each, and the colour profile that fits them."""
    profile: bytes | None = image.info.get("icc_profile")
    if image.has_transparency_data:
        return image.convert("RGBA"), profile
    if image.mode in {"L", "RGB"}:
        return image, profile
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L"), profile
    if image.mode == "1":
        return image.convert("L"), profile
    return image.convert("RGB"), None if image.mode == "CMYK" else profile


def _encoded(
    pixels: Image.Image, kind: ImageFormat, profile: bytes | None, *, quality: int
) -> bytes:
    chosen: dict[str, Any] = {"quality": quality, "optimize": True} if kind == "JPEG" else {}
    file = io.BytesIO()
    pixels.save(file, format=kind, icc_profile=profile, **chosen)
    return file.getvalue()


def main_color(pixels: Image.Image) -> str:
    """The most frequent colour as `#RRGGBB`, of the picture shrunk to 64 pixels and to 8 colours.

    What is transparent counts as white. Of colours that are as frequent the smallest number wins.
    """
    long = max(pixels.size)
    width, height = (max(1, edge * _SAMPLE_EDGE // long) for edge in pixels.size)
    small = pixels.resize((width, height), Image.Resampling.BOX) if long > _SAMPLE_EDGE else pixels
    if small.mode == "RGBA":
        white = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(white, small)
    few = small.convert("RGB").quantize(_SAMPLE_COLORS, dither=Image.Dither.NONE).convert("RGB")
    counted = Counter(zip(*[iter(few.tobytes())] * 3, strict=True))
    color = min(counted, key=lambda each: (-counted[each], each))
    return "#" + "".join(f"{part:02X}" for part in color)
