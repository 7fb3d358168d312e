"""The assortment: every product that a partner may sell, those that are out of sale among it.

A product belongs to it with a variant that has a price in the partner's currency, of a merchant whom the
partner sees. What may not be sold now is there too, and says so: a partner who copied it has to learn it.
The newest come first. A page is one statement whatever is read of its products, and continues after a
place rather than a number, so that what is added meanwhile moves nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.paging import Place, PlacePage
from crossdock.shop.catalogue.goods import GoodsCategory
from crossdock.shop.catalogue.offers import offer_terms
from crossdock.shop.catalogue.pictures import ImageFacts, VideoFacts
from crossdock.shop.catalogue.records import DayRange, ShippingTerm, TargetUsers
from crossdock.shop.partners import Partner

VARIANTS: Final = "variants"
CATEGORIES: Final = "categories"
IMAGES: Final = "images"
SHIPPING: Final = "shipping"
TEXTS: Final = "texts"
EVERY_PART: Final = frozenset({VARIANTS, CATEGORIES, IMAGES, SHIPPING, TEXTS})

Span = tuple[datetime | None, datetime | None]
"""From and to, both included; None is open."""


class AssortedImage(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a product; `variant_sku` where it shows one variant only, `media` where it is held here."""

    url: str = ""
    alt: str = ""
    variant_sku: str | None = None
    media: ImageFacts | None = None


class AssortedVideo(msgspec.Struct, frozen=True, kw_only=True):
    """The video of a product; `media` where it is held here."""

    url: str
    media: VideoFacts | None = None


class AssortedVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A variant as the partner gets it; amounts are minor units of the partner's currency.

    `quantity` is how many the partner may be told of, None where it is not counted. `own_enabled` is
    what variant and product say, whether or not their merchant sells.
    """

    id: int
    sku: str
    name: str
    options: dict[str, str]
    attributes: dict[str, str]
    image: str | None
    weight_g: int
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    upc: str
    enabled: bool
    own_enabled: bool = True
    price_minor: int
    retail_minor: int
    quantity: int | None
    created_at: datetime
    updated_at: datetime


class AssortedProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product of the assortment; what was not asked for is empty.

    `enabled` says whether product and merchant are, `own_enabled` whether the product is.

    | part | fields |
    |---|---|
    | TEXTS | `description`, `attributes`, `features` |
    | SHIPPING | those of shipping; `shipping_each_minor` is of a unit |
    | IMAGES | `images`, `video` |
    | CATEGORIES | `categories`, the deepest first |
    | VARIANTS | `variants` with a price, in the product's order |
    """

    id: int
    handle: str
    name: str
    brand: str
    tags: tuple[str, ...]
    enabled: bool
    own_enabled: bool = True
    target_users: TargetUsers
    merchant_id: int
    merchant: str
    created_at: datetime
    updated_at: datetime
    description: str = ""
    attributes: dict[str, str] = {}
    features: tuple[str, ...] = ()
    shipping_each_minor: int = 0
    free_shipping: bool = False
    shipping_days: DayRange | None = None
    shipping_terms: tuple[ShippingTerm, ...] = ()
    ships_to: tuple[str, ...] = ()
    images: tuple[AssortedImage, ...] = ()
    video: AssortedVideo | None = None
    categories: tuple[GoodsCategory, ...] = ()
    variants: tuple[AssortedVariant, ...] = ()

    @property
    def place(self) -> Place:
        """Where it stands in the assortment."""
        return self.created_at, self.id


class AssortmentFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which products; all that are given hold. `category_ids` is any of these."""

    created: Span | None = None
    updated: Span | None = None
    enabled: bool | None = None
    category_ids: tuple[int, ...] | None = None


async def list_assortment(
    tx: Transaction,
    *,
    partner: Partner,
    page: PlacePage,
    filters: AssortmentFilters,
    parts: frozenset[str],
    now: datetime,
    own_requires_stock: bool = False,
) -> tuple[list[AssortedProduct], bool]:
    """A page of the assortment in its order, and whether there is more beyond it."""
    terms = offer_terms(partner, now=now, own_requires_stock=own_requires_stock)
    own = {"parts": sorted(parts), "is_last": page.is_last}
    rows = await tx.all(_PAGE, terms | own | _filtered(filters) | page.bounds())
    texts, has_more = page.cut([text for (text,) in rows])
    return [_decode(text) for text in texts], has_more


async def count_assortment(tx: Transaction, *, partner: Partner, filters: AssortmentFilters) -> int:
    """How many products of the assortment match."""
    sight = {
        "shop": partner.shop_id, "merchants": partner.merchant_ids, "currency": partner.currency,
    }  # fmt: skip
    count: int = await tx.value(_COUNT, sight | _filtered(filters))
    return count


async def read_assortment(
    tx: Transaction,
    *,
    partner: Partner,
    parts: frozenset[str],
    now: datetime,
    product_ids: Sequence[int] = (),
    variant_ids: Sequence[int] = (),
    own_requires_stock: bool = False,
) -> list[AssortedProduct]:
    """These products and those of these variants, by id; what the partner does not see is left out."""
    terms = offer_terms(partner, now=now, own_requires_stock=own_requires_stock)
    wanted = {
        "parts": sorted(parts), "products": list(product_ids), "variants": list(variant_ids),
    }  # fmt: skip
    return [_decode(text) for (text,) in await tx.all(_CHOSEN, terms | wanted)]


_decode = msgspec.json.Decoder(AssortedProduct).decode


def _filtered(filters: AssortmentFilters) -> dict[str, Any]:
    created, updated = filters.created or (None, None), filters.updated or (None, None)
    categories = filters.category_ids
    return {
        "created_from": created[0], "created_to": created[1],
        "updated_from": updated[0], "updated_to": updated[1],
        "enabled": filters.enabled,
        "categories": None if categories is None else list(categories),
    }  # fmt: skip


_SEEN: Final = "%(shop)s, %(merchants)s::bigint[], %(currency)s"
_MATCHING: Final = (
    f"{_SEEN}, %(created_from)s::timestamptz, %(created_to)s::timestamptz, %(updated_from)s::timestamptz,"
    " %(updated_to)s::timestamptz, %(enabled)s::boolean, %(categories)s::bigint[]"
)
_COUNT: Final = f"select count(*) from assorted({_MATCHING})"
_TOLD: Final = (
    f"select told from assorted_products({_SEEN}, %(price_list)s, %(backorder)s, %(own_requires_stock)s,"
    " %(now)s::timestamptz, "
)
_PAGE: Final = f"""
    {_TOLD} assorted_page(
        {_MATCHING}, %(after_time)s::timestamptz, %(after_id)s::bigint, %(before_time)s::timestamptz,
        %(before_id)s::bigint, %(size)s::integer, %(is_last)s::boolean), %(parts)s::text[]) told
"""
# One by one, each by its key: for several ids at once the planner may think that reading all products of
# a merchant is cheaper, as it does where most merchants have few.
_CHOSEN: Final = f"""
    {_TOLD} array(
        select p.id from (
            select distinct wanted.id from unnest(%(products)s::bigint[] || array(
                select v.product_id from variants v
                where v.shop_id = %(shop)s and v.id = any(%(variants)s::bigint[]))) wanted (id)) chosen
        cross join lateral (
            select a.id from assorted({_SEEN}, null, null, null, null, null, null) a
            where a.id = chosen.id offset 0) p
        order by p.id), %(parts)s::text[]) told
"""
