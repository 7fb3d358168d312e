"""Write a backup: a snapshot of all rows, in a file that is complete or absent."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from psycopg import sql

import crossdock
from crossdock.db.backups.archive import (
    MASTER_KEY,
    ArchiveWriter,
    Manifest,
    TableRows,
    Unreadable,
    check_archive,
    read_manifest,
)
from crossdock.db.backups.content import Connection, connect, data_tables, prepare, sequences
from crossdock.db.backups.watching import Watcher
from crossdock.db.migrate import read_state
from crossdock.db.unit_of_work import DriverErrors
from crossdock.errors import Conflict, CrossdockError
from crossdock.kit.numbers import counted


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was written and verified."""

    file: str
    bytes: int
    manifest: Manifest


def write_backup(
    path: Path,
    *,
    database_url: str,
    now: datetime,
    keys: Sequence[str] = (),
    watcher: Watcher | None = None,
) -> Backup:
    """Write the database, and these lines of master keys, to `path`, readable by its owner only.

    The file gets its name after it was verified. Raises Conflict `exists` if the name belongs to a
    file that is not a backup, OSError, DatabaseUnavailable, or CrossdockError `internal` if the
    verification fails.
    """
    watcher = watcher or Watcher()
    require_free(path)
    with _draft(path) as (draft, file):
        manifest = _write(file, database_url=database_url, now=now, keys=keys, watcher=watcher)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
        watcher.begins("Checking", rows=manifest.rows)
        _read_again(draft, manifest, watcher=watcher)
        draft.replace(path)
    _sync_folder(path.parent)
    return Backup(file=str(path), bytes=size, manifest=manifest)


def require_free(path: Path) -> None:
    """Raises Conflict `exists` if the name belongs to a file that is not a backup."""
    if not path.exists():
        return
    try:
        read_manifest(path)
    except (Unreadable, IsADirectoryError) as error:
        raise Conflict(
            "exists",
            f"{path} exists and is not a backup, so it is not replaced. Give another name.",
        ) from error


def _write(
    file: IO[bytes],
    *,
    database_url: str,
    now: datetime,
    keys: Sequence[str],
    watcher: Watcher,
) -> Manifest:
    archive = ArchiveWriter(file)
    with DriverErrors(), connect(database_url) as connection, connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        prepare(connection)
        manifest = Manifest(
            crossdock=crossdock.__version__,
            created_at=now,
            postgresql=connection.info.parameter_status("server_version") or "",
            schema=read_state(connection),
            tables=_write_tables(archive, connection, watcher=watcher),
            sequences=sequences(connection),
        )
    if keys:
        text = "".join(f"{key}\n" for key in keys).encode()
        key_member = archive.add(MASTER_KEY, iter([text]), moved=lambda rows: None)
        manifest = msgspec.structs.replace(manifest, master_key=key_member)
    archive.finish(manifest)
    return manifest


def _write_tables(
    archive: ArchiveWriter, connection: Connection, *, watcher: Watcher
) -> list[TableRows]:
    tables = data_tables(connection)
    names = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables)
    connection.execute(sql.SQL("lock table {} in access share mode").format(names))
    watcher.begins("Reading", rows=sum(table.about for table in tables))
    written = []
    for table in tables:
        with connection.cursor() as cursor:
            with cursor.copy(sql.SQL("copy {} to stdout").format(table.target())) as rows:
                member = archive.add(f"tables/{table.name}", iter(rows), moved=watcher.moved)
            if cursor.rowcount != member.rows:
                raise CrossdockError(
                    "internal",
                    f"{table.name} has {counted(cursor.rowcount, 'row')}, and {member.rows} in the file.",
                )
        written.append(TableRows(table=table.name, columns=table.columns, member=member))
    return written


def _read_again(draft: Path, manifest: Manifest, *, watcher: Watcher) -> None:
    try:
        if read_manifest(draft) != manifest:
            raise Unreadable(draft, "has another manifest than was written.")
        check_archive(draft, manifest, moved=watcher.moved)
    except Unreadable as error:
        raise CrossdockError(
            "internal",
            f"The file differs from what was written to it and was deleted. {error.message}",
        ) from error


@contextlib.contextmanager
def _draft(path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A temporary file beside `path`, readable by its owner only; deleted unless it is renamed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield draft, file
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
