"""Long sequences in pieces, for statements that take so many values at once."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def slices(items: Sequence[Item], *, size: int) -> Iterator[Sequence[Item]]:
    """The items in their order, `size` at a time; none where there are none."""
    return (items[start : start + size] for start in range(0, len(items), size))
