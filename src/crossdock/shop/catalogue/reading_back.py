"""Read the catalogue as records that would recreate it, streamed in one snapshot."""

from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.records import (
    BlogPostRecord,
    CategoryRecord,
    MerchantRecord,
    ProductRecord,
)

_FETCH = 500

T = TypeVar("T")


async def use_snapshot(tx: Transaction) -> None:
    """Make all reads of this transaction see one state; must be its first statement."""
    await tx.run("set transaction isolation level repeatable read, read only")


async def stream_products(tx: Transaction, *, shop_id: int) -> AsyncIterator[list[ProductRecord]]:
    """Every product with its variants, in the order of ids, some hundred at a time."""
    async for chunk in _stream(tx, query=_PRODUCTS, shop_id=shop_id, kind=ProductRecord):
        yield chunk


async def stream_categories(
    tx: Transaction, *, shop_id: int
) -> AsyncIterator[list[CategoryRecord]]:
    """Every node of the tree, parents first."""
    async for chunk in _stream(tx, query=_CATEGORIES, shop_id=shop_id, kind=CategoryRecord):
        yield chunk


async def stream_blog_posts(
    tx: Transaction, *, shop_id: int
) -> AsyncIterator[list[BlogPostRecord]]:
    """Every blog post, in the order of ids."""
    async for chunk in _stream(tx, query=_BLOG_POSTS, shop_id=shop_id, kind=BlogPostRecord):
        yield chunk


async def stream_merchants(tx: Transaction, *, shop_id: int) -> AsyncIterator[list[MerchantRecord]]:
    """Every merchant, in the order of ids."""
    async for chunk in _stream(tx, query=_MERCHANTS, shop_id=shop_id, kind=MerchantRecord):
        yield chunk


class AttributeUse(msgspec.Struct, frozen=True):
    """Names of attributes, the most frequent first, and the number of distinct names.

    `most` is the largest number of attributes and options of one product.
    """

    names: list[str]
    count: int = 0
    most: int = 0


async def read_attribute_use(tx: Transaction, *, shop_id: int, limit: int) -> AttributeUse:
    """How the shop's products use attributes; at most `limit` names."""
    rows = await tx.all(
        """select given.name, count(*) over () from products p,
                  jsonb_object_keys(p.attributes) as given (name)
           where p.shop_id = %s group by given.name order by count(*) desc, given.name limit %s""",
        (shop_id, limit),
    )
    most = await tx.value(
        """select max(cardinality(option_names)
                      + (select count(*) from jsonb_object_keys(attributes)))
           from products where shop_id = %s""",
        (shop_id,),
    )
    return AttributeUse([name for name, _ in rows], rows[0][1] if rows else 0, most or 0)


async def _stream(
    tx: Transaction, *, query: str, shop_id: int, kind: type[T]
) -> AsyncIterator[list[T]]:
    decode = msgspec.json.Decoder(kind).decode
    async with tx.connection.cursor(name="reading_back") as cursor:
        cursor.itersize = _FETCH
        await cursor.execute(query, {"shop": shop_id})
        while rows := await cursor.fetchmany(_FETCH):
            yield [decode(row[0]) for row in rows]


VARIANT_FIELDS = """
    'sku', v.sku, 'merchant_sku', v.merchant_sku, 'part_number', v.part_number, 'upc', v.upc,
    'options', v.options, 'attributes', v.attributes, 'image', v.image,
    'retail_minor', v.retail_minor, 'sale_minor', v.sale_minor, 'sale_starts_at', v.sale_starts_at,
    'sale_ends_at', v.sale_ends_at, 'cost_minor', v.cost_minor, 'vat_bp', v.vat_bp,
    'weight_g', v.weight_g, 'length_mm', v.length_mm, 'width_mm', v.width_mm,
    'height_mm', v.height_mm, 'origin', v.origin, 'stock_managed', v.stock_managed,
    'stock_status', v.stock_status, 'enabled', v.enabled,
    'promotions', coalesce((
        select json_agg(json_build_object('price_minor', q.price_minor, 'starts_at', q.starts_at,
                   'ends_at', q.ends_at) order by q.starts_at)
        from promotions q where q.shop_id = v.shop_id and q.variant_id = v.id), '[]')
"""

_VARIANTS = f"""
select json_agg(json_build_object({VARIANT_FIELDS},
    'stock', coalesce((
        select json_agg(json_build_object('pool', l.pool, 'on_hand', l.on_hand,
                   'warning_level', l.warning_level, 'best_before', l.best_before,
                   'best_before_alert', l.best_before_alert) order by l.pool)
        from stock_levels l where l.shop_id = v.shop_id and l.variant_id = v.id), '[]')
) order by v.position, v.id)
from variants v where v.shop_id = p.shop_id and v.product_id = p.id
"""

_CATEGORY_PATHS = """
select json_agg((
    select json_agg(a.name order by a.depth) from categories a
    where a.shop_id = c.shop_id and a.id = any(c.id_path)) order by c.path)
from product_categories pc
join categories c on c.shop_id = pc.shop_id and c.id = pc.category_id
where pc.shop_id = p.shop_id and pc.product_id = p.id
"""

PRODUCT_FIELDS = f"""
    'handle', p.handle, 'name', p.name, 'merchant', m.name, 'description', p.description,
    'currency', coalesce((select v.currency from variants v
                          where v.shop_id = p.shop_id and v.product_id = p.id limit 1), s.currency),
    'brand', p.brand, 'translations', p.translations, 'attributes', p.attributes,
    'categories', coalesce(({_CATEGORY_PATHS}), '[]'), 'images', p.images,
    'video', coalesce(p.video ->> 'url', ''), 'tags', p.tags,
    'related_handles', p.related_handles, 'option_names', p.option_names,
    'extra_handling', p.extra_handling, 'enabled', p.enabled, 'featured', p.featured,
    'virtual', p.virtual, 'sold_without_stock', p.sold_without_stock,
    'requires_serial', p.requires_serial, 'shipping_minor', p.shipping_minor,
    'free_shipping', p.free_shipping, 'shipping_days', p.shipping_days,
    'shipping_terms', p.shipping_terms, 'ships_to', p.ships_to, 'target_users', p.target_users,
    'features', p.features, 'sort', p.sort,
    'quantity_min', p.quantity_min, 'quantity_max', p.quantity_max, 'custom_fields', p.custom_fields
"""
"""The parts of a product `p` of shop `s` and merchant `m`, but for its variants."""

_PRODUCTS = f"""
select json_build_object({PRODUCT_FIELDS}, 'variants', coalesce(({_VARIANTS}), '[]'))::text
from products p
join shops s on s.id = p.shop_id
join merchants m on m.shop_id = p.shop_id and m.id = p.merchant_id
where p.shop_id = %(shop)s
order by p.id
"""

_CATEGORIES = """
select json_build_object(
    'path', (select json_agg(a.name order by a.depth) from categories a
             where a.shop_id = c.shop_id and a.id = any(c.id_path)),
    'names', c.names, 'descriptions', c.descriptions, 'images', c.images, 'enabled', c.enabled,
    'sort', c.sort)::text
from categories c where c.shop_id = %(shop)s order by c.depth, c.id
"""

_BLOG_POSTS = """
select json_build_object('slug', slug, 'title', title, 'content', content, 'language', language,
    'published_at', published_at, 'image', image, 'enabled', enabled)::text
from blog_posts where shop_id = %(shop)s order by id
"""

_MERCHANTS = """
select json_build_object('name', name, 'email', email, 'country', country, 'terms', terms,
    'shipping_flat_minor', shipping_flat_minor, 'free_shipping_from_minor', free_shipping_from_minor,
    'commission_bp', commission_bp, 'customer_service_url', customer_service_url,
    'return_policy_url', return_policy_url, 'connector', connector, 'enabled', enabled)::text
from merchants where shop_id = %(shop)s order by id
"""
