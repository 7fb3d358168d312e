"""The pool..."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from crossdock.db import lending
from crossdock.db.unit_of_work import Database
from crossdock.errors import DatabaseUnavailable

PID = "select pg_backend_pid()"


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[Database]:
    database = Database(url, **options)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def narrow(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection, for which everybody waits."""
    async with opened(database_url, min_size=1, max_size=1, wait_s=5) as pool:
        yield pool


async def pid_of(database: Database) -> int:
    async with database.statement() as tx:
        return int(await tx.value(PID))


async def started(database: Database, count: int) -> list[asyncio.Task[int]]:
    """Callers that wait for a connection, in order."""
    callers = [asyncio.create_task(pid_of(database)) for _ in range(count)]
    while database.pool.get_stats()["requests_waiting"] < count:
        await asyncio.sleep(0)
    return callers


async def test_passes_a_connection_to_those_that_wait_in_their_order(narrow: Database) -> None:
    finished: list[asyncio.Task[int]] = []
    async with narrow.statement() as tx:
        pid = await tx.value(PID)
        callers = await started(narrow, 3)
        for caller in callers:
            caller.add_done_callback(finished.append)

    assert await asyncio.gather(*callers) == [pid] * 3
    assert finished == callers


async def test_lends_no_more_than_it_may(database_url: str) -> None:
    async with opened(database_url, min_size=1, max_size=3) as pool:
        held, most = 0, 0

        async def hold() -> None:
            nonlocal held, most
            async with pool.statement() as tx:
                held += 1
                most = max(most, held)
                await tx.run("select pg_sleep(0.01)")
                held -= 1

        await asyncio.gather(*(hold() for _ in range(40)))
        sizes = pool.pool.get_stats()

        assert most == 3
        assert sizes["pool_size"] == 3
        assert sizes["requests_waiting"] == 0


async def test_skips_who_left_while_it_waited(narrow: Database) -> None:
    async with narrow.statement():
        gone, waiting = await started(narrow, 2)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone

    assert await waiting > 0
    assert await pid_of(narrow) > 0


async def test_takes_back_what_arrives_when_its_caller_leaves(narrow: Database) -> None:
    async with narrow.statement() as tx:
        pid = await tx.value(PID)
        (caller,) = await started(narrow, 1)
    caller.cancel()  # the connection is its own already, but it has not run since
    with pytest.raises(asyncio.CancelledError):
        await caller

    assert await asyncio.wait_for(pid_of(narrow), 5) == pid


async def test_refuses_a_caller_that_has_waited_too_long(narrow: Database) -> None:
    patience_s = narrow.pool.timeout
    async with narrow.statement():
        narrow.pool.timeout = 0.05
        with pytest.raises(DatabaseUnavailable):
            await pid_of(narrow)

    narrow.pool.timeout = patience_s
    assert await pid_of(narrow) > 0


async def test_passes_on_no_connection_that_is_closed(narrow: Database) -> None:
    async with narrow.statement() as tx:
        pid = await tx.value(PID)
        callers = await started(narrow, 2)
        await tx.connection.close()

    first, second = await asyncio.gather(*callers)
    assert first == second != pid


async def test_passes_on_no_connection_of_before_a_drain(narrow: Database) -> None:
    async with narrow.statement() as tx:
        pid = await tx.value(PID)
        callers = await started(narrow, 2)
        await narrow.pool.drain()

    first, second = await asyncio.gather(*callers)
    assert first == second != pid


async def test_lets_the_driver_look_at_a_connection_now_and_then(
    narrow: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending, "PASSED_ON_MAX", 2)
    async with narrow.statement() as tx:
        callers = await started(narrow, 6)
        requests = narrow.pool.get_stats()["requests_num"]
        pid = await tx.value(PID)

    assert await asyncio.gather(*callers) == [pid] * 6
    assert narrow.pool.get_stats()["requests_num"] == requests + 2


async def test_refuses_those_that_wait_when_it_closes(database_url: str) -> None:
    async with opened(database_url, min_size=1, max_size=1) as own:
        async with own.statement() as tx:
            await tx.run("select 1")
            callers = await started(own, 2)
            await own.close()

        for caller in callers:
            with pytest.raises(DatabaseUnavailable):
                await caller


async def test_lends_the_connection_that_came_back_last(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending, "REST_S", 60.0)
    async with opened(database_url, min_size=3, max_size=3) as own:
        async with own.statement() as first, own.statement() as second, own.statement() as third:
            pids = [await tx.value(PID) for tx in (first, second, third)]

        assert len(set(pids)) == 3
        assert [await pid_of(own) for _ in range(4)] == [pids[0]] * 4
        assert own.pool.get_stats()["pool_available"] == 3


async def test_gives_what_has_rested_back_to_the_driver(
    narrow: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending, "REST_S", 0.01)
    pid = await pid_of(narrow)
    requests = narrow.pool.get_stats()["requests_num"]
    assert await pid_of(narrow) == pid
    assert narrow.pool.get_stats()["requests_num"] == requests  # the driver was not asked

    while narrow.pool.get_stats()["requests_num"] == requests:
        await asyncio.sleep(0.02)
        assert await pid_of(narrow) == pid


async def test_closes_what_rests_when_it_is_drained_or_closed(
    narrow: Database, database: Database
) -> None:
    async def is_there(pid: int) -> bool:
        async with database.statement() as tx:
            query = "select exists (select 1 from pg_stat_activity where pid = %s)"
            return bool(await tx.value(query, (pid,)))

    for end in (narrow.pool.drain, narrow.pool.close):
        pid = await pid_of(narrow)
        await end()
        while await is_there(pid):
            await asyncio.sleep(0.005)
