"""Images of a shop: taken from partners and staff, checked, kept in several sizes, found again."""

from crossdock.shop.media.keeping import (
    Media,
    Reader,
    keep_image,
    open_image,
    read_images,
    use_images,
)
from crossdock.shop.media.model import (
    EDGES,
    ImageName,
    ImageVersion,
    StoredImage,
    file_name,
    read_name,
    versions_of,
)
from crossdock.shop.media.purging import delete_leftovers, purge_images
from crossdock.shop.media.reading import ImageLimits
from crossdock.shop.media.store import Store, StoredFile, create_store

__all__ = [
    "EDGES",
    "ImageLimits",
    "ImageName",
    "ImageVersion",
    "Media",
    "Reader",
    "Store",
    "StoredFile",
    "StoredImage",
    "create_store",
    "delete_leftovers",
    "file_name",
    "keep_image",
    "open_image",
    "purge_images",
    "read_images",
    "read_name",
    "use_images",
    "versions_of",
]
