"""Levels that run out: at or below their warning level, or a threshold."""

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.stock.numbers import LevelNumbers

LOW_PAGE_MAX = 200
LowPlace = tuple[int, int, str]
"""Where a page ends: available, variant and pool of its last level."""


class LowLevel(LevelNumbers, msgspec.Struct, frozen=True, kw_only=True):
    """A level that is low, with its goods."""

    variant_id: int
    product_id: int
    sku: str
    product: str
    name: str
    pool: str
    on_hand: int
    held: int
    committed: int
    warning_level: int
    available: int


async def list_low(
    tx: Transaction,
    *,
    shop_id: int,
    at_most: int | None = None,
    pool: str | None = None,
    after: LowPlace | None = None,
    limit: int = 50,
) -> tuple[list[LowLevel], bool]:
    """Levels of enabled variants, the emptiest first, and whether more follow; at most LOW_PAGE_MAX.

    Those at or below their warning level, which keeps units back; with `at_most` all of which no more can be sold,
    whatever their warning level. Variants that are not counted are left out.
    """
    size = min(limit, LOW_PAGE_MAX)
    values = {
        "shop": shop_id,
        "at_most": at_most,
        "pool": pool,
        **dict(zip(("available", "variant", "last"), after or (None, None, None), strict=True)),
        "size": size + 1,
    }
    rows = await tx.all(_LIST if at_most is None else _LIST_BELOW, values)
    names = LowLevel.__struct_fields__
    return [LowLevel(**dict(zip(names, row, strict=True))) for row in rows[:size]], len(rows) > size


_OF_LEVELS = """
    from stock_levels l
    join variants v on v.shop_id = l.shop_id and v.id = l.variant_id and v.enabled
    join products p on p.shop_id = v.shop_id and p.id = v.product_id
    where l.shop_id = %(shop)s and {low} and can_run_out(
        v.shop_id, v.id, v.stock_managed, p.sold_without_stock, p.virtual)
"""
_LOW = "l.warning_level > 0 and l.available <= 0"
_OF_LOW = _OF_LEVELS.format(low=_LOW)
COUNT_LOW = f"select count(*) {_OF_LOW}"
"""How many levels `list_low` lists of the shop %(shop)s without a threshold."""
_PAGE = f"""
    select v.id, p.id, v.sku, p.name, v.name, l.pool, l.on_hand, l.held, l.committed, l.warning_level, l.available
    {_OF_LEVELS}
      and (%(pool)s::text is null or l.pool = %(pool)s)
      and (%(available)s::bigint is null
           or (l.available, l.variant_id, l.pool) > (%(available)s, %(variant)s, %(last)s))
    order by l.available, l.variant_id, l.pool limit %(size)s
"""
_LIST = _PAGE.format(low=_LOW)
_LIST_BELOW = _PAGE.format(low="l.available <= %(at_most)s::bigint")
