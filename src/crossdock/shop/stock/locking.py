"""Lock levels before what they hold is compared with anything."""

from collections.abc import Sequence

from crossdock.db.unit_of_work import Transaction


async def lock_levels(
    tx: Transaction, *, shop_id: int, variant_ids: Sequence[int], pool: str = "own"
) -> None:
    """Lock a pool's levels of these variants until the end of the transaction; unknown variants have none.

    A missing level is made, empty: what is not there cannot be locked, and a receipt that is under way would be
    written over. Made in the order in which levels are locked, as others wait for a new row as for a locked one.
    """
    await tx.run(_LOCK, (pool, shop_id, list(variant_ids)))


_LOCK = """
    insert into stock_levels as l (shop_id, variant_id, pool)
    select v.shop_id, v.id, %s from variants v
    where v.shop_id = %s and v.id = any(%s::bigint[]) order by v.id
    on conflict (shop_id, variant_id, pool) do update set updated_at = l.updated_at
"""
