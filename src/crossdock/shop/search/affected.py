"""Which products of an index a batch of events is about."""

from collections.abc import Sequence
from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.events import (
    CatalogueChanged,
    CategoryChanged,
    CouponChanged,
    Event,
    MerchantChanged,
)


async def changed_products(
    tx: Transaction, *, shop_id: int, events: Sequence[Event], since: datetime, now: datetime
) -> list[int]:
    """The products that these events are about, and those whose price changed by the clock alone.

    A clock that was set back changes prices as well.
    """
    products: set[int] = set()
    merchants: set[int] = set()
    categories: set[int] = set()
    is_everything = False
    for event in events:
        payload = event.decode()
        if isinstance(payload, CatalogueChanged):
            products.update(payload.product_ids)
        elif isinstance(payload, MerchantChanged):
            merchants.update(payload.merchant_ids)
        elif isinstance(payload, CategoryChanged):
            categories.update(payload.category_ids)
        elif isinstance(payload, CouponChanged):
            if payload.product_id is not None:
                products.add(payload.product_id)
            elif payload.merchant_id is not None:
                merchants.add(payload.merchant_id)
            else:
                is_everything = True
    rows = await tx.all(
        _AFFECTED,
        {
            "shop": shop_id,
            "everything": is_everything,
            "merchants": list(merchants),
            "categories": list(categories),
            "from": min(since, now),
            "to": max(since, now),
        },
    )
    products.update(row[0] for row in rows)
    return sorted(products)


_AFFECTED = """
    select p.id from products p where p.shop_id = %(shop)s
      and (%(everything)s or p.merchant_id = any(%(merchants)s::bigint[]))
    union
    select p.id from coupons q join products p on p.shop_id = q.shop_id
      and (q.merchant_id is null or p.merchant_id = q.merchant_id) and (q.product_id is null or p.id = q.product_id)
    where q.shop_id = %(shop)s and q.enabled and q.given = 'price'
      and (q.starts_at > %(from)s and q.starts_at <= %(to)s or q.ends_at > %(from)s and q.ends_at <= %(to)s)
    union
    select pc.product_id from categories c
    join product_categories pc on pc.shop_id = c.shop_id and pc.category_id = c.id
    where c.shop_id = %(shop)s and c.id_path && %(categories)s::bigint[]
    union
    select v.product_id from variants v where v.shop_id = %(shop)s
      and v.sale_starts_at > %(from)s and v.sale_starts_at <= %(to)s
    union
    select v.product_id from variants v where v.shop_id = %(shop)s
      and v.sale_ends_at > %(from)s and v.sale_ends_at <= %(to)s
    union
    select v.product_id from promotions q join variants v on v.shop_id = q.shop_id and v.id = q.variant_id
    where q.shop_id = %(shop)s and q.starts_at > %(from)s and q.starts_at <= %(to)s
    union
    select v.product_id from promotions q join variants v on v.shop_id = q.shop_id and v.id = q.variant_id
    where q.shop_id = %(shop)s and q.ends_at > %(from)s and q.ends_at <= %(to)s
"""
