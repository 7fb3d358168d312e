"""Own stock as a partner sees it: a page of variants with their levels."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.partners import Partner

PAGE_MAX = 50


class StockItem(msgspec.Struct, frozen=True, gc=False):
    """A variant and its own level; `last_stock_change` is when its available quantity last changed.

    Stock that is not counted never runs out, whatever its level.
    """

    variant_id: int
    sku: str
    merchant_sku: str
    name: str
    weight_g: int
    on_hand: int
    available: int
    enabled: bool
    is_counted: bool
    best_before: date | None
    best_before_alert: str
    updated_at: datetime
    last_stock_change: datetime | None


async def list_stock(
    tx: Transaction,
    *,
    partner: Partner,
    variant_id: int | None = None,
    reference: str | None = None,
    limit: int = PAGE_MAX,
    offset: int = 0,
) -> Sequence[StockItem]:
    """The stock items of the merchants that the partner may see, by id, at most PAGE_MAX; one query."""
    query = _STOCK if variant_id is None else _STOCK_OF_ONE
    rows = await tx.all(
        query if reference is None else _STOCK_BY_REFERENCE,
        {
            "shop": partner.shop_id,
            "merchants": partner.merchant_ids,
            "variant": variant_id,
            "reference": reference,
            "limit": min(limit, PAGE_MAX),
            "offset": offset,
        },
    )
    return [StockItem(*row) for row in rows]


# First a page of variants, then joins for these only. Each filter has its own query, so that each
# gets its own plan: a page by id, a single row, or a few rows.
_OF_VARIANTS = """
    select v.id, v.sku, v.merchant_sku, v.name, v.weight_g, coalesce(l.on_hand, 0),
           coalesce(l.available, 0), v.enabled,
           can_run_out(v.shop_id, v.id, v.stock_managed, p.sold_without_stock, p.virtual),
           l.best_before, coalesce(l.best_before_alert, ''), greatest(v.updated_at, l.updated_at), l.updated_at
    from (
        select v.* from variants v
        where v.shop_id = %(shop)s and sees_merchant(%(merchants)s::bigint[], v.merchant_id)
"""
_A_PAGE = """
        order by v.id limit %(limit)s offset %(offset)s
    ) v
    join products p on p.shop_id = v.shop_id and p.id = v.product_id
    left join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    order by v.id
"""
_STOCK = f"{_OF_VARIANTS} {_A_PAGE}"
_STOCK_OF_ONE = f"{_OF_VARIANTS} and v.id = %(variant)s {_A_PAGE}"
_STOCK_BY_REFERENCE = f"""{_OF_VARIANTS}
          and v.id = any(array(select x.id from variants x where x.shop_id = %(shop)s and x.sku = %(reference)s)
                      || array(select x.id from variants x where x.shop_id = %(shop)s
                               and x.merchant_sku = %(reference)s and x.merchant_sku <> ''))
          and (%(variant)s::bigint is null or v.id = %(variant)s) {_A_PAGE}"""
