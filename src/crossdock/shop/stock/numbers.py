"""What the numbers of a level say: how many can be sold, are kept back, or are short."""


class LevelNumbers:
    """A level's quantities, read. `available` leaves out what the warning level asks to keep back, so it may be below
    zero though nothing is missing: 1 on hand with a warning level of 10 is none to sell, 1 kept back, none short.
    """

    __slots__ = ()

    on_hand: int
    held: int
    committed: int
    warning_level: int
    available: int

    @property
    def sellable(self) -> int:
        """Units that can be sold now."""
        return max(self.available, 0)

    @property
    def kept_back(self) -> int:
        """Units that nobody has taken, and that are not sold because of the warning level."""
        return max(min(self._untaken, self.warning_level), 0)

    @property
    def short(self) -> int:
        """Units that orders have taken and that are not there."""
        return max(-self._untaken, 0)

    @property
    def _untaken(self) -> int:
        return self.on_hand - self.held - self.committed
