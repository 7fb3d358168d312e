"""Whole answers, told again to the same body while nothing of the shop's goods changed (docs/decisions/0067).

Partners ask for the same page all day with the same bytes, which then need not even be read.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import NamedTuple

from crossdock.channels.shoppo.executing import Answer
from crossdock.channels.shoppo.subjects import Call
from crossdock.kit.kept import Kept
from crossdock.shop.catalogue import Changes, offer_key


class _Told(NamedTuple):
    """An answer as of a stamp."""

    stamp: int
    body: bytes


class Answers:
    """The answers of one process to documents that read nothing but lists of goods."""

    def __init__(self, changes: Changes, *, memory_bytes: int) -> None:
        self._changes = changes
        self._told: Kept[Hashable, _Told] = Kept(bytes_max=memory_bytes)

    async def answer(self, call: Call, body: bytes, run: Callable[[], Awaitable[Answer]]) -> bytes:
        """What `run` answers to this body, now or at any moment since which nothing changed."""
        stamp = await self._changes.catch_up(call.partner.shop_id, version=call.goods_version)
        key = (offer_key(call.partner), body)
        told = self._told.get(key)
        if told is not None and told.stamp == stamp:
            return told.body
        answer = await run()
        if answer.is_of_goods:
            size = len(body) + len(answer.body)
            self._told.put(key, _Told(stamp, answer.body), content_bytes=size)
        return answer.body
