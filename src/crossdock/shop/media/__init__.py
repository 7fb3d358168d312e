"""Images of a shop: taken from partners and staff, checked, kept in several sizes, found again."""

from crossdock.shop.media.fetching import Fetched, Fetching, fetch_images
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
    image_url,
    read_name,
    versions_of,
)
from crossdock.shop.media.placeholder import no_image
from crossdock.shop.media.purging import delete_leftovers, purge_images
from crossdock.shop.media.reading import ImageLimits
from crossdock.shop.media.staff import (
    ImageView,
    add_pictures,
    examine_images,
    list_images,
    remove_picture,
    show_image,
)
from crossdock.shop.media.store import Store, StoredFile, create_store
from crossdock.shop.media.wishing import (
    GivenUp,
    Standing,
    fetch_consumer,
    list_given_up,
    read_standing,
    wish_for_all,
)

__all__ = [
    "EDGES",
    "Fetched",
    "Fetching",
    "GivenUp",
    "ImageLimits",
    "ImageName",
    "ImageVersion",
    "ImageView",
    "Media",
    "Reader",
    "Standing",
    "Store",
    "StoredFile",
    "StoredImage",
    "add_pictures",
    "create_store",
    "delete_leftovers",
    "examine_images",
    "fetch_consumer",
    "fetch_images",
    "file_name",
    "image_url",
    "keep_image",
    "list_given_up",
    "list_images",
    "no_image",
    "open_image",
    "purge_images",
    "read_images",
    "read_name",
    "read_standing",
    "remove_picture",
    "show_image",
    "use_images",
    "versions_of",
    "wish_for_all",
]
