"""The pool of a process: it lends only open connections, and lends the same ones again and again.

Under load every connection is lent and others wait for it. The driver's pool then takes a lock twice
and makes a task for each; here the connection goes from one caller to the next in one step. With less
load the connection that came back last is lent first, because its server process is warm. What has
rested goes back to the driver's pool, which closes what is old or too many.
"""

import asyncio
from collections import deque
from typing import Any

from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from crossdock.db.connection import Connection

PASSED_ON_MAX = 1_000  # then it goes through the driver's pool
REST_S = 1.0


class Pool(AsyncConnectionPool[Connection]):
    """Lends connections that the server has not closed while they were idle."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._queue: deque[asyncio.Future[Connection | None]] = deque()
        self._resting: list[Connection] = []
        self._rest: asyncio.TimerHandle | None = None
        self._returning: set[asyncio.Task[None]] = set()
        self._out = 0  # connections that are lent or resting, and so are not in the driver's pool
        self._drained = 0

    async def getconn(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - the pool's own signature
    ) -> Connection:
        """A connection; closed ones are replaced first. Raises PoolTimeout if none is free in time."""
        while self._resting:
            rested = self._resting.pop()
            if rested.is_usable():
                return rested
            await rested.close()
            await self._return(rested)
        if self._out >= self.max_size:
            passed_on = await self._wait_for_one(self.timeout if timeout is None else timeout)
            if passed_on is not None:
                return passed_on
        self._out += 1
        try:
            return await self._from_pool(timeout)
        except BaseException:
            self._out -= 1
            self._let_one_in()
            raise

    async def putconn(self, conn: Connection) -> None:
        """Take a connection back, or pass it on to the caller that has waited longest."""
        if not self._may_lend_again(conn):
            await self._return(conn)
            return
        conn.passed_on += 1
        if caller := self._next():
            caller.set_result(conn)
            return
        self._resting.append(conn)
        if self._rest is None:
            self._rest = asyncio.get_running_loop().call_later(REST_S, self._end_rest)

    async def drain(self) -> None:
        """Replace all connections; those that are lent when they come back."""
        self._drained += 1
        await super().drain()
        await self._return_all()

    async def close(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109 - the pool's own signature
        """Close the pool; callers that wait get PoolClosed."""
        await super().close(timeout)
        await self._return_all()
        if self._rest is not None:
            self._rest.cancel()
        while caller := self._next():
            caller.set_result(None)

    def get_stats(self) -> dict[str, int]:
        """The driver's statistics, with the callers that wait and the connections that rest here."""
        stats = super().get_stats()
        waiting = sum(not caller.done() for caller in self._queue)
        return {
            **stats,
            "requests_waiting": stats.get("requests_waiting", 0) + waiting,
            "pool_available": stats.get("pool_available", 0) + len(self._resting),
        }

    async def _from_pool(self, timeout: float | None) -> Connection:  # noqa: ASYNC109
        while True:
            connection = await super().getconn(timeout)
            if connection.is_usable():
                connection.passed_on, connection.drained = 0, self._drained
                return connection
            await connection.close()
            await super().putconn(connection)

    async def _wait_for_one(self, patience_s: float) -> Connection | None:
        """The connection that is passed on; None to take one from the pool."""
        loop = asyncio.get_running_loop()
        caller: asyncio.Future[Connection | None] = loop.create_future()
        timer = loop.call_later(patience_s, _give_up, caller)
        self._queue.append(caller)
        try:
            return await caller
        except asyncio.CancelledError:
            if caller.done() and not caller.cancelled() and not caller.exception():
                await self._refuse(caller.result())
            raise
        finally:
            timer.cancel()

    async def _refuse(self, connection: Connection | None) -> None:
        """Give back what arrived when the caller was gone."""
        if connection is None:
            self._let_one_in()
        else:
            await self.putconn(connection)

    async def _return(self, connection: Connection) -> None:
        self._out -= 1
        try:
            await super().putconn(connection)
        finally:
            self._let_one_in()

    async def _return_all(self) -> None:
        while self._resting:
            await self._return(self._resting.pop())

    def _end_rest(self) -> None:
        self._rest = None
        returning = asyncio.create_task(self._return_all(), name="return connections")
        self._returning.add(returning)
        returning.add_done_callback(self._returning.discard)

    def _may_lend_again(self, connection: Connection) -> bool:
        return (
            connection.pgconn.transaction_status == TransactionStatus.IDLE
            and connection.drained == self._drained
            and connection.passed_on < PASSED_ON_MAX
            and not self.closed
            and not self._waiting  # they came first: for a connection that is being opened
        )

    def _next(self) -> asyncio.Future[Connection | None] | None:
        while self._queue:
            caller = self._queue.popleft()
            if not caller.done():
                return caller
        return None

    def _let_one_in(self) -> None:
        if self._out < self.max_size and (caller := self._next()):
            caller.set_result(None)


def _give_up(caller: asyncio.Future[Connection | None]) -> None:
    if not caller.done():
        caller.set_exception(PoolTimeout("no connection was free in time"))
