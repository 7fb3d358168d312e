"""The running server's worker sends orders: the way from the order's row to the other side."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.kit.ids import SeededIds
from crossdock.kit.outbound import Outbound
from crossdock.kit.webhooks import new_secret
from crossdock.shop.dispatch import Configuring, add_connector
from tests.shop.dispatch.conftest import dispatch_row, insert_order, seconds_left
from tests.support.factories import box, make_partner, make_shop
from tests.support.simulators.http import HttpSimulator, Reply
from tests.support.simulators.webhook import WebhookReceiver

SECRET = new_secret(SeededIds(1))


@pytest.fixture
def place_on_server(server_database):
    """An order in the running server's database, to be sent to a URL."""

    async def place(url: str) -> int:
        outbound = Outbound(allowed_hosts=["127.0.0.1"])
        async with server_database.begin() as tx:
            shop = await make_shop(tx)
            await add_connector(
                tx,
                service=Configuring(outbound=outbound, box=box()),
                shop_id=shop.id,
                name="out",
                kind="webhook",
                settings={"url": url},
                secret=SECRET,
            )
            partner = await make_partner(tx, shop=shop)
            return await insert_order(
                tx, shop_id=shop.id, partner_id=partner.id, customer_id=shop.customer_id
            )

    return place


async def _wait(check: Any, *, timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not await check():
            await asyncio.sleep(0.1)


async def test_an_order_reaches_the_receiver_soon_after_its_commit(
    place_on_server, server_database
):
    async with WebhookReceiver(SECRET) as receiver:
        order_id = await place_on_server(receiver.url)

        async def is_sent() -> bool:
            return (await dispatch_row(server_database, order_id))[0] == "sent"

        await _wait(is_sent)
        assert [message["data"]["order_id"] for message in receiver.messages.values()] == [order_id]
        assert receiver.forged == 0


async def test_with_the_other_side_down_the_order_stays_and_a_retry_is_planned(
    place_on_server, server_database
):
    async def down(_request):
        return Reply(503)

    async with HttpSimulator(down) as server:
        order_id = await place_on_server(server.url)

        async def has_retry() -> bool:
            return (await dispatch_row(server_database, order_id))[:2] == ("queued", 1)

        await _wait(has_retry)
    left = await seconds_left(server_database, order_id, now=datetime.now(UTC))
    assert left is not None
    assert 30 <= left <= 60
