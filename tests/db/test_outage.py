"""When the database goes away: clean errors meanwhile, and work again as soon as it is back."""

import asyncio
import contextlib
import os
import signal
import time

import pytest

from crossdock.db.embedded import EmbeddedPostgres
from crossdock.db.leftovers import server_pid
from crossdock.db.unit_of_work import Database
from crossdock.errors import DatabaseUnavailable

OUTAGE_S = 7.0
RECOVERY_MAX_S = 5.0


@pytest.fixture
def server(tmp_path):
    with EmbeddedPostgres(tmp_path / "data", temporary=True) as server:
        yield server


async def ask(database):
    async with database.statement() as tx:
        return await tx.value("select 1")


async def test_after_an_outage_the_pool_recovers_in_less_than_five_seconds(server):
    database = Database(server.url(), min_size=2, max_size=4, wait_s=1.0)
    await database.open()
    assert await ask(database) == 1
    kill(server)
    await first_failure(database)

    ends = time.monotonic() + OUTAGE_S
    while time.monotonic() < ends:
        with pytest.raises(DatabaseUnavailable):
            await ask(database)
        await asyncio.sleep(0.2)
    server._launch()

    started = time.monotonic()
    while True:
        try:
            assert await ask(database) == 1
            break
        except DatabaseUnavailable:
            await asyncio.sleep(0.1)
    assert time.monotonic() - started < RECOVERY_MAX_S
    await database.close()


async def first_failure(database):
    """The backends notice a moment later that the server is gone, and may answer until then."""
    async with asyncio.timeout(5):
        with contextlib.suppress(DatabaseUnavailable):
            while True:
                await ask(database)


def kill(server):
    pid = server_pid(server.placement)
    assert pid
    os.kill(pid, signal.SIGKILL)
    server._process.wait()
