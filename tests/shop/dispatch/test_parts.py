"""An order whose merchants' goods go to several connectors: each is told of its part, once."""

from datetime import UTC, datetime

import pytest

from crossdock.kit.ids import SeededIds
from crossdock.kit.webhooks import new_secret
from crossdock.shop.deliveries import deliver_due, queue_delivery
from crossdock.shop.dispatch import add_connector
from crossdock.shop.orders import Route, place
from tests.support.drafts import draft_of, line_of
from tests.support.factories import make_merchant, make_partner, make_shop
from tests.support.simulators.webhook import WebhookReceiver

SECRET = new_secret(SeededIds(1))


@pytest.fixture
async def receiver(clock):
    async with WebhookReceiver(SECRET, now=int(clock.now().timestamp())) as server:
        yield server


@pytest.fixture
async def shared_order(database, configuring, receiver):
    """(shop id, order id, second merchant's id) of an order for two connectors at one receiver."""
    moment = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    async with database.begin() as tx:
        shop = await make_shop(tx)
        second = await make_merchant(tx, shop_id=shop.id)
        partner = await make_partner(tx, shop=shop)
        for name in ("one", "two"):
            await add_connector(
                tx,
                service=configuring,
                shop_id=shop.id,
                name=name,
                kind="webhook",
                settings={"url": receiver.url},
                secret=SECRET,
            )
        draft = draft_of(
            line_of(1, shop=shop, quantity=2, price_minor=1000, take=None),
            line_of(2, shop=shop, quantity=3, price_minor=500, take=None, merchant_id=second),
            shop=shop,
            partner_id=partner.id,
            connector=Route(name="one", kind="webhook"),
        )
        order_id = (await place(tx, draft=draft, now=moment)).id
        await tx.run(
            "update order_parts set route = 'two' where order_id = %s and merchant_id = %s",
            (order_id, second),
        )
        await queue_delivery(
            tx, shop_id=shop.id, kind="dispatch", target="two", subject_id=order_id, now=moment
        )
    return shop.id, order_id, second


async def test_each_connector_gets_its_merchants_goods_and_amounts(
    shared_order, dispatching, receiver
):
    shop_id, order_id, second = shared_order
    done = await deliver_due(dispatching, limit=10, shop_id=shop_id)
    assert sorted(done.values()) == ["sent", "sent"]
    told = {
        message_id: (
            [(line["line_no"], line["total_minor"]) for line in message["data"]["lines"]],
            message["data"]["subtotal_minor"],
            message["data"]["total_minor"],
        )
        for message_id, message in receiver.messages.items()
    }
    [first_id] = told.keys() - {f"dispatch_{shop_id}_{order_id}-{second}"}
    assert first_id.startswith(f"dispatch_{shop_id}_{order_id}-")
    assert told[first_id] == ([(1, 2000)], 2000, 2000)
    assert told[f"dispatch_{shop_id}_{order_id}-{second}"] == ([(2, 1500)], 1500, 1500)


async def test_an_order_with_one_way_out_is_told_whole(
    shared_order, dispatching, receiver, database
):
    shop_id, order_id, _ = shared_order
    async with database.begin() as tx:
        await tx.run("update order_parts set route = 'one' where order_id = %s", (order_id,))
        await tx.run("delete from deliveries where shop_id = %s and target = 'two'", (shop_id,))
    await deliver_due(dispatching, limit=10, shop_id=shop_id)
    [(message_id, message)] = receiver.messages.items()
    assert message_id == f"dispatch_{shop_id}_{order_id}"
    assert [line["line_no"] for line in message["data"]["lines"]] == [1, 2]
    assert message["data"]["total_minor"] == 3500
