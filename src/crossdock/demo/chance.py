"""Pseudo-random choices that depend on the seed and the place alone, not on earlier choices."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_BLOCK = 64
_STEP = 4


class Chance:
    """A sequence of choices for one place, for example one product; places are independent."""

    def __init__(self, seed: int, *place: object) -> None:
        self._place = f"{seed}/{'/'.join(map(str, place))}"
        self._block = b""
        self._blocks = 0

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        if len(self._block) < _STEP:
            text = f"{self._place}/{self._blocks}".encode()
            self._block = hashlib.blake2b(text, digest_size=_BLOCK).digest()
            self._blocks += 1
        number, self._block = int.from_bytes(self._block[:_STEP], "big"), self._block[_STEP:]
        return number % limit

    def between(self, first: int, last: int) -> int:
        """A whole number from `first` to `last`, both included."""
        return first + self.below(last - first + 1)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.below(len(choices))]

    def sample(self, choices: Sequence[T], count: int) -> list[T]:
        """`count` different ones, in their own order."""
        left = list(range(len(choices)))
        chosen = [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]
        return [choices[place] for place in sorted(chosen)]

    def percent(self, share: int) -> bool:
        """True in `share` of a hundred cases."""
        return self.below(100) < share
