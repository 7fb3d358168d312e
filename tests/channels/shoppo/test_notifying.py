"""A partner is told without asking..."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from crossdock.channels.shoppo.ids import Kind
from crossdock.db.unit_of_work import Database
from crossdock.kit.opaque import OpaqueIds
from crossdock.settings import Settings
from crossdock.shop.catalogue import MerchantRecord, upsert_merchants, which_sell
from crossdock.shop.orders import cancel_order, expire_orders
from crossdock.shop.shops import read_id_key
from tests.channels.shoppo.conftest import OpenShipper
from tests.channels.shoppo.ordering import CANCEL, CANCEL_ITEM, Stand, goods
from tests.support.clocked import ClockedServer
from tests.support.notified import TOKEN, Notified, notified
from tests.support.simulators.http import Reply
from tests.support.simulators.partner_server import PartnerServer

PATHS = {
    "cancel_order_url": "/cancel",
    "deliver_order_url": "/deliver",
    "toggle_merchant_url": "/toggle",
}


class Told:
    """A drop shipper with a server that is called."""

    def __init__(self, stand: Stand, worker: Notified, server: PartnerServer) -> None:
        self.stand = stand
        self.worker = worker
        self.server = server
        self.partner_id = 0

    @property
    def calls(self) -> list[tuple[str, object]]:
        """(path, body) of each call, in order."""
        return [(request.path, request.json()) for request in self.server.requests]

    async def toggle(self, name: str, *, enabled: bool) -> None:
        """A merchant sells or does not."""
        async with self.stand.db.begin() as tx:
            await upsert_merchants(
                tx,
                shop_id=self.stand.shop.id,
                records=[MerchantRecord(name=name, enabled=enabled)],
                now=self.stand.clock.now(),
            )

    async def cancel(self, code: str) -> None:
        """The shop cancels an order."""
        async with self.stand.db.begin() as tx:
            await cancel_order(
                tx,
                shop_id=self.stand.shop.id,
                order_id=await self.stand.number(code),
                now=self.stand.clock.now(),
            )

    async def merchant_id(self, name: str) -> tuple[int, str]:
        """Its number, and its id on the wire."""
        async with self.stand.db.statement() as tx:
            number = await tx.value(
                "select id from merchants where shop_id = %s and name = %s",
                (self.stand.shop.id, name),
            )
            key = await read_id_key(tx, shop_id=self.stand.shop.id)
        return int(number), OpaqueIds(key).encode(Kind.MERCHANT, int(number))

    @property
    def now(self) -> int:
        return int(self.stand.clock.now().timestamp())


@pytest.fixture
async def told(
    hall_database: Database,
    hall_server: ClockedServer,
    shippers: OpenShipper,
    settings: Settings,
) -> AsyncIterator[Told]:
    shop = await Stand.shop_of(hall_database)
    stand = Stand(hall_database, hall_server.clock, shop, await shippers(shop_id=shop.id))
    await stand.stock(goods("SKU_A", 1999), goods("SKU_B", 500))
    allowed = settings.having(allowed_outbound_hosts=("127.0.0.1",))
    async with (
        PartnerServer() as server,
        notified(stand.db, stand.clock, shop=shop, settings=allowed) as worker,
    ):
        made = Told(stand, worker, server)
        async with stand.db.statement() as tx:
            made.partner_id = await tx.value(
                "select partner_id from credentials where public_key = %s", (stand.shipper.viewer,)
            )
        urls = {name: f"{server.url}{path}" for name, path in PATHS.items()}
        await worker.set(made.partner_id, settings=urls, secrets={"call_token": TOKEN})
        await worker.work()
        yield made


async def test_that_the_shop_cancelled_its_order(told: Told) -> None:
    await told.stand.paid("1361546075101402", SKU_A=1)
    await told.cancel("1361546075101402")

    assert await told.worker.work() == ["sent"]
    assert await told.worker.work() == []

    assert told.calls == [("/cancel", {"order_id": "1361546075101402", "timestamp": told.now})]
    [request] = told.server.requests
    assert request.method == "POST"
    assert request.headers["accesstoken"] == TOKEN
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-event-type"] == "order.cancelled"


async def test_but_not_of_what_it_cancelled_itself_or_never_paid(told: Told) -> None:
    stand = told.stand
    order = await stand.paid("A", SKU_A=1, SKU_B=1)
    other = await stand.paid("B", SKU_A=1)
    await stand.create("C", SKU_B=1)
    for item in order["orderItems"]:
        await stand.shipper.ask(CANCEL_ITEM, orderItemId=item["id"])
    await stand.shipper.ask(CANCEL, orderId=other["id"])
    stand.clock.move(timedelta(days=3))
    while await expire_orders(stand.db, now=stand.clock.now()):
        pass

    assert (await stand.read(order["id"]))["status"] == "CLOSED"
    assert await told.worker.work() == []


async def test_that_its_order_was_sent_off(told: Told) -> None:
    await told.stand.paid("A", SKU_A=1)
    await told.stand.release("A")
    package = await told.stand.announce("A")
    assert await told.worker.work() == []
    told.stand.clock.move(timedelta(seconds=30))
    await told.stand.ship(package)

    assert await told.worker.work() == ["sent"]
    await told.stand.deliver(package)
    assert await told.worker.work() == []

    assert told.calls == [("/deliver", {"order_id": "A", "timestamp": told.now})]


async def test_that_a_merchant_stops_and_starts_to_sell(told: Told) -> None:
    number, wire_id = await told.merchant_id("Acme")
    start = told.now
    await told.toggle("Acme", enabled=False)
    assert await told.worker.work() == ["sent"]
    await told.toggle("Acme", enabled=True)
    assert await told.worker.work() == ["sent"]
    await told.toggle("Acme", enabled=True)
    await told.toggle("Newcomer", enabled=True)
    assert await told.worker.work() == []

    bodies = [
        {
            "merchant_toggle_list": [{"merchant_id": wire_id, "enabled": enabled}],
            "time_updated": start + later,
        }
        for later, enabled in enumerate((False, True))
    ]
    assert told.calls == [("/toggle", body) for body in bodies]
    async with told.stand.db.statement() as tx:
        known = await which_sell(tx, shop_id=told.stand.shop.id, merchant_ids=[number, 0])
    assert known == {number: True}


async def test_of_the_newest_of_what_it_did_not_take(told: Told) -> None:
    start = told.now
    told.server.moods = [Reply(500)]
    await told.toggle("Acme", enabled=False)
    assert await told.worker.work() == ["queued"]
    await told.toggle("Acme", enabled=True)

    assert await told.worker.work() == ["sent"]
    told.stand.clock.move(timedelta(seconds=10))
    assert await told.worker.deliver() == []

    last = told.server.bodies[-1]
    assert last["merchant_toggle_list"][0]["enabled"] is True
    assert last["time_updated"] == start + 1
    assert [each.status for each in await told.worker.deliveries()] == ["withdrawn", "sent"]


@pytest.mark.parametrize("status", [201, 500])
async def test_until_it_answers_200(told: Told, status: int) -> None:
    await told.stand.paid("A", SKU_A=1)
    told.server.moods = [Reply(status), Reply(status)]
    await told.cancel("A")

    assert await told.worker.work() == ["queued"]
    told.stand.clock.move(timedelta(seconds=10))
    assert await told.worker.deliver() == ["queued"]
    told.stand.clock.move(timedelta(seconds=60))
    assert await told.worker.deliver() == ["sent"]

    assert len(told.calls) == 3
    assert len({str(call) for call in told.calls}) == 1
    assert len({request.headers["x-event-id"] for request in told.server.requests}) == 1


async def test_only_where_it_has_an_address_is_active_and_sees_the_merchant(told: Told) -> None:
    number, _ = await told.merchant_id("Acme")
    await told.stand.paid("A", SKU_A=1)
    await told.worker.set(told.partner_id, settings={"cancel_order_url": None})
    await told.cancel("A")
    await told.worker.set(told.partner_id, visible_merchants=(number + 1,))
    await told.toggle("Acme", enabled=False)
    assert await told.worker.work() == []
    await told.worker.set(told.partner_id, visible_merchants=None, active=False)
    await told.toggle("Acme", enabled=True)

    assert await told.worker.work() == []
    assert await told.worker.alerts() == []
