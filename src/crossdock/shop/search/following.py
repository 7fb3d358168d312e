"""Follow the events: an index takes in what changed within a second of the commit.

Only the process that holds the lock of a shop's folder writes; another worker of the same machine
waits for its turn.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Conflict, CrossdockError
from crossdock.kit.slices import slices
from crossdock.shop.events import Topic, read_events
from crossdock.shop.search.affected import changed_products
from crossdock.shop.search.building import (
    Building,
    State,
    decode_state,
    encode_state,
    put_products,
    read_batch,
    rebuild,
)
from crossdock.shop.search.local import folders
from crossdock.shop.search.local.tantivy_index import Reader, Writer
from crossdock.shop.search.reading import BATCH, read_categories

log = structlog.get_logger("crossdock.search")

TOPICS: Final[tuple[Topic, ...]] = ("catalogue", "price")
# What changes nothing in the index is noted this seldom, so that orders do not keep it writing.
NOTE_AFTER: Final = timedelta(seconds=5)
PRICE_STEP: Final = timedelta(seconds=1)
REST_AFTER: Final = timedelta(seconds=30)
EVENTS_AT_ONCE: Final = 1_000
BUILD_AGAIN: Final = timedelta(
    seconds=1
)  # after a build that failed, and twice that after each more
BUILD_AGAIN_MAX: Final = timedelta(minutes=1)


class Follower:
    """Keeps the indexes of all shops of this machine; `close` it in the end."""

    def __init__(self, building: Building) -> None:
        self._building = building
        self._shops: dict[int, _Shop] = {}
        self._turn = asyncio.Lock()

    async def step(self, *, waits: bool = True) -> int:
        """Let every shop's index take in what is new; returns how many products were written.

        An index that is not there is built, one shop's after another's; without `waits` that goes on
        beside the next steps, so that the other shops' indexes stay fresh meanwhile. A shop that fails
        is tried again in the next step; the others go on. A step in which nothing happened takes two
        statements, however many shops there are.
        """
        async with self._building.db.statement() as tx:
            rows = await tx.all("select id, last_sequence from shops order by id")
        repriced = await self._repriced()
        written = 0
        for shop_id, last in rows:
            if shop_id not in self._shops:
                self._shops[shop_id] = _Shop(self._building, shop_id, turn=self._turn)
            shop, is_repriced = self._shops[shop_id], shop_id in repriced
            written += await self._step(shop, last, is_repriced=is_repriced)
            if waits and await shop.built():
                written += await self._step(shop, last, is_repriced=is_repriced)
        return written

    async def _step(self, shop: "_Shop", last: int, *, is_repriced: bool) -> int:
        try:
            return await shop.step(last, is_repriced=is_repriced)
        except CrossdockError as error:
            log.warning("an index was not kept", shop_id=shop.id, code=error.code)
        except Exception:
            log.exception("an index was not kept", shop_id=shop.id)
        await shop.close()
        return 0

    async def _repriced(self) -> set[int]:
        """The shops in which the clock alone changed a price since their indexes were last right."""
        now = self._building.clock.now()
        spans = {
            shop_id: (min(since, now), max(since, now))
            for shop_id, shop in self._shops.items()
            if (since := shop.priced_at()) is not None and abs(now - since) >= PRICE_STEP
        }
        if not spans:
            return set()
        async with self._building.db.statement() as tx:
            found = await tx.all(
                _REPRICED,
                {
                    "shops": list(spans),
                    "from": [start for start, _ in spans.values()],
                    "to": [end for _, end in spans.values()],
                },
            )
        repriced = {row[0] for row in found}
        for shop_id in spans.keys() - repriced:
            self._shops[shop_id].note_prices(now)
        return repriced

    async def close(self) -> None:
        """Release all folders; what was not saved will be read again."""
        for shop in self._shops.values():
            await shop.close()


class _Shop:
    """One shop's index, its writer, and how far it is."""

    def __init__(self, building: Building, shop_id: int, *, turn: asyncio.Lock) -> None:
        self.id = shop_id
        self._building = building
        self._turn = turn
        self._build_task: asyncio.Task[None] | None = None
        self._folder = building.folder(shop_id)
        self._held: contextlib.ExitStack | None = None
        self._open: _Open | None = None
        self._failures = 0
        self._failed_at: datetime | None = None

    def priced_at(self) -> datetime | None:
        """When the prices of the open index were right; None without one."""
        return None if self._open is None else self._open.state.priced_at

    def note_prices(self, now: datetime) -> None:
        """The prices of the open index are still right at `now`."""
        if self._open is not None:
            self._open.state = State(as_of=self._open.state.as_of, priced_at=now)

    async def step(self, last: int, *, is_repriced: bool) -> int:
        """Take in what is new up to event `last`; how many products were written.

        Raises what stopped a build since the last step.
        """
        if not self._has_lock() or not self._is_built():
            return 0
        now = self._building.clock.now()
        index = await self._opened(last)
        if index is None:
            return 0
        if is_repriced or last > index.state.as_of:
            return await self._take(index, last=last, now=now, is_repriced=is_repriced)
        await index.save(index.state, has_written=False)
        if index.written_at is not None and abs(now - index.written_at) >= REST_AFTER:
            await index.rest()
        return 0

    async def close(self) -> None:
        """Release the folder; the next step reads again how far the index on the disk is."""
        task, self._build_task = self._build_task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        index, self._open = self._open, None
        if index is not None:
            await index.rest()
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def _has_lock(self) -> bool:
        if self._held is None:
            with contextlib.ExitStack() as held:
                if held.enter_context(folders.lock(self._folder, folders.WRITING)):
                    self._held = held.pop_all()
        return self._held is not None

    async def _opened(self, last: int) -> "_Open | None":
        """The current index; None where it is built anew: it cannot be read, or knows more than happened."""
        path = folders.read_current(self._folder)
        if self._open is not None and path == self._open.path and last >= self._open.state.as_of:
            return self._open
        index, self._open = self._open, None
        if index is not None:
            await index.rest()
            await asyncio.to_thread(folders.sweep_unless_building, self._folder)
        self._open = await self._find(last)
        if self._open is None:
            self._build_task = asyncio.create_task(self._build())
        return self._open

    def _is_built(self) -> bool:
        """Whether no build runs; raises what stopped one."""
        task = self._build_task
        if task is not None and task.done():
            self._build_task = None
            task.result()
        return self._build_task is None

    async def built(self) -> bool:
        """Wait for the build that runs; whether one did."""
        task = self._build_task
        if task is not None:
            await asyncio.wait([task])
        return task is not None

    async def _find(self, last: int) -> "_Open | None":
        path = folders.read_current(self._folder)
        if path is None or not await asyncio.to_thread(folders.is_usable, self._folder):
            return None
        saved = await asyncio.to_thread(lambda: Reader(path).snapshot().read_state())
        if saved is None:
            return None
        found = _Open(path, decode_state(saved), writer_mb=self._building.writer_mb)
        return found if found.state.as_of <= last else None

    async def _build(self) -> None:
        """Build the index in its turn, unless the last try failed a moment ago."""
        async with self._turn:
            await self._build_now()

    async def _build_now(self) -> None:
        now = self._building.clock.now()
        pause = min(BUILD_AGAIN * 2**self._failures, BUILD_AGAIN_MAX)
        if self._failed_at is not None and abs(now - self._failed_at) < pause:
            return
        log.info("an index is built", shop_id=self.id)
        self._failed_at, self._failures = now, min(self._failures + 1, 10)
        try:
            built = await rebuild(self._building, shop_id=self.id)
        except Conflict:
            self._failed_at, self._failures = None, 0
            return
        self._failed_at, self._failures = None, 0
        log.info("an index was built", shop_id=self.id, documents=built.documents)

    async def _take(self, index: "_Open", *, last: int, now: datetime, is_repriced: bool) -> int:
        """Read events and what they are about in one snapshot, write it, and save it with their number."""
        state = index.state
        async with self._building.db.begin() as tx:
            await tx.run("set transaction isolation level repeatable read, read only")
            await tx.take_time()
            events = await read_events(
                tx,
                shop_id=self.id,
                after=state.as_of,
                upto=last,
                topics=TOPICS,
                limit=EVENTS_AT_ONCE,
            )
            upto = events[-1].sequence if len(events) == EVENTS_AT_ONCE else last
            if not events and not is_repriced:  # orders and stock, which are no matter of the index
                await index.save(State(as_of=upto, priced_at=state.priced_at), has_written=False)
                return 0
            ids = await changed_products(
                tx, shop_id=self.id, events=events, since=state.priced_at, now=now
            )
            if ids:
                await self._write(tx, index=index, ids=ids, now=now)
        await index.save(State(as_of=upto, priced_at=now), has_written=bool(ids))
        return len(ids)

    async def _write(
        self, tx: Transaction, *, index: "_Open", ids: Sequence[int], now: datetime
    ) -> None:
        categories = await read_categories(tx, shop_id=self.id)
        writer = await index.awake()
        embeddings = await asyncio.to_thread(self._building.embeddings, index.path)
        for some in slices(ids, size=BATCH):
            products = await read_batch(
                tx,
                building=self._building,
                shop_id=self.id,
                ids=some,
                categories=categories,
                now=now,
            )
            await asyncio.to_thread(put_products, writer, products, embeddings)


class _Open:
    """An index that is written: its folder, its state, and a writer while there is work."""

    def __init__(self, path: Path, state: State, *, writer_mb: int) -> None:
        self.path = path
        self.state = state
        self.written_at: datetime | None = None
        self._saved = state
        self._writer_mb = writer_mb
        self._writer: Writer | None = None

    async def awake(self) -> Writer:
        """The writer."""
        if self._writer is None:
            self._writer = await asyncio.to_thread(Writer, self.path, heap_mb=self._writer_mb)
        return self._writer

    async def save(self, state: State, *, has_written: bool) -> None:
        """Save what was written with the new state; without anything, once in a while."""
        is_time = state.as_of != self._saved.as_of and (
            abs(state.priced_at - self._saved.priced_at) >= NOTE_AFTER
        )
        if has_written or is_time:
            writer = await self.awake()
            await asyncio.to_thread(writer.save, encode_state(state))
            self._saved, self.written_at = state, state.priced_at
        self.state = state

    async def rest(self) -> None:
        """Close the writer, and with it what was not saved; one that broke has nothing to close."""
        if self._writer is not None:
            writer, self._writer, self.written_at = self._writer, None, None
            try:
                await asyncio.to_thread(writer.close)
            except CrossdockError as error:
                log.warning("a writer was not closed", path=str(self.path), error=error.message)


# Of some shops, those with a price that begins or ends in a span of time of the shop's own.
_REPRICED = """
    select s.id from unnest(%(shops)s::bigint[], %(from)s::timestamptz[], %(to)s::timestamptz[]) as s (id, since, upto)
    where exists (select from variants v where v.shop_id = s.id
                  and v.sale_starts_at > s.since and v.sale_starts_at <= s.upto)
       or exists (select from variants v where v.shop_id = s.id
                  and v.sale_ends_at > s.since and v.sale_ends_at <= s.upto)
       or exists (select from promotions q where q.shop_id = s.id
                  and q.starts_at > s.since and q.starts_at <= s.upto)
       or exists (select from promotions q where q.shop_id = s.id
                  and q.ends_at > s.since and q.ends_at <= s.upto)
       or exists (select from coupons q where q.shop_id = s.id and q.enabled and q.given = 'price'
                  and (q.starts_at > s.since and q.starts_at <= s.upto or q.ends_at > s.since and q.ends_at <= s.upto))
"""
