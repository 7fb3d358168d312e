"""What staff do with a shop's own images: add them to products, take them away, look at them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.shop.catalogue import (
    PICTURES_MAX,
    Picture,
    read_pictures,
    set_pictures,
    set_video,
    take_video,
)
from crossdock.shop.doctor import CheckResult, Difference
from crossdock.shop.media.keeping import Media, file_key
from crossdock.shop.media.model import ORIGINAL, PATH, StoredImage, edges_of, file_name
from crossdock.shop.media.videos import StoredVideo, facts_of, files_of, raw_path, read_videos

CHECK = "images and videos have their files"


class ImageView(msgspec.Struct, frozen=True, kw_only=True):
    """An image as staff see it; `owner` is the partner's name, '' for the shop's own."""

    id: int
    owner: str
    checksum: str
    format: str
    width: int
    height: int
    color: str
    size_bytes: int
    is_used: bool
    unused_since: datetime


async def add_pictures(
    tx: Transaction,
    *,
    shop_id: int,
    sku: str,
    images: Sequence[StoredImage],
    alt: str,
    is_first: bool,
    now: datetime,
) -> list[Picture]:
    """Add images to the product that has this SKU, behind its pictures or before them.

    Imports leave them there. One that the product has already moves. Returns all its pictures. Raises
    NotFound, Conflict `exists` for a SKU of several merchants, Invalid for too many pictures.
    """
    product_id, before = await read_pictures(tx, shop_id=shop_id, sku=sku)
    added = [
        Picture(url=PATH + file_name(image), alt=alt, media=image.facts(), added=True)
        for image in images
    ]
    urls = {picture.url for picture in added}
    others = [picture for picture in before if picture.url not in urls]
    pictures = [*added, *others] if is_first else [*others, *added]
    if len(pictures) > PICTURES_MAX:
        raise Invalid("invalid_input", f"A product has {PICTURES_MAX} pictures at most.")
    await set_pictures(tx, shop_id=shop_id, product_id=product_id, pictures=pictures, now=now)
    return pictures


async def remove_picture(
    tx: Transaction, *, shop_id: int, sku: str, checksum: str, now: datetime
) -> list[Picture]:
    """Take a picture, or the video, that staff added from a product; returns the pictures that are left.

    Raises NotFound.
    """
    if await take_video(tx, shop_id=shop_id, sku=sku, checksum=checksum, now=now):
        return (await read_pictures(tx, shop_id=shop_id, sku=sku))[1]
    product_id, before = await read_pictures(tx, shop_id=shop_id, sku=sku)
    left = [
        picture
        for picture in before
        if not (picture.added and picture.media and picture.media.checksum == checksum)
    ]
    if len(left) == len(before):
        raise NotFound("not_found", f"Staff added no image or video {checksum} to this product.")
    await set_pictures(tx, shop_id=shop_id, product_id=product_id, pictures=left, now=now)
    return left


async def add_video(
    tx: Transaction, *, shop_id: int, sku: str, video: StoredVideo, now: datetime
) -> None:
    """Make a video that of the product that has this SKU; imports leave it there.

    Raises NotFound, and Conflict `exists` for a SKU of several merchants.
    """
    facts = facts_of(video)
    await set_video(tx, shop_id=shop_id, sku=sku, url=raw_path(facts), facts=facts, now=now)


async def show_video(tx: Transaction, *, shop_id: int, video_id: int) -> StoredVideo:
    """One video of the shop. Raises NotFound."""
    found = await read_videos(tx, shop_id=shop_id, video_ids=[video_id])
    if not found:
        raise NotFound("not_found", f"The shop has no video {video_id}.")
    return found[0]


async def list_images(tx: Transaction, *, shop_id: int, limit: int) -> list[ImageView]:
    """The shop's newest images, of all owners."""
    rows = await tx.all(f"{_VIEWS} order by i.id desc limit %s", (shop_id, limit))
    return [_view(row) for row in rows]


async def show_image(tx: Transaction, *, shop_id: int, image_id: int) -> ImageView:
    """One image of the shop, whoever's it is. Raises NotFound."""
    row = await tx.one(f"{_VIEWS} and i.id = %s", (shop_id, image_id))
    if row is None:
        raise NotFound("not_found", f"The shop has no image {image_id}.")
    return _view(row)


async def examine_images(service: Media) -> CheckResult:
    """Look for the files of every image and video; each that is missing is a difference."""
    async with service.db.statement() as tx:
        rows = await tx.all(
            "select shop_id, checksum::text, place, format, width, height from image_files order by 1, 2"
        )
        videos = await tx.all(
            "select shop_id, checksum::text, place, case state when 'ready' then hls end, width, height"
            " from videos order by 1, 2"
        )
    missing = [
        Difference(
            check=CHECK,
            where=f"shop {shop_id} image {checksum}",
            expected=key,
            found="no such file",
        )
        for shop_id, checksum, place, kind, width, height in rows
        for edge in (ORIGINAL, *edges_of(width, height))
        if await service.store.size(key := file_key(place, edge=edge, kind=kind)) is None
    ]
    missing += [
        Difference(
            check=CHECK,
            where=f"shop {shop_id} video {checksum}",
            expected=key,
            found="no such file",
        )
        for shop_id, checksum, place, hls, width, height in videos
        for key in files_of(place, hls, width=width, height=height)
        if await service.store.size(key) is None
    ]
    looked_at = len(rows) + len(videos)
    return CheckResult(check=CHECK, looked_at=looked_at, differences=tuple(missing))


def _view(row: tuple[object, ...]) -> ImageView:
    return msgspec.convert(dict(zip(ImageView.__struct_fields__, row, strict=True)), ImageView)


_VIEWS = """
    select i.id, coalesce(p.name, ''), f.checksum::text, f.format, f.width, f.height, f.color::text,
           f.size_bytes, i.is_used, i.unused_since
    from images i join image_files f on f.shop_id = i.shop_id and f.checksum = i.checksum
    left join partners p on p.shop_id = i.shop_id and p.id = i.partner_id
    where i.shop_id = %s
"""
