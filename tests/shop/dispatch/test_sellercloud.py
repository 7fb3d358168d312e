"""Sellercloud gets each order once, whatever happens on the way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.kit.clock import FrozenClock
from crossdock.kit.outbound import Outbound
from crossdock.shop.deliveries import Permanent, Retryable, Sent
from crossdock.shop.dispatch.sellercloud import SellercloudConnector, SellercloudSettings
from tests.shop.dispatch.conftest import make_dispatch_order
from tests.support.simulators.sellercloud import PASSWORD, USERNAME, Sellercloud

Connect = Callable[..., SellercloudConnector]


@pytest.fixture
def connect(outbound: Outbound, clock: FrozenClock) -> Connect:
    def make(
        server: Sellercloud, *, secret: str = PASSWORD, **settings: Any
    ) -> SellercloudConnector:
        values: dict[str, Any] = {"base_url": server.url, "username": USERNAME, "company_id": 7}
        return SellercloudConnector(
            SellercloudSettings(**(values | settings)),
            secret=secret,
            outbound=outbound,
            clock=clock,
        )

    return make


async def test_an_order_arrives_with_its_fields_and_a_note_on_each_item(connect):
    async with Sellercloud() as server:
        sent = await connect(server, warehouse_id=12, order_prefix="CD-").send(
            make_dispatch_order()
        )
    [order] = server.orders
    body = order["Body"]
    assert sent == Sent(str(order["ID"]))
    assert body["CustomerDetails"] == {
        "Email": "ada@moreno.example",
        "FirstName": "Ada",
        "LastName": "Moreno",
        "Business": "Moreno Retail",
        "IsWholesale": True,
    }
    assert body["OrderDetails"] == {
        "CompanyID": 7,
        "Channel": 21,
        "OrderSourceOrderID": "CD-10001",
        "OrderDate": "2026-03-02T12:00:00+00:00",
    }
    assert body["Products"] == [
        {
            "ProductID": "MUG-1",
            "ProductName": "Mug",
            "SitePrice": 19.99,
            "Qty": 2,
            "Notes": "Partner Order ID: PO-1",
            "ShipFromWareHouseID": 12,
        }
    ]
    assert body["ShippingAddress"]["Address"] == "1 Harbour Way"
    assert body["ShippingAddress"]["ZipCode"] == "33101"


async def test_prices_are_numbers_with_exactly_the_currency_s_decimals(connect):
    async with Sellercloud() as server:
        await connect(server).send(make_dispatch_order())
        create = next(r for r in server.requests if r.path == "/rest/api/Orders/")
    assert b'"SitePrice":19.99,' in create.body


@pytest.mark.parametrize("suffix", ["", "/", "/rest", "/rest/api", "/rest/api/"])
async def test_the_base_url_may_end_in_any_known_way(connect, suffix):
    async with Sellercloud() as server:
        connector = connect(server, base_url=server.url + suffix)
        assert await connector.test() == "signed in and listed orders"


async def test_a_first_attempt_does_not_look_around(connect):
    async with Sellercloud() as server:
        await connect(server).send(make_dispatch_order())
    assert [request.path for request in server.requests] == ["/rest/api/token", "/rest/api/Orders/"]


@pytest.mark.parametrize("mood", ["hang", "drop", "odd"])
async def test_after_an_unknown_outcome_the_order_is_found_and_not_made_again(connect, mood):
    async with Sellercloud() as server:
        server.moods = [mood]
        connector = connect(server)
        with pytest.raises(Retryable):
            await connector.send(make_dispatch_order())
        sent = await connector.send(make_dispatch_order(may_exist=True))
        assert [str(order["ID"]) for order in server.created("10001")] == [sent.external_id]


async def test_after_a_lost_request_the_order_is_made(connect):
    async with Sellercloud() as server:
        server.moods = ["lost"]
        connector = connect(server)
        with pytest.raises(Retryable):
            await connector.send(make_dispatch_order())
        assert server.orders == []
        await connector.send(make_dispatch_order(may_exist=True))
        assert len(server.created("10001")) == 1


async def test_a_server_that_ignores_the_filter_does_not_pass_a_stranger_off_as_ours(connect):
    async with Sellercloud(filters=False) as server:
        server.add_foreign_orders(120)
        connector = connect(server)
        server.moods = ["drop"]
        with pytest.raises(Retryable):
            await connector.send(make_dispatch_order())
        sent = await connector.send(make_dispatch_order(may_exist=True))
        assert sent.external_id == str(server.created("10001")[0]["ID"])
        other = await connector.send(make_dispatch_order(order_id=10002, may_exist=True))
        assert other.external_id == str(server.created("10002")[0]["ID"])


async def test_where_it_cannot_be_known_nothing_is_created(connect):
    async with Sellercloud(filters=False) as server:
        server.add_foreign_orders(600)
        with pytest.raises(Permanent, match="look for 10001"):
            await connect(server).send(make_dispatch_order(may_exist=True))
        assert server.created("10001") == []


async def test_the_token_is_kept_until_shortly_before_it_expires(connect, clock):
    async with Sellercloud(token_life_s=1800) as server:
        connector = connect(server)
        await connector.test()
        clock.move(timedelta(seconds=1739))
        await connector.test()
        assert len(server.tokens) == 1
        clock.move(timedelta(seconds=1))
        await connector.test()
        assert len(server.tokens) == 2


async def test_a_token_refused_before_its_time_is_replaced_once(connect):
    async with Sellercloud() as server:
        connector = connect(server)
        await connector.test()
        server.revoked.update(server.tokens)
        await connector.send(make_dispatch_order())
        assert (len(server.tokens), len(server.orders)) == (2, 1)


async def test_a_wrong_password_is_permanent_and_not_repeated_to_anyone(connect):
    async with Sellercloud() as server:
        with pytest.raises(Permanent) as caught:
            await connect(server, secret="wrong horse").send(make_dispatch_order())
    assert "wrong horse" not in str(caught.value)
    assert len(server.requests) == 1


async def test_the_rate_limit_says_when_to_come_back(connect, clock):
    clock.move(datetime.now(UTC) - clock.now())
    async with Sellercloud() as server:
        server.moods = ["limit"]
        with pytest.raises(Retryable) as caught:
            await connect(server).send(make_dispatch_order())
    assert 3590 <= caught.value.retry_after_s <= 3601


@pytest.mark.parametrize(("mood", "kind"), [("error", Retryable), ("refuse", Permanent)])
async def test_errors_of_the_server_pass_and_refusals_stay(connect, mood, kind):
    async with Sellercloud() as server:
        server.moods = [mood]
        with pytest.raises(kind, match="create order answered"):
            await connect(server).send(make_dispatch_order())


async def test_the_new_id_may_come_in_an_object(connect):
    async with Sellercloud() as server:
        server.moods = ["object"]
        assert (await connect(server).send(make_dispatch_order())).external_id == "5000001"


async def test_an_address_inside_the_own_network_is_permanent(clock):
    outbound = Outbound()
    settings = SellercloudSettings(base_url="http://10.0.0.1", username="u", company_id=1)
    connector = SellercloudConnector(settings, secret="p", outbound=outbound, clock=clock)
    with pytest.raises(Permanent, match="not a public address"):
        await connector.send(make_dispatch_order())
    await outbound.close()
