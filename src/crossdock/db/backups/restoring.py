"""Restore a backup in one transaction."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql

import crossdock
from crossdock.db.backups.archive import Manifest, TableRows, Unreadable, read_member
from crossdock.db.backups.content import (
    Connection,
    connect,
    count_rows,
    data_tables,
    prepare,
    sequences,
)
from crossdock.db.backups.watching import Watcher
from crossdock.db.generations import SchemaState, unknown_files, wanted_state
from crossdock.db.migrate import migrate, read_state, require_current
from crossdock.db.unit_of_work import DriverErrors
from crossdock.errors import Conflict, Refused, Unavailable
from crossdock.kit.numbers import counted

# All other rows belong to a row of these tables, or the program creates them.
_HOLDERS = ("shops", "people")
_ADVISORY_LOCK = 0x726573746F7265
_OURS = "select count(*) from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'"
_CONNECTED = """
    select count(*) from pg_stat_activity where datname = current_database()
    and application_name = 'crossdock' and pid <> pg_backend_pid()
"""

BeforeCommit = Callable[[], None]


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a restore, and whether it replaced existing data."""

    tables: int
    rows: int
    replaced: bool


def require_known(manifest: Manifest) -> None:
    """Raises Refused `invalid_input` unless this program creates the same tables as the backup has."""
    mine, theirs = wanted_state(), manifest.schema
    if theirs == mine or _has_same_tables(theirs, mine=mine):
        return
    told = (
        f"The backup was made by Crossdock {manifest.crossdock} with generation {theirs.generation} of "
        f"the schema; this is Crossdock {crossdock.__version__} with generation {mine.generation}."
    )
    if theirs.generation < mine.generation:
        advice = (
            f"Restore it with Crossdock {manifest.crossdock} of that generation; this one then migrates "
            "the database."
        )
    elif theirs.generation > mine.generation:
        advice = (
            f"Restore it with Crossdock {manifest.crossdock} of that generation or a later one."
        )
    else:
        advice = "Its tables are of another branch. Restore it with the program that made it."
    raise Refused("invalid_input", f"{told} {advice} Nothing was changed.")


def require_room(database_url: str, *, replace: bool) -> dict[str, int]:
    """The number of rows by table that a restore would replace. Read-only.

    Raises Conflict `exists` if the database has data and `replace` is false, or other tables;
    CrossdockError `internal` if the database is of another generation; Unavailable `busy` if a
    server or command uses it.
    """
    with connect(database_url) as connection:
        if read_state(connection).revision is None:
            _require_bare(connection)
            return {}
        require_current(connection)
        held = {name: n for name in _HOLDERS if (n := count_rows(connection, name))}
        if held and not replace:
            what = ", ".join(f"{name}: {n:,}" for name, n in held.items())
            raise Conflict(
                "exists",
                f"The database is not empty ({what}). Nothing was changed. Restore into an empty "
                "data folder or database, or use --replace to delete the existing data.",
            )
        _require_alone(connection)
    return held


def load_backup(
    path: Path,
    *,
    manifest: Manifest,
    database_url: str,
    replace: bool,
    before_commit: BeforeCommit = lambda: None,
    watcher: Watcher | None = None,
) -> Restored:
    """Create the tables if there are none, then replace all rows in one transaction.

    `before_commit` is called before the commit; an exception rolls everything back. Raises what
    `require_room` does, and Unreadable if the file does not fit.
    """
    watcher = watcher or Watcher()
    require_room(database_url, replace=replace)
    migrate(database_url)
    with DriverErrors(), connect(database_url) as connection:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
            held = require_room(database_url, replace=replace)
            prepare(connection)
            _fill(path, connection, manifest=manifest, watcher=watcher)
            before_commit()
        _analyse(connection, manifest)
    return Restored(tables=len(manifest.tables), rows=manifest.rows, replaced=bool(held))


def _analyse(connection: Connection, manifest: Manifest) -> None:
    """Tell the planner of the tables that have rows.

    Those without are left alone: known to be empty, they would get plans that read a whole shop once
    it has rows (decision 0012); of a table that was never analysed the planner expects some.
    """
    filled = [sql.Identifier(each.table) for each in manifest.tables if each.member.rows]
    if filled:
        connection.execute(sql.SQL("analyze {}").format(sql.SQL(", ").join(filled)))


def _has_same_tables(theirs: SchemaState, *, mine: SchemaState) -> bool:
    """Whether an older program had the same tables, so that only functions differ."""
    is_older = theirs.generation <= mine.generation and not unknown_files(theirs)
    return is_older and theirs.revision_files == mine.revision_files


def _require_bare(connection: Connection) -> None:
    row = connection.execute(_OURS).fetchone()
    if row and row[0]:
        raise Conflict(
            "exists",
            f"The database has {counted(row[0], 'table')} of another program. Nothing was changed. Restore into a "
            "database of its own.",
        )


def _require_alone(connection: Connection) -> None:
    row = connection.execute(_CONNECTED).fetchone()
    if row and row[0]:
        raise Unavailable(
            "busy",
            f"A server or command of Crossdock uses the database ({row[0]} connections). Nothing was "
            "changed. Stop it, then restore.",
        )


def _fill(path: Path, connection: Connection, *, manifest: Manifest, watcher: Watcher) -> None:
    _require_fit(path, connection, manifest=manifest)
    names = [sql.Identifier(each.table) for each in manifest.tables]
    connection.execute(sql.SQL("truncate {}").format(sql.SQL(", ").join(names)))
    _switch_triggers(connection, names=names, how="disable")
    watcher.begins("Restoring", rows=manifest.rows)
    for each in manifest.tables:
        _copy(path, connection, each, watcher=watcher)
    _switch_triggers(connection, names=names, how="enable")
    for name, number in manifest.sequences.items():
        statement = sql.SQL("alter sequence {} restart with {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Literal(number)))


def _require_fit(path: Path, connection: Connection, *, manifest: Manifest) -> None:
    """Raises Unreadable unless tables, columns and sequences are those of the database."""
    mine = {table.name: table.columns for table in data_tables(connection)}
    theirs = {each.table: each.columns for each in manifest.tables}
    if mine != theirs or set(sequences(connection)) != set(manifest.sequences):
        raise Unreadable(path, "has other tables than this program makes. Nothing was changed.")


def _switch_triggers(connection: Connection, *, names: list[sql.Identifier], how: str) -> None:
    """Disable our own triggers, whose effects are in the rows already; foreign keys stay enabled."""
    for name in names:
        statement = sql.SQL("alter table {} {} trigger user").format(name, sql.SQL(how))
        connection.execute(statement)


def _copy(path: Path, connection: Connection, each: TableRows, *, watcher: Watcher) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, each.columns))
    statement = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(each.table), columns)
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as target:
            for piece in read_member(path, each.member, moved=watcher.moved):
                target.write(piece)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise Unreadable(
            path, f"has rows that do not fit: {error.diag.message_primary}."
        ) from error
    if (found := count_rows(connection, each.table)) != each.member.rows:
        raise Unreadable(
            path, f"gave {counted(found, 'row')} of {each.table}, not {each.member.rows}."
        )
