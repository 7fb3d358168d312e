"""Edit prices and own levels of many variants: each row against what its editor saw, all in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.catalogue import (
    PRICE_MAX,
    VariantPrices,
    lock_catalogue,
    price_variants,
)
from crossdock.shop.orders import wake_releases
from crossdock.shop.stock import StockRecord, lock_levels, set_stock
from crossdock.shop.warehouse.receiving import LEVEL_MAX

GRID_MAX: Final = 300
"""Rows that are written at once."""
Outcome = Literal["saved", "same", "stale", "refused"]
Reason = Literal["", "unknown", "amount", "sale", "level", "serials"]
"""Why a row is refused: no such variant, an amount or a level out of range, a sale that is not below the price, or a
level that is counted by serials."""


class GridRow(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of a variant, its units on hand in the own pool, and how many of them are kept back."""

    retail_minor: int | None
    sale_minor: int | None
    cost_minor: int | None
    on_hand: int
    warning_level: int


class RowEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What an editor saw of a variant, and what they want."""

    seen: GridRow
    wanted: GridRow


class RowResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a row: `stale` where a value that it changes is another by now, `refused` with the reason.

    `before` is what was stored; None for a variant that is not there.
    """

    outcome: Outcome
    before: GridRow | None
    reason: Reason = ""


class GridLine(msgspec.Struct, frozen=True, kw_only=True):
    """A row with the goods that it is of; a level by `is_serial` is the number of serials that are unsold."""

    variant_id: int
    product_id: int
    sku: str
    product: str
    name: str
    is_serial: bool
    row: GridRow


async def read_grid(
    tx: Transaction, *, shop_id: int, variant_ids: Sequence[int]
) -> dict[int, GridLine]:
    """The rows of these variants, in their order; unknown and disabled ones are absent. One statement."""
    rows = await tx.all(_GRID, {"shop": shop_id, "ids": list(variant_ids)})
    return {row[0]: _line(*row) for row in rows}


async def find_by_sku(
    tx: Transaction, *, shop_id: int, skus: Sequence[str]
) -> dict[str, list[int]]:
    """The enabled variants with each of these SKUs; several where merchants share one."""
    found: dict[str, list[int]] = {}
    for sku, variant_id in await tx.all(_BY_SKU, (shop_id, list(skus))):
        found.setdefault(sku, []).append(variant_id)
    return found


async def edit_grid(
    tx: Transaction,
    *,
    shop_id: int,
    edits: Mapping[int, RowEdit],
    reason: str,
    now: datetime,
) -> dict[int, RowResult]:
    """Write the rows that can be written; what became of each, by variant.

    The catalogue and the levels are locked first, so that a row is compared with what it is written over. Orders that
    wait for stock are released right after. The number of statements does not grow with the rows.
    """
    await lock_catalogue(tx, shop_id=shop_id)
    if any(edit.wanted.on_hand > edit.seen.on_hand for edit in edits.values()):
        await wake_releases(tx, shop_id=shop_id)
    counted = [number for number, edit in edits.items() if _level(edit.wanted) != _level(edit.seen)]
    await lock_levels(tx, shop_id=shop_id, variant_ids=counted)
    stored = await read_grid(tx, shop_id=shop_id, variant_ids=list(edits))
    results: dict[int, RowResult] = {}
    rows: dict[int, GridRow] = {}
    for variant_id, edit in edits.items():
        result, row = _judged(stored.get(variant_id), edit)
        results[variant_id] = result
        if result.outcome == "saved":
            rows[variant_id] = row
    await _write(tx, shop_id=shop_id, rows=rows, stored=stored, reason=reason, now=now)
    return results


async def _write(
    tx: Transaction,
    *,
    shop_id: int,
    rows: Mapping[int, GridRow],
    stored: Mapping[int, GridLine],
    reason: str,
    now: datetime,
) -> None:
    prices = {
        variant_id: _prices(row)
        for variant_id, row in rows.items()
        if _prices(row) != _prices(stored[variant_id].row)
    }
    if prices:
        await price_variants(tx, shop_id=shop_id, prices=prices, now=now)
    levels = [
        (variant_id, row)
        for variant_id, row in rows.items()
        if _level(row) != _level(stored[variant_id].row)
    ]
    if levels:
        known = await _levels(tx, shop_id=shop_id, variant_ids=[each for each, _ in levels])
        targets = [(variant_id, _record(known.get(variant_id), row)) for variant_id, row in levels]
        await set_stock(tx, shop_id=shop_id, new=[], existing=targets, reason=reason, now=now)


async def _levels(
    tx: Transaction, *, shop_id: int, variant_ids: Sequence[int]
) -> dict[int, StockRecord]:
    rows = await tx.all(_OWN, (shop_id, list(variant_ids)))
    return {
        variant_id: StockRecord(
            pool="own",
            on_hand=on_hand,
            warning_level=warning,
            best_before=best_before,
            best_before_alert=alert,
        )
        for variant_id, on_hand, warning, best_before, alert in rows
    }


def _merged(stored: GridRow, seen: GridRow, wanted: GridRow) -> tuple[GridRow, bool]:
    """What is stored with what the editor changes of it, and whether that is another by now than they saw."""
    changed = {
        name: getattr(wanted, name)
        for name in GridRow.__struct_fields__
        if getattr(wanted, name) != getattr(seen, name)
    }
    is_stale = any(
        getattr(stored, name) not in (getattr(seen, name), value) for name, value in changed.items()
    )
    return msgspec.structs.replace(stored, **changed), is_stale


def _judged(stored: GridLine | None, edit: RowEdit) -> tuple[RowResult, GridRow]:
    """What becomes of a row, and what it is written as if it is."""
    if stored is None:
        return RowResult(outcome="refused", before=None, reason="unknown"), edit.wanted
    row, is_stale = _merged(stored.row, edit.seen, edit.wanted)
    outcome: Outcome = "saved"
    reason: Reason = ""
    if row == stored.row:
        outcome = "same"
    elif is_stale:
        outcome = "stale"
    elif reason := _wrong(row, is_serial=stored.is_serial and row.on_hand != stored.row.on_hand):
        outcome = "refused"
    return RowResult(outcome=outcome, before=stored.row, reason=reason), row


def _wrong(row: GridRow, *, is_serial: bool) -> Reason:
    amounts = (row.retail_minor, row.sale_minor, row.cost_minor)
    if any(amount is not None and not 0 <= amount <= PRICE_MAX for amount in amounts):
        return "amount"
    if row.sale_minor is not None and row.sale_minor >= (row.retail_minor or 0):
        return "sale"
    if not 0 <= row.on_hand <= LEVEL_MAX or not 0 <= row.warning_level <= LEVEL_MAX:
        return "level"
    return "serials" if is_serial else ""


def _line(
    variant_id: int,
    product_id: int,
    sku: str,
    product: str,
    name: str,
    is_serial: bool,
    *values: Any,
) -> GridLine:
    row = GridRow(**dict(zip(GridRow.__struct_fields__, values, strict=True)))
    return GridLine(
        variant_id=variant_id,
        product_id=product_id,
        sku=sku,
        product=product,
        name=name,
        is_serial=is_serial,
        row=row,
    )


def _record(known: StockRecord | None, row: GridRow) -> StockRecord:
    level = known or StockRecord(pool="own", on_hand=0)
    return msgspec.structs.replace(level, on_hand=row.on_hand, warning_level=row.warning_level)


def _prices(row: GridRow) -> VariantPrices:
    return VariantPrices(
        retail_minor=row.retail_minor, sale_minor=row.sale_minor, cost_minor=row.cost_minor
    )


def _level(row: GridRow) -> tuple[int, int]:
    return row.on_hand, row.warning_level


_OWN = """
    select variant_id, on_hand, warning_level, best_before, best_before_alert from stock_levels
    where shop_id = %s and variant_id = any(%s::bigint[]) and pool = 'own'
"""
_GRID = """
    select v.id, v.product_id, v.sku, p.name, v.name,
           exists (select from serials s where s.shop_id = v.shop_id and s.variant_id = v.id),
           v.retail_minor, v.sale_minor, v.cost_minor, coalesce(l.on_hand, 0), coalesce(l.warning_level, 0)
    from unnest(%(ids)s::bigint[]) with ordinality x (id, place)
    join variants v on v.shop_id = %(shop)s and v.id = x.id and v.enabled
    join products p on p.shop_id = v.shop_id and p.id = v.product_id
    left join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
    order by x.place
"""
_BY_SKU = """
    select sku, id from variants where shop_id = %s and sku = any(%s::text[]) and enabled order by sku, id
"""
