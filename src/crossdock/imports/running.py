"""One import run: a file read ahead in a thread, written in batches; resumable and idempotent."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Unavailable
from crossdock.imports.batches import TRIAL_PART, Batch, batches
from crossdock.imports.checking import Checker
from crossdock.imports.custom_patterns import leave_wrong_patterns_out
from crossdock.imports.exporting import shows_of
from crossdock.imports.formats import reader_of
from crossdock.imports.items import Finding, Unreadable
from crossdock.imports.mapping import FieldMap
from crossdock.imports.opening import fingerprint, open_source
from crossdock.imports.reading import Reading
from crossdock.kit.clock import Clock
from crossdock.shop.catalogue import (
    ImportRun,
    Refusal,
    Trial,
    UpsertCounts,
    advance_run,
    has_statistics,
    open_run,
    refresh_statistics,
    upsert_blog_posts,
    upsert_categories,
    upsert_merchants,
    upsert_prepared,
)
from crossdock.shop.shops import Shop

Begin = Callable[[], AbstractAsyncContextManager[Transaction]]

_ANALYSED_FROM = 1_000
_ANALYSED_GROWTH = 8
_BUSY_RETRIES = 20
_BUSY_WAIT_S = 0.5
_SWITCH_INTERVAL_S = 0.0005


class Watcher:
    """Gets progress and findings; the command line prints them."""

    def found(self, finding: Finding) -> None:
        """A row was refused, or accepted with a warning."""

    def moved(self, *, position: int, size: int) -> None:
        """The number of bytes read so far."""


class Summary(msgspec.Struct, kw_only=True):
    """The result of a run. `refused` counts rows of the whole file, `resumed_at` items done before.

    `columns_unread` are the columns of a table that the format does not use.
    """

    file: str = ""
    format: str = ""
    shop: str = ""
    dry_run: bool = False
    resumed_at: int = 0
    records: int = 0
    products_added: int = 0
    products_changed: int = 0
    products_unchanged: int = 0
    variants_added: int = 0
    variants_changed: int = 0
    variants_disabled: int = 0
    stock_changed: int = 0
    categories_changed: int = 0
    blog_posts_changed: int = 0
    merchants_changed: int = 0
    refused: int = 0
    warnings: int = 0
    columns_unread: list[str] = []
    error: str = ""

    def add(self, counts: UpsertCounts) -> None:
        """Add a batch's counts."""
        for name in counts.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(counts, name))


class ImportOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to import; `merchant` owns rows that name none."""

    path: Path
    format: str
    shop: Shop
    merchant: str
    map: FieldMap = FieldMap()
    dry_run: bool = False


async def run_import(
    database: Database, *, order: ImportOrder, clock: Clock, watcher: Watcher | None = None
) -> Summary:
    """Import the file. If it cannot be read, or not to its end, the summary's `error` says why.

    Each batch is one transaction that also stores the progress; in a dry run it is rolled back, and a
    `Trial` knows what later batches need of it. Raises Conflict `exists` while another process imports the same file.
    """
    summary = Summary(
        file=str(order.path), format=order.format, shop=order.shop.slug, dry_run=order.dry_run
    )
    try:
        file_hash = await asyncio.to_thread(fingerprint, order.path, also=_how_read(order))
        begin = database.trial if order.dry_run else database.begin
        async with begin() as tx:
            if not await has_statistics(tx):
                await refresh_statistics(tx)
            state = await open_run(
                tx, shop_id=order.shop.id, file_format=order.format, file_hash=file_hash
            )
        run = _Run(order, clock=clock, watcher=watcher or Watcher(), summary=summary, state=state)
        await run.write(database, begin)
    except Unreadable as error:
        summary.error = error.message
    return summary


def _how_read(order: ImportOrder) -> bytes:
    return b"\0".join((order.merchant.encode(), order.map.source, order.shop.time_zone.encode()))


class _Whole:
    """How whole records are written where they stay; a `Trial` has the same three."""

    upsert_merchants = staticmethod(upsert_merchants)
    upsert_categories = staticmethod(upsert_categories)
    upsert_blog_posts = staticmethod(upsert_blog_posts)


class _Run:
    """The state of one run; `state` is what the database has stored of it."""

    def __init__(
        self,
        order: ImportOrder,
        *,
        clock: Clock,
        watcher: Watcher,
        summary: Summary,
        state: ImportRun,
    ) -> None:
        self.order = order
        self.clock = clock
        self.watcher = watcher
        self.summary = summary
        self.state = state
        # A finished run is repeated from the start; where nothing changed it writes nothing.
        self.is_repeat = state.status == "done"
        self.analysed_at = 0
        self.trial = Trial() if order.dry_run else None
        self.done = 0 if self.is_repeat else state.rows_done
        summary.resumed_at = self.done

    async def write(self, database: Database, begin: Begin) -> None:
        """Read to the end and write every batch."""
        order = self.order
        reading = Reading(
            currency=order.shop.currency,
            merchant=order.merchant,
            language=order.shop.languages[0],
            zone=order.shop.zone,
            map=order.map,
        )
        read = reader_of(order.format)
        with open_source(order.path) as source:
            items = read(source, reading)
            checker = Checker(currency=order.shop.currency)
            shows = shows_of(order.format, order.shop)
            part = TRIAL_PART if order.dry_run else 1
            read_batches = batches(items, checker=checker, done=self.done, part=part, shows=shows)
            async for batch in _read_ahead(read_batches):
                await leave_wrong_patterns_out(database, batch, shows=shows)
                await self._write_batch(begin, batch)
                self._report(batch)
                self.watcher.moved(position=source.position, size=source.size)
                if isinstance(batch.end, Unreadable):
                    self.summary.error = batch.end.message
        self.summary.columns_unread = reading.notes.columns_unread

    def _report(self, batch: Batch) -> None:
        for finding in batch.findings:
            self.watcher.found(finding)
        self.summary.warnings += sum(finding.is_warning for finding in batch.findings)
        self.summary.refused += _rows_refused(batch)
        self.summary.records = batch.records

    async def _write_batch(self, begin: Begin, batch: Batch) -> None:
        if not batch.is_new and batch.end is None:
            return
        for attempt in range(_BUSY_RETRIES):
            try:
                async with begin() as tx:
                    counts, changed = await self._apply(tx, batch)
                    state = await self._finish(tx, batch, counts)
                break
            except Unavailable as error:
                if error.code != "busy" or attempt == _BUSY_RETRIES - 1:
                    raise
                await asyncio.sleep(_BUSY_WAIT_S)
        self.state = state
        if self.trial and batch.is_new:
            self.trial.remember(
                merchants=batch.merchants,
                categories=batch.categories,
                products=batch.products,
                blog_posts=batch.blog_posts,
            )
        self.summary.add(counts)
        self.summary.merchants_changed += changed[0]
        self.summary.categories_changed += changed[1]
        self.summary.blog_posts_changed += changed[2]

    async def _finish(self, tx: Transaction, batch: Batch, counts: UpsertCounts) -> ImportRun:
        """Store how far the run is; of a dry run nothing stays that could be stored or analysed."""
        if self.trial:
            return self.state
        state = await self._advance(tx, batch)
        await self._keep_statistics(tx, counts, is_last=batch.end is not None)
        return state

    async def _keep_statistics(
        self, tx: Transaction, counts: UpsertCounts, *, is_last: bool
    ) -> None:
        """Have the tables analysed when they have grown much, and at the end of a larger import."""
        added = self.summary.variants_added + counts.variants_added
        if is_last and added >= _ANALYSED_FROM:
            await refresh_statistics(tx)
        elif added >= _ANALYSED_FROM + _ANALYSED_GROWTH * self.analysed_at:
            await refresh_statistics(tx)
            self.analysed_at = added

    async def _apply(
        self, tx: Transaction, batch: Batch
    ) -> tuple[UpsertCounts, tuple[int, int, int]]:
        shop, now = self.order.shop, self.clock.now()
        if not batch.is_new:
            return UpsertCounts(), (0, 0, 0)
        changed = [0, 0, 0]
        whole = self.trial or _Whole
        if batch.merchants:
            changed[0] = await whole.upsert_merchants(
                tx, shop_id=shop.id, records=batch.merchants, now=now
            )
        if batch.categories:
            changed[1] = await whole.upsert_categories(
                tx, shop_id=shop.id, records=batch.categories, now=now
            )
        moves = self.trial.moves if self.trial else None
        counts = await upsert_prepared(tx, shop=shop, products=batch.products, now=now, moves=moves)
        if batch.blog_posts:
            changed[2] = await whole.upsert_blog_posts(
                tx, shop_id=shop.id, records=batch.blog_posts
            )
        return counts, (changed[0], changed[1], changed[2])

    async def _advance(self, tx: Transaction, batch: Batch) -> ImportRun:
        if self.is_repeat:
            return self.state
        new = batch if batch.is_new else None
        status = "running" if batch.end is None else "failed" if batch.end else "done"
        state = ImportRun(
            id=self.state.id,
            rows_done=max(batch.position, self.state.rows_done),
            products=self.state.products + (len(new.products) if new else 0),
            variants=self.state.variants + (new.variants if new else 0),
            refused=self.state.refused + (_rows_refused(new) if new else 0),
            status=status,
        )
        await advance_run(
            tx,
            shop_id=self.order.shop.id,
            run=state,
            before=self.state,
            refusals=[_refusal(f) for f in new.findings if not f.is_warning] if new else [],
            now=self.clock.now(),
        )
        return state


def _rows_refused(batch: Batch) -> int:
    return len({finding.row for finding in batch.findings if not finding.is_warning})


def _refusal(finding: Finding) -> Refusal:
    return Refusal(finding.row, finding.field, finding.reason, finding.value)


async def _read_ahead(source: Iterator[Batch]) -> AsyncIterator[Batch]:
    """The batches; the next one is read in a thread while this one is written.

    The thread yields often: the writer waits for it after every statement.
    """
    usual_interval_s = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    pending = asyncio.ensure_future(asyncio.to_thread(next, source, None))
    try:
        while (batch := await pending) is not None:
            pending = asyncio.ensure_future(asyncio.to_thread(next, source, None))
            yield batch
    finally:
        sys.setswitchinterval(usual_interval_s)
        await asyncio.gather(pending, return_exceptions=True)
