"""Goods come in, or are counted: the orders that wait for them are looked at right after."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.shop.stock import adjust_stock, receive_stock
from crossdock.shop.warehouse.releasing import wake_releases

_QUANTITY_MAX = 10**12


async def receive_goods(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    quantity: int,
    now: datetime,
    pool: str = "own",
    reason: str = "goods received",
) -> None:
    """So many arrived. Raises Invalid `invalid_input`, NotFound `variant_not_found`."""
    if not 1 <= quantity <= _QUANTITY_MAX:
        raise Invalid("invalid_input", "A receipt is of one or more.", {"field": "quantity"})
    await _check(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    await wake_releases(tx, shop_id=shop_id)
    await receive_stock(
        tx,
        shop_id=shop_id,
        variant_id=variant_id,
        quantity=quantity,
        now=now,
        pool=pool,
        reason=reason,
    )


async def count_goods(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    now: datetime,
    difference: int | None = None,
    counted: int | None = None,
    pool: str = "own",
    reason: str = "counted",
) -> int:
    """A count found so many (`counted`), or so many more or less; by how much the level changed.

    Raises Refused `stock_insufficient` below zero on hand, Invalid `invalid_input`, NotFound
    `variant_not_found`.
    """
    await _check(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    if counted is not None:
        difference = counted - await _on_hand(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    if difference is None or abs(difference) > _QUANTITY_MAX:
        raise Invalid("invalid_input", "Say what was counted.", {"field": "difference"})
    if difference == 0:
        return 0
    if difference > 0:
        await wake_releases(tx, shop_id=shop_id)
    await adjust_stock(
        tx,
        shop_id=shop_id,
        variant_id=variant_id,
        difference=difference,
        now=now,
        pool=pool,
        reason=reason,
    )
    return difference


async def _on_hand(tx: Transaction, *, shop_id: int, variant_id: int, pool: str) -> int:
    """What the level says, locked until it is put right."""
    return int(
        await tx.value(
            "select on_hand from stock_levels where shop_id = %s and variant_id = %s and pool = %s"
            " for no key update",
            (shop_id, variant_id, pool),
        )
        or 0
    )


async def _check(tx: Transaction, *, shop_id: int, variant_id: int, pool: str) -> None:
    if pool not in {"own", "supplier"}:
        raise Invalid("invalid_input", "A pool is own or supplier.", {"field": "pool"})
    known = await tx.value(
        "select true from variants where shop_id = %s and id = %s", (shop_id, variant_id)
    )
    if not known:
        raise NotFound("variant_not_found")
