"""What the assortment is grouped by: categories with their paths, page by page, and merchants by id."""

from collections.abc import Sequence
from typing import Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue.goods import GoodsCategory
from crossdock.shop.catalogue.selling import MerchantName
from crossdock.shop.partners import Partner


class CategoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Up to `size` categories after one id and before another; `is_last`: those nearest to the end."""

    size: int
    after: int | None = None
    before: int | None = None
    is_last: bool = False


async def list_category_paths(
    tx: Transaction, *, shop_id: int, page: CategoryPage
) -> tuple[list[GoodsCategory], bool]:
    """A page of the shop's enabled categories by id, and whether there is more beyond it."""
    rows = await tx.all(
        _LAST if page.is_last else _FIRST,
        {
            "shop": shop_id,
            "after": page.after or 0,
            "before": _MAX if page.before is None else page.before,
            "size": page.size + 1,
        },
    )
    found = [_category(row) for row in rows[: page.size]]
    return (found[::-1] if page.is_last else found), len(rows) > page.size


async def count_category_paths(tx: Transaction, *, shop_id: int) -> int:
    """How many categories of the shop are enabled."""
    count: int = await tx.value(
        "select count(*) from categories where shop_id = %s and enabled", (shop_id,)
    )
    return count


async def read_category_paths(
    tx: Transaction, *, shop_id: int, category_ids: Sequence[int]
) -> list[GoodsCategory]:
    """These categories by id, enabled or not."""
    rows = await tx.all(_CHOSEN, {"shop": shop_id, "ids": list(category_ids)})
    return [_category(row) for row in rows]


async def read_merchant_names(
    tx: Transaction, *, partner: Partner, merchant_ids: Sequence[int]
) -> list[MerchantName]:
    """Those of these merchants whose products the partner sees, enabled or not, by id."""
    rows = await tx.all(
        "select id, name from merchants where shop_id = %s and id = any(%s)"
        " and sees_merchant(%s::bigint[], id) order by id",
        (partner.shop_id, list(merchant_ids), partner.merchant_ids),
    )
    return [MerchantName(*row) for row in rows]


_MAX: Final = 2**63 - 1
_PATHS: Final = """
    select c.id, (select array_agg(k.name order by k.depth) from categories k
                  where k.shop_id = c.shop_id and k.id = any(c.id_path))
    from categories c where c.shop_id = %(shop)s
"""
_PAGED: Final = f"{_PATHS} and c.enabled and c.id > %(after)s and c.id < %(before)s"
_FIRST: Final = f"{_PAGED} order by c.id limit %(size)s"
_LAST: Final = f"{_PAGED} order by c.id desc limit %(size)s"
_CHOSEN: Final = f"{_PATHS} and c.id = any(%(ids)s::bigint[]) order by c.id"


def _category(row: tuple[int, list[str]]) -> GoodsCategory:
    return GoodsCategory(id=row[0], path=tuple(row[1]))
