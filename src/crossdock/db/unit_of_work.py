"""The only place that commits: a unit of work is one transaction on one pooled connection."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import psycopg
import structlog
from psycopg import sql
from psycopg.pq import TransactionStatus
from psycopg_pool import PoolTimeout

from crossdock.db.connection import (
    CONNECTION_CLASS,
    LINK,
    SHUTDOWN_CLASS,
    AnswerLost,
    Connection,
)
from crossdock.db.hosts import LATE_ALONE_S, Hosts
from crossdock.db.lending import Pool
from crossdock.db.probing import Probe
from crossdock.db.repeating import Answer, Params
from crossdock.errors import (
    CrossdockError,
    DatabaseUnavailable,
    OutcomeUnknown,
    StorageFull,
    Unavailable,
)
from crossdock.kit.acting import author

# The pool doubles its backoff after each failed attempt; when it has given up, the next request retries.
RECONNECT_S = 3.0
# The server enforces the statement timeout; only a waiting commit or a hanging server takes longer.
PATIENCE_S = 5.0

_SESSION_SQL = (
    "select set_config(%s, %s, false), set_config(%s, %s, false), set_config(%s, %s, false)"
)

_AUTHOR = sql.SQL("set local crossdock.author = {}")

_log = structlog.get_logger(__name__)

StatementHook = Callable[[str], Awaitable[None]]


class Transaction:
    """Runs the SQL of core functions; it can read and write, but not commit."""

    def __init__(self, connection: Connection, *, hook: StatementHook | None = None) -> None:
        self.connection = connection
        self._hook = hook

    async def all(self, query: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """All rows."""
        return (await self._execute(query, params)).rows

    async def one(self, query: str, params: Params = ()) -> tuple[Any, ...] | None:
        """The first row, or None."""
        rows = (await self._execute(query, params)).rows
        return rows[0] if rows else None

    async def value(self, query: str, params: Params = ()) -> Any:
        """The first column of the first row, or None."""
        row = await self.one(query, params)
        return row[0] if row else None

    async def run(self, query: str, params: Params = ()) -> int:
        """Execute and return the number of affected rows."""
        return (await self._execute(query, params)).row_count

    async def take_time(self) -> None:
        """Disable the statement timeout for the rest of this transaction."""
        self.connection.patience_s = None
        await self.run("set local statement_timeout = 0")

    async def _execute(self, query: str, params: Params) -> Answer:
        if self._hook:
            await self._hook(query)
        return await self.connection.statements.ask(query, params or None)


class Witness(Protocol):
    """Writes down what a transaction did, in that transaction."""

    async def note(self, tx: Transaction) -> bool:
        """Called before the commit; whether anything was written."""

    def keep(self) -> None:
        """Called after the commit of what was written."""


WITNESS: ContextVar[Witness | None] = ContextVar("WITNESS", default=None)
"""Who looks on in this request or command."""


class Database:
    """A pool of autocommit connections, used in one of two ways, and a separate `probe`.

    `begin()` is a transaction of several statements. `statement()` is for work that is one statement, a
    read or one SQL function that writes; each statement is its own transaction. Errors of the driver
    become DatabaseUnavailable (connection lost or refused), Unavailable `busy` (lock or statement
    timeout) and OutcomeUnknown (a commit that may or may not have happened).
    """

    def __init__(
        self,
        url: str,
        *,
        min_size: int = 1,
        max_size: int = 10,
        wait_s: float = 5.0,
        lock_timeout_ms: int = 5_000,
        statement_timeout_ms: int = 30_000,
        patience_s: float = PATIENCE_S,
        hook: StatementHook | None = None,
    ) -> None:
        self._hook = hook
        self._patience_s = (
            statement_timeout_ms / 1000 + patience_s if statement_timeout_ms else None
        )
        session = {
            "lock_timeout": str(lock_timeout_ms),
            "statement_timeout": str(statement_timeout_ms),
            "jit": "off",
        }
        self._hosts = Hosts(url, late_alone_s=self._patience_s or LATE_ALONE_S)
        kwargs = {
            "autocommit": True,
            "application_name": "crossdock",
            **LINK,
        }
        self._session = session
        self.probe = Probe(self._hosts.conninfo, kwargs)
        self.pool = Pool(
            self._hosts.conninfo,
            connection_class=Connection,
            min_size=min_size,
            max_size=max_size,
            timeout=wait_s,
            reconnect_timeout=RECONNECT_S,
            open=False,
            configure=self._configure,
            kwargs=kwargs,
        )

    async def open(self) -> None:
        """Open the pool; it connects in the background."""
        await self.pool.open()
        self._hosts.start()

    async def close(self) -> None:
        """Close the pool and its connections."""
        await self._hosts.stop()
        await self.probe.close()
        await self.pool.close()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """A transaction, committed at the end of the block, rolled back if it raises.

        Its events name who acts (`write_event` in writing.sql), where somebody does.
        """
        async with self.statement() as tx:
            tx.connection.may_cancel = True
            witness, noted = None, False
            async with tx.connection.transaction():
                if who := author():
                    # No query: what sets the isolation of the transaction must come before the first.
                    await tx.connection.execute(_AUTHOR.format(sql.Literal(who)))
                yield tx
                if (witness := WITNESS.get()) is not None:
                    noted = await witness.note(tx)
                tx.connection.may_cancel = False
            if witness is not None and noted:
                witness.keep()

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[Transaction]:
        """A transaction that is rolled back at the end of the block: what it would have done is read within it."""
        async with self.statement() as tx:
            tx.connection.may_cancel = True
            async with tx.connection.transaction(force_rollback=True):
                yield tx

    def statement(self) -> "_Statement":
        """A connection on which each statement commits itself."""
        return _Statement(self, hook=self._hook)

    async def _configure(self, connection: Connection) -> None:
        """Configure the session by a statement, because poolers refuse or drop connection options."""
        connection.patience_s = self._patience_s
        self._hosts.add(connection)
        await connection.execute(_SESSION_SQL, [x for pair in self._session.items() for x in pair])

    async def lend(self) -> Connection:
        """Take a connection from the pool; the caller gives it back."""
        with _TRANSLATED:
            return await self.pool.getconn()

    async def give_back(self, connection: Connection, error: BaseException | None = None) -> None:
        """Return a connection; `error` is what the caller's block raised, in the driver's own terms."""
        try:
            if isinstance(error, psycopg.Error) and _has_moved(error):
                await connection.close()
                self.probe.drop()
                await self.pool.drain()
        finally:
            if connection.pgconn.transaction_status != TransactionStatus.IDLE:
                await connection.close()
            connection.may_cancel = False
            connection.patience_s = self._patience_s
            await self.pool.putconn(connection)


class _Statement:
    """The block of `Database.statement`."""

    __slots__ = ("_connection", "_database", "_hook")
    _connection: Connection

    def __init__(self, database: Database, *, hook: StatementHook | None) -> None:
        self._database = database
        self._hook = hook

    async def __aenter__(self) -> Transaction:
        self._connection = await self._database.lend()
        return Transaction(self._connection, hook=self._hook)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        try:
            with _TRANSLATED:
                await self._database.give_back(self._connection, error)
        finally:
            _TRANSLATED.__exit__(kind, error, trace)


def _has_moved(error: psycopg.Error) -> bool:
    """Whether the error means that another server is now the primary."""
    state = error.sqlstate or ""
    return state == "25006" or state.startswith((SHUTDOWN_CLASS, CONNECTION_CLASS))


class DriverErrors:
    """Translates the driver's connection and lock errors into core errors."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        if error is None or isinstance(error, CrossdockError):
            return
        if isinstance(error, AnswerLost):
            raise OutcomeUnknown from error
        if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
            raise Unavailable("busy", data={"retry_after_s": 1}) from error
        if isinstance(error, psycopg.errors.QueryCanceled):
            raise Unavailable("busy", data={"retry_after_s": 2}) from error
        if isinstance(error, psycopg.errors.DiskFull):
            raise StorageFull from error
        if isinstance(error, psycopg.errors.InternalError_):  # XX000: the server's own, rolled back
            _log.error("the database failed at a statement", reason=str(error))
            raise Unavailable("busy", data={"retry_after_s": 1}) from error
        if isinstance(error, PoolTimeout):
            raise DatabaseUnavailable from error
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise DatabaseUnavailable from error
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):  # demoted to a standby
            raise DatabaseUnavailable from error


_TRANSLATED = DriverErrors()
