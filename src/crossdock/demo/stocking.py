"""Origins and quantities of the demo's stock: every case that a partner may meet.

The first products go through all cases in turn, so that even a small demo has each of them:

| products | what they are |
|---|---|
| 0-39 | each origin with stock 0, 1, 5, 30-120 and thousands, first managed, then unmanaged |
| 40-47 | a stock status set in the catalogue, which may contradict the quantities |
| 48- | any origin and quantity; warning levels and dates on some |
"""

from datetime import date
from typing import Literal

import msgspec

from crossdock.demo.chance import Chance
from crossdock.shop.stock import StockRecord

Status = Literal["instock", "outofstock", "onbackorder"]

ORIGINS = ("SC", "*", "Supplier", "Dropship")
QUANTITIES = ((0, 0), (1, 1), (5, 5), (30, 120), (1_000, 9_000))
GRID = 2 * len(ORIGINS) * len(QUANTITIES)
_WEIGHTS = ("SC",) * 10 + ("*",) * 5 + ("Supplier",) * 3 + ("Dropship",) * 2

# Each: origin, its own stock status, own stock, supplier stock.
STATUS_CASES: tuple[tuple[str, Status, int, int], ...] = (
    ("SC", "outofstock", 60, 0),
    ("SC", "onbackorder", 60, 0),
    ("SC", "instock", 0, 0),
    ("*", "outofstock", 60, 40),
    ("*", "onbackorder", 60, 40),
    ("*", "instock", 0, 500),
    ("Supplier", "outofstock", 0, 60),
    ("Supplier", "onbackorder", 0, 60),
)
PLAIN = GRID + len(STATUS_CASES)
"""Products below this number are plain: one variant, enabled, one price, no promotion."""


class Stocking(msgspec.Struct, frozen=True, kw_only=True):
    """Origin and quantities of one variant."""

    origin: str
    managed: bool = True
    status: Status | None = None
    stock: tuple[StockRecord, ...]


def plain_stocking(index: int, chance: Chance) -> Stocking:
    """The case of one of the first products."""
    if index >= GRID:
        origin, status, own, supplier = STATUS_CASES[index - GRID]
        return Stocking(
            origin=origin, status=status, stock=_levels(origin, own=own, supplier=supplier)
        )
    origin = ORIGINS[index % len(ORIGINS)]
    band = index // len(ORIGINS) % len(QUANTITIES)
    own = supplier = chance.between(*QUANTITIES[band])
    if origin == "*":
        supplier = chance.between(*QUANTITIES[-1 - band])
    stock = _levels(origin, own=own, supplier=supplier)
    return Stocking(origin=origin, managed=index < GRID // 2, stock=stock)


def origin_of(chance: Chance) -> str:
    """A random origin: half from the own warehouse, a quarter from both."""
    return chance.pick(_WEIGHTS)


def any_stocking(origin: str, chance: Chance, *, best_before_alert: str) -> Stocking:
    """Random stock for a variant of that origin; with an alert text it gets a best-before date too."""
    own, supplier = (chance.between(*chance.pick(QUANTITIES)) for _ in range(2))
    day = None
    if best_before_alert:
        day = date(2027 + chance.below(5), chance.between(1, 12), chance.between(1, 28))
    stock = _levels(
        origin,
        own=own,
        supplier=supplier,
        warning=chance.between(1, 10) if chance.percent(8) else 0,
        best_before=day,
        alert=best_before_alert,
    )
    return Stocking(origin=origin, managed=not chance.percent(15), stock=stock)


def serial_stocking() -> Stocking:
    """What is sold by serials: they are its stock, and are added once it is there."""
    return Stocking(origin="SC", stock=_levels("SC", own=0, supplier=0))


def serials_of(sku: str, *, seed: int) -> int:
    """How many serials are for sale: few enough to run out."""
    return Chance(seed, "serials", sku).between(5, 60)


def _levels(
    origin: str,
    *,
    own: int,
    supplier: int,
    warning: int = 0,
    best_before: date | None = None,
    alert: str = "",
) -> tuple[StockRecord, ...]:
    ours = StockRecord(
        pool="own",
        on_hand=own,
        warning_level=warning,
        best_before=best_before,
        best_before_alert=alert,
    )
    theirs = StockRecord(pool="supplier", on_hand=supplier)
    return {"SC": (ours,), "*": (ours, theirs)}.get(origin, (theirs,))
