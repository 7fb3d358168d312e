"""A unit of work..."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, DatabaseUnavailable
from tests.support.factories import make_shop


@pytest.fixture
async def narrow(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection, so that whatever spoils it is noticed."""
    pool = Database(database_url, min_size=1, max_size=1, wait_s=2, statement_timeout_ms=20_000)
    await pool.open()
    yield pool
    await pool.close()


async def _number_of_shops(database: Database, slug: str) -> int:
    async with database.statement() as tx:
        return int(await tx.value("select count(*) from shops where slug = %s", (slug,)))


async def test_whose_caller_leaves_is_undone_and_gives_its_connection_back(
    narrow: Database,
) -> None:
    slugs: list[str] = []

    async def write_and_wait() -> None:
        async with narrow.begin() as tx:
            slugs.append((await make_shop(tx)).slug)
            await tx.run("select pg_sleep(10)")

    leaving = asyncio.create_task(write_and_wait())
    while not slugs:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert await _number_of_shops(narrow, slugs[0]) == 0


async def test_of_one_statement_is_stopped_when_its_caller_leaves(narrow: Database) -> None:
    async def wait() -> None:
        async with narrow.statement() as tx:
            await tx.run("select pg_sleep(10)")

    leaving = asyncio.create_task(wait())
    await asyncio.sleep(0.3)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert await asyncio.wait_for(_number_of_shops(narrow, "none"), 2) == 0


async def test_of_one_statement_leaves_no_transaction_behind(narrow: Database) -> None:
    async with narrow.statement() as tx:
        await tx.run("begin")
        slug = (await make_shop(tx)).slug

    assert await _number_of_shops(narrow, slug) == 0


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("do $$ begin raise exception 'x' using errcode = '40P01'; end $$", "busy"),
        ("do $$ begin raise exception 'x' using errcode = '55P03'; end $$", "busy"),
        ("do $$ begin raise exception 'x' using errcode = '53100'; end $$", "storage_full"),
        ("do $$ begin raise exception 'x' using errcode = 'XX000'; end $$", "busy"),
        ("set statement_timeout = 20; select pg_sleep(5)", "busy"),
        ("select pg_terminate_backend(pg_backend_pid())", "database_unavailable"),
        ("set transaction read only; create table never (id int)", "database_unavailable"),
    ],
)
async def test_tells_why_it_cannot_be_done_now(database_url: str, sql: str, code: str) -> None:
    own = Database(database_url, max_size=1)
    await own.open()
    with pytest.raises(CrossdockError) as refusal:
        async with own.begin() as tx:
            await tx.run(sql)
    await own.close()

    assert refusal.value.code == code


async def test_that_finds_no_connection_in_time_says_so(narrow: Database) -> None:
    async with narrow.begin():
        with pytest.raises(DatabaseUnavailable):
            async with narrow.statement() as tx:
                await tx.run("select 1")


async def test_never_begins_on_a_connection_that_was_closed_meanwhile(
    narrow: Database, database: Database
) -> None:
    async with narrow.statement() as tx:
        pid = await tx.value("select pg_backend_pid()")
    async with database.statement() as tx:
        await tx.run("select pg_terminate_backend(%s, 5000)", (pid,))

    async with narrow.statement() as tx:
        assert await tx.value("select pg_backend_pid()") != pid


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("select pg_terminate_backend(pg_backend_pid())", "outcome_unknown"),
        ("do $$ begin raise exception 'x' using errcode = '08006'; end $$", "outcome_unknown"),
        ("set default_transaction_read_only = on", None),
    ],
)
async def test_of_one_statement_leaves_no_server_that_has_moved(
    narrow: Database, end: str, code: str | None
) -> None:
    pid, told = 0, []
    try:
        async with narrow.statement() as tx:
            pid = await tx.value("select pg_backend_pid()")
            await tx.run(end)
            await tx.run("create temporary table never (id int)")
            await tx.run("create table never (id int)")
    except CrossdockError as error:
        told.append(error.code)

    assert told == [code or "database_unavailable"]
    async with narrow.statement() as tx:
        assert await tx.value("select pg_backend_pid()") != pid


async def test_takes_its_time_only_where_it_says_so(database_url: str) -> None:
    own = Database(database_url, max_size=1, statement_timeout_ms=50, patience_s=0.05)
    await own.open()
    async with own.begin() as tx:
        await tx.take_time()
        await tx.run("select pg_sleep(0.3)")
    with pytest.raises(CrossdockError, match="busy"):
        async with own.begin() as tx:
            await tx.run("select pg_sleep(0.3)")
    await own.close()
