"""Groups the rows of one product, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from crossdock.imports.items import Finding, Unreadable

Row = TypeVar("Row")

WINDOW_ROWS = 5_000
"""Maximum distance, in rows, between rows of one product."""
ROWS_MAX = 50_000
"""Maximum number of rows of one product."""


class Group(Generic[Row]):
    """Rows of one product. `is_complete` is false if a row nearby was refused or the file was cut off.

    `place` orders groups by their first row.
    """

    __slots__ = ("is_complete", "key", "place", "rows")

    def __init__(self, key: str, place: int) -> None:
        self.key = key
        self.place = place
        self.rows: list[Row] = []
        self.is_complete = True


def gathered(
    rows: Iterable[Row | Finding],
    *,
    keys_of: Callable[[Row], Sequence[str]],
    kind: type[Row],
    window: int = WINDOW_ROWS,
) -> Iterator[Group[Row] | Finding]:
    """Yield the rows that share a key once none can follow: after `window` other rows, or at the end.

    A row without a key is a group of its own, yielded at once; a row with several keys merges their
    groups. With a window of 0 a group ends at the first row of another. If reading ends in Unreadable,
    the open groups are yielded first, marked as incomplete.
    """
    waiting: _Waiting[Row] = _Waiting()
    try:
        for row in rows:
            if isinstance(row, kind):
                yield from waiting.add(row, keys_of(row), window=window)
            elif isinstance(row, Finding):
                if not row.is_warning:
                    waiting.mark_incomplete()
                yield row
    except Unreadable:
        waiting.mark_incomplete()
        yield from waiting.close_all()
        raise
    yield from waiting.close_all()


class _Waiting(Generic[Row]):
    """Open groups, the most recently extended one last."""

    def __init__(self) -> None:
        self._by_key: dict[str, Group[Row]] = {}
        self._keys: OrderedDict[Group[Row], list[str]] = OrderedDict()
        self._count = 0
        self._begun = 0

    def add(self, row: Row, keys: Sequence[str], *, window: int) -> Iterator[Group[Row]]:
        """Add a row; yields the groups that this closes."""
        found = list(dict.fromkeys(self._by_key[key] for key in keys if key in self._by_key))
        if found:
            group = self._merged(found)
        else:
            self._begun += 1
            group = Group(keys[0] if keys else "", self._begun)
            if not window:
                yield from self.close_all()
        group.rows.append(row)
        if not keys:
            yield group
            return
        if len(group.rows) > ROWS_MAX:
            raise Unreadable(f"More than {ROWS_MAX} rows belong to one product")
        self._know(group, keys)
        while window and self._count > window and next(iter(self._keys)) is not group:
            yield self._close(next(iter(self._keys)))

    def _know(self, group: Group[Row], keys: Sequence[str]) -> None:
        known = self._keys.setdefault(group, [])
        self._keys.move_to_end(group)
        for key in keys:
            if key not in self._by_key:
                self._by_key[key] = group
                known.append(key)
        self._count += 1

    def _merged(self, groups: list[Group[Row]]) -> Group[Row]:
        """The first of the groups, extended by the rows and keys of the others."""
        first, *others = groups
        for group in others:
            for key in self._keys.pop(group):
                self._by_key[key] = first
                self._keys[first].append(key)
            first.rows += group.rows
            first.is_complete = first.is_complete and group.is_complete
        return first

    def mark_incomplete(self) -> None:
        """Mark every open group: a row is missing that may belong to it."""
        for group in self._keys:
            group.is_complete = False

    def close_all(self) -> Iterator[Group[Row]]:
        """Close every group, in order of their first rows."""
        for group in sorted(self._keys, key=lambda group: group.place):
            yield self._close(group)

    def _close(self, group: Group[Row]) -> Group[Row]:
        for key in self._keys.pop(group):
            del self._by_key[key]
        self._count -= len(group.rows)
        return group
