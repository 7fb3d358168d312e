"""Brings a database to this version: Alembic revisions, then the function files.

Functions live in `*.sql` files beside the Python that calls them. Each file is applied again whenever
its text changed, after the functions of its names were dropped, for arguments and answers may have changed
too; the table `schema_functions` remembers the checksums. An advisory lock lets several processes migrate
at once: one works, the others find everything done.
"""

import contextlib
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict

from crossdock.db.connection import connection_info
from crossdock.errors import CrossdockError, DatabaseUnavailable

PACKAGE_DIR = Path(__file__).parent.parent
MIGRATIONS_DIR = Path(__file__).parent / "migrations"
VERSIONS_DIR = MIGRATIONS_DIR / "versions"
ADVISORY_LOCK = 0x63726F7373
LOCK_TIMEOUT_S = 60
_DECLARED = re.compile(r"^create or replace function (\w+)", re.MULTILINE)

STATE_SQL = """
select (select version_num from alembic_version),
       (select string_agg(name || ':' || checksum, ' ') from schema_functions)
"""


class SchemaState(msgspec.Struct, frozen=True):
    """The revision and the function checksums a database has, or this version wants."""

    revision: str | None
    functions: dict[str, str]


def migrate(database_url: str) -> bool:
    """Bring the database up to date; True when something was done, False when nothing was to do.

    Raises DatabaseUnavailable, or CrossdockError `internal` when the database is of a newer version.
    """
    wanted = wanted_state()
    with _connect(database_url) as connection:
        if read_state(connection) == wanted:
            return False
        connection.execute("select set_config('lock_timeout', %s, false)", (f"{LOCK_TIMEOUT_S}s",))
        connection.execute("select pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        current = read_state(connection)
        if current == wanted:
            return False
        _refuse_newer(current)
        if current.revision != wanted.revision:
            _upgrade(database_url)
        _apply_functions(connection, applied=read_state(connection).functions)
    return True


def is_current(database_url: str) -> bool:
    """Whether `migrate` would have nothing to do."""
    with _connect(database_url) as connection:
        return read_state(connection) == wanted_state()


def read_state(connection: psycopg.Connection[tuple[str | None, str | None]]) -> SchemaState:
    """What the database has, in one query; a database without our tables has nothing."""
    try:
        row = connection.execute(STATE_SQL).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    return parse_state(row or (None, None))


def parse_state(row: tuple[str | None, str | None]) -> SchemaState:
    """The state in a row of STATE_SQL."""
    revision, functions = row
    pairs = (pair.partition(":") for pair in (functions or "").split())
    return SchemaState(revision, {name: checksum for name, _, checksum in pairs})


@cache
def wanted_state() -> SchemaState:
    """What this version of the program needs."""
    return SchemaState(
        _revisions()[-1],
        {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in _function_files()},
    )


def _revisions() -> list[str]:
    """Revision ids in the order of their dated file names; read without loading Alembic."""
    pattern = re.compile(r'^revision = "(\w+)"', re.MULTILINE)
    texts = (path.read_text(encoding="utf-8") for path in sorted(VERSIONS_DIR.glob("*.py")))
    return [match[1] for text in texts if (match := pattern.search(text))]


def _function_files() -> list[tuple[str, Path]]:
    return [
        (path.relative_to(PACKAGE_DIR).as_posix(), path)
        for path in sorted(PACKAGE_DIR.rglob("*.sql"))
        if MIGRATIONS_DIR not in path.parents
    ]


def _refuse_newer(current: SchemaState) -> None:
    if current.revision is not None and current.revision not in _revisions():
        raise CrossdockError(
            "internal",
            f"The database is at revision {current.revision}, which this version does not know. "
            "Start the newer Crossdock that made it.",
        )


def _connect(database_url: str) -> psycopg.Connection[tuple[str | None, str | None]]:
    try:
        return psycopg.connect(connection_info(database_url), autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"The database cannot be reached: {error}".strip()) from error


def _upgrade(database_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR))
    config.set_main_option("path_separator", "os")
    config.attributes["conninfo"] = conninfo_to_dict(connection_info(database_url))
    command.upgrade(config, "head")


def _apply_functions(connection: psycopg.Connection[object], *, applied: dict[str, str]) -> None:
    """All changed files in one transaction; bodies are not checked, so the order is free."""
    wanted = wanted_state().functions
    with connection.transaction():
        connection.execute("set local check_function_bodies = off")
        for name, path in _function_files():
            if applied.get(name) != wanted[name]:
                _apply(connection, name=name, path=path)
        connection.execute("delete from schema_functions where name <> all(%s)", (list(wanted),))


def _drop_declared(connection: psycopg.Connection[Any], *, names: list[str]) -> None:
    """Drop every function of these names; one that a table or trigger needs stays, to be replaced."""
    statements = connection.execute(
        "select format('drop function %%s', oid::regprocedure) from pg_proc"
        " where pronamespace = current_schema()::regnamespace and proname = any(%s)",
        (names,),
    ).fetchall()
    for (statement,) in statements:
        with (
            contextlib.suppress(psycopg.errors.DependentObjectsStillExist),
            connection.transaction(),
        ):
            connection.execute(str(statement).encode())


def _apply(connection: psycopg.Connection[object], *, name: str, path: Path) -> None:
    text = path.read_bytes()
    _drop_declared(connection, names=_DECLARED.findall(text.decode()))
    connection.execute(text)
    connection.execute(
        "insert into schema_functions (name, checksum) values (%s, %s)"
        " on conflict (name) do update set checksum = excluded.checksum, applied_at = now()",
        (name, wanted_state().functions[name]),
    )
