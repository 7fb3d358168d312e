"""The assortment: every product that a partner may sell, those that are out of sale among it.

A product belongs to it with a variant that has a price in the partner's currency, of a merchant whom the
partner sees. What may not be sold now is there too, and says so: a partner who copied it has to learn it.
The newest come first. A page is one statement whatever is read of its products, and continues after a
place rather than a number, so that what is added meanwhile moves nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.paging import Place, PlacePage
from crossdock.shop.catalogue.goods import GoodsCategory
from crossdock.shop.catalogue.offers import OFFERS, offer_terms
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
    rows = await tx.all(
        _page_query(parts, is_last=page.is_last), terms | _filtered(filters) | page.bounds()
    )
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
    wanted = {"products": list(product_ids), "variants": list(variant_ids)}
    return [_decode(text) for (text,) in await tx.all(_chosen_query(parts), terms | wanted)]


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


# Whether a variant has a price does not depend on the moment: none is listed without a retail price.
_SEEN: Final = """
    p.shop_id = %(shop)s and sees_merchant(%(merchants)s::bigint[], p.merchant_id)
    and exists (select 1 from variants x where x.shop_id = p.shop_id and x.product_id = p.id
                and x.currency = %(currency)s and x.retail_minor is not null)
"""
_MATCHING: Final = """
    p.created_at between coalesce(%(created_from)s::timestamptz, '-infinity')
        and coalesce(%(created_to)s::timestamptz, 'infinity')
    and p.updated_at between coalesce(%(updated_from)s::timestamptz, '-infinity')
        and coalesce(%(updated_to)s::timestamptz, 'infinity')
    and (%(enabled)s::boolean is null or (p.enabled and m.enabled) = %(enabled)s)
    and (%(categories)s::bigint[] is null or exists (
        select 1 from product_categories pc where pc.shop_id = p.shop_id and pc.product_id = p.id
          and pc.category_id = any(%(categories)s)))
"""
_FROM: Final = "products p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id"
_COUNT: Final = f"select count(*) from {_FROM} where {_SEEN} and {_MATCHING}"
_BETWEEN: Final = """
    (p.created_at, p.id) < (%(after_time)s::timestamptz, %(after_id)s::bigint)
    and (p.created_at, p.id) > (%(before_time)s::timestamptz, %(before_id)s::bigint)
"""
_PAGED: Final = f"select p.* from {_FROM} where {_SEEN} and {_MATCHING} and {_BETWEEN}"
_CHOSEN: Final = f"""
    select p.* from products p where {_SEEN} and (p.id = any(%(products)s::bigint[]) or p.id in (
        select v.product_id from variants v
        where v.shop_id = %(shop)s and v.id = any(%(variants)s::bigint[])))
"""
_OWN_FIELDS: Final = """
    'id', p.id, 'handle', p.handle, 'name', p.name, 'brand', p.brand, 'tags', p.tags,
    'enabled', p.enabled and m.enabled, 'own_enabled', p.enabled, 'target_users', p.target_users,
    'merchant_id', m.id, 'merchant', m.name, 'created_at', p.created_at, 'updated_at', p.updated_at
"""
# The quantity is what the origin rule shows; what is not sold to the partner is none.
_VARIANT_FIELDS: Final = f"""
    coalesce((
        select json_agg(json_build_object(
            'id', o.id, 'sku', o.sku, 'name', o.name, 'options', v.options, 'attributes', v.attributes,
            'image', o.image, 'weight_g', o.weight_g, 'length_mm', v.length_mm, 'width_mm', v.width_mm,
            'height_mm', v.height_mm, 'upc', o.upc, 'enabled', v.listed, 'price_minor', o.price_minor,
            'own_enabled', v.enabled and p.enabled,
            'retail_minor', o.retail_minor, 'created_at', v.created_at, 'updated_at', v.updated_at,
            'quantity', case when o.allowed and o.listed then coalesce(o.quantity, o.shown) else 0 end)
            order by o.place, o.id)
        from {OFFERS} o
        join variants v on v.shop_id = %(shop)s and v.id = o.id
        where o.product_id = p.id and v.currency = %(currency)s and o.retail_minor is not null
    ), '[]'::json)
"""
_CATEGORY_FIELDS: Final = """
    coalesce((
        select json_agg(json_build_object('id', c.id, 'path', (
            select json_agg(k.name order by k.depth) from categories k
            where k.shop_id = c.shop_id and k.id = any(c.id_path))) order by c.depth desc, c.id)
        from product_categories pc join categories c on c.shop_id = pc.shop_id and c.id = pc.category_id
        where pc.shop_id = p.shop_id and pc.product_id = p.id
    ), '[]'::json)
"""
_PART_FIELDS: Final = {
    TEXTS: "'description', p.description, 'attributes', p.attributes, 'features', p.features",
    SHIPPING: (
        "'shipping_each_minor', p.shipping_minor, 'free_shipping', p.free_shipping,"
        " 'shipping_days', p.shipping_days, 'shipping_terms', p.shipping_terms, 'ships_to', p.ships_to"
    ),
    IMAGES: "'images', p.images, 'video', p.video",
    CATEGORIES: f"'categories', {_CATEGORY_FIELDS}",
    VARIANTS: f"'variants', {_VARIANT_FIELDS}",
}
_ORDER: Final = "p.created_at desc, p.id desc"
_ORDER_BACK: Final = "p.created_at, p.id"


@cache
def _page_query(parts: frozenset[str], *, is_last: bool) -> str:
    return _shown(
        f"{_PAGED} order by {_ORDER_BACK if is_last else _ORDER} limit %(size)s",
        parts=parts,
        order=_ORDER_BACK if is_last else _ORDER,
    )


@cache
def _chosen_query(parts: frozenset[str]) -> str:
    return _shown(_CHOSEN, parts=parts, order="p.id")


def _shown(wanted: str, *, parts: frozenset[str], order: str) -> str:
    """The statement that tells these parts of the products that `wanted` selects."""
    fields = ", ".join([_OWN_FIELDS, *(_PART_FIELDS[part] for part in sorted(parts))])
    # tidy: allow sql_is_made_of_constants because every part is a literal of this module
    return f"""
        with p as ({wanted})
        select json_build_object({fields})::text
        from p join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
        order by {order}
    """
