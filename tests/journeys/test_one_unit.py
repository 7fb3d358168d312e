"""One unit of stock, wanted by a wholesale partner and a web shop at once, from its order to its return."""

from datetime import UTC, datetime

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.events import number_events, read_events
from crossdock.shop.orders import read_order, run_releases
from tests.channels.shopwedo.conftest import add_web_shop
from tests.support.factories import ShopFixture, level, make_partner, make_shop, make_variant
from tests.support.partner_client import PartnerClient
from tests.support.processes import ServerProcess
from tests.support.shopwedo_client import ShopClient, order_of
from tests.support.warehousing import Warehouse, differences

NOW = datetime(2026, 7, 1, 10, 20, 30, tzinfo=UTC)


async def test_goes_to_one_of_two_channels_and_comes_back_for_the_other(
    server: ServerProcess, server_database: Database
) -> None:
    async with server_database.begin() as tx:
        last_shop = int(await tx.value("select coalesce(max(id), 0) from shops"))
        shop = await make_shop(tx, currency="EUR")
        mug = await make_variant(tx, shop=shop, own=1, price_minor=1999, currency="EUR")
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
        # The web shop is first: for the partner the unit is gone.
        first = await web_shop.create(order_of((mug, 1), number="WEB-1", release=True))
        assert (await web_shop.order(first))["status_string"] == "released"
        assert (await partner.listed())[mug]["stock_quantity"] == 0
        refused = await partner.order(mug, 1)
        assert refused.status_code == 403
        assert refused.json()["code"] == "partner_stock_limit_exceeded"

        # It takes its order back, and the partner buys.
        await web_shop.read("cancelOrder", order_id=first)
        assert (await partner.listed())[mug]["stock_quantity"] == 1
        sold = (await partner.order(mug, 1, number="PO-1")).json()
        assert sold["success"]

        # The next order of the web shop waits, until the partner's is cancelled by staff.
        second = await web_shop.create(order_of((mug, 1), number="WEB-2", release=True))
        assert (await web_shop.order(second))["status_string"] == "reserved"
        await house.cancel(sold["order_id"])
        await run_releases(server_database, now=NOW)
        assert (await web_shop.order(second))["status_string"] == "released"
        assert (await partner.order(mug, 1)).status_code == 403

        # The warehouse sends it; it arrives, and comes back good as new.
        await house.ship_all(second, {1: 1})
        [package] = (await house.read(second)).packages
        await house.see(package.id, "delivered")
        assert (await web_shop.order(second))["status_string"] == "shipped"
        announced = await web_shop.read(
            "createRetourAnnouncement", order_id=second, items=[{"sku": mug, "amount": 1}]
        )
        await house.take_in(announced["retour_id"], {1: 1})

        # So the partner has it after all.
        last = (await partner.order(mug, 1, number="PO-2")).json()
        assert last["success"]
        assert (await partner.listed())[mug]["stock_quantity"] == 0

    await _look_at_the_end(server_database, shop=shop, mug=mug, order_id=second)
    async with server_database.begin() as tx:
        assert await differences(tx, after_shop=last_shop) == []


async def _look_at_the_end(
    database: Database, *, shop: ShopFixture, mug: int, order_id: int
) -> None:
    """The level, the web shop's order, and what the feed says of it."""
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=mug) == (1, 0, 1, 0)
        returned = await read_order(tx, shop_id=shop.id, order_id=order_id, sections=("lines",))
        assert (returned.fulfilment_state, returned.lines[0].state) == ("completed", "returned")
    assert await _told(database, shop.id, order_id) == [
        "order.placed",
        "order.released",
        "order.in_fulfilment",
        "order.picked",
        "package.packed",
        "order.lines_moved",
        "order.shipped",
        "package.shipped",
        "package.delivered",
        "order.completed",
        "return.announced",
        "order.lines_moved",
        "return.received",
    ]


async def _told(database: Database, shop_id: int, order_id: int) -> list[str]:
    """What the feed says of the order, after a look that its numbers have no gap."""
    async with database.begin() as tx:
        await number_events(tx, shop_id=shop_id)
        events = await read_events(tx, shop_id=shop_id)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    return [
        event.kind
        for event in events
        if event.subject_id == order_id and event.kind not in {"stock.changed", "inventory.moved"}
    ]
