"""One pool for many tests: a new server process for each would spend more time than most tests do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crossdock.db.unit_of_work import Database


class SharedPool:
    """An open pool, replaced after a test that closed it or did not give everything back."""

    def __init__(self, url: str, *, max_size: int) -> None:
        self._url = url
        self._max_size = max_size
        self._open: Database | None = None

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Database]:
        """For one test."""
        if self._open is None:
            self._open = Database(self._url, min_size=1, max_size=self._max_size)
            await self._open.open()
        try:
            yield self._open
        finally:
            if not _is_whole(self._open):
                await self.close()

    async def close(self) -> None:
        """Close it; the next test gets a new one."""
        if self._open is not None:
            database, self._open = self._open, None
            await database.close()


def _is_whole(database: Database) -> bool:
    stats = database.pool.get_stats()
    is_idle = stats["pool_available"] == stats["pool_size"] and not stats["requests_waiting"]
    return is_idle and not database.pool.closed
