"""What one process works with: settings, clock and database, made once and handed around."""

from dataclasses import dataclass

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import Clock
from crossdock.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The three things that channels and jobs are built from."""

    settings: Settings
    clock: Clock
    database: Database


def create_runtime(settings: Settings) -> Runtime:
    """Clock and pool as the settings say; the pool is not open yet."""
    database = Database(
        settings.database.url,
        min_size=settings.database.pool_min,
        max_size=settings.database.pool_max,
        lock_timeout_ms=settings.database.lock_timeout_ms,
        statement_timeout_ms=settings.database.statement_timeout_ms,
    )
    return Runtime(settings=settings, clock=settings.server.make_clock(), database=database)
