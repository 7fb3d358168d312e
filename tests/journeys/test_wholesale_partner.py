"""A wholesale partner's day: it lists, orders, shows its buyer the page, and the warehouse gets it all."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.outbound import Outbound
from crossdock.shop.dispatch import Configuring, add_connector
from tests.support.factories import (
    PartnerFixture,
    ShopFixture,
    box,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.partner_client import PartnerClient, order_of
from tests.support.processes import ServerProcess
from tests.support.simulators.sellercloud import PASSWORD, USERNAME, Sellercloud

Open = Callable[[Sellercloud], Awaitable[tuple[ShopFixture, PartnerFixture]]]


@pytest.fixture
def open_shop(server_database: Database) -> Open:
    """A shop whose orders go to this warehouse, and a partner of it."""

    async def make(warehouse: Sellercloud) -> tuple[ShopFixture, PartnerFixture]:
        outbound = Outbound(allowed_hosts=["127.0.0.1"])
        async with server_database.begin() as tx:
            shop = await make_shop(tx)
            await add_connector(
                tx,
                service=Configuring(outbound=outbound, box=box()),
                shop_id=shop.id,
                name="warehouse",
                kind="sellercloud",
                settings={"base_url": warehouse.url, "username": USERNAME, "company_id": 7},
                secret=PASSWORD,
            )
            return shop, await make_partner(tx, shop=shop)

    return make


@pytest.fixture
async def warehouse() -> AsyncIterator[Sellercloud]:
    async with Sellercloud() as running:
        yield running


async def test_from_the_list_to_the_warehouse(
    server: ServerProcess, server_database: Database, open_shop: Open, warehouse: Sellercloud
):
    shop, partner = await open_shop(warehouse)
    async with server_database.begin() as tx:
        mug = await make_variant(tx, shop=shop, own=12, price_minor=1999, sku="MUG", name="Mug")
        pot = await make_variant(
            tx, shop=shop, own=4, supplier=50, origin="*", sku="POT", name="Pot"
        )
        await make_variant(tx, shop=shop, own=None, supplier=9, origin="Supplier", sku="FAR")
    async with PartnerClient.of(server.url, partner) as client:
        listed = await client.listed()
        assert {row["name"]: row["stock_quantity"] for row in listed.values()} == {
            "Mug": 12,
            "Pot": 4,
        }

        document = order_of((mug, 2), (pot, 3), (mug, 1), number="PO-7", comments="Ring\ntwice")
        placed = (await client.create(document)).json()
        assert placed["success"]

        page = httpx2.get(placed["order_detail_url"], trust_env=False, verify=False)
        assert page.status_code == 200
        text = re.sub(r"<[^>]+>", " ", page.text)
        for wanted in ("PO-7", "Mug", "Pot", "Ada Moreno", "Miami", "119.94"):
            assert wanted in text

        left = await client.listed()
        assert (left[mug]["stock_quantity"], left[pot]["stock_quantity"]) == (9, 1)
        again = await client.create(document)
        assert again.status_code == 409
        assert again.json()["data"]["order_id"] == placed["order_id"]

    sent = await wait_for(lambda: dispatch(server_database, placed["order_id"], status="sent"))
    assert len(warehouse.orders) == 1
    body = warehouse.orders[0]["Body"]
    assert sent["result"] == str(warehouse.orders[0]["ID"])
    assert [(p["ProductID"], p["Qty"]) for p in body["Products"]] == [
        ("MUG", 2),
        ("POT", 3),
        ("MUG", 1),
    ]
    assert {p["Notes"] for p in body["Products"]} == {"Partner Order ID: PO-7 | Ring twice"}


async def test_the_answer_does_not_wait_for_a_warehouse_that_is_away(
    server: ServerProcess, server_database: Database, open_shop: Open, warehouse: Sellercloud
):
    warehouse.moods.extend(["error"])
    shop, partner = await open_shop(warehouse)
    async with server_database.begin() as tx:
        mug = await make_variant(tx, shop=shop)
    async with PartnerClient.of(server.url, partner) as client:
        reply = await client.order(mug, 1)
    assert reply.status_code == 201
    order_id = reply.json()["order_id"]

    async def is_planned_again() -> dict[str, Any] | None:
        row = await dispatch(server_database, order_id)
        return row if row and row["attempts"] == 1 and row["status"] == "queued" else None

    row = await wait_for(is_planned_again)
    assert row["next_attempt_at"] is not None
    assert warehouse.orders == []


async def test_a_warehouse_gets_goods_that_were_sold_out_meanwhile(
    server: ServerProcess, server_database: Database, open_shop: Open, warehouse: Sellercloud
):
    """Sending looks at no stock again: what was sold is sent."""
    shop, partner = await open_shop(warehouse)
    async with server_database.begin() as tx:
        mug = await make_variant(tx, shop=shop, own=1)
    async with PartnerClient.of(server.url, partner) as client:
        placed = (await client.order(mug, 1)).json()
        assert (await client.order(mug, 1)).status_code == 403
    await wait_for(lambda: dispatch(server_database, placed["order_id"], status="sent"))
    assert [p["Qty"] for p in warehouse.orders[0]["Body"]["Products"]] == [1]


async def dispatch(
    database: Database, order_id: int, *, status: str | None = None
) -> dict[str, Any] | None:
    """The order's dispatch, once it has this status."""
    async with database.statement() as tx:
        row = await tx.value(
            "select to_jsonb(d) from deliveries d"
            " where kind = 'dispatch' and subject_id = %s and coalesce(%s, status) = status",
            (order_id, status),
        )
    return dict(row) if row else None


async def wait_for(look: Callable[[], Awaitable[dict[str, Any] | None]]) -> dict[str, Any]:
    """What `look` finds, as soon as it finds something."""
    async with asyncio.timeout(20):
        while (found := await look()) is None:
            await asyncio.sleep(0.05)
    return found
