"""Which products a batch of events is about."""

from collections.abc import Sequence
from typing import Final

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.events import (
    CatalogueChanged,
    CategoryChanged,
    Event,
    MerchantChanged,
    PriceChanged,
    StockChanged,
)

IDS_AT_ONCE: Final = 2_000

_HEARD: Final = {
    payload.kind
    for payload in (CatalogueChanged, CategoryChanged, MerchantChanged, PriceChanged, StockChanged)
}


async def changed_goods(
    tx: Transaction, *, shop_id: int, events: Sequence[Event], ids_at_once: int = IDS_AT_ONCE
) -> tuple[list[int], int]:
    """The products that the first of these events are about, and the number of the last one read.

    It reads no further event once `ids_at_once` are named, so that a big import is many transactions.
    """
    named: dict[str, set[int]] = {
        "products": set(), "variants": set(), "merchants": set(), "categories": set(),
    }  # fmt: skip
    last = 0
    for event in events:
        last = event.sequence
        if event.kind not in _HEARD:
            continue
        match event.decode():
            case CatalogueChanged(product_ids=ids):
                named["products"].update(ids)
            case PriceChanged(variant_ids=ids):
                named["variants"].update(ids)
            case StockChanged(levels=levels):
                named["variants"].update(variant_id for variant_id, _, _ in levels)
            case MerchantChanged(merchant_ids=ids):
                named["merchants"].update(ids)
            case CategoryChanged(category_ids=ids):
                named["categories"].update(ids)
        if sum(map(len, named.values())) >= ids_at_once:
            break
    wanted = {name: list(ids) for name, ids in named.items() if name != "products"}
    rows = await tx.all(_AFFECTED, {"shop": shop_id, **wanted}) if any(wanted.values()) else []
    return sorted(named["products"].union(row[0] for row in rows)), last


_AFFECTED = """
    select v.product_id from variants v where v.shop_id = %(shop)s and v.id = any(%(variants)s::bigint[])
    union
    select p.id from products p where p.shop_id = %(shop)s and p.merchant_id = any(%(merchants)s::bigint[])
    union
    select pc.product_id from categories c
    join product_categories pc on pc.shop_id = c.shop_id and pc.category_id = c.id
    where c.shop_id = %(shop)s and c.id_path && %(categories)s::bigint[]
"""
