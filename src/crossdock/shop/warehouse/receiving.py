"""Receive, count or transfer stock; the stock run follows at once if orders wait for it."""

from datetime import datetime

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.shop.orders import wake_releases
from crossdock.shop.stock import adjust_stock, lock_levels, move_stock, receive_stock

LEVEL_MAX = 1_000_000_000
"""The most that a level may hold; a larger quantity must be a typing error."""


async def receive_variant(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    quantity: int,
    now: datetime,
    pool: str = "own",
    reason: str = "receipt",
) -> None:
    """Receive `quantity` units.

    Raises Invalid `invalid_input`, also if the level would be above LEVEL_MAX, and NotFound
    `variant_not_found`.
    """
    if quantity < 1:
        raise Invalid("invalid_input", "A receipt is of one or more.", {"field": "quantity"})
    if quantity > LEVEL_MAX:
        raise _too_large(quantity, field="quantity")
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
    await _look_at_sum(tx, shop_id=shop_id, variant_id=variant_id, pool=pool, field="quantity")


async def count_variant(
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
    """Set on hand to `counted`, or change it by a difference; returns the change.

    Raises Refused `stock_insufficient` below zero on hand, Invalid `invalid_input`, also where the
    level would be above LEVEL_MAX, and NotFound `variant_not_found`.
    """
    field = "difference" if counted is None else "counted"
    given = difference if counted is None else counted
    if given is None:
        raise Invalid("invalid_input", "Say what was counted.", {"field": field})
    if abs(given) > LEVEL_MAX:
        raise _too_large(given, field=field)
    await _check(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    if counted is not None:
        await lock_levels(tx, shop_id=shop_id, variant_ids=[variant_id], pool=pool)
        given = counted - await _on_hand(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    if given == 0:
        return 0
    if given > 0:
        await wake_releases(tx, shop_id=shop_id)
    await adjust_stock(
        tx,
        shop_id=shop_id,
        variant_id=variant_id,
        difference=given,
        now=now,
        pool=pool,
        reason=reason,
    )
    if given > 0:
        await _look_at_sum(tx, shop_id=shop_id, variant_id=variant_id, pool=pool, field=field)
    return given


async def transfer_variant(
    tx: Transaction,
    *,
    shop_id: int,
    variant_id: int,
    quantity: int,
    source: str,
    target: str,
    now: datetime,
    reason: str = "transferred",
) -> None:
    """Move `quantity` units that can be sold from one pool to another; orders that wait are released right after.

    Raises Refused `stock_limit_exceeded` for more than is available in the source, `stock_insufficient` for more than
    is on hand there, Invalid `invalid_input`, also where the target would be above LEVEL_MAX, and NotFound
    `variant_not_found`.
    """
    if quantity < 1:
        raise Invalid("invalid_input", "A transfer is of one or more.", {"field": "quantity"})
    if quantity > LEVEL_MAX:
        raise _too_large(quantity, field="quantity")
    if source == target:
        raise Invalid("invalid_input", "A transfer is between two pools.", {"field": "to"})
    for pool in (source, target):
        await _check(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    await wake_releases(tx, shop_id=shop_id)
    await move_stock(
        tx,
        shop_id=shop_id,
        variant_id=variant_id,
        quantity=quantity,
        source=source,
        target=target,
        reason=reason,
        now=now,
    )
    await _look_at_sum(tx, shop_id=shop_id, variant_id=variant_id, pool=target, field="quantity")


async def _look_at_sum(
    tx: Transaction, *, shop_id: int, variant_id: int, pool: str, field: str
) -> None:
    """Refuse a level above LEVEL_MAX; the change before has locked it."""
    on_hand = await _on_hand(tx, shop_id=shop_id, variant_id=variant_id, pool=pool)
    if on_hand > LEVEL_MAX:
        raise _too_large(on_hand, field=field)


def _too_large(number: int, *, field: str) -> Invalid:
    message = f"{number:,} is too large: a level holds at most {LEVEL_MAX:,}."
    return Invalid("invalid_input", message, {"field": field})


async def _on_hand(tx: Transaction, *, shop_id: int, variant_id: int, pool: str) -> int:
    """On hand, with the level locked for the correction."""
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
