"""A statement that is sent again..."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from crossdock.db.repeating import STATEMENTS_MAX
from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import OutcomeUnknown

OFTEN = 7  # the driver prepares a statement at its sixth time
PREPARED = "select count(*) from pg_prepared_statements where statement = %s"


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
    """A pool of one connection, on which everything is repeated."""
    async with opened(database_url, min_size=1, max_size=1) as pool:
        yield pool


@pytest.fixture
async def alone(narrow: Database) -> AsyncIterator[Transaction]:
    async with narrow.statement() as tx:
        yield tx


async def repeat(tx: Transaction, query: str, params: Any = ()) -> None:
    for _ in range(OFTEN):
        await tx.all(query, params)


async def test_answers_as_the_drivers_own_cursor(alone: Transaction) -> None:
    query = (
        "select n, %s::text, %s::bigint[], %s::timestamptz, %s::jsonb, null, n = 2"
        " from generate_series(1, %s) n where '%%' = %s"
    )
    moment = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    params = ("é'\\", [1, None, 3], moment, '{"a": [1.50, "x"]}', 3, "%")
    expected = await (await alone.connection.execute(query, params)).fetchall()

    await repeat(alone, query, params)

    assert expected[1] == (2, "é'\\", [1, None, 3], moment, {"a": [1.50, "x"]}, None, True)
    assert await alone.all(query, params) == expected
    assert await alone.one(query, params) == expected[0]
    assert await alone.value(query, params) == 1
    assert await alone.run(query, params) == 3
    assert await alone.one(query, (*params[:4], 0, "%")) is None


async def test_is_prepared_once_for_each_choice_of_types(alone: Transaction) -> None:
    query = "select %s as chosen"
    for value in (1, "one", None, 2**40):
        await repeat(alone, query, (value,))
    chosen = [await alone.value(query, (value,)) for value in (2, "two", None, 2**41)]

    assert chosen == [2, "two", None, 2**41]
    assert await alone.value(PREPARED, ("select $1 as chosen",)) == 3  # text and null have no type


async def test_tells_how_many_rows_it_changed(alone: Transaction) -> None:
    await alone.run("create temporary table boxes (id int)")
    await repeat(alone, "insert into boxes select generate_series(1, %s)", (2,))

    assert await alone.run("insert into boxes select generate_series(1, %s)", (3,)) == 3
    assert await alone.run("delete from boxes where id = %s", (1,)) == OFTEN + 1


async def test_raises_the_drivers_error_and_works_again(alone: Transaction) -> None:
    query = "select 6 / %s"
    await repeat(alone, query, (2,))

    with pytest.raises(psycopg.errors.DivisionByZero):
        await alone.value(query, (0,))

    assert await alone.value(query, (3,)) == 2


async def test_works_after_the_driver_has_forgotten_it(alone: Transaction) -> None:
    query = "select %s::int + 1"
    await repeat(alone, query, (1,))
    for number in range(2 * STATEMENTS_MAX):
        await repeat(alone, f"select %s::int + {number + 2}", (1,))

    assert await alone.value(PREPARED, ("select $1::int + 1",)) == 0
    assert await alone.value(query, (1,)) == 2


async def test_works_after_a_rollback(narrow: Database) -> None:
    query = "select %s::int + 1"
    async with narrow.statement() as tx:
        await repeat(tx, query, (1,))

    async def roll_back() -> None:
        async with narrow.begin() as tx:
            await repeat(tx, query, (1,))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await roll_back()

    async with narrow.statement() as tx:
        await repeat(tx, query, (1,))
        assert await tx.value(query, (2,)) == 3


async def test_carries_more_than_the_socket_takes_at_once(alone: Transaction) -> None:
    text = "x" * 20_000_000
    query = "select length(%s::text), %s::text"
    await repeat(alone, query, ("x", "y"))

    assert await alone.one(query, (text, text)) == (len(text), text)


async def test_may_have_happened_if_the_server_ends_meanwhile(
    narrow: Database, database: Database
) -> None:
    query = "select pg_sleep(%s)"
    pid = 0

    async def wait() -> None:
        nonlocal pid
        async with narrow.statement() as tx:
            await repeat(tx, query, (0,))
            pid = await tx.value("select pg_backend_pid()")
            await tx.run(query, (60,))

    waiting = asyncio.create_task(wait())
    async with database.statement() as tx:
        while not await tx.value(
            "select exists (select 1 from pg_stat_activity where pid = %s and wait_event = 'PgSleep')",
            (pid,),
        ):
            await asyncio.sleep(0.01)
        await tx.run("select pg_terminate_backend(%s, 5000)", (pid,))

    with pytest.raises(OutcomeUnknown):
        await waiting
    async with narrow.statement() as tx:
        assert await tx.value("select pg_backend_pid()") != pid


async def test_is_not_waited_for_longer_than_its_patience(narrow: Database) -> None:
    query = "select pg_sleep(%s)"
    async with narrow.statement() as tx:
        await repeat(tx, query, (0,))

    async def wait() -> None:
        async with narrow.statement() as tx:
            tx.connection.patience_s = 0.1
            await tx.run(query, (60,))

    with pytest.raises(OutcomeUnknown):
        await wait()
