"""Which products a batch of events is about."""

from collections.abc import Sequence
from typing import Final

import msgspec

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


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """Products to compare, of the events up to number `last`, and up to where all are read with them."""

    product_ids: list[int]
    last: int
    upto: int


async def changed_goods(
    tx: Transaction, *, shop_id: int, events: Sequence[Event], ids_at_once: int = IDS_AT_ONCE
) -> Changed:
    """Some `ids_at_once` products that the first of these events are about.

    It reads no further event once so many are named, so that a big import is many transactions. Events about more
    products, such as one of a merchant, are read again until all of them are compared: how far they are is
    remembered in the caller's transaction. What is remembered counts for events up to just that number: an event
    that is taken by itself starts anew, and leaves the place of the others alone unless it needs one too.
    """
    progress = await tx.one(
        "select upto, product_id from told_progress where shop_id = %s and upto = any(%s)",
        (shop_id, [event.sequence for event in events]),
    )
    upto, after = progress or (None, 0)
    named, last = _named(events, upto=upto, ids_at_once=ids_at_once)
    wanted = {name: list(ids) for name, ids in named.items()}
    rows = await tx.all(
        _AFFECTED, {"shop": shop_id, "after": after, "limit": ids_at_once + 1, **wanted}
    )
    found = [row[0] for row in rows]
    if len(found) > ids_at_once:
        found = found[:ids_at_once]
        await tx.run(_REMEMBER, (shop_id, last, found[-1]))
        return Changed(product_ids=found, last=last, upto=events[0].sequence - 1)
    if progress:
        await tx.run("delete from told_progress where shop_id = %s", (shop_id,))
    return Changed(product_ids=found, last=last, upto=last)


def _named(
    events: Sequence[Event], *, upto: int | None, ids_at_once: int
) -> tuple[dict[str, set[int]], int]:
    """What the first of the events name, those up to `upto` if it is given, and the number of the last one read."""
    named: dict[str, set[int]] = {
        "products": set(), "variants": set(), "merchants": set(), "categories": set(),
    }  # fmt: skip
    last = 0
    for event in events:
        if upto is not None and event.sequence > upto:
            break
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
        if upto is None and sum(map(len, named.values())) >= ids_at_once:
            break
    return named, last


_REMEMBER = """
    insert into told_progress (shop_id, upto, product_id) values (%s, %s, %s)
    on conflict (shop_id) do update set upto = excluded.upto, product_id = excluded.product_id
"""
_AFFECTED = """
    select id from (
        select unnest(%(products)s::bigint[]) as id
        union
        select v.product_id from variants v where v.shop_id = %(shop)s and v.id = any(%(variants)s::bigint[])
        union
        select p.id from products p where p.shop_id = %(shop)s and p.merchant_id = any(%(merchants)s::bigint[])
        union
        select pc.product_id from categories c
        join product_categories pc on pc.shop_id = c.shop_id and pc.category_id = c.id
        where c.shop_id = %(shop)s and c.id_path && %(categories)s::bigint[]
    ) x
    where id > %(after)s order by id limit %(limit)s
"""
