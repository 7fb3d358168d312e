"""Set levels to the counts of an import, by 'adjust' entries of the difference."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from crossdock.db.copying import copy_lines, copy_text, copy_value
from crossdock.db.unit_of_work import Transaction
from crossdock.shop.events import Level, StockChanged, write_event

QUANTITY_MAX = 10**12
Pool = Literal["own", "supplier"]
Quantity = Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]


class StockRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The target of a pool ('own' or 'supplier'); `on_hand` is set by an adjusting entry."""

    pool: Pool
    on_hand: Quantity
    warning_level: Quantity = 0
    best_before: date | None = None
    best_before_alert: Annotated[str, Meta(max_length=10_000)] = ""


Target = tuple[int, StockRecord]
"""A variant's id and what one of its pools shall hold."""

_LEVEL_COLUMNS = (
    "stock_levels (shop_id, variant_id, pool, on_hand, warning_level, best_before, "
    "best_before_alert, updated_at)"
)
_ENTRY_COLUMNS = (
    "stock_entries (shop_id, variant_id, pool, kind, on_hand_delta, reason, created_at)"
)
_LEVEL_KEY = "(shop_id, variant_id, pool)"


async def set_stock(
    tx: Transaction,
    *,
    shop_id: int,
    new: Sequence[Target],
    existing: Sequence[Target],
    reason: str,
    now: datetime,
    counts_only: bool = False,
) -> int:
    """Set the levels; `new` are levels of variants created in this transaction, which nobody else can lock.

    With `counts_only` warning levels and best-before dates are kept, and no level is created for a
    pool that has no stock and gets none.

    Writes one 'adjust' entry per changed quantity and one `stock.changed` event for all, and
    nothing if the levels agree already. The own level of a variant with serials is not changed: it is
    the number unsold. Returns how many levels changed.
    """
    await _copy_new_levels(tx, shop_id=shop_id, targets=new, reason=reason, now=now)
    levels: list[Level] = [
        (variant_id, record.pool, record.on_hand - record.warning_level)
        for variant_id, record in new
    ]
    differing = await _differing(tx, shop_id=shop_id, targets=existing, counts_only=counts_only)
    differing = await _without_serials(tx, shop_id=shop_id, targets=differing)
    if differing:
        levels += await _move(
            tx,
            shop_id=shop_id,
            targets=differing,
            reason=reason,
            now=now,
            counts_only=counts_only,
        )
    if levels:
        event = StockChanged(levels=levels, reason=reason)
        await write_event(tx, shop_id=shop_id, event=event, now=now)
    return len(levels)


async def _copy_new_levels(
    tx: Transaction, *, shop_id: int, targets: Sequence[Target], reason: str, now: datetime
) -> None:
    if not targets:
        return
    moment = now.isoformat()
    levels = (
        f"{shop_id}\t{variant_id}\t{r.pool}\t{r.on_hand}\t{r.warning_level}"
        f"\t{copy_value(r.best_before)}\t{copy_text(r.best_before_alert)}\t{moment}\n"
        for variant_id, r in targets
    )
    why = copy_text(reason)
    entries = (
        f"{shop_id}\t{variant_id}\t{r.pool}\tadjust\t{r.on_hand}\t{why}\t{moment}\n"
        for variant_id, r in targets
        if r.on_hand
    )
    await copy_lines(tx, target=_LEVEL_COLUMNS, lines=levels)
    await copy_lines(tx, target=_ENTRY_COLUMNS, lines=entries)


async def _without_serials(tx: Transaction, *, shop_id: int, targets: list[Target]) -> list[Target]:
    if not targets:
        return []
    rows = await tx.all(
        "select distinct variant_id from serials where shop_id = %s and variant_id = any(%s)",
        (shop_id, [variant_id for variant_id, _ in targets]),
    )
    counted = {row[0] for row in rows}
    return [t for t in targets if t[0] not in counted or t[1].pool != "own"]


async def _differing(
    tx: Transaction, *, shop_id: int, targets: Sequence[Target], counts_only: bool
) -> list[Target]:
    """The targets that differ from their levels, read without locks."""
    if not targets:
        return []
    rows = await tx.all(
        f"""select {_SETTABLE} from stock_levels
            where shop_id = %s and variant_id = any(%s)""",
        (shop_id, sorted({variant_id for variant_id, _ in targets})),
    )
    held = {row[:2]: row[2:] for row in rows}
    nothing: tuple[object, ...] = (0,) if counts_only else ()
    compared = 1 if counts_only else 4
    return [
        (variant_id, record)
        for variant_id, record in targets
        if held.get((variant_id, record.pool), nothing)[:compared] != _settable(record)[:compared]
    ]


_SETTABLE = "variant_id, pool, on_hand, warning_level, best_before, best_before_alert"


def _settable(record: StockRecord) -> tuple[object, ...]:
    return (record.on_hand, record.warning_level, record.best_before, record.best_before_alert)


async def _move(
    tx: Transaction,
    *,
    shop_id: int,
    targets: Sequence[Target],
    reason: str,
    now: datetime,
    counts_only: bool,
) -> list[Level]:
    """Set existing levels: lock them in order, write the differences, return what is available."""
    parameters = {
        "shop": shop_id,
        "now": now,
        "reason": reason,
        "counts_only": counts_only,
        "variants": [variant_id for variant_id, _ in targets],
        "pools": [record.pool for _, record in targets],
        "on_hand": [record.on_hand for _, record in targets],
        "warning": [record.warning_level for _, record in targets],
        "best_before": [record.best_before for _, record in targets],
        "alert": [record.best_before_alert for _, record in targets],
    }
    await tx.run(
        """insert into stock_levels (shop_id, variant_id, pool)
           select %(shop)s, x.* from unnest(%(variants)s::bigint[], %(pools)s::text[]) as x
           order by 2, 3 on conflict do nothing""",
        parameters,
    )
    await tx.all(
        f"""select 1 from stock_levels where shop_id = %(shop)s and {_LEVEL_KEY} in (
                select %(shop)s, x.* from unnest(%(variants)s::bigint[], %(pools)s::text[]) as x)
            order by variant_id, pool for no key update""",
        parameters,
    )
    rows = await tx.all(_SET_LEVELS, parameters)
    return [(row[0], row[1], row[2]) for row in rows]


_SET_LEVELS = """
with target as (
    select * from unnest(%(variants)s::bigint[], %(pools)s::text[], %(on_hand)s::bigint[], %(warning)s::bigint[],
                         %(best_before)s::date[], %(alert)s::text[])
             as x (variant_id, pool, on_hand, warning_level, best_before, best_before_alert)
), entry as (
    insert into stock_entries (shop_id, variant_id, pool, kind, on_hand_delta, reason, created_at)
    select %(shop)s, l.variant_id, l.pool, 'adjust', t.on_hand - l.on_hand, %(reason)s, %(now)s
    from target t join stock_levels l
      on l.shop_id = %(shop)s and l.variant_id = t.variant_id and l.pool = t.pool
    where t.on_hand <> l.on_hand
)
update stock_levels l
set on_hand = t.on_hand, updated_at = %(now)s,
    warning_level = case when %(counts_only)s then l.warning_level else t.warning_level end,
    best_before = case when %(counts_only)s then l.best_before else t.best_before end,
    best_before_alert = case when %(counts_only)s then l.best_before_alert else t.best_before_alert end
from target t
where l.shop_id = %(shop)s and l.variant_id = t.variant_id and l.pool = t.pool
returning l.variant_id, l.pool, l.available
"""
