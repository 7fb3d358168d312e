"""Images that the shop holds itself: what is known of them is kept in the products that show them.

An element of a product's `images` is {"url", "alt", "variant_sku"}, as a source has it; where the shop
holds the image also "media", its facts, and "added" where staff added it. Both outlast imports.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, NotFound
from crossdock.shop.catalogue.bulk import lock_catalogue
from crossdock.shop.catalogue.changes import tell_changed

ImageFormat = Literal["JPEG", "PNG"]
PICTURES_MAX = 200


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An image of the shop: `checksum` names its files; sizes are pixels, `color` is `#RRGGBB`."""

    id: int
    checksum: str
    format: ImageFormat
    width: int
    height: int
    color: str


class VideoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A video of the shop: `checksum` names its file, `hls` the folder of its renditions, '' before them."""

    id: int
    checksum: str
    width: int
    height: int
    duration_ms: int
    cover: ImageFacts
    hls: str = ""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a product, with what is known of it where the shop holds it."""

    url: str
    alt: str = ""
    variant_sku: str = ""
    media: ImageFacts | None = None
    added: bool = False


class ShownAddress(msgspec.Struct, frozen=True, kw_only=True):
    """An address that a product shows."""

    product_id: int
    url: str
    is_video: bool = False


class HeldAddress(ShownAddress, frozen=True, kw_only=True):
    """An address that a product shows, and what is known of its image."""

    media: ImageFacts | VideoFacts


async def list_unheld(
    tx: Transaction, *, shop_id: int, product_ids: Sequence[int]
) -> list[ShownAddress]:
    """What these products show and the shop does not hold."""
    rows = await tx.all(
        """select distinct p.id, e.value ->> 'url', false from products p
           cross join jsonb_array_elements(p.images) e
           where p.shop_id = %(shop)s and p.id = any(%(ids)s) and not e.value ? 'media'
           union all
           select p.id, p.video ->> 'url', true from products p
           where p.shop_id = %(shop)s and p.id = any(%(ids)s) and not p.video ? 'media'
           order by 1, 2""",
        {"shop": shop_id, "ids": list(product_ids)},
    )
    return [
        ShownAddress(product_id=product_id, url=url, is_video=is_video)
        for product_id, url, is_video in rows
    ]


async def list_product_ids(tx: Transaction, *, shop_id: int, after: int, limit: int) -> list[int]:
    """The ids of the shop's products above `after`, in order."""
    rows = await tx.all(
        "select id from products where shop_id = %s and id > %s order by id limit %s",
        (shop_id, after, limit),
    )
    return [product_id for (product_id,) in rows]


async def hold_pictures(
    tx: Transaction, *, shop_id: int, found: Sequence[HeldAddress], now: datetime
) -> list[int]:
    """Write what is known of images into the products that show them; returns those that changed."""
    await lock_catalogue(tx, shop_id=shop_id)
    written = msgspec.json.encode(found).decode()
    rows = await tx.all("select * from hold_pictures(%s, %s::jsonb, %s)", (shop_id, written, now))
    changed = sorted(product_id for (product_id,) in rows)
    await tell_changed(tx, shop_id=shop_id, product_ids=changed, now=now)
    return changed


async def read_pictures(tx: Transaction, *, shop_id: int, sku: str) -> tuple[int, list[Picture]]:
    """The id of the product that has this SKU, and its pictures.

    The catalogue is locked for the change that follows. Raises NotFound, and Conflict `exists` where
    several merchants have the SKU.
    """
    await lock_catalogue(tx, shop_id=shop_id)
    rows = await tx.all(
        """select p.id, p.images from products p
           where p.shop_id = %s and p.id in (
               select v.product_id from variants v where v.shop_id = %s and v.sku = %s)""",
        (shop_id, shop_id, sku),
    )
    if not rows:
        raise NotFound("not_found", f"There is no product with the SKU {sku!r}.")
    if len(rows) > 1:
        raise Conflict("exists", f"{len(rows)} merchants have the SKU {sku!r}.")
    product_id, images = rows[0]
    return product_id, msgspec.convert(images, list[Picture])


async def set_pictures(
    tx: Transaction, *, shop_id: int, product_id: int, pictures: Sequence[Picture], now: datetime
) -> None:
    """Replace a product's pictures."""
    await tx.run(
        "update products set images = %s, updated_at = %s where shop_id = %s and id = %s",
        (Jsonb([_element(each) for each in pictures]), now, shop_id, product_id),
    )
    await tell_changed(tx, shop_id=shop_id, product_ids=[product_id], now=now)


async def hold_videos(
    tx: Transaction, *, shop_id: int, found: Sequence[HeldAddress], now: datetime
) -> list[int]:
    """Write what is known of a video into the products that show its address; returns those that changed."""
    await lock_catalogue(tx, shop_id=shop_id)
    written = msgspec.json.encode(found).decode()
    rows = await tx.all("select * from hold_videos(%s, %s::jsonb, %s)", (shop_id, written, now))
    changed = sorted(product_id for (product_id,) in rows)
    await tell_changed(tx, shop_id=shop_id, product_ids=changed, now=now)
    return changed


async def renew_video(
    tx: Transaction, *, shop_id: int, facts: VideoFacts, now: datetime
) -> list[int]:
    """Write what is newly known of a video into the products that have it; returns those that changed."""
    await lock_catalogue(tx, shop_id=shop_id)
    rows = await tx.all(
        """update products p set video = p.video || jsonb_build_object('media', %(media)s::jsonb),
                  updated_at = %(now)s
           where p.shop_id = %(shop)s and (p.video #>> '{media,id}')::bigint = %(id)s
             and p.video ? 'media' and p.video -> 'media' is distinct from %(media)s::jsonb
           returning p.id""",
        {
            "shop": shop_id,
            "id": facts.id,
            "media": msgspec.json.encode(facts).decode(),
            "now": now,
        },
    )
    changed = sorted(product_id for (product_id,) in rows)
    await tell_changed(tx, shop_id=shop_id, product_ids=changed, now=now)
    return changed


async def set_video(
    tx: Transaction, *, shop_id: int, sku: str, url: str, facts: VideoFacts, now: datetime
) -> None:
    """Give the product that has this SKU a video, which imports leave there. Raises as `read_pictures`."""
    product_id, _ = await read_pictures(tx, shop_id=shop_id, sku=sku)
    element = {"url": url, "media": msgspec.to_builtins(facts), "added": True}
    await tx.run(
        "update products set video = %s, updated_at = %s where shop_id = %s and id = %s",
        (Jsonb(element), now, shop_id, product_id),
    )
    await tell_changed(tx, shop_id=shop_id, product_ids=[product_id], now=now)


async def take_video(
    tx: Transaction, *, shop_id: int, sku: str, checksum: str, now: datetime
) -> bool:
    """Take the video that staff added from a product; whether there was one. Raises as `read_pictures`.

    The product's source brings its own one back with the next import.
    """
    product_id, _ = await read_pictures(tx, shop_id=shop_id, sku=sku)
    taken = await tx.all(
        """update products set video = null, source_hash = null, updated_at = %s
           where shop_id = %s and id = %s and video ? 'added' and video #>> '{media,checksum}' = %s
           returning id""",
        (now, shop_id, product_id, checksum),
    )
    if taken:
        await tell_changed(tx, shop_id=shop_id, product_ids=[product_id], now=now)
    return bool(taken)


def _element(picture: Picture) -> dict[str, Any]:
    defaults = {"alt": "", "variant_sku": "", "media": None, "added": False}
    found: dict[str, Any] = msgspec.to_builtins(picture)
    return {key: value for key, value in found.items() if value != defaults.get(key, ...)}
