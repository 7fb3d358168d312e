"""How often something may happen: so many a minute, at most so many at once (GCRA).

The counts are in memory, so that a flood writes nothing and asks the database nothing. Each process has its own:
N of them let N times as many through.
"""

import math
from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec

from crossdock.kit.clock import Clock

_COUNTED_MAX = 10_000
_MINUTE = timedelta(minutes=1)
_SLACK = timedelta(milliseconds=1)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What is left for one name: so many a minute, so many now, all again at `full_at`.

    `retry_after_s` is 0 for what was let through.
    """

    per_minute: int
    left: int
    full_at: datetime
    retry_after_s: int = 0


class Pacer:
    """`per_minute` for each name, and as many at once; 0 is without limit."""

    def __init__(self, clock: Clock, *, per_minute: int) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._each = _MINUTE / per_minute if per_minute else timedelta()
        self._busy: OrderedDict[str, datetime] = OrderedDict()

    def take(self, name: str) -> Pace | None:
        """Count one for this name, unless there is none left; None is without limit.

        A name that is busy for a whole minute waits; a clock that is set back stops nobody for longer.
        """
        if not self._per_minute:
            return None
        now = self._clock.now()
        busy_until = min(max(self._busy.get(name, now), now), now + _MINUTE)
        over = busy_until + self._each - (now + _MINUTE)
        if over > _SLACK:
            self._busy[name] = busy_until  # a time that is far in the future is so no more
            wait_s = max(1, math.ceil(over.total_seconds()))
            return self._pace(busy_until, now=now, retry_after_s=wait_s)
        self._busy[name] = busy_until + self._each
        self._busy.move_to_end(name)
        if len(self._busy) > _COUNTED_MAX:
            self._busy.popitem(last=False)
        return self._pace(busy_until + self._each, now=now)

    def _pace(self, busy_until: datetime, *, now: datetime, retry_after_s: int = 0) -> Pace:
        free = now + _MINUTE - busy_until + _SLACK
        return Pace(
            per_minute=self._per_minute,
            left=0 if retry_after_s else max(0, free // self._each),
            full_at=busy_until,
            retry_after_s=retry_after_s,
        )
