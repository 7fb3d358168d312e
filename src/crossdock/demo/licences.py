"""Serials for what the demo sells by them: a licence without one could be ordered, and never be delivered."""

from collections.abc import Iterable

from crossdock.channels.contract import DemoShop
from crossdock.db.unit_of_work import Transaction
from crossdock.demo.stocking import serials_of
from crossdock.shop.catalogue import ProductRecord
from crossdock.shop.stock import add_serials, count_pooled_by_sku


async def ensure_licences(
    tx: Transaction, *, shop: DemoShop, records: Iterable[ProductRecord], seed: int
) -> int:
    """Fill up the serials of these products' variants; returns how many were added."""
    wanted = {
        variant.sku: serials_of(variant.sku, seed=seed)
        for record in records
        for variant in record.variants
    }
    added = 0
    pooled = await count_pooled_by_sku(tx, shop_id=shop.shop.id, skus=list(wanted))
    for variant_id, sku, count in pooled:
        if count < wanted[sku]:
            added += await add_serials(
                tx,
                shop_id=shop.shop.id,
                variant_id=variant_id,
                serials=[shop.new_serial() for _ in range(wanted[sku] - count)],
                box=shop.box,
                now=shop.now,
            )
    return added
