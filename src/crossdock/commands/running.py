"""What nearly every command does: start the database if need be, open the pool, run, close."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from crossdock.db.runtime import Runtime, create_runtime
from crossdock.db.unit_of_work import Transaction
from crossdock.settings import Settings, load_settings

T = TypeVar("T")


def with_runtime(
    action: Callable[[Runtime], Awaitable[T]], *, settings: Settings | None = None
) -> T:
    """Run `action` with a migrated database and an open pool; works beside a running server too."""
    from crossdock.db.embedded import running_database
    from crossdock.db.migrate import migrate
    from crossdock.kit.logging import configure_logging

    settings = settings or load_settings()
    configure_logging(level="warning", format=settings.log_format)
    with running_database(settings) as running:
        migrate(running.database_url)
        return asyncio.run(_run(action, running))


async def _run(action: Callable[[Runtime], Awaitable[T]], settings: Settings) -> T:
    runtime = create_runtime(settings)
    await runtime.database.open()
    try:
        return await action(runtime)
    finally:
        await runtime.database.close()


def with_transaction(action: Callable[[Runtime, Transaction], Awaitable[T]]) -> T:
    """`with_runtime` for an action that is one transaction."""

    async def run(runtime: Runtime) -> T:
        async with runtime.database.begin() as tx:
            return await action(runtime, tx)

    return with_runtime(run)
