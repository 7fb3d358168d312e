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
from crossdock.shop.events import CatalogueChanged, write_event

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


class HeldAddress(ShownAddress, frozen=True, kw_only=True):
    """An address that a product shows, and what is known of its image."""

    media: ImageFacts


async def list_unheld(
    tx: Transaction, *, shop_id: int, product_ids: Sequence[int]
) -> list[ShownAddress]:
    """What these products show and the shop does not hold."""
    rows = await tx.all(
        """select distinct p.id, e.value ->> 'url' from products p
           cross join jsonb_array_elements(p.images) e
           where p.shop_id = %s and p.id = any(%s) and not e.value ? 'media'
           order by 1, 2""",
        (shop_id, list(product_ids)),
    )
    return [ShownAddress(product_id=product_id, url=url) for product_id, url in rows]


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
    await _tell(tx, shop_id=shop_id, product_ids=changed, now=now)
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
    await _tell(tx, shop_id=shop_id, product_ids=[product_id], now=now)


def _element(picture: Picture) -> dict[str, Any]:
    defaults = {"alt": "", "variant_sku": "", "media": None, "added": False}
    found: dict[str, Any] = msgspec.to_builtins(picture)
    return {key: value for key, value in found.items() if value != defaults.get(key, ...)}


async def _tell(
    tx: Transaction, *, shop_id: int, product_ids: Sequence[int], now: datetime
) -> None:
    if product_ids:
        event = CatalogueChanged(product_ids=list(product_ids))
        await write_event(tx, shop_id=shop_id, event=event, now=now)
