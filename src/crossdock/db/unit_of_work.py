"""The only place that commits: a unit of work is one transaction on one pooled connection."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from crossdock.errors import CrossdockError, DatabaseUnavailable, Unavailable

# The pool doubles its pause after each failed attempt; given up early, the next request tries anew.
RECONNECT_S = 3.0

Params = Sequence[Any] | Mapping[str, Any]
StatementHook = Callable[[str], Awaitable[None]]


class Transaction:
    """What core functions run their SQL on; it can read and write but not commit."""

    def __init__(
        self, connection: AsyncConnection[tuple[Any, ...]], *, hook: StatementHook | None = None
    ) -> None:
        self.connection = connection
        self._hook = hook

    async def all(self, query: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Every row of the answer."""
        return await (await self._execute(query, params)).fetchall()

    async def one(self, query: str, params: Params = ()) -> tuple[Any, ...] | None:
        """The first row, or None."""
        return await (await self._execute(query, params)).fetchone()

    async def value(self, query: str, params: Params = ()) -> Any:
        """The first column of the first row, or None."""
        row = await self.one(query, params)
        return row[0] if row else None

    async def run(self, query: str, params: Params = ()) -> int:
        """Execute, and return how many rows were touched."""
        return (await self._execute(query, params)).rowcount

    async def _execute(self, query: str, params: Params) -> psycopg.AsyncCursor[tuple[Any, ...]]:
        if self._hook:
            await self._hook(query)
        return await self.connection.execute(query, params or None)


class Database:
    """A pool of autocommit connections, and the two ways to use one.

    `begin()` is a transaction of several statements. `statement()` is for work that is one
    statement: a read, or one SQL function that writes; each statement is its own transaction.
    A lost or refused connection is raised as DatabaseUnavailable, a lock not had in time as
    `busy`.
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
        hook: StatementHook | None = None,
    ) -> None:
        self._hook = hook
        options = f"-c lock_timeout={lock_timeout_ms} -c statement_timeout={statement_timeout_ms} -c jit=off"
        self.pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]] = AsyncConnectionPool(
            url,
            min_size=min_size,
            max_size=max_size,
            timeout=wait_s,
            reconnect_timeout=RECONNECT_S,
            open=False,
            kwargs={
                "autocommit": True,
                "options": options,
                "application_name": "crossdock",
                "connect_timeout": 5,
                # A link that is cut without a word is noticed, and the request told.
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 20_000,
            },
        )

    async def open(self) -> None:
        """Open the pool; connections are made in the background."""
        await self.pool.open()

    async def close(self) -> None:
        """Close the pool and its connections."""
        await self.pool.close()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """A transaction: committed when the block is left, rolled back when it raises."""
        with _DriverErrors():
            async with self.pool.connection() as connection, connection.transaction():
                yield Transaction(connection, hook=self._hook)

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """A connection on which each statement commits itself."""
        with _DriverErrors():
            connection = await self.pool.getconn()
            try:
                yield Transaction(connection, hook=self._hook)
            finally:
                if connection.info.transaction_status != TransactionStatus.IDLE:
                    await connection.close()
                await self.pool.putconn(connection)


class _DriverErrors:
    """Turns the driver's connection and lock errors into the core's own."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> None:
        if error is None or isinstance(error, CrossdockError):
            return
        if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
            raise Unavailable("busy", data={"retry_after_s": 1}) from error
        if isinstance(error, psycopg.errors.QueryCanceled):
            raise Unavailable("busy", data={"retry_after_s": 2}) from error
        if isinstance(error, PoolTimeout):
            raise DatabaseUnavailable from error
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            raise DatabaseUnavailable from error
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):  # a server that lost its place
            raise DatabaseUnavailable from error
