"""An image of a shop, its versions and their names."""

import re
from collections.abc import Iterable

import msgspec

from crossdock.shop.catalogue import ImageFacts, ImageFormat

EDGES = (100, 400, 1000)
"""The short edges of the smaller versions, in pixels (spec shoppo 10)."""
ORIGINAL = 0
PATH = "/images/"
"""What precedes the names of files in addresses."""

VIDEO_PATH = "/videos/"
HLS_EDGES = (240, 480, 720)
"""The short edges of a video's renditions, in pixels."""

_VIDEO_NAME = re.compile(
    r"(?P<checksum>[0-9a-f]{32})\.mp4|(?P<folder>[0-9A-Za-z_-]{8,64})/(?P<file>master\.m3u8|(?:240|480|720)\.(?:m3u8|mp4))",
    re.ASCII,
)
_NAME = re.compile(r"([0-9a-f]{32})(?:-(100|400|1000)x\2)?\.(JPEG|PNG)", re.ASCII)


class StoredImage(ImageFacts, frozen=True, kw_only=True):
    """An image with its owner; `partner_id` is None for the shop's own. `size_bytes` is the upload's."""

    partner_id: int | None
    size_bytes: int

    def facts(self) -> ImageFacts:
        """What products tell of it."""
        return ImageFacts(**{name: getattr(self, name) for name in ImageFacts.__struct_fields__})


class ImageVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an image, in pixels."""

    filename: str
    width: int
    height: int


class VideoName(msgspec.Struct, frozen=True, kw_only=True):
    """What the path of a video's file says: the checksum of a film, or a rendition's folder and file."""

    checksum: str
    folder: str
    file: str


class ImageName(msgspec.Struct, frozen=True, kw_only=True):
    """What the name of a file says; `edge` is ORIGINAL or one of EDGES."""

    checksum: str
    edge: int
    format: ImageFormat

    @property
    def text(self) -> str:
        """The name: `<checksum>.JPEG` or `<checksum>-100x100.JPEG`."""
        size = f"-{self.edge}x{self.edge}" if self.edge else ""
        return f"{self.checksum}{size}.{self.format}"


def read_name(text: str) -> ImageName | None:
    """What a name says, or None if no image can have it."""
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    kind: ImageFormat = "PNG" if match[3] == "PNG" else "JPEG"
    return ImageName(checksum=match[1], edge=int(match[2] or ORIGINAL), format=kind)


def read_video_name(text: str) -> VideoName | None:
    """What a path behind VIDEO_PATH says, or None if no video can have it."""
    match = _VIDEO_NAME.fullmatch(text)
    if match is None:
        return None
    return VideoName(**{name: found or "" for name, found in match.groupdict().items()})


def edges_for(width: int, height: int) -> tuple[int, ...]:
    """The short edges of the renditions: none is larger than the video, and there is at least one."""
    return tuple(edge for edge in HLS_EDGES if edge <= min(width, height)) or HLS_EDGES[:1]


def hls_names(edges: Iterable[int] = HLS_EDGES) -> tuple[str, ...]:
    """The names of the files of these renditions, beside the master playlist."""
    return tuple(f"{edge}.{ending}" for edge in edges for ending in ("m3u8", "mp4"))


def file_name(image: ImageFacts, *, edge: int = ORIGINAL) -> str:
    """The name of one version's file."""
    return ImageName(checksum=image.checksum, edge=edge, format=image.format).text


def image_url(image: ImageFacts, *, base: str, edge: int = ORIGINAL) -> str:
    """The address of one version; `base` is what addresses of images start with."""
    return f"{base}{PATH}{file_name(image, edge=edge)}"


def image_file_url(name: str, *, edge: int) -> str:
    """The local address of a version of the image whose file has this name; '' for '', which is none."""
    found = read_name(name)
    if found is None:
        return ""
    return f"{PATH}{ImageName(checksum=found.checksum, edge=edge, format=found.format).text}"


def versions_of(image: ImageFacts) -> tuple[ImageVersion, ...]:
    """The original and the smaller versions, which keep its shape; none is larger than the original.

    | 2000 x 1644 | 100 | 400 | 1000 |
    |---|---|---|---|
    | becomes | 121 x 100 | 486 x 400 | 1216 x 1000 |
    """
    original = ImageVersion(filename=file_name(image), width=image.width, height=image.height)
    return (original, *(_version(image, edge) for edge in edges_of(image.width, image.height)))


def edges_of(width: int, height: int) -> tuple[int, ...]:
    """The short edges of the versions that an image of this size has."""
    return tuple(edge for edge in EDGES if edge <= min(width, height))


def scaled(width: int, height: int, *, edge: int) -> tuple[int, int]:
    """The size whose short edge is `edge`; the long one is rounded down."""
    if width < height:
        return edge, height * edge // width
    return width * edge // height, edge


def _version(image: ImageFacts, edge: int) -> ImageVersion:
    width, height = scaled(image.width, image.height, edge=edge)
    return ImageVersion(filename=file_name(image, edge=edge), width=width, height=height)
