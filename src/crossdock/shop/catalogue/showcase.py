"""The catalogue as a web shop shows it: products with their variants, categories, blog posts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.offers import OFFERS, offer_terms
from crossdock.shop.partners import Partner

SHOWCASE_PAGE = 100
_PIECE = 500
_TURN_WAIT = "10s"  # below the statement timeout
Texts = dict[str, str]
"""A text by language."""


class ShownPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """A price for a time; a variant with a price agreed with the partner has none."""

    price_minor: int
    starts_at: datetime
    ends_at: datetime


class ShownImage(msgspec.Struct, frozen=True, kw_only=True):
    """A picture; `variant_id` where it shows one variant only."""

    url: str
    alt: str = ""
    variant_id: int | None = None


class ShownCategory(msgspec.Struct, frozen=True, kw_only=True):
    """A category that a product is in."""

    id: int
    name: str
    names: Texts


class ShownProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product, or one variant of it: then `parent_id` is the product's id, else 0.

    `variant_id` is the variant itself, or the product's first one; `available` is the sum over the
    product's variants. `managed` means that the stock of every variant is; `is_counted`, that it
    is also not virtual and not sold without stock. Prices are minor units without VAT; `price_minor`
    is the price without promotions, which are listed separately, or None.
    """

    id: int
    parent_id: int
    variant_id: int
    name: str
    description: str
    translations: dict[str, Texts]
    price_minor: int | None
    vat_bp: int
    promotions: list[ShownPromotion]
    enabled: bool
    is_counted: bool
    managed: bool
    extra_handling: dict[str, Any] | None
    upc: str
    available: int
    weight_g: int
    sort: int
    featured: bool
    virtual: bool
    sold_without_stock: bool
    images: list[ShownImage]
    categories: list[ShownCategory]
    children: list[int]
    related: list[int]


class ShownCategoryTree(msgspec.Struct, frozen=True, kw_only=True):
    """A category with its place in the tree; `parent_id` is 0 for a root."""

    id: int
    parent_id: int
    name: str
    names: Texts
    descriptions: Texts
    images: Texts
    sort: int
    enabled: bool
    children: list[int]


class ShownPost(msgspec.Struct, frozen=True, kw_only=True):
    """A blog post in one language; `content` is cleaned HTML."""

    id: int
    title: str
    content: str
    language: str
    image: str
    published_at: datetime
    enabled: bool


async def list_products(
    tx: Transaction,
    *,
    partner: Partner,
    now: datetime,
    offset: int,
    product_ids: Sequence[int] | None = None,
    category_ids: Sequence[int] | None = None,
) -> list[ShownProduct]:
    """A page of SHOWCASE_PAGE products and variants that match every filter, each by any value.

    Ordered by id, so that concurrent changes do not move rows between pages.
    """
    parameters = offer_terms(partner, now=now) | {
        "ids": _array(product_ids),
        "categories": _array(category_ids),
        "limit": SHOWCASE_PAGE,
        "offset": offset,
    }
    return _decoded(await tx.all(_PRODUCTS_PAGE, parameters), kind=ShownProduct)


async def list_categories(
    tx: Transaction, *, shop_id: int, offset: int, category_ids: Sequence[int] | None = None
) -> list[ShownCategoryTree]:
    """A page of SHOWCASE_PAGE categories by `sort`, then id."""
    parameters = {
        "shop": shop_id, "ids": _array(category_ids), "limit": SHOWCASE_PAGE, "offset": offset
    }  # fmt: skip
    return _decoded(await tx.all(_CATEGORIES + _PART, parameters), kind=ShownCategoryTree)


async def list_posts(
    tx: Transaction, *, shop_id: int, offset: int, post_ids: Sequence[int] | None = None
) -> list[ShownPost]:
    """A page of SHOWCASE_PAGE blog posts, the newest first."""
    parameters = {
        "shop": shop_id,
        "ids": _array(post_ids),
        "limit": SHOWCASE_PAGE,
        "offset": offset,
    }
    return _decoded(await tx.all(_POSTS + _PART, parameters), kind=ShownPost)


async def take_turn(tx: Transaction, *, partner: Partner) -> None:
    """Begin a complete list: one snapshot, and only one complete list per partner at a time.

    Must be the first statement of its transaction. Raises Unavailable `busy` if the partner's
    other list takes too long.
    """
    await tx.run("set transaction isolation level repeatable read, read only")
    await tx.run(f"set local lock_timeout = '{_TURN_WAIT}'")
    await tx.all("select pg_advisory_xact_lock(hashtextextended('whole list', %s))", (partner.id,))


async def all_products(
    tx: Transaction,
    *,
    partner: Partner,
    now: datetime,
    product_ids: Sequence[int] | None = None,
    category_ids: Sequence[int] | None = None,
) -> AsyncIterator[list[ShownProduct]]:
    """Stream all products and variants that match, by `sort`, then id, in constant memory.

    The transaction must be a snapshot; call `take_turn` first.
    """
    terms = offer_terms(partner, now=now)
    wanted = {"ids": _array(product_ids), "categories": _array(category_ids)}
    async for entries in _pieces(tx, query=_ENTRIES, parameters=terms | wanted):
        columns = dict(zip(_ENTRY_COLUMNS, map(list, zip(*entries, strict=True)), strict=True))
        rows = await tx.all(_PRODUCTS_OF, terms | columns)
        yield await asyncio.to_thread(_decoded, rows, kind=ShownProduct)


async def all_categories(
    tx: Transaction, *, shop_id: int, category_ids: Sequence[int] | None = None
) -> AsyncIterator[list[ShownCategoryTree]]:
    """All categories by `sort`, then id, in pieces."""
    parameters = {"shop": shop_id, "ids": _array(category_ids)}
    async for rows in _pieces(tx, query=_CATEGORIES, parameters=parameters):
        yield await asyncio.to_thread(_decoded, rows, kind=ShownCategoryTree)


async def all_posts(
    tx: Transaction, *, shop_id: int, post_ids: Sequence[int] | None = None
) -> AsyncIterator[list[ShownPost]]:
    """All blog posts, the newest first, in pieces."""
    parameters = {"shop": shop_id, "ids": _array(post_ids)}
    async for rows in _pieces(tx, query=_POSTS, parameters=parameters):
        yield await asyncio.to_thread(_decoded, rows, kind=ShownPost)


async def _pieces(
    tx: Transaction, *, query: str, parameters: dict[str, Any]
) -> AsyncIterator[list[tuple[Any, ...]]]:
    async with tx.connection.cursor(name="pieces") as cursor:
        await cursor.execute(query, parameters)
        while rows := await cursor.fetchmany(_PIECE):
            yield rows


Shown = TypeVar("Shown")


def _decoded(rows: Sequence[tuple[Any, ...]], *, kind: type[Shown]) -> list[Shown]:
    decoder = msgspec.json.Decoder(kind)
    return [decoder.decode(text) for (text,) in rows]


def _array(ids: Sequence[int] | None) -> list[int] | None:
    return None if ids is None else list(ids)


_IN_CATEGORY = """
    (%(categories)s::bigint[] is null or exists (
        select 1 from product_categories c
        where c.shop_id = p.shop_id and c.product_id = p.id and c.category_id = any(%(categories)s)))
"""
_PRODUCT_ENTRIES = f"""
    select p.id, 0::bigint as parent_id, p.id as product_id, null::bigint as own_variant, p.sort
    from products p
    where p.shop_id = %(shop)s
      and sees_merchant(%(merchants)s::bigint[], p.merchant_id)
      and (%(ids)s::bigint[] is null or p.id = any(%(ids)s)) and {_IN_CATEGORY}
      and exists (select 1 from variants x where x.shop_id = p.shop_id and x.product_id = p.id)
"""
_VARIANT_ENTRIES = f"""
    select v.id, p.id, p.id, v.id, p.sort
    from variants v join products p on p.shop_id = v.shop_id and p.id = v.product_id
    where v.shop_id = %(shop)s and cardinality(p.option_names) > 0
      and sees_merchant(%(merchants)s::bigint[], v.merchant_id)
      and (%(ids)s::bigint[] is null or v.id = any(%(ids)s)) and {_IN_CATEGORY}
"""
_SHOWN = f"""
    select jsonb_build_object(
        'id', e.id, 'parent_id', e.parent_id, 'variant_id', v.first_id,
        'name', coalesce(v.own_name, p.name), 'description', p.description, 'translations', p.translations,
        'price_minor', v.price_minor, 'vat_bp', v.vat_bp,
        'promotions', coalesce((
            select jsonb_agg(jsonb_build_object('price_minor', q.price_minor, 'starts_at', q.starts_at,
                                                'ends_at', q.ends_at) order by q.starts_at)
            from promotions q where q.shop_id = p.shop_id and q.variant_id = v.first_id
              and q.ends_at > %(now)s and not exists (
                  select 1 from price_list_items a where a.shop_id = p.shop_id
                  and a.price_list_id = %(price_list)s::bigint and a.variant_id = v.first_id)), '[]'::jsonb),
        'enabled', p.enabled and v.enabled, 'extra_handling', p.extra_handling,
        'is_counted', is_counted(v.is_managed, p.sold_without_stock, p.virtual and not v.by_serials),
        'managed', v.is_managed, 'upc', v.upc, 'available', v.available, 'weight_g', v.weight_g, 'sort', p.sort,
        'featured', p.featured, 'virtual', p.virtual, 'sold_without_stock', p.sold_without_stock,
        'images', coalesce((
            select jsonb_agg(jsonb_build_object(
                'url', coalesce(i.image ->> 'url', ''), 'alt', coalesce(i.image ->> 'alt', ''),
                'variant_id', (select x.id from variants x where x.shop_id = p.shop_id and x.product_id = p.id
                               and x.sku = i.image ->> 'variant_sku' limit 1)) order by i.place)
            from jsonb_array_elements(p.images) with ordinality as i (image, place)), '[]'::jsonb),
        'categories', coalesce((
            select jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'names', c.names) order by c.id)
            from product_categories pc join categories c on c.shop_id = pc.shop_id and c.id = pc.category_id
            where pc.shop_id = p.shop_id and pc.product_id = p.id), '[]'::jsonb),
        'children', case when e.parent_id = 0 and cardinality(p.option_names) > 0 then (
            select jsonb_agg(x.id order by x.position, x.id) from variants x
            where x.shop_id = p.shop_id and x.product_id = p.id) else '[]'::jsonb end,
        'related', coalesce((
            select jsonb_agg(distinct r.id) from unnest(p.related_handles) h cross join lateral (
                select k.id from products k
                where k.shop_id = p.shop_id and k.merchant_id = p.merchant_id and k.handle = h limit 1) r), '[]'::jsonb)
    )::text
    from page e
    join products p on p.shop_id = %(shop)s and p.id = e.product_id
    join lateral (
        select (array_agg(x.id order by x.place, x.id))[1] as first_id,
               case when e.own_variant is not null then (array_agg(x.name))[1] end as own_name,
               (array_agg(x.upc order by x.place, x.id))[1] as upc,
               (array_agg(x.vat_bp order by x.place, x.id))[1] as vat_bp,
               (array_agg(x.weight_g order by x.place, x.id))[1] as weight_g,
               (array_agg(x.regular_minor order by x.place, x.id))[1] as price_minor,
               bool_or(x.enabled) as enabled, bool_and(x.managed) as is_managed,
               bool_and(p.virtual and is_sold_by_serials(p.shop_id, x.id)) as by_serials,
               coalesce(sum(x.own), 0)::bigint as available
        from {OFFERS} x
        where x.product_id = p.id and (e.own_variant is null or x.id = e.own_variant)
    ) v on true
"""
_ENTRIES = f"""
    select e.id, e.parent_id, e.product_id, e.own_variant
    from ({_PRODUCT_ENTRIES} union all {_VARIANT_ENTRIES}) e order by e.sort, e.id
"""
_ENTRY_COLUMNS = ("entry_ids", "parent_ids", "entry_products", "own_variants")
# Read in batches: a single statement would sort all rows together with their texts.
_PRODUCTS_OF = f"""
    with page as (
        select * from unnest(%(entry_ids)s::bigint[], %(parent_ids)s::bigint[],
                             %(entry_products)s::bigint[], %(own_variants)s::bigint[])
            with ordinality as e (id, parent_id, product_id, own_variant, place)
    ) {_SHOWN} order by e.place
"""
# Each half of the union has a limit of its own, so that neither is read beyond the page.
_PRODUCTS_PAGE = f"""
    with page as (
        ({_PRODUCT_ENTRIES} order by p.id limit %(offset)s::bigint + %(limit)s)
        union all ({_VARIANT_ENTRIES} order by v.id limit %(offset)s::bigint + %(limit)s)
        order by id limit %(limit)s offset %(offset)s
    ) {_SHOWN} order by e.id
"""

_CATEGORIES = """
    select jsonb_build_object(
        'id', c.id, 'parent_id', coalesce(c.parent_id, 0), 'name', c.name, 'names', c.names,
        'descriptions', c.descriptions, 'images', c.images, 'sort', c.sort, 'enabled', c.enabled,
        'children', coalesce((
            select jsonb_agg(k.id order by k.sort, k.id) from categories k
            where k.shop_id = c.shop_id and k.parent_id = c.id), '[]'::jsonb)
    )::text
    from categories c
    where c.shop_id = %(shop)s and (%(ids)s::bigint[] is null or c.id = any(%(ids)s))
    order by c.sort, c.id
"""

_POSTS = """
    select jsonb_build_object(
        'id', b.id, 'title', b.title, 'content', b.content, 'language', b.language, 'image', b.image,
        'published_at', b.published_at, 'enabled', b.enabled
    )::text
    from blog_posts b
    where b.shop_id = %(shop)s and (%(ids)s::bigint[] is null or b.id = any(%(ids)s))
    order by b.published_at desc, b.id desc
"""
_PART = " limit %(limit)s offset %(offset)s"
