"""Pages of a list, the newest first, that continue after a place and not a number.

What is inserted meanwhile moves nothing (keyset pagination).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

Place = tuple[datetime, int]
"""Where something stands in its list: when it was made, and its id."""

_NEWEST: Final = ("infinity", 2**63 - 1)
_OLDEST: Final = ("-infinity", 0)


class PlacePage(msgspec.Struct, frozen=True, kw_only=True):
    """Up to `size` things after one place and before another; `is_last`: those nearest to the end."""

    size: int
    after: Place | None = None
    before: Place | None = None
    is_last: bool = False

    def bounds(self) -> dict[str, Any]:
        """Values of a statement: what lies between both places, one more than the page has."""
        after, before = self.after or _NEWEST, self.before or _OLDEST
        return {
            "after_time": after[0], "after_id": after[1],
            "before_time": before[0], "before_id": before[1],
            "size": self.size + 1,
        }  # fmt: skip

    def cut(self, found: Sequence[T]) -> tuple[list[T], bool]:
        """The page of what was found from its start, or its end, in the list's order; whether more is there."""
        page = list(found[: self.size])
        return (page[::-1] if self.is_last else page), len(found) > self.size
