"""Failed authentications of an address: so many a minute, then it waits (spec shoppex_reseller 12).

The counts are in memory, so that a flood of wrong keys writes nothing and asks the database nothing. Each web
process has its own: N of them let N times as many through, which is still few.
"""

import math
from collections import OrderedDict
from datetime import datetime, timedelta

from crossdock.errors import Unavailable
from crossdock.kit.callers import caller_network
from crossdock.kit.clock import Clock

_COUNTED_MAX = 10_000
_MINUTE = timedelta(minutes=1)
_SLACK = timedelta(milliseconds=1)


class FailedCalls:
    """`per_minute` failures at once, and as many in each minute after; 0 is without limit.

    An IPv6 address counts with its /64 network. A failure keeps the address busy for its part of the minute,
    and one that is busy for a whole minute waits; a clock that is set back stops nobody for longer.
    """

    def __init__(self, clock: Clock, *, per_minute: int) -> None:
        self._clock = clock
        self._each = _MINUTE / per_minute if per_minute else timedelta()
        self._busy: OrderedDict[str, datetime] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises Unavailable `rate_limited` with `retry_after_s` while the address waits."""
        now = self._clock.now()
        network = caller_network(address)
        busy_until = min(self._busy.get(network, now), now + _MINUTE)
        over = busy_until + self._each - (now + _MINUTE)
        if self._each and over > _SLACK:
            self._busy[network] = busy_until  # a time that is far in the future is so no more
            wait_s = max(1, math.ceil(over.total_seconds()))
            raise Unavailable("rate_limited", data={"retry_after_s": wait_s})

    def note(self, address: str) -> None:
        """Count a failure."""
        if not self._each:
            return
        now, network = self._clock.now(), caller_network(address)
        busy_until = min(max(self._busy.get(network, now), now), now + _MINUTE)
        self._busy[network] = busy_until + self._each
        self._busy.move_to_end(network)
        if len(self._busy) > _COUNTED_MAX:
            self._busy.popitem(last=False)
