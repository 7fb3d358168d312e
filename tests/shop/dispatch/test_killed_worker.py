"""A worker that is killed or told to stop while it sends: the order arrives once all the same."""

import asyncio
import base64
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.outbound import Outbound
from crossdock.shop.deliveries import requeue_lost
from crossdock.shop.dispatch import Configuring, add_connector
from tests.shop.dispatch.conftest import dispatch_row, insert_order
from tests.support.factories import MASTER_KEY, box, make_partner, make_shop
from tests.support.processes import JOBS, ServerProcess, serving
from tests.support.simulators.sellercloud import PASSWORD, USERNAME, Sellercloud


@pytest.fixture
def own_server(empty_database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    with serving(
        tmp_path,
        database_url=empty_database_url,
        workers=1,
        master_key=base64.b64encode(MASTER_KEY).decode(),
        allowed_outbound_hosts="127.0.0.1",
        shutdown_grace_s=1,
    ) as process:
        yield process


@pytest.fixture
async def own_database(empty_database_url: str) -> AsyncIterator[Database]:
    pool = Database(empty_database_url, min_size=1, max_size=4)
    await pool.open()
    yield pool
    await pool.close()


async def _place(database: Database, url: str) -> int:
    outbound = Outbound(allowed_hosts=["127.0.0.1"])
    async with database.begin() as tx:
        shop = await make_shop(tx)
        await add_connector(
            tx,
            service=Configuring(outbound=outbound, box=box()),
            shop_id=shop.id,
            name="out",
            kind="sellercloud",
            settings={"base_url": url, "username": USERNAME, "company_id": 1},
            secret=PASSWORD,
        )
        partner = await make_partner(tx, shop=shop)
        return await insert_order(
            tx, shop_id=shop.id, partner_id=partner.id, customer_id=shop.customer_id
        )


async def _wait(check: Callable[[], Awaitable[bool]], *, timeout_s: float = 30) -> None:
    async with asyncio.timeout(timeout_s):
        while not await check():
            await asyncio.sleep(0.1)


async def test_killed_after_the_order_arrived_and_before_that_was_known(own_server, own_database):
    async with Sellercloud() as server:
        server.moods = ["hang"]
        order_id = await _place(own_database, server.url)

        async def has_arrived() -> bool:
            return bool(server.created(str(order_id)))

        async def is_sent() -> bool:
            return (await dispatch_row(own_database, order_id))[0] == "sent"

        await _wait(has_arrived)
        [pid] = own_server.children(JOBS)
        os.kill(pid, signal.SIGKILL)
        assert (await dispatch_row(own_database, order_id))[:2] == ("sending", 1)
        async with own_database.begin() as tx:  # what the schedule does once the claim has run out
            later = datetime.now(UTC) + timedelta(seconds=301)
            assert await requeue_lost(tx, now=datetime.now(UTC), due=later) == 1
        await _wait(is_sent)
        [order] = server.created(str(order_id))
    assert (await dispatch_row(own_database, order_id))[:3] == ("sent", 2, str(order["ID"]))


async def test_told_to_stop_it_hands_back_what_is_not_done_within_the_grace(
    own_server, own_database
):
    async with Sellercloud() as server:
        server.moods = ["hang"]
        order_id = await _place(own_database, server.url)

        async def has_arrived() -> bool:
            return bool(server.created(str(order_id)))

        async def is_sent() -> bool:
            return (await dispatch_row(own_database, order_id))[0] == "sent"

        await _wait(has_arrived)
        [pid] = own_server.children(JOBS)
        os.kill(pid, signal.SIGTERM)
        await _wait(is_sent)  # by the worker that the supervisor starts, with no claim to wait for
        assert len(server.created(str(order_id))) == 1
    async with own_database.statement() as tx:
        log = await tx.all("select attempt, outcome from delivery_attempts order by id")
    assert log == [(1, "stopped"), (2, "sent")]
