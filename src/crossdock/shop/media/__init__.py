"""Images and videos of a shop: taken from partners and staff, checked, kept in several sizes, found again."""

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
from crossdock.shop.media.purging import delete_leftovers, purge_images, purge_videos
from crossdock.shop.media.reading import ImageLimits
from crossdock.shop.media.rendering import render_videos
from crossdock.shop.media.staff import (
    ImageView,
    add_pictures,
    add_video,
    examine_images,
    list_images,
    remove_picture,
    show_image,
    show_video,
)
from crossdock.shop.media.store import Store, StoredFile, create_store
from crossdock.shop.media.video_fetching import fetch_videos
from crossdock.shop.media.videos import (
    StoredVideo,
    VideoLimits,
    Videos,
    facts_of,
    find_video_file,
    hls_path,
    keep_video,
    list_videos,
    open_video,
    raw_path,
    read_videos,
)
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
    "StoredVideo",
    "VideoLimits",
    "Videos",
    "add_pictures",
    "add_video",
    "create_store",
    "delete_leftovers",
    "examine_images",
    "facts_of",
    "fetch_consumer",
    "fetch_images",
    "fetch_videos",
    "file_name",
    "find_video_file",
    "hls_path",
    "image_url",
    "keep_image",
    "keep_video",
    "list_given_up",
    "list_images",
    "list_videos",
    "no_image",
    "open_image",
    "open_video",
    "purge_images",
    "purge_videos",
    "raw_path",
    "read_images",
    "read_name",
    "read_standing",
    "read_videos",
    "remove_picture",
    "render_videos",
    "show_image",
    "show_video",
    "use_images",
    "versions_of",
    "wish_for_all",
]
