"""Detect a connection pooler: session mode works, transaction mode is refused.

In transaction mode each transaction may use another server connection: timeouts set for a session are
lost, session locks do not protect, and prepared statements are not found. Crossdock has its own pool,
so a pooler brings no benefit.
"""

import psycopg

from crossdock.db.connection import connection_info
from crossdock.errors import CrossdockError, DatabaseUnavailable

TRIES = 3
Connection = psycopg.Connection[tuple[int]]

_REFUSAL = (
    "The database is reached through a pooler in transaction mode (PgBouncer's pool_mode = transaction): "
    "one connection was served by several server processes. Time limits and locks of a connection are "
    "lost there. Set pool_mode = session for this database, or name PostgreSQL itself in database_url."
)


def refuse_transaction_pooling(database_url: str) -> None:
    """Raises CrossdockError `internal` if a connection does not keep its server process,
    DatabaseUnavailable if there is no connection.

    While one connection is in a transaction, another one keeps its server process only if each
    connection has its own.
    """
    try:
        _refuse(connection_info(database_url))
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"The database cannot be reached: {error}".strip()) from error


def _refuse(info: str) -> None:
    with psycopg.connect(info, autocommit=True) as first:
        told = first.info.backend_pid
        if told == _process(first):  # no pooler: those invent the process id
            return
        with psycopg.connect(info) as second:
            for _ in range(TRIES):
                before, others = _process(first), _process(second)
                if others == before or _process(first) != before:
                    raise CrossdockError("internal", _REFUSAL)
                second.rollback()


def _process(connection: Connection) -> int:
    row = connection.execute("select pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0
