"""Failed authentications in this process: exponential backoff against guessing, without the database.

The counts are in memory, so that a flood of guesses writes no rows. Each worker has its own counts;
N workers allow N times as many guesses, which is still few.
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
    """A name whose failures are counted, and the number of failures without a wait."""

    name: str
    free_failures: int


class Guesses:
    """An attempt counts as failed from its start until it succeeds, so that parallel ones count too."""

    def __init__(self, *, longest_wait_s: int) -> None:
        self._longest_wait_s = longest_wait_s
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def begin(self, counted: Sequence[Counted], *, now: datetime) -> None:
        """Count an attempt. Raises Unavailable `rate_limited` while one of `counted` must wait."""
        until = max((self._counts[c.name].blocked_until for c in counted if c.name in self._counts),
                    default=now)  # fmt: skip
        if until > now:
            wait_s = min(math.ceil((until - now).total_seconds()), self._longest_wait_s)
            raise Unavailable("rate_limited", data={"retry_after_s": wait_s})
        for each in counted:
            self._add(each, now=now)

    def forgive(self, counted: Sequence[Counted]) -> None:
        """The attempt succeeded: reset the first name, and take one failure from the others."""
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
