"""Where the demo's goods come from and how many there are: every case that a partner may meet.

The first products walk through all cases one by one, so that even a small demo has each of them:

| products | what they are |
|---|---|
| 0-39 | each origin with stock 0, 1, 5, 30-120 and thousands, first managed, then unmanaged |
| 40-47 | a stock status of the catalogue's own that may speak against the quantities |
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

# Each: where from, the status of its own, own stock, supplier stock.
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
    """How one variant is stocked."""

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
    """Half of the goods are in our own warehouse, a quarter in both places."""
    return chance.pick(_WEIGHTS)


def any_stocking(origin: str, chance: Chance, *, best_before_alert: str) -> Stocking:
    """A variant of that origin with any stock; with an alert text its goods have a date too."""
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


def serial_stocking(chance: Chance) -> Stocking:
    """Codes to be sold: few enough to run out of."""
    return Stocking(origin="SC", stock=_levels("SC", own=chance.between(5, 60), supplier=0))


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
