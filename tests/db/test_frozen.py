"""A database that stands still without closing a connection: every wait ends, and work goes on after it."""

import asyncio
import base64
import time
from contextlib import ExitStack

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.edge.operating import check_ready
from crossdock.errors import CrossdockError, DatabaseUnavailable, OutcomeUnknown
from tests.support.factories import MASTER_KEY
from tests.support.processes import serving
from tests.support.raw_http import Connection, request_bytes
from tests.support.tcp_proxy import TcpProxy

STATEMENT_S = 0.5
PATIENCE_S = 0.5
READY_MAX_S = 3.0
RECOVERY_MAX_S = 5.0


@pytest.fixture
async def proxy(database_url):
    async with TcpProxy(database_url) as proxy:
        yield proxy


@pytest.fixture
async def database(proxy):
    database = Database(
        proxy.url,
        min_size=1,
        max_size=1,
        wait_s=1.0,
        statement_timeout_ms=int(STATEMENT_S * 1000),
        patience_s=PATIENCE_S,
    )
    await database.open()
    yield database
    proxy.thaw()
    await database.close()


async def ask(database):
    async with database.statement() as tx:
        return await tx.value("select 1")


async def ask_in_transaction(database, proxy, *, takes_time):
    """A transaction whose second statement meets a silent server."""
    async with asyncio.timeout(30), database.begin() as tx:
        if takes_time:
            await tx.take_time()
        proxy.freeze()
        return await tx.value("select 1")


async def test_a_statement_ends_soon_after_the_server_s_own_limit(database, proxy):
    assert await ask(database) == 1
    proxy.freeze()

    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        await ask(database)

    took_s = time.monotonic() - started
    assert STATEMENT_S + PATIENCE_S <= took_s < STATEMENT_S + PATIENCE_S + 2


async def test_a_read_inside_a_transaction_is_no_unknown_outcome(database, proxy):
    with pytest.raises(DatabaseUnavailable) as raised:
        await ask_in_transaction(database, proxy, takes_time=False)

    assert raised.value.code == "database_unavailable"


async def test_a_statement_that_may_take_its_time_ends_when_the_server_is_silent(database, proxy):
    with pytest.raises(DatabaseUnavailable):
        await ask_in_transaction(database, proxy, takes_time=True)


async def test_a_statement_that_takes_its_time_is_left_alone_by_a_server_that_answers(database):
    long_s = STATEMENT_S + PATIENCE_S + 1

    async with database.begin() as tx:
        await tx.take_time()
        assert await tx.value("select 1 from pg_sleep(%s)", (long_s,)) == 1


async def test_after_it_the_connection_is_made_anew(database, proxy):
    await ask(database)
    proxy.freeze()
    with pytest.raises(OutcomeUnknown):
        await ask(database)
    proxy.thaw()

    started = time.monotonic()
    while True:
        try:
            assert await ask(database) == 1
            break
        except CrossdockError:
            await asyncio.sleep(0.1)
    assert time.monotonic() - started < RECOVERY_MAX_S


async def test_the_probe_answers_while_every_connection_of_the_pool_is_taken(database):
    async with database.statement():
        await check_ready(database)


async def test_the_probe_says_no_in_time_and_yes_again_afterwards(database, proxy):
    await check_ready(database)
    proxy.freeze()

    started = time.monotonic()
    answers = await asyncio.gather(
        *(check_ready(database) for _ in range(5)), return_exceptions=True
    )
    assert time.monotonic() - started < READY_MAX_S
    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers)

    proxy.thaw()
    await check_ready(database)


async def test_a_server_says_within_three_seconds_that_it_is_not_ready(proxy, tmp_path):
    with ExitStack() as stack:  # in threads, for the proxy that the server needs runs in this one
        enter = stack.enter_context
        key = base64.b64encode(MASTER_KEY).decode()  # what other tests sealed in this database
        settings = {"database_url": proxy.url, "master_key": key}
        server = await asyncio.to_thread(enter, serving(tmp_path, **settings))
        proxy.freeze()
        for _ in range(3):
            connection = await Connection.open(server.port)
            started = time.monotonic()
            reply = await connection.exchange(request_bytes("GET", "/ready"))
            assert (reply.status, time.monotonic() - started < READY_MAX_S) == (503, True)
            assert reply.header("retry-after")
            connection.close()
        proxy.thaw()
        await asyncio.to_thread(stack.close)
