"""Query the database on a separate connection, independent of the pool."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from crossdock.db.connection import Connection
from crossdock.errors import DatabaseUnavailable

ANSWER_S = 2.5  # so that the HTTP answer comes within three seconds

Row = tuple[Any, ...]


class Probe:
    """One connection, opened on first use; concurrent callers share one query."""

    def __init__(self, conninfo: Callable[[], str], options: Mapping[str, Any]) -> None:
        self._conninfo = conninfo
        self._options = options
        self._connection: Connection | None = None
        self._asking: asyncio.Task[Row | None] | None = None

    async def one(self, query: str) -> Row | None:
        """The first row of the result. Raises DatabaseUnavailable if there is no answer within ANSWER_S.

        An SQL error is raised as it is.
        """
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(query), name="probe")
            self._asking.add_done_callback(_take_error)
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.shield(self._asking)
        except (TimeoutError, psycopg.OperationalError) as error:
            raise DatabaseUnavailable from error

    def drop(self) -> None:
        """Close the connection; the next query opens another."""
        if self._connection:
            self._connection.pgconn.finish()
            self._connection = None

    async def close(self) -> None:
        """Close the connection for good."""
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        self.drop()

    async def _ask(self, query: str) -> Row | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                if self._connection is None or not self._connection.is_usable():
                    self.drop()
                    self._connection = await Connection.connect(self._conninfo(), **self._options)
                return await (await self._connection.execute(query)).fetchone()
        except BaseException:
            self.drop()
            raise


def _take_error(asking: asyncio.Task[Row | None]) -> None:
    """Retrieve the error of a query whose caller has given up, so that it is not logged."""
    if not asking.cancelled():
        asking.exception()
