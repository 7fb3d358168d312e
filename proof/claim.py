"""A claim and its result."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from proof.stand import Stand

Size = Mapping[str, int]
Figure = int | float | str
NOTES_MAX = 20


class Unavailable(Exception):
    """The machine lacks something that the claim needs, such as a package or a permission; the message says what."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Whether the claim held, the measured figures, and what contradicted it.

    `broke_off`: the proof's own program failed; `unavailable`: the machine lacks something that the claim
    needs. In both cases nothing was shown.
    """

    held: bool
    figures: dict[str, Figure]
    notes: tuple[str, ...] = ()
    broke_off: bool = False
    unavailable: bool = False

    @property
    def verdict(self) -> str:
        """The word for it in a report."""
        if self.unavailable:
            return "not tried"
        return "error" if self.broke_off else "held" if self.held else "FAILED"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim: `workload` describes what is done, `must_hold` what must be true afterwards.

    `server` asks for a running `crossdock serve`; `settings` are the server's. If a claim is
    tested differently for each channel, `door` names the channel.
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
        """A unique name."""
        return f"{self.id} {self.door}".strip()


class Findings:
    """Collects failed expectations."""

    def __init__(self) -> None:
        self._notes: list[str] = []
        self._count = 0

    def expect(self, held: bool, note: str) -> bool:
        """Record a failure unless `held`."""
        if not held:
            self._count += 1
            if self._count <= NOTES_MAX:
                self._notes.append(note)
        return held

    def result(self, **figures: Figure) -> Result:
        """The claim held if nothing failed."""
        more = self._count - len(self._notes)
        notes = [*self._notes, f"and {more} more"] if more else self._notes
        return Result(held=not self._count, figures=figures, notes=tuple(notes))
