"""The one source of time, so that tests and the sandbox can set it."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

_OFFSET = re.compile(r"([+-])(\d+(?:\.\d+)?)s?")


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """The current time, timezone-aware and in UTC."""


class SystemClock:
    """The machine's clock, shifted by an offset."""

    def __init__(self, *, offset: timedelta = timedelta()) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset


class FrozenClock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        return self._moment

    def move(self, step: timedelta) -> None:
        """Move the clock by `step`, which may be negative."""
        self._moment += step


class WallClock:
    """Detects that the wall clock was set, by comparing it with the monotonic clock."""

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._apart_s = wall() - monotonic()

    def was_set_by_s(self) -> float:
        """Seconds by which it was set since the last call; negative when it was set back."""
        apart_s = self._wall() - self._monotonic()
        step_s, self._apart_s = apart_s - self._apart_s, apart_s
        return step_s


def clock_from_text(text: str) -> Clock:
    """A clock from a setting: '' is the system's, '+300' or '-1.5s' an offset, an ISO time is frozen.

    Raises ValueError when the text is none of them.
    """
    if not text:
        return SystemClock()
    if match := _OFFSET.fullmatch(text.strip()):
        sign = 1 if match[1] == "+" else -1
        return SystemClock(offset=sign * timedelta(seconds=float(match[2])))
    moment = datetime.fromisoformat(text.strip())
    return FrozenClock(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
