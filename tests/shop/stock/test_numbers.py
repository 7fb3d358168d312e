"""The numbers of a level say..."""

import pytest

from crossdock.shop.stock.numbers import LevelNumbers


class Numbers(LevelNumbers):
    __slots__ = ("available", "committed", "held", "on_hand", "warning_level")

    def __init__(self, on_hand: int, held: int, committed: int, warning_level: int) -> None:
        self.on_hand = on_hand
        self.held = held
        self.committed = committed
        self.warning_level = warning_level
        self.available = on_hand - held - committed - warning_level


@pytest.mark.parametrize(
    ("quantities", "sellable", "kept_back", "short"),
    [
        ((10, 0, 0, 0), 10, 0, 0),
        ((10, 1, 2, 3), 4, 3, 0),
        ((1, 0, 0, 10), 0, 1, 0),
        ((5, 1, 2, 10), 0, 2, 0),
        ((3, 0, 3, 10), 0, 0, 0),
        ((3, 0, 5, 0), 0, 0, 2),
        ((3, 0, 5, 10), 0, 0, 2),
    ],
)
def test_how_many_can_be_sold_are_kept_back_and_are_short(quantities, sellable, kept_back, short):
    level = Numbers(*quantities)

    assert (level.sellable, level.kept_back, level.short) == (sellable, kept_back, short)
