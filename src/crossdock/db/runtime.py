"""Settings, clock and database of a process, created once."""

from dataclasses import dataclass

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import Clock
from crossdock.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Settings, clock and database of one process."""

    settings: Settings
    clock: Clock
    database: Database


def create_runtime(settings: Settings) -> Runtime:
    """Create clock and pool from the settings; the pool is not opened yet."""
    database = Database(
        settings.database.url,
        min_size=settings.database.pool_min,
        max_size=settings.database.pool_max,
        lock_timeout_ms=settings.database.lock_timeout_ms,
        statement_timeout_ms=settings.database.statement_timeout_ms,
    )
    return Runtime(settings=settings, clock=settings.server.make_clock(), database=database)
