"""Whole lists: written piece by piece, off the event loop, one at a time per partner.

A list is read from one snapshot into a spool and sent from there, so a caller who reads slowly holds
no connection to the database, and an error shows before anything was sent.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import IO, TypeVar

import msgspec

from crossdock.channels.plumbing import Rendered, Spool, compressed
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Unavailable
from crossdock.shop.catalogue import take_turn
from crossdock.shop.partners import Partner

AT_ONCE = 2  # of all partners, in one process: each holds a connection to the database
UNREAD_MAX = 2  # large lists of one partner that are still being sent
_RETRY_S = 5

Entry = TypeVar("Entry")
Stream = Callable[[Transaction], AsyncIterator[Sequence[Entry]]]


class WholeLists:
    """Renders whole lists as JSON arrays."""

    def __init__(self, db: Database, *, folder: str) -> None:
        self._db = db
        self._folder = folder
        self._room = asyncio.Semaphore(AT_ONCE)
        self._turns: dict[int, asyncio.Lock] = {}
        self._unread: dict[int, set[IO[bytes]]] = {}

    async def render(
        self, stream: Stream[Entry], *, partner: Partner, show: Callable[[Entry], object]
    ) -> Rendered:
        """The list in which each entry is what `show` makes of it; to be given back to `done`.

        Raises Unavailable `busy` while too many lists of this partner are being sent or written.
        """
        unread = self._unread.setdefault(partner.id, set())
        if len(unread) >= UNREAD_MAX:
            raise Unavailable("busy", data={"retry_after_s": _RETRY_S})
        async with self._turns.setdefault(partner.id, asyncio.Lock()), self._room:
            rendered = await self._write(stream, partner=partner, show=show)
        if rendered.file is not None:
            unread.add(rendered.file)
        return rendered

    def done(self, rendered: Rendered) -> None:
        """A list was sent, or never will be."""
        for unread in self._unread.values():
            unread.discard(rendered.file)  # None is in none of them

    async def compress(self, plain: Rendered) -> Rendered:
        """A list that was rendered, as gzip."""
        return await asyncio.to_thread(compressed, plain, coding="gzip", folder=self._folder)

    async def _write(
        self, stream: Stream[Entry], *, partner: Partner, show: Callable[[Entry], object]
    ) -> Rendered:
        spool, separator = Spool(self._folder), b"["

        def write(before: bytes, entries: Sequence[Entry]) -> None:
            spool.write(before + msgspec.json.encode([show(entry) for entry in entries])[1:-1])

        async with self._db.begin() as tx:
            await take_turn(tx, partner=partner)
            async for entries in stream(tx):
                await asyncio.to_thread(write, separator, entries)
                separator = b","
        spool.write(b"]" if separator == b"," else b"[]")
        return spool.finish()
