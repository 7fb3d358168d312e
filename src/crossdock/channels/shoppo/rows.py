"""The rows of the catalogue's types: the core's records with what belongs to them.

The snapshots of an order are rows of the same classes, with the snapshot's own number.
"""

from dataclasses import dataclass, field

from crossdock.channels.shoppo.ids import Kind
from crossdock.shop.catalogue import AssortedProduct, AssortedVariant, ImageFacts, VideoFacts
from crossdock.shop.media import ImageVersion, hls_path, image_url, raw_path, versions_of


@dataclass(slots=True)
class ProductRow:
    """A product with its Skus; `kind`, `number` and `place` are those of its id."""

    record: AssortedProduct
    kind: int = Kind.PRODUCT
    number: int = 0
    place: int = 0
    skus: list["SkuRow"] = field(default_factory=list)

    @property
    def is_snapshot(self) -> bool:
        """Whether an order made it."""
        return self.kind != Kind.PRODUCT


@dataclass(slots=True)
class SkuRow:
    """A Sku of a product; `kind`, `number` and `place` are those of its id."""

    record: AssortedVariant
    product: ProductRow
    kind: int = Kind.SKU
    number: int = 0
    place: int = 0

    @property
    def is_snapshot(self) -> bool:
        """Whether an order made it."""
        return self.kind != Kind.SKU


@dataclass(frozen=True, slots=True)
class MerchantRow:
    """Who sells."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class SpecRow:
    """Something told of a Sku."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A picture; its id stands for `kind`, `number` and `place`."""

    kind: int
    number: int
    place: int
    url: str
    checksum: str
    type: str
    main_color: str = "#FFFFFF"
    width: int = 0
    height: int = 0
    versions: tuple[ImageVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class VideoRow:
    """A video; its id stands for `kind` and `number`. Without `hls_url` there are no renditions (yet)."""

    kind: int
    number: int
    checksum: str
    url: str
    hls_url: str | None = None
    cover: ImageRow | None = None


def kept_video(video: VideoFacts, *, base: str) -> VideoRow:
    """A video that is kept here; `base` is what its addresses start with."""
    path = hls_path(video)
    return VideoRow(
        kind=Kind.VIDEO,
        number=video.id,
        checksum=video.checksum,
        url=f"{base}{raw_path(video)}",
        hls_url=None if path is None else f"{base}{path}",
        cover=kept_image(video.cover, base=base),
    )


def kept_image(image: ImageFacts, *, base: str) -> ImageRow:
    """An image that is kept here; `base` is what its address starts with."""
    return ImageRow(
        kind=Kind.IMAGE,
        number=image.id,
        place=0,
        url=image_url(image, base=base),
        checksum=image.checksum,
        type=image.format.lower(),
        main_color=image.color,
        width=image.width,
        height=image.height,
        versions=versions_of(image),
    )


def product_row(record: AssortedProduct) -> ProductRow:
    """A live product with its Skus."""
    row = ProductRow(record, number=record.id)
    row.skus = [SkuRow(each, row, number=each.id) for each in record.variants]
    return row
