"""The contents of a database for a backup: tables in the order of their foreign keys, and sequences."""

from typing import Any

import msgspec
import psycopg
from psycopg import sql

from crossdock.db.connection import connection_info
from crossdock.errors import DatabaseUnavailable

Connection = psycopg.Connection[Any]

# The program writes these itself; the manifest has their content.
SCHEMA_TABLES = (
    "alembic_version",
    "schema_functions",
    "schema_generation",
    "schema_revisions",
    "schema_signatures",
)
LOCK_TIMEOUT = "60s"

# Settings for a portable text format, whatever the role's defaults.
_SESSION = (
    ("statement_timeout", "0"),
    ("lock_timeout", LOCK_TIMEOUT),
    ("idle_in_transaction_session_timeout", "0"),
    ("timezone", "UTC"),
    ("datestyle", "ISO, YMD"),
    ("intervalstyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("client_encoding", "UTF8"),
)

_TABLES = """
    select c.relname, array(
        select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        order by a.attnum), greatest(c.reltuples, 0)::bigint
    from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
    order by c.relname
"""
_REFERENCES = """
    select k.conrelid::regclass::text, k.confrelid::regclass::text from pg_constraint k
    where k.contype = 'f' and k.conrelid <> k.confrelid and k.connamespace = current_schema()::regnamespace
"""
_SEQUENCES = """
    select sequencename, increment_by from pg_sequences
    where schemaname = current_schema() order by sequencename
"""
_NEXT = "select case when is_called then last_value + {} else last_value end from {}"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table with its stored columns; `about` is the planner's estimate of its rows."""

    name: str
    columns: list[str]
    about: int

    def target(self) -> sql.Composed:
        """The name and the columns, for COPY."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("{} ({})").format(sql.Identifier(self.name), columns)


def connect(database_url: str) -> Connection:
    """Open a connection without the server's timeouts. Raises DatabaseUnavailable."""
    try:
        return psycopg.connect(connection_info(database_url), autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"The database cannot be reached: {error}".strip()) from error


def prepare(connection: Connection) -> None:
    """Apply settings to the current transaction; they survive a connection pooler."""
    for name, value in _SESSION:
        connection.execute("select set_config(%s, %s, true)", (name, value))


def data_tables(connection: Connection) -> list[Table]:
    """The data tables; each comes after those that it references."""
    found = {
        name: Table(name=name, columns=columns, about=about)
        for name, columns, about in connection.execute(_TABLES).fetchall()
        if name not in SCHEMA_TABLES
    }
    needs: dict[str, set[str]] = {name: set() for name in found}
    for table, other in connection.execute(_REFERENCES).fetchall():
        needs[table].add(other)
    ordered: list[Table] = []
    placed: set[str] = set()
    while len(ordered) < len(found):
        ready = [name for name in found if name not in placed and needs[name] <= placed]
        if not ready:
            raise AssertionError(f"tables refer to each other: {sorted(set(found) - placed)}")
        ordered += [found[name] for name in ready]
        placed |= set(ready)
    return ordered


def sequences(connection: Connection) -> dict[str, int]:
    """The next number of each sequence. Sequences ignore snapshots, which at worst leaves gaps."""
    found: dict[str, int] = {}
    for name, step in connection.execute(_SEQUENCES).fetchall():
        query = sql.SQL(_NEXT).format(sql.Literal(step), sql.Identifier(name))
        if row := connection.execute(query).fetchone():
            found[name] = row[0]
    return found


def count_rows(connection: Connection, table: str) -> int:
    """The number of rows of a table."""
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
