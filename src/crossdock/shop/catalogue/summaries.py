"""What an event about products tells of them: names, times, and what is available of their variants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from crossdock.db.unit_of_work import Transaction


class VariantSummary(msgspec.Struct, frozen=True):
    """A variant; `available` is over its pools, None where its stock is not counted."""

    id: int
    name: str
    available: int | None


class ProductSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A product with its variants."""

    id: int
    handle: str
    name: str
    enabled: bool
    created_at: datetime
    updated_at: datetime
    variants: tuple[VariantSummary, ...]


async def read_summaries(
    tx: Transaction,
    *,
    shop_id: int,
    product_ids: Sequence[int] = (),
    variant_ids: Sequence[int] = (),
) -> list[ProductSummary]:
    """These products of the shop, and those of these variants, in one query; unknown ones are left out."""
    rows = await tx.all(
        _SUMMARIES, {"shop": shop_id, "ids": list(product_ids), "variants": list(variant_ids)}
    )
    return [_summary(row) for row in rows]


def _summary(row: tuple[Any, ...]) -> ProductSummary:
    names = ProductSummary.__struct_fields__[:-1]
    variants = tuple(VariantSummary(*each) for each in row[-1])
    return ProductSummary(**dict(zip(names, row[:-1], strict=True)), variants=variants)


_SUMMARIES = """
    select p.id, p.handle, p.name, p.enabled, p.created_at, p.updated_at, (
               select coalesce(jsonb_agg(jsonb_build_array(v.id, v.name, (
                          select sum(l.available) from stock_levels l
                          where l.shop_id = v.shop_id and l.variant_id = v.id and v.stock_managed))
                      order by v.position, v.id), '[]')
               from variants v where v.shop_id = p.shop_id and v.product_id = p.id)
    from products p
    where p.shop_id = %(shop)s and p.id in (
        select unnest(%(ids)s::bigint[])
        union
        select v.product_id from variants v where v.shop_id = %(shop)s and v.id = any(%(variants)s::bigint[]))
    order by p.id
"""
