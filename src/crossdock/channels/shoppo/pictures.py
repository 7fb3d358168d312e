"""The pictures of products and Skus, and what is told of them (spec sections 3, 10)."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial

from crossdock.channels.shoppo.ids import Kind
from crossdock.channels.shoppo.rows import (
    ImageRow,
    ProductRow,
    SkuRow,
    VideoRow,
    kept_image,
    kept_video,
)
from crossdock.channels.shoppo.subjects import Read
from crossdock.shop.media import no_image

_FORMATS = {"png": "png"}
_OTHER_FORMAT = "jpeg"
_KEPT = 10_000


class Pictures:
    """Finds pictures; `base` is put before addresses on this server, `kept_base` before kept images."""

    def __init__(self, base: str, *, kept_base: str) -> None:
        self._base = base.rstrip("/")
        self._kept_base = kept_base
        self._kept = lru_cache(maxsize=_KEPT)(partial(kept_image, base=kept_base))

    def of_product(self, row: ProductRow) -> list[ImageRow]:
        """Those that show no single Sku first, then the others; at least one."""
        record = row.record
        shared = [at for at, each in enumerate(record.images) if each.variant_sku is None]
        others = [at for at, each in enumerate(record.images) if each.variant_sku is not None]
        found = [self.at(row, place) for place in (*shared, *others) if record.images[place].url]
        return found or [self._none(record.id)]

    def video_of(self, row: ProductRow) -> VideoRow | None:
        """The product's video, None without one."""
        video = row.record.video
        if video is None or not video.url:
            return None
        if video.media is not None:
            return kept_video(video.media, base=self._kept_base)
        whole = self._whole(video.url)
        return VideoRow(Kind.PRODUCT_VIDEO, row.record.id, _facts(whole)[0], whole)

    def at(self, row: ProductRow, place: int) -> ImageRow:
        """The picture in this place of the catalogue."""
        image = row.record.images[place]
        if image.media is not None:
            return self._kept(image.media)
        return self._image(Kind.PRODUCT_IMAGE, row.record.id, place, image.url)

    def of_sku(self, row: SkuRow) -> ImageRow:
        """The Sku's own picture, the product's picture of it, else the product's first one."""
        record, product = row.record, row.product
        images = product.record.images
        for place, image in enumerate(images):
            if image.url and image.url == record.image:
                return self.at(product, place)
        if record.image:
            return self._image(Kind.SKU_IMAGE, record.id, 0, record.image)
        for place, image in enumerate(images):
            if image.url and image.variant_sku == record.sku:
                return self.at(product, place)
        return self.of_product(product)[0]

    def _none(self, product_id: int) -> ImageRow:
        """The picture that stands in for a product's."""
        return replace(self._kept(no_image()), kind=Kind.PRODUCT_IMAGE, number=product_id)

    def _image(self, kind: int, number: int, place: int, url: str) -> ImageRow:
        whole = self._whole(url)
        checksum, format_ = _facts(whole)
        return ImageRow(kind, number, place, whole, checksum, format_)

    def _whole(self, url: str) -> str:
        return f"{self._base}{url}" if url.startswith("/") else url


@lru_cache(maxsize=_KEPT)
def _facts(url: str) -> tuple[str, str]:
    """What is known of a picture elsewhere: a checksum of its address, and what its name says it is."""
    checksum = hashlib.md5(url.encode(), usedforsecurity=False).hexdigest()
    ending = url.partition("?")[0].rpartition(".")[2].lower()
    return checksum, _FORMATS.get(ending, _OTHER_FORMAT)


IMAGE_TYPES: Mapping[str, Mapping[str, Read]] = {
    "Image": {
        "id": lambda row, call: call.ids.encode(row.kind, row.number, row.place),
        "checksum": lambda row, _: row.checksum,
        "originalHeight": lambda row, _: row.height,
        "originalWidth": lambda row, _: row.width,
        "originalUrl": lambda row, _: row.url,
        "mainColor": lambda row, _: row.main_color,
        "type": lambda row, _: row.type,
        "versions": lambda row, _: row.versions,
    },
    "Video": {
        "id": lambda row, call: call.ids.encode(row.kind, row.number),
        "checksum": lambda row, _: row.checksum,
        "rowUrl": lambda row, _: row.url,
        "rawUrl": lambda row, _: row.url,
        "hlsUrl": lambda row, _: row.hls_url,
        "coverImage": lambda row, _: row.cover,
    },
    "ImageVersion": {
        "filename": lambda version, _: version.filename,
        "height": lambda version, _: version.height,
        "width": lambda version, _: version.width,
    },
}
