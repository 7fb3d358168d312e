"""A JSON array read element by element, in constant memory."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from crossdock.imports.encodings import LINE_MAX
from crossdock.imports.items import Unreadable

_SPACE = re.compile("[ \\t\\r\\n\\ufeff]*")
_DIGITS_MAX = 100


def elements(chunks: Iterator[str]) -> Iterator[Any]:
    """The elements of a JSON array one by one; little more than one is in memory at a time."""
    text = _Text(chunks)
    text.skip("[")
    count = 0
    while not text.skip("]"):
        if count and not text.skip(","):
            raise Unreadable("The array has no comma or end", position=f"after element {count}")
        count += 1
        yield text.take(count)
    if not text.is_at_end():
        raise Unreadable(
            "There is text after the end of the array", position=f"after element {count}"
        )


class _Text:
    """Text that grows by chunks as it is needed and forgets what was taken."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._text = ""
        self._at = 0
        self._decode = json.JSONDecoder(
            parse_float=Decimal, parse_int=_whole, parse_constant=_no_constant
        ).raw_decode

    def skip(self, mark: str) -> bool:
        """Pass over white space and, when it comes next, the mark; whether it did."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text) or not self._grow():
                break
        if self._text.startswith(mark, self._at):
            self._at += len(mark)
            return True
        return False

    def is_at_end(self) -> bool:
        """Whether only white space is left."""
        self.skip("")
        return self._at >= len(self._text)

    def take(self, number: int) -> Any:
        """The next element. Raises Unreadable when it is malformed, cut off or too large."""
        self.skip("")
        while True:
            try:
                value, self._at = self._decode(self._text, self._at)
                return value
            except (ValueError, RecursionError) as error:
                too_large = len(self._text) - self._at > LINE_MAX
                if too_large or not self._grow():
                    why = "it is nested too deeply" if isinstance(error, RecursionError) else error
                    reason = "is too large" if too_large else f"is malformed: {why}"
                    raise Unreadable(f"The array {reason}", position=f"element {number}") from error

    def _grow(self) -> bool:
        more = next(self._chunks, "")
        self._text = self._text[self._at :] + more
        self._at = 0
        return bool(more)


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS_MAX:
        raise ValueError(f"a number has {len(digits)} digits")
    return int(digits)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
