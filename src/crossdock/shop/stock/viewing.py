"""Read levels and the entries that changed them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.shop.stock.numbers import LevelNumbers


class Level(LevelNumbers, msgspec.Struct, frozen=True, kw_only=True):
    """The quantities of a variant in a pool; `available` is available to promise."""

    variant_id: int
    sku: str
    name: str
    pool: str
    on_hand: int
    held: int
    committed: int
    warning_level: int
    available: int
    updated_at: datetime


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a level."""

    id: int
    pool: str
    kind: str
    on_hand: int
    held: int
    committed: int
    reason: str
    order_id: int | None
    created_at: datetime


async def find_variant(tx: Transaction, *, shop_id: int, who: str) -> int:
    """The variant with that SKU, else with that id. Raises NotFound `variant_not_found`."""
    found = await tx.value(
        "select id from variants where shop_id = %s and (sku = %s or id::text = %s)"
        " order by sku = %s desc, id limit 1",
        (shop_id, who, who, who),
    )
    if found is None:
        raise NotFound("variant_not_found", f"There is no variant {who!r}.")
    return int(found)


async def read_levels(tx: Transaction, *, shop_id: int, variant_id: int) -> list[Level]:
    """The variant's levels, own first."""
    found = await read_levels_of(tx, shop_id=shop_id, variant_ids=[variant_id])
    return found.get(variant_id, [])


async def read_levels_of(
    tx: Transaction, *, shop_id: int, variant_ids: Sequence[int]
) -> dict[int, list[Level]]:
    """The levels of each of these variants, own first; one without any is absent. One statement."""
    rows = await tx.all(
        "select l.variant_id, v.sku, v.name, l.pool, l.on_hand, l.held, l.committed, l.warning_level,"
        " l.available, l.updated_at from stock_levels l"
        " join variants v on v.shop_id = l.shop_id and v.id = l.variant_id"
        " where l.shop_id = %s and l.variant_id = any(%s::bigint[]) order by l.variant_id, l.pool",
        (shop_id, list(variant_ids)),
    )
    found: dict[int, list[Level]] = {}
    for row in rows:
        level = Level(**dict(zip(Level.__struct_fields__, row, strict=True)))
        found.setdefault(level.variant_id, []).append(level)
    return found


async def read_entries(
    tx: Transaction, *, shop_id: int, variant_id: int, limit: int = 50
) -> list[Entry]:
    """The newest entries of a variant, newest first."""
    rows = await tx.all(
        "select id, pool, kind, on_hand_delta, held_delta, committed_delta, reason, order_id, created_at"
        " from stock_entries where shop_id = %s and variant_id = %s order by id desc limit %s",
        (shop_id, variant_id, limit),
    )
    return [Entry(**dict(zip(Entry.__struct_fields__, row, strict=True))) for row in rows]
