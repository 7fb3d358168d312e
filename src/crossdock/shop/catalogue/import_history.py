"""Imports that people begin, on a page or by a command: the file, who, how far, and what came of it."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, NotFound
from crossdock.shop.events import defer_job

ImportState = Literal["uploaded", "checking", "checked", "importing", "done", "failed"]
ImportOrigin = Literal["console", "command"]

RUNNING: Final[tuple[ImportState, ...]] = ("checking", "importing")
RUN_IMPORT: Final = "run_import"
"""The task of the worker that checks or imports an uploaded file."""


class ImportFolder(msgspec.Struct, frozen=True, kw_only=True):
    """Where uploaded catalogues are, how many bytes one may have, and how long it is kept."""

    path: Path
    upload_max_bytes: int
    keep: timedelta


class NewImport(msgspec.Struct, frozen=True, kw_only=True):
    """An import to note down; `file` is its name in the folder, '' where it is not kept there."""

    origin: ImportOrigin
    name: str
    size_bytes: int
    format: str
    person: str = ""
    file: str = ""
    merchant: str = ""
    field_map: str = ""


class CatalogueImport(msgspec.Struct, frozen=True, kw_only=True):
    """An import as it stands. `summary` is of the last step that ended, in the words of the command's JSON.

    `read_bytes` and `refused` are of the step that runs now, or of the last one.
    """

    id: int
    origin: ImportOrigin
    person: str
    name: str
    size_bytes: int
    file: str
    format: str
    merchant: str
    field_map: str
    state: ImportState
    read_bytes: int
    refused: int
    summary: dict[str, Any] | None
    error: str
    created_at: datetime
    changed_at: datetime

    @property
    def is_running(self) -> bool:
        """Whether a step waits for a worker or runs."""
        return self.state in RUNNING


_COLUMNS: Final = ", ".join(CatalogueImport.__struct_fields__)


async def add_import(
    tx: Transaction, *, shop_id: int, made: NewImport, state: ImportState, now: datetime
) -> int:
    """Note an import down; its number."""
    return int(
        await tx.value(
            """insert into imports (shop_id, origin, person, name, size_bytes, file, format, merchant,
                                    field_map, state, created_at, changed_at)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id""",
            (shop_id, made.origin, made.person, made.name, made.size_bytes, made.file, made.format,
             made.merchant, made.field_map, state, now, now),
        )
    )  # fmt: skip


async def list_imports(
    tx: Transaction, *, shop_id: int, before: int | None = None, limit: int = 50
) -> list[CatalogueImport]:
    """Imports with a number below `before`, the newest first."""
    rows = await tx.all(
        f"""select {_COLUMNS} from imports
            where shop_id = %s and (%s::bigint is null or id < %s) order by id desc limit %s""",
        (shop_id, before, before, limit),
    )
    return [_import(row) for row in rows]


async def read_import(tx: Transaction, *, shop_id: int, import_id: int) -> CatalogueImport:
    """One import. Raises NotFound `not_found`."""
    row = await tx.one(
        f"select {_COLUMNS} from imports where shop_id = %s and id = %s", (shop_id, import_id)
    )
    if row is None:
        raise _missing(import_id)
    return _import(row)


async def begin_step(
    tx: Transaction, *, shop_id: int, import_id: int, step: Literal["checking", "importing"],
    file_format: str, merchant: str, field_map: str, person: str, now: datetime,
) -> None:  # fmt: skip
    """Have the worker check the uploaded file or import it; a failed import goes on where it stopped.

    Raises NotFound `not_found`, and Conflict `exists` while a step of it runs or once its file is gone.
    """
    done = await tx.run(
        """update imports set state = %s, format = %s, merchant = %s, field_map = %s, person = %s,
                  read_bytes = 0, refused = 0, error = '', changed_at = %s,
                  summary = case when %s = 'importing' then null else summary end
           where shop_id = %s and id = %s and file <> '' and state not in ('checking', 'importing')""",
        (step, file_format, merchant, field_map, person, now, step, shop_id, import_id),
    )
    if not done:
        found = await read_import(tx, shop_id=shop_id, import_id=import_id)
        why = "is being read" if found.is_running else "has no file here any more"
        raise Conflict("exists", f"Import {import_id} {why}.", {"import_id": import_id})
    args = {"shop_id": shop_id, "import_id": import_id, "step": step}
    # The imports of a shop take turns: they would wait for each other's rows.
    lock = f"imports of {shop_id}"
    await defer_job(tx, task=RUN_IMPORT, queue="default", args=args, lock=lock)


async def note_progress(
    tx: Transaction, *, shop_id: int, import_id: int, read_bytes: int, refused: int, now: datetime
) -> None:
    """Store how far the step is that runs."""
    await tx.run(
        """update imports set read_bytes = %s, refused = %s, changed_at = %s
           where shop_id = %s and id = %s and state in ('checking', 'importing')""",
        (read_bytes, refused, now, shop_id, import_id),
    )


async def end_step(
    tx: Transaction, *, shop_id: int, import_id: int, state: ImportState,
    summary: dict[str, Any] | None, error: str, now: datetime,
) -> None:  # fmt: skip
    """Store what came of a step."""
    await tx.run(
        """update imports set state = %s, summary = coalesce(%s, summary), error = %s, changed_at = %s,
                  read_bytes = case when %s = 'failed' then read_bytes else size_bytes end
           where shop_id = %s and id = %s and state in ('checking', 'importing')""",
        (state, None if summary is None else Jsonb(summary), error, now, state, shop_id, import_id),
    )


async def delete_old_uploads(db: Database, *, folder: ImportFolder, now: datetime) -> int:
    """Delete the files with which nothing was done for as long as they are kept; the history stays."""
    async with db.statement() as tx:
        rows = await tx.all(
            """update imports i set file = '' from (
                   select shop_id, id, file from imports
                   where file <> '' and changed_at < %s and state not in ('checking', 'importing')
                   order by changed_at limit 1000 for update skip locked) old
               where i.shop_id = old.shop_id and i.id = old.id returning old.file""",
            (now - folder.keep,),
        )
    for (file,) in rows:
        for path in (folder.path / file, refused_rows_path(folder.path, file)):
            await asyncio.to_thread(path.unlink, missing_ok=True)
    return len(rows)


def refused_rows_path(folder: Path, file: str) -> Path:
    """Where the list of an uploaded file's refused rows is."""
    return folder / f"{file}.csv"


def _import(row: tuple[Any, ...]) -> CatalogueImport:
    return msgspec.convert(
        dict(zip(CatalogueImport.__struct_fields__, row, strict=True)), CatalogueImport
    )


def _missing(import_id: int) -> NotFound:
    return NotFound("not_found", f"There is no import {import_id}.", {"import_id": import_id})
