"""Catalogues that people upload: checked and imported by a job of the worker, with their progress stored."""

import asyncio
import contextlib
from typing import Final, Literal

import msgspec
import structlog

from crossdock.compose import Services
from crossdock.db.unit_of_work import Database
from crossdock.imports.formats import reader_of
from crossdock.imports.items import Finding, Unreadable
from crossdock.imports.mapping import FieldMap, parse_map
from crossdock.imports.refused_rows import RefusedRows
from crossdock.imports.running import ImportOrder, Summary, Watcher, run_import
from crossdock.kit.clock import Clock
from crossdock.shop.catalogue import (
    CatalogueImport,
    ImportState,
    end_step,
    note_progress,
    read_import,
    refused_rows_path,
)
from crossdock.shop.shops import read_shop_by_id

log = structlog.get_logger("crossdock.imports")

TOLD_EVERY_S: Final = 0.5
Step = Literal["checking", "importing"]


class _StepWatcher(Watcher):
    """Knows how far a step is, and writes what it finds to the list of refused rows."""

    def __init__(self, rows: RefusedRows) -> None:
        self._rows = rows
        self._refused: set[int] = set()
        self.read_bytes = 0

    @property
    def refused(self) -> int:
        return len(self._refused)

    def found(self, finding: Finding) -> None:
        self._rows.add(finding)
        if not finding.is_warning:
            self._refused.add(finding.row)

    def moved(self, *, position: int, size: int) -> None:
        self.read_bytes = position


async def run_step(services: Services, *, shop_id: int, import_id: int, step: Step) -> None:
    """Check an uploaded file, or import it, and store what came of it.

    A step that was cut short, by a stop of the worker or of the machine, begins anew and goes on after
    the last batch. Does nothing if the import is not at this step.
    """
    db, clock = services.runtime.database, services.runtime.clock
    async with db.statement() as tx:
        found = await read_import(tx, shop_id=shop_id, import_id=import_id)
    if found.state != step:
        return
    try:
        summary = await _run(services, found, shop_id=shop_id)
    except Unreadable as error:
        summary = Summary(file=found.name, format=found.format, error=error.message)
    state: ImportState = "checked" if step == "checking" else "done"
    async with db.begin() as tx:
        await end_step(
            tx,
            shop_id=shop_id,
            import_id=import_id,
            state="failed" if summary.error else state,
            summary=msgspec.to_builtins(summary),
            error=summary.error,
            now=clock.now(),
        )
    log.info("import step done", import_id=import_id, step=step, error=summary.error)


async def fail_step(services: Services, *, shop_id: int, import_id: int, error: str) -> None:
    """Store that a step was given up; what it has imported stays, and it can go on later."""
    async with services.runtime.database.begin() as tx:
        await end_step(
            tx,
            shop_id=shop_id,
            import_id=import_id,
            state="failed",
            summary=None,
            error=error,
            now=services.runtime.clock.now(),
        )


async def _run(services: Services, found: CatalogueImport, *, shop_id: int) -> Summary:
    db, folder = services.runtime.database, services.import_folder.path
    async with db.statement() as tx:
        shop = await read_shop_by_id(tx, shop_id=shop_id)
    reader_of(found.format)
    order = ImportOrder(
        path=folder / found.file,
        format=found.format,
        shop=shop,
        merchant=found.merchant or shop.name,
        map=parse_map(found.field_map.encode(), is_from_page=True)
        if found.field_map
        else FieldMap(),
        dry_run=found.state == "checking",
    )
    with RefusedRows(refused_rows_path(folder, found.file)) as rows:
        watcher = _StepWatcher(rows)
        telling = asyncio.create_task(
            _tell(db, services.runtime.clock, watcher, shop_id=shop_id, import_id=found.id)
        )
        try:
            summary = await run_import(
                db, order=order, clock=services.runtime.clock, watcher=watcher
            )
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
    summary.file = found.name
    summary.error = summary.error.replace(str(order.path), found.name)
    return summary


async def _tell(
    db: Database, clock: Clock, watcher: _StepWatcher, *, shop_id: int, import_id: int
) -> None:
    """Store how far the step is, as often as it has moved."""
    told = 0
    while True:
        await asyncio.sleep(TOLD_EVERY_S)
        if watcher.read_bytes == told:
            continue
        told = watcher.read_bytes
        with contextlib.suppress(Exception):  # the page shows an older position
            async with db.statement() as tx:
                await note_progress(
                    tx,
                    shop_id=shop_id,
                    import_id=import_id,
                    read_bytes=told,
                    refused=watcher.refused,
                    now=clock.now(),
                )
