"""Failed proofs of this process: whoever guesses has to wait, longer each time, and nothing is written.

The counts live in memory, so that a flood of guesses costs the database no row. Each worker counts
for itself; with N workers a stranger has N times as many guesses, which stays few.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from crossdock.errors import Unavailable

FIRST_WAIT_S = 4
KEPT = timedelta(days=1)
_COUNTED_MAX = 10_000
_DOUBLINGS_MAX = 20


class _Count(msgspec.Struct):
    failures: int
    blocked_until: datetime
    last_at: datetime


class Counted(msgspec.Struct, frozen=True):
    """Something whose failures are counted, and how many of them cost no wait."""

    name: str
    free_failures: int


class Guesses:
    """A proof counts as failed from its beginning until it succeeds, so that parallel ones count too."""

    def __init__(self, *, longest_wait_s: int) -> None:
        self._longest_wait_s = longest_wait_s
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def begin(self, counted: Sequence[Counted], *, now: datetime) -> None:
        """Count a proof. Raises Unavailable `rate_limited` while one of `counted` has to wait."""
        until = max((self._counts[c.name].blocked_until for c in counted if c.name in self._counts),
                    default=now)  # fmt: skip
        if until > now:
            wait_s = min(math.ceil((until - now).total_seconds()), self._longest_wait_s)
            raise Unavailable("rate_limited", data={"retry_after_s": wait_s})
        for each in counted:
            self._add(each, now=now)

    def forgive(self, counted: Sequence[Counted]) -> None:
        """The proof succeeded: its first name starts afresh, the others have one failure less."""
        self._counts.pop(counted[0].name, None)
        for each in counted[1:]:
            if count := self._counts.get(each.name):
                count.failures = max(count.failures - 1, 0)
                count.blocked_until = count.last_at

    def _add(self, each: Counted, *, now: datetime) -> None:
        count = self._counts.get(each.name)
        if count is None or count.last_at < now - KEPT:
            count = _Count(0, now, now)
        count.failures += 1
        count.last_at = now
        over = count.failures - each.free_failures
        if over >= 0:
            wait_s = FIRST_WAIT_S * 2 ** min(over, _DOUBLINGS_MAX)
            count.blocked_until = now + timedelta(seconds=min(wait_s, self._longest_wait_s))
        self._counts[each.name] = count
        self._counts.move_to_end(each.name)
        if len(self._counts) > _COUNTED_MAX:
            self._counts.popitem(last=False)
