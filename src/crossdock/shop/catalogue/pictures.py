"""What is known of an image that the shop holds itself; kept in the products that show it."""

from typing import Literal

import msgspec

ImageFormat = Literal["JPEG", "PNG"]


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An image of the shop: `checksum` names its files; sizes are pixels, `color` is `#RRGGBB`."""

    id: int
    checksum: str
    format: ImageFormat
    width: int
    height: int
    color: str
