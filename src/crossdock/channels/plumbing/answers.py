"""Whole answers, told again while nothing of the shop's goods changed (docs/decisions/0063, 0067).

Partners ask for the same pages all day, which then need not be rendered, nor even read.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import NamedTuple

from crossdock.kit.kept import Kept
from crossdock.shop.catalogue import Changes


class Told(NamedTuple):
    """The body of an answer; `is_of_goods`: the goods of the shop alone decide it, and the caller's terms."""

    body: bytes
    is_of_goods: bool = False


class _Entry(NamedTuple):
    """An answer as of a stamp, and of the version of what else it shows."""

    stamp: tuple[int, int]
    body: bytes


class KeptAnswers:
    """The answers of one process that are of goods alone, in so much memory; 0 keeps none."""

    def __init__(self, changes: Changes, *, memory_bytes: int) -> None:
        self._changes = changes
        self._entries: Kept[Hashable, _Entry] = Kept(bytes_max=memory_bytes)

    async def answer(
        self,
        *,
        shop_id: int,
        version: int | None,
        key: Hashable,
        key_bytes: int,
        run: Callable[[], Awaitable[Told]],
        beside: int = 0,
    ) -> bytes:
        """What `run` answers now, or answered at any moment since which nothing changed.

        `version` is that of the shop's goods when the caller was let in. `key` has everything else that
        decides the answer, and takes about `key_bytes`. `beside` is the version of what the answer shows that
        the version of the goods leaves out, as it was when the caller was let in.
        """
        stamp = await self._changes.catch_up(shop_id, version=version), beside
        entry = self._entries.get(key)
        if entry is not None and entry.stamp == stamp:
            return entry.body
        told = await run()
        if told.is_of_goods:
            size = key_bytes + len(told.body)
            self._entries.put(key, _Entry(stamp, told.body), content_bytes=size)
        return told.body
