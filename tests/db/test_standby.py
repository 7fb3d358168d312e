"""With a synchronous standby: nothing is acknowledged without its word, and it takes over."""

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crossdock.db.migrate import migrate
from crossdock.db.unit_of_work import Database
from crossdock.errors import OutcomeUnknown
from tests.support.factories import MASTER_KEY, make_partner, make_shop, make_variant
from tests.support.partner_client import PartnerClient
from tests.support.processes import ServerProcess, serving
from tests.support.replicas import Replicas

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("standby")]

BACK_WITHIN_S = 5.0
INSERT = "insert into kept (word) values (%s)"
Write = Callable[[Database, str], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """A primary and its standby, both up again before each test."""
    with Replicas(tmp_path_factory.mktemp("pair")) as replicas:
        with psycopg.connect(replicas.url(), autocommit=True) as connection:
            connection.execute("create table kept (word text primary key)")
        migrate(replicas.url())
        yield replicas


@asynccontextmanager
async def opened(replicas: Replicas, *, statement_timeout_ms: int = 15_000, patience_s: float = 5):
    database = Database(
        replicas.url(), max_size=4, statement_timeout_ms=statement_timeout_ms, patience_s=patience_s
    )
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@contextlib.contextmanager
def without_standby(replicas: Replicas) -> Iterator[None]:
    """The standby is down during the block."""
    replicas.standby.stop()
    try:
        yield
    finally:
        replicas.standby.start()
        replicas.wait_in_step()


async def in_a_transaction(database: Database, word: str) -> None:
    async with database.begin() as tx:
        await tx.run(INSERT, (word,))


async def in_one_statement(database: Database, word: str) -> None:
    async with database.statement() as tx:
        await tx.run(INSERT, (word,))


async def number_of(database: Database, word: str) -> int:
    async with database.statement() as tx:
        return int(await tx.value("select count(*) from kept where word = %s", (word,)))


EITHER_WAY = pytest.mark.parametrize("write", [in_a_transaction, in_one_statement])
WAITING: dict[Write, str] = {in_a_transaction: "COMMIT%", in_one_statement: "insert into kept%"}


async def waiting_commit(replicas: Replicas, write: Write) -> int:
    return await asyncio.to_thread(replicas.wait_for_commit, WAITING[write])


@EITHER_WAY
@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
async def test_a_commit_that_is_cut_short_is_no_success(pair: Replicas, write: Write, end: str):
    word = f"{write.__name__} {end}"
    async with opened(pair) as database:
        with without_standby(pair):
            writing = asyncio.create_task(write(database, word))
            pid = await waiting_commit(pair, write)
            pair.primary.run(f"select {end}({pid})")
            with pytest.raises(OutcomeUnknown) as refusal:
                await writing
        assert refusal.value.data["retry_after_s"] > 0
        assert await number_of(database, word) == 1


@EITHER_WAY
async def test_the_time_of_a_statement_does_not_end_its_commit(pair: Replicas, write: Write):
    word = f"{write.__name__} timeout"
    async with opened(pair, statement_timeout_ms=200, patience_s=30) as database:
        with without_standby(pair):
            writing = asyncio.create_task(write(database, word))
            await waiting_commit(pair, write)
            await asyncio.wait([writing], timeout=1.0)  # five times the statement's time
            assert not writing.done()
        await writing
        assert await number_of(database, word) == 1


@EITHER_WAY
async def test_a_commit_that_takes_too_long_is_told_and_goes_on(pair: Replicas, write: Write):
    word = f"{write.__name__} late"
    async with opened(pair, statement_timeout_ms=500, patience_s=0.5) as database:
        with without_standby(pair):
            with pytest.raises(OutcomeUnknown):
                await write(database, word)
            assert await waiting_commit(pair, write)
        assert await number_of(database, word) == 1


@EITHER_WAY
async def test_a_caller_that_leaves_does_not_end_the_commit(pair: Replicas, write: Write):
    word = f"{write.__name__} left"
    async with opened(pair) as database:
        with without_standby(pair):
            writing = asyncio.create_task(write(database, word))
            pid = await waiting_commit(pair, write)
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            assert await waiting_commit(pair, write) == pid
        assert await number_of(database, word) == 1


@asynccontextmanager
async def selling(
    replicas: Replicas, folder: Path, *arguments: str
) -> AsyncIterator[tuple[ServerProcess, PartnerClient, int]]:
    """A server on both nodes, a partner's client and a product of ten."""
    async with opened(replicas) as database, database.begin() as tx:
        shop = await make_shop(tx)
        partner = await make_partner(tx, shop=shop)
        product = await make_variant(tx, shop=shop)
    with serving(
        folder,
        *arguments,
        database_url=replicas.url(),
        workers=1,
        master_key=base64.b64encode(MASTER_KEY).decode(),
    ) as server:
        async with PartnerClient.of(server.url, partner) as client:
            yield server, client, product


async def test_an_order_without_the_standby_s_word_is_not_acknowledged(
    pair: Replicas, tmp_path: Path
):
    async with selling(pair, tmp_path, "--no-jobs") as (_, client, product):
        with psycopg.connect(pair.url()) as other:
            other.execute("select 1 from stock_levels where variant_id = %s for update", (product,))
            ordering = asyncio.create_task(client.order(product, number="PO-1"))
            await asyncio.to_thread(pair.wait_for_lock)
            pair.standby.stop()
            try:
                other.rollback()
                pid = await asyncio.to_thread(pair.wait_for_commit, "%place_order%")
                pair.primary.run(f"select pg_cancel_backend({pid})")
                reply = await ordering
            finally:
                pair.standby.start()
                pair.wait_in_step()
        assert reply.status_code == 503
        assert int(reply.headers["retry-after"]) > 0
        again = await client.order(product, number="PO-1")
        assert again.status_code == 409
        with psycopg.connect(pair.url()) as other:
            assert other.execute("select count(*) from orders").fetchone() == (1,)


async def test_a_client_that_hangs_up_does_not_end_the_commit(pair: Replicas, tmp_path: Path):
    async with selling(pair, tmp_path, "--no-jobs") as (_, client, product):
        with psycopg.connect(pair.url()) as other:
            other.execute("select 1 from stock_levels where variant_id = %s for update", (product,))
            ordering = asyncio.create_task(client.order(product, number="PO-2"))
            await asyncio.to_thread(pair.wait_for_lock)
            with without_standby(pair):
                other.rollback()
                pid = await asyncio.to_thread(pair.wait_for_commit, "%place_order%")
                ordering.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await ordering
                assert await asyncio.to_thread(pair.wait_for_commit, "%place_order%") == pid
        assert (await client.order(product, number="PO-2")).status_code == 409


async def test_the_standby_takes_over_and_the_server_finds_it(tmp_path: Path):
    with Replicas(tmp_path / "pair") as replicas:
        migrate(replicas.url())
        async with selling(replicas, tmp_path / "server") as (server, client, product):
            assert (await client.order(product, number="PO-1")).status_code == 201

            replicas.primary.kill()
            assert (await client.order(product, number="PO-2")).status_code == 503
            replicas.standby.promote()

            started = time.monotonic()
            while (reply := await client.order(product, number="PO-3")).status_code == 503:
                assert time.monotonic() - started < BACK_WITHIN_S, server.log()
            assert reply.status_code == 201
            assert (await client.order(product, number="PO-1")).status_code == 409
            await jobs_go_on(replicas)


async def test_a_frozen_primary_is_left_for_the_standby(tmp_path: Path):
    with Replicas(tmp_path / "pair") as replicas:
        migrate(replicas.url())
        async with selling(replicas, tmp_path / "server", "--no-jobs") as (server, client, product):
            assert (await client.order(product, number="PO-1")).status_code == 201

            replicas.primary.freeze()
            waiting = [asyncio.create_task(client.order(product)) for _ in range(6)]
            started = time.monotonic()
            ready = await client.send("GET", "/ready", headers={})
            assert (ready.status_code, time.monotonic() - started < 3) == (503, True)
            replicas.standby.promote()

            started = time.monotonic()
            while (reply := await client.order(product, number="PO-2")).status_code == 503:
                assert time.monotonic() - started < BACK_WITHIN_S, server.log()
            assert reply.status_code == 201
            assert time.monotonic() - started < BACK_WITHIN_S, server.log()
            assert (await client.order(product, number="PO-1")).status_code == 409
            assert {reply.status_code for reply in await asyncio.gather(*waiting)} <= {201, 503}
            replicas.primary.kill()


async def jobs_go_on(replicas: Replicas) -> None:
    """Until the worker has numbered the events of all orders, those after the switch included."""
    async with opened(replicas) as database, asyncio.timeout(20):
        while True:
            async with database.statement() as tx:
                left = await tx.value("select count(*) from events where sequence is null")
            if left == 0:
                return
            await asyncio.sleep(0.1)
