"""A benchmark, and how two programs are compared."""

import random
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from proof.stand import Ground

Size = Mapping[str, int]
Leg = Callable[[], Awaitable[float]]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure and its floor. `ratio` is ours to theirs; with `at_most` the floor is an upper limit."""

    name: str
    unit: str
    ours: float
    theirs: float | None
    ratio: float
    floor: float
    at_most: bool = False
    ratios: tuple[float, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether the floor is reached."""
        return self.ratio <= self.floor if self.at_most else self.ratio >= self.floor


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The result of a benchmark: its lines, faults, and figures for information."""

    lines: tuple[Line, ...]
    faults: tuple[str, ...] = ()
    figures: Mapping[str, float | int | str] = field(default_factory=dict)

    @property
    def passes(self) -> bool:
        """Whether every floor is reached and there are no faults."""
        return not self.faults and all(line.passes for line in self.lines)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One benchmark; sizes by name."""

    id: str
    title: str
    compared_with: str
    full: Size
    quick: Size
    run: Callable[[Ground, Size, random.Random], Awaitable[Measured]]


async def alternate(ours: Leg, theirs: Leg, *, pairs: int) -> tuple[list[float], list[float]]:
    """Run both in turns, so that slow changes of the machine affect both."""
    found_ours, found_theirs = [], []
    for _ in range(pairs):
        found_ours.append(await ours())
        found_theirs.append(await theirs())
    return found_ours, found_theirs


def compare(
    name: str,
    unit: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    floor: float,
    at_most: bool = False,
) -> Line:
    """The median of the pairs' ratios, with the floor."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Line(
        name=name,
        unit=unit,
        ours=statistics.median(ours),
        theirs=statistics.median(theirs),
        ratio=statistics.median(ratios),
        floor=floor,
        at_most=at_most,
        ratios=tuple(round(ratio, 3) for ratio in ratios),
    )


def absolute(name: str, unit: str, values: Sequence[float], *, limit: float) -> Line:
    """A figure with a limit of its own."""
    middle = statistics.median(values)
    return Line(
        name=name, unit=unit, ours=middle, theirs=None, ratio=middle, floor=limit, at_most=True
    )
