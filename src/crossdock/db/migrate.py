"""Migrates a database to this version: Alembic revisions, then the function files.

Functions are in `*.sql` files beside the Python that calls them. A file is applied again whenever it
changed, by the checksums in the table `schema_functions`. Under an advisory lock several processes
may migrate at once: one works, the others then find nothing to do. A newer database is refused, even
if only functions differ (see `generations`).
"""

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from crossdock.db import functions, generations
from crossdock.db.connection import connection_info
from crossdock.db.generations import SchemaState, Standing
from crossdock.errors import CrossdockError, DatabaseUnavailable

ADVISORY_LOCK = 0x63726F7373
LOCK_TIMEOUT_S = 60
_REMEMBER = (
    "insert into {table} (name, checksum) values (%s, %s)"
    " on conflict (name) do update set checksum = excluded.checksum, applied_at = now()"
)
_GENERATION = (
    "insert into schema_generation (generation, serves_from) values (%s, %s) on conflict (only_row)"
    " do update set generation = excluded.generation, serves_from = excluded.serves_from,"
    " applied_at = now()"
)
_ASKED = {
    Standing.OLDER: "A migration is needed: the database is older than this program ({theirs}, {mine}). "
    "Run `crossdock migrate`, or start `crossdock serve`, which migrates too.",
    Standing.NEWER_AND_SERVES: "The database is newer than this program ({theirs}, {mine}). It "
    "still serves programs that are running; start the newer Crossdock that migrated it.",
    Standing.NEWER: "The database is newer than this program ({theirs}, {mine}). "
    "Start the newer Crossdock that migrated it.",
    Standing.FOREIGN: "The database belongs to a different Crossdock, whose {files} this one does not "
    "know ({theirs}, {mine}). Start that one, or use another database.",
}

Connection = psycopg.Connection[Any]


def migrate(database_url: str) -> bool:
    """Migrate the database; True if something was done, False if it was up to date.

    Raises DatabaseUnavailable, or CrossdockError `internal` if the database is of a newer version.
    """
    with _connect(database_url) as connection:
        if generations.standing_of(read_state(connection)) == Standing.CURRENT:
            return False
        connection.execute("select set_config('lock_timeout', %s, false)", (f"{LOCK_TIMEOUT_S}s",))
        connection.execute("select pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        current = read_state(connection)
        if generations.standing_of(current) == Standing.CURRENT:
            return False
        _require_older(current)
        if current.revision != generations.wanted_state().revision:
            _upgrade(database_url)
        with connection.transaction():
            _apply(connection, applied=read_state(connection).functions)
    return True


def what_is_due(database_url: str) -> str:
    """What an operator must do to bring the database up to date; "" if nothing."""
    current, standing = _look(database_url)
    return "" if standing == Standing.CURRENT else _told(current, standing=standing)


def require_served(database_url: str) -> None:
    """Raises CrossdockError `internal` unless the database can serve this program without migration."""
    current, standing = _look(database_url)
    if standing not in {Standing.CURRENT, Standing.NEWER_AND_SERVES}:
        raise CrossdockError("internal", _told(current, standing=standing))


def require_current(connection: Connection) -> None:
    """Raises CrossdockError `internal` unless the database is exactly of this program's version."""
    current = read_state(connection)
    standing = generations.standing_of(current)
    if standing != Standing.CURRENT:
        raise CrossdockError("internal", _told(current, standing=standing))


def read_state(connection: Connection) -> SchemaState:
    """The state of the database, in one query; empty if it has none of our tables."""
    try:
        row = connection.execute(generations.STATE_SQL).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    return generations.parse_state(row) if row else SchemaState()


def _look(database_url: str) -> tuple[SchemaState, Standing]:
    with _connect(database_url) as connection:
        current = read_state(connection)
    return current, generations.standing_of(current)


def _require_older(current: SchemaState) -> None:
    standing = generations.standing_of(current)
    if standing != Standing.OLDER:
        raise CrossdockError("internal", _told(current, standing=standing))
    if forgotten := generations.forgotten_files(current):
        raise CrossdockError(
            "internal",
            f"{', '.join(forgotten)} changed without a new generation of the schema: "
            "run `make docs`, then start again.",
        )


def _told(current: SchemaState, *, standing: Standing) -> str:
    return _ASKED[standing].format(
        theirs=f"revision {current.revision}, generation {current.generation}",
        mine=f"here {generations.wanted_state().generation}",
        files=", ".join(generations.unknown_files(current)) or f"revision {current.revision}",
    )


def _connect(database_url: str) -> Connection:
    try:
        return psycopg.connect(connection_info(database_url), autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"The database cannot be reached: {error}".strip()) from error


def _upgrade(database_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(generations.MIGRATIONS_DIR))
    config.set_main_option("version_locations", str(generations.VERSIONS_DIR))
    config.set_main_option("path_separator", "os")
    config.attributes["conninfo"] = conninfo_to_dict(connection_info(database_url))
    command.upgrade(config, "head")


def _apply(connection: Connection, *, applied: dict[str, str]) -> None:
    """Apply all changed files in one transaction; bodies are not checked, so their order is free."""
    wanted = generations.wanted_state()
    files = dict(generations.function_files())
    changed = [name for name in files if applied.get(name) != wanted.functions[name]]
    functions.apply_files(
        connection,
        changed=[files[name] for name in changed],
        all_files=list(files.values()),
        generation=wanted.generation,
        serves_from=wanted.serves_from,
    )
    for name in changed:
        connection.execute(
            _REMEMBER.format(table="schema_functions").encode(), (name, wanted.functions[name])
        )
    connection.execute("delete from schema_functions where name <> all(%s)", (list(files),))
    for name, checksum in wanted.revision_files.items():
        connection.execute(_REMEMBER.format(table="schema_revisions").encode(), (name, checksum))
    connection.execute(_GENERATION, (wanted.generation, wanted.serves_from))
