"""Products as their shop's back office sees them, whoever may buy them: prices as entered, stock, variants.

A product is there as long as one of its variants is enabled, be it out of sale itself. What is sold by
serials: a variant that has or had some, or one of a product that is not shipped but counted.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.kit.paging import PlacePage
from crossdock.kit.texts import as_part
from crossdock.shop.catalogue.order_terms import OrderTerms

LOW_STOCK: Final = 5
NEAR: Final = 1_000
"""So many of the newest are looked through before their words' index is asked."""


class OwnedVariant(msgspec.Struct, frozen=True, kw_only=True):
    """An enabled variant. Amounts are minor units of the shop's currency.

    `on_hand` and `available` count the pools that its origin allows; `is_unlimited`: it cannot run out.
    """

    id: int
    sku: str
    name: str
    price_minor: int | None
    cost_minor: int | None
    on_hand: int
    available: int
    is_serial: bool
    is_unlimited: bool
    created_at: datetime
    updated_at: datetime


class OwnedProduct(msgspec.Struct, frozen=True, kw_only=True):
    """A product with its enabled variants in their order; `has_variants`: they differ by options."""

    id: int
    handle: str
    name: str
    description: str
    image: str | None
    is_enabled: bool
    has_variants: bool
    created_at: datetime
    updated_at: datetime
    order_terms: OrderTerms
    variants: tuple[OwnedVariant, ...]

    @property
    def is_serial(self) -> bool:
        """Whether it is sold by serials."""
        return any(variant.is_serial for variant in self.variants)

    @property
    def is_unlimited(self) -> bool:
        """Whether one of its variants cannot run out."""
        return any(variant.is_unlimited for variant in self.variants)

    @property
    def on_hand(self) -> int:
        """The sum of its variants'."""
        return sum(variant.on_hand for variant in self.variants)

    @property
    def available(self) -> int:
        """The sum of its variants', none below zero."""
        return sum(max(0, variant.available) for variant in self.variants)

    @property
    def price_minor(self) -> int | None:
        """The lowest price of its variants."""
        return min(
            (v.price_minor for v in self.variants if v.price_minor is not None), default=None
        )


class OwnedStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """How many products there are, are for sale, are nearly out of stock (up to LOW_STOCK), and are out of it."""

    total: int
    published: int
    low_stock: int
    out_of_stock: int


async def list_owned(
    tx: Transaction,
    *,
    shop_id: int,
    merchant_ids: list[int] | None,
    page: PlacePage,
    search: str = "",
) -> list[OwnedProduct]:
    """A page of the products of these merchants (None: all), the newest first, one more than its size.

    `search` finds a part of the name, and a whole handle or SKU, in any case.
    """
    values = {
        **page.bounds(),
        "shop": shop_id,
        "merchants": merchant_ids,
        "search": search,
        "pattern": as_part(search),
        "near": NEAR,
    }
    return [_product(row) for row in await tx.all(_LIST_FOUND if search else _LIST, values)]


async def read_owned(
    tx: Transaction, *, shop_id: int, merchant_ids: list[int] | None, product_id: int
) -> OwnedProduct:
    """One of these products. Raises NotFound `not_found`."""
    values = {"shop": shop_id, "merchants": merchant_ids, "product": product_id}
    row = await tx.one(_ONE, values)
    if row is None:
        raise NotFound("not_found")
    return _product(row)


async def count_owned(
    tx: Transaction, *, shop_id: int, merchant_ids: list[int] | None
) -> OwnedStatistics:
    """Counts of these products."""
    row = await tx.one(_COUNT, {"shop": shop_id, "merchants": merchant_ids, "low": LOW_STOCK})
    assert row is not None  # an aggregate has one row
    return OwnedStatistics(total=row[0], published=row[1], low_stock=row[2], out_of_stock=row[3])


def serial_pool(product: OwnedProduct, *, variant_id: int | None) -> OwnedVariant:
    """The variant whose serials are meant: named where the product has variants, and only there (spec 10).

    Raises NotFound `not_found` for a variant that the product does not have, Invalid `invalid_input` where
    one is missing and where the product is not sold by serials.
    """
    if variant_id is None:
        if product.has_variants:
            message = "this product has variants: name one"
            raise Invalid("invalid_input", message, {"field": "variant_id"})
        found = product.variants[0]
    else:
        named = [v for v in product.variants if v.id == variant_id and product.has_variants]
        if not named:
            raise NotFound("not_found")
        found = named[0]
    if not found.is_serial:
        raise Invalid("invalid_input", "is not sold by serials", {"field": "type"})
    return found


def _product(row: Sequence[Any]) -> OwnedProduct:
    *fields, terms, variants = row
    names = OwnedProduct.__struct_fields__[:-2]
    found = msgspec.convert(variants, tuple[OwnedVariant, ...])
    return OwnedProduct(
        **dict(zip(names, fields, strict=True)),
        order_terms=msgspec.convert(terms, OrderTerms),
        variants=found,
    )


_SEEN: Final = """p.shop_id = %(shop)s and sees_merchant(%(merchants)s::bigint[], p.merchant_id)
    and exists (select 1 from variants x where x.shop_id = p.shop_id and x.product_id = p.id and x.enabled)"""
_VARIANTS: Final = """
    select v.*, is_serial_variant(v.shop_id, v.id, p.virtual, p.sold_without_stock, v.stock_managed) as is_serial,
           (not v.stock_managed or p.sold_without_stock) and not has.serials as is_unlimited,
           coalesce(l.on_hand, 0) as on_hand, coalesce(l.available, 0) as available
    from variants v
    cross join lateral (select exists (
        select 1 from serials s where s.shop_id = v.shop_id and s.variant_id = v.id) as serials) has
    cross join lateral (
        select sum(l.on_hand)::bigint as on_hand, sum(l.available)::bigint as available from stock_levels l
        where l.shop_id = v.shop_id and l.variant_id = v.id
          and (v.origin = '*' or (l.pool = 'own') = (v.origin = 'SC'))) l
    where v.shop_id = p.shop_id and v.product_id = p.id and v.enabled
"""
_SHOWN: Final = f"""
    select p.id, p.handle, p.name, p.description, p.images -> 0 ->> 'url', p.enabled,
           cardinality(p.option_names) > 0 or jsonb_array_length(w.variants) > 1, p.created_at, p.updated_at,
           order_terms(p), w.variants
    from products p
    cross join lateral (
        select jsonb_agg(jsonb_build_object(
            'id', v.id, 'sku', v.sku, 'name', v.name, 'price_minor', v.retail_minor, 'cost_minor', v.cost_minor,
            'on_hand', v.on_hand, 'available', v.available, 'is_serial', v.is_serial,
            'is_unlimited', v.is_unlimited, 'created_at', v.created_at, 'updated_at', v.updated_at)
            order by v.position, v.id) as variants
        from ({_VARIANTS}) v) w
"""
_ONE: Final = f"{_SHOWN} where {_SEEN} and p.id = %(product)s"
_BETWEEN: Final = """(p.created_at, p.id) < (%(after_time)s::timestamptz, %(after_id)s)
      and (p.created_at, p.id) > (%(before_time)s::timestamptz, %(before_id)s)"""
_ORDERED: Final = " order by p.created_at desc, p.id desc limit %(size)s"
_LIST: Final = f"{_SHOWN} where {_SEEN} and {_BETWEEN} {_ORDERED}"
# A part of many names fills a page from the newest; one of few names is found by their words.
_LIST_FOUND: Final = f"""
    with near as materialized (
        select p.id, p.created_at from (
            select * from products p where p.shop_id = %(shop)s and {_BETWEEN}
            order by p.created_at desc, p.id desc limit %(near)s) p
        where p.name ilike %(pattern)s and {_SEEN} {_ORDERED}),
    found as materialized (
        select id from near
        union select p.id from products p
         where (select count(*) from near) < %(size)s and p.shop_id = %(shop)s and p.name ilike %(pattern)s
           and word_ends(p.shop_id, p.name) @@ words_asked(%(shop)s, %(search)s)
        union select p.id from products p
         where (select count(*) from near) < %(size)s and p.shop_id = %(shop)s and p.name ilike %(pattern)s
           and words_asked(%(shop)s, %(search)s) is null
        union select p.id from products p where p.shop_id = %(shop)s and lower(p.handle) = lower(%(search)s)
        union select x.product_id from variants x
         where x.shop_id = %(shop)s and x.enabled and lower(x.sku) = lower(%(search)s)),
    page as materialized (
        select p.id from products p
        where p.shop_id = %(shop)s and p.id = any (array(select id from found)) and {_BETWEEN} and {_SEEN} {_ORDERED})
    {_SHOWN} where p.shop_id = %(shop)s and p.id = any (array(select id from page)) {_ORDERED}"""
_COUNT: Final = f"""
    select count(*), count(*) filter (where p.enabled),
           count(*) filter (where not w.unlimited and w.available between 1 and %(low)s),
           count(*) filter (where not w.unlimited and w.available <= 0)
    from products p
    cross join lateral (
        select bool_or(v.is_unlimited) as unlimited, sum(greatest(v.available, 0)) as available
        from ({_VARIANTS}) v) w
    where {_SEEN}
"""
