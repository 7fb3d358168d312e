"""What a claim is, and what comes of trying it."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proof.stand import Stand

Size = Mapping[str, int]
Figure = int | float | str
NOTES_MAX = 20


class Unavailable(Exception):
    """This machine lacks what the claim needs, such as a package or a right; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Whether the claim held, the figures that were measured, and what went against it.

    `broke_off` says that the proof's own program failed, `unavailable` that this machine lacks what the
    claim needs: nothing was shown then, either way.
    """

    held: bool
    figures: dict[str, Figure]
    notes: tuple[str, ...] = ()
    broke_off: bool = False
    unavailable: bool = False

    @property
    def verdict(self) -> str:
        """What a report says of it."""
        if self.unavailable:
            return "not tried"
        return "error" if self.broke_off else "held" if self.held else "FAILED"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim: `workload` says what is done, `must_hold` what must come of it.

    `server` asks for a running `crossdock serve`; `settings` are the server's. Where a claim is
    tried for each channel in its own way, `door` says for which.
    """

    id: str
    door: str = ""
    title: str
    workload: str
    must_hold: str
    full: Size
    quick: Size
    run: Callable[[Stand, Size, random.Random], Awaitable[Result]]
    server: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What tells it from every other one."""
        return f"{self.id} {self.door}".strip()


class Findings:
    """Collects what must be so and is not."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._count = 0

    def expect(self, held: bool, note: str) -> bool:
        """Note a failure unless `held`."""
        if not held:
            self._count += 1
            if self._count <= NOTES_MAX:
                self._notes.append(note)
        return held

    def result(self, **figures: Figure) -> Result:
        """The claim held when nothing was found against it."""
        more = self._count - len(self._notes)
        notes = [*self._notes, f"and {more} more"] if more else self._notes
        return Result(held=not self._count, figures=figures, notes=tuple(notes))
