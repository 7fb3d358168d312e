"""Orders of two channels of which only a part can be sent are closed short..."""

from datetime import UTC, datetime

import httpx2

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.orders import run_releases
from tests.channels.shopwedo.conftest import add_web_shop
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.partner_client import PartnerClient
from tests.support.processes import ServerProcess
from tests.support.shopwedo_client import ShopClient, order_of
from tests.support.warehousing import Warehouse, differences

NOW = datetime(2026, 7, 1, 10, 20, 30, tzinfo=UTC)


async def test_and_each_channel_sells_what_the_other_gets_no_more(
    server: ServerProcess, server_database: Database
) -> None:
    async with server_database.begin() as tx:
        last_shop = int(await tx.value("select coalesce(max(id), 0) from shops"))
        shop = await make_shop(tx, currency="EUR")
        mug = await make_variant(tx, shop=shop, own=4, price_minor=1999, currency="EUR")
        wholesale = await make_partner(tx, shop=shop)
    _, number, key = await add_web_shop(server_database, shop=shop)
    house = Warehouse(
        db=server_database,
        clock=FrozenClock(NOW),
        shop=shop,
        partner=None,  # type: ignore[arg-type]  # orders come through the channels here
    )

    async with (
        PartnerClient.of(server.url, wholesale) as partner,
        ShopClient(server.url, shop_id=number, key=key) as web_shop,
    ):
        # The web shop has all four; one is sent, and its buyer wants no more.
        first = await web_shop.create(order_of((mug, 4), number="WEB-1", release=True))
        assert (await partner.order(mug, 1)).json()["code"] == "partner_stock_limit_exceeded"
        await house.ship_all(first, {1: 1})
        assert (await web_shop.order(first))["status_string"] == "in_fulfilment"
        await house.close(first, reason="wants no more")

        shown = await web_shop.order(first)
        assert (shown["status"], shown["status_string"]) == (5, "shipped")
        assert [(item["amount"], item["picked"]) for item in shown["items"]] == [(4, 1)]
        assert len(shown["shipping"]) == 1
        assert (await partner.listed())[mug]["stock_quantity"] == 3

        # The partner buys the three, of which two are sent; one was broken, and the order is closed.
        sold = (await partner.order(mug, 3, number="PO-1")).json()
        second = await web_shop.create(order_of((mug, 1), number="WEB-2", release=True))
        assert (await web_shop.order(second))["status_string"] == "reserved"
        await house.ship_all(sold["order_id"], {1: 2})
        await house.close(sold["order_id"], reason="broken")

        page = httpx2.get(sold["order_detail_url"], trust_env=False, verify=False).text
        assert "1 will not be shipped" in page
        assert '<li class="current" aria-current="step">Shipped</li>' in page
        assert (await partner.order(mug, 3, number="PO-1")).status_code == 409

        # So the web shop's next order, which waited, gets it; nothing of it is sent, and it is cancelled.
        await run_releases(server_database, now=NOW)
        assert (await web_shop.order(second))["status_string"] == "released"
        await house.pick(second, {1: 1})
        await house.close(second)
        assert (await web_shop.order(second))["status_string"] == "cancelled"
        assert (await partner.listed())[mug]["stock_quantity"] == 1

    async with server_database.begin() as tx:
        assert await differences(tx, after_shop=last_shop) == []
