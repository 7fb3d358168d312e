"""Of goods a partner is told without asking..."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from crossdock.channels.shoppo.outgoing import create_consumers, create_delivery_kinds
from crossdock.db.unit_of_work import Database
from crossdock.jobs.consuming import run_consumers
from crossdock.settings import Settings
from crossdock.shop.catalogue import Image, MerchantRecord, ShippingTerm, upsert_merchants
from crossdock.shop.deliveries import Delivering, DeliveryKinds, claim_due, requeue_lost
from crossdock.shop.events import number_events
from crossdock.shop.pricing import PriceRow, add_price_list, set_prices, tell_prices
from tests.channels.shoppo.conftest import OpenShipper, product, variant
from tests.channels.shoppo.ordering import Stand, goods
from tests.support.clocked import ClockedServer
from tests.support.notified import TOKEN, Notified, notified
from tests.support.simulators.http import Reply
from tests.support.simulators.partner_server import PartnerServer

PATHS = {
    "create_product_url": "/create-product",
    "update_product_url": "/update-product",
    "create_sku_url": "/create-sku",
    "update_sku_url": "/update-sku",
}
PRODUCT_PATHS = {name: path for name, path in PATHS.items() if "product" in name}
PRODUCT_IDS = "{ productList { edges { node { id identifier } } } }"
PRICES = "{ productList { edges { node { skus { price } } } } }"
WHOLE = """query whole($id: ID!) { node(id: $id) { ... on Product {
  id identifier brand tags name description features inventory targetUserType enabled categoryId
  consumerCategories { id originalId categoryId path } merchant { id name }
  coverImage { ...image } whiteBackgroundImage { ...image } extraImages { ...image }
  coverVideo { id checksum rawUrl }
  skus { id identifier description color size inventory price shippingPrice msrp shippingTime length width height
         weight coverImage { ...image } enabled shippingConfig { CountryCourierCode shippingPrice shippingTime } }
} } }
fragment image on Image {
  id checksum originalWidth originalHeight originalUrl mainColor type versions { filename height width }
}"""
SHIRT = product(
    "shirt", "Oxford Shirt", "Acme",
    variant("S-RED", 4000, options={"Color": "Red", "Size": "M"}, weight_g=250, length_mm=300, width_mm=200),
    variant("S-BLUE", 4100, options={"Color": "Blue", "Size": "L"}, enabled=False),
    brand="Calvin Klein", description="<p>Fine</p>", categories=(("Clothing", "Shirts"),), features=("Soft",),
    target_users="men", tags=("new",), shipping_minor=150, shipping_days=(3, 10), option_names=("Color", "Size"),
    shipping_terms=(ShippingTerm(courier="IN19A04", price_minor=250, days=(12, 20)),),
    images=(Image(url="https://img.example/1.jpg"), Image(url="https://img.example/2.png")),
    video="https://films.example/shirt.mp4",
)  # fmt: skip


class Told:
    """A drop shipper with a server that is called about goods."""

    def __init__(self, stand: Stand, worker: Notified, server: PartnerServer) -> None:
        self.stand = stand
        self.worker = worker
        self.server = server
        self.partner_id = 0

    @property
    def calls(self) -> list[tuple[str, Any]]:
        """(path, body) of each call, in order."""
        return [(request.path, request.json()) for request in self.server.requests]

    @property
    def products(self) -> list[tuple[str, str, int]]:
        """(path, identifier, time) of each call about a product."""
        return [
            (path, body["identifier"], body["time_updated"])
            for path, body in self.calls
            if path in PRODUCT_PATHS.values()
        ]

    @property
    def now(self) -> int:
        return int(self.stand.clock.now().timestamp())

    async def use(self, **paths: str | None) -> None:
        """Change the addresses; None takes one away."""
        urls = {name: path and f"{self.server.url}{path}" for name, path in paths.items()}
        await self.worker.set(self.partner_id, settings=urls)

    async def later(self, seconds: int = 5) -> list[str]:
        """Read what happened; then the calls that are due some seconds later."""
        await self.worker.consume()
        self.stand.clock.move(timedelta(seconds=seconds))
        return await self.worker.deliver()

    async def switch(self, merchant: str, *, enabled: bool) -> None:
        """A merchant sells or does not."""
        async with self.stand.db.begin() as tx:
            await upsert_merchants(
                tx,
                shop_id=self.stand.shop.id,
                records=[MerchantRecord(name=merchant, enabled=enabled)],
                now=self.stand.clock.now(),
            )

    async def rows(self, table: str) -> int:
        """How many rows the shop has there."""
        async with self.stand.db.statement() as tx:
            shop_id = self.stand.shop.id
            query = f"select count(*) from {table} where shop_id = %s"
            return int(await tx.value(query, (shop_id,)))


@pytest.fixture
async def told(
    hall_database: Database, hall_server: ClockedServer, shippers: OpenShipper, settings: Settings
) -> AsyncIterator[Told]:
    shop = await Stand.shop_of(hall_database)
    stand = Stand(hall_database, hall_server.clock, shop, await shippers(shop_id=shop.id))
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
        await made.use(**PRODUCT_PATHS)
        await worker.set(made.partner_id, secrets={"call_token": TOKEN})
        yield made


async def test_everything_that_graphql_tells_under_the_names_of_the_calls(told: Told) -> None:
    await told.use(**PATHS)
    await told.stand.stock(SHIRT)
    start = told.now
    assert await told.later() == ["sent", "sent"]

    [(_, whole)], [(_, sku)] = (
        [call for call in told.calls if call[0] == path]
        for path in ("/create-product", "/create-sku")
    )
    [edge] = (await told.stand.shipper.ask(PRODUCT_IDS))["productList"]["edges"]
    node = (await told.stand.shipper.ask(WHOLE, id=edge["node"]["id"]))["node"]
    assert whole == product_body(node, time=start)
    assert sku == whole["skus"][0]
    assert sku["time_updated"] == start
    assert (whole["inventory"], sku["price"], sku["size"], sku["weight"]) == (10, 40, "M", "0.55")
    assert {request.headers["accesstoken"] for request in told.server.requests} == {TOKEN}
    assert {request.headers["x-event-type"] for request in told.server.requests} == {
        "product.created",
        "sku.created",
    }


def product_body(node: dict[str, Any], *, time: int) -> dict[str, Any]:
    """The body of a product, made of what GraphQL says."""
    return {
        "product_id": node["id"], "identifier": node["identifier"], "brand": node["brand"], "tags": node["tags"],
        "name": node["name"], "description": node["description"], "features": node["features"],
        "inventory": node["inventory"], "target_user_type": node["targetUserType"], "enabled": node["enabled"],
        "category_id": node["categoryId"], "merchant": node["merchant"], "time_updated": time,
        "consumer_category": [
            {"id": each["id"], "original_id": each["originalId"], "category_id": each["categoryId"],
             "path": each["path"]}
            for each in node["consumerCategories"]
        ],
        "cover_image": image_body(node["coverImage"]),
        "white_background_image": image_body(node["whiteBackgroundImage"]),
        "cover_video": {
            "id": node["coverVideo"]["id"], "original_id": node["coverVideo"]["id"],
            "checksum": node["coverVideo"]["checksum"], "raw_path": node["coverVideo"]["rawUrl"],
            "hls_path": "", "cover_image": image_body(node["coverImage"]),
        },
        "extra_images": [image_body(each) for each in node["extraImages"]],
        "skus": [sku_body(each, node, time=time if each["enabled"] else 0) for each in node["skus"]],
    }  # fmt: skip


def sku_body(sku: dict[str, Any], node: dict[str, Any], *, time: int) -> dict[str, Any]:
    return {
        "sku_id": sku["id"], "product_id": node["id"],
        "product": {"id": node["id"], "identifier": node["identifier"]},
        **{name: sku[name] or "" for name in ("identifier", "description", "color", "size")},
        **{name: sku[name] or "" for name in ("length", "width", "height", "weight")},
        **{name: sku[name] for name in ("inventory", "price", "msrp", "enabled")},
        "shipping_price": sku["shippingPrice"], "shipping_time": sku["shippingTime"],
        "cover_image": image_body(sku["coverImage"]),
        "global_shipping_config": [
            {"country_courier_code": each["CountryCourierCode"], "shipping_price": each["shippingPrice"],
             "shipping_time": each["shippingTime"]}
            for each in sku["shippingConfig"]
        ],
        "merchant": node["merchant"], "time_updated": time,
    }  # fmt: skip


def image_body(image: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": image["id"], "original_id": image["id"], "checksum": image["checksum"],
        "original_width": image["originalWidth"], "original_height": image["originalHeight"],
        "original_url": image["originalUrl"], "main_color": image["mainColor"], "type": image["type"],
        "versions": image["versions"], "schema": "",
    }  # fmt: skip


async def test_changes_within_five_seconds_by_one_call_with_the_last_of_them(told: Told) -> None:
    start = told.now
    await told.stand.stock(goods("A", 1000))
    assert await told.later(2) == []
    await told.stand.stock(goods("A", 2000))
    assert await told.later(2) == []
    await told.stand.stock(goods("A", 3000))
    assert await told.later(1) == ["sent"]
    assert await told.later(60) == []

    [(path, body)] = told.calls
    assert (path, body["skus"][0]["price"]) == ("/create-product", 30)
    assert body["time_updated"] == start + 4


async def test_a_sale_that_the_clock_begins_and_ends_while_lists_are_kept(told: Told) -> None:
    clock, hour = told.stand.clock, timedelta(hours=1)
    starts, ends = clock.now() + hour, clock.now() + 3 * hour
    lamp = variant("LAMP", 1000, sale_minor=800, sale_starts_at=starts, sale_ends_at=ends)
    await told.stand.stock(product("lamp", "Lamp", "Acme", lamp))
    async with (
        told.stand.db.begin() as tx
    ):  # by the clock that stands here, the shop is of the future
        await tx.run(
            "insert into price_boundaries (shop_id, told_until) values (%s, %s)",
            (told.stand.shop.id, clock.now()),
        )
    listed = []
    for wait in (timedelta(), hour, 2 * hour):
        clock.move(wait)
        await tell_prices(told.stand.db, now=clock.now())
        assert await told.later() == ["sent"]
        for _ in range(2):  # the second is told as it was kept
            [edge] = (await told.stand.shipper.ask(PRICES))["productList"]["edges"]
            listed.append(edge["node"]["skus"][0]["price"])

    assert [body["skus"][0]["price"] for _, body in told.calls] == [10, 8, 10]
    assert listed == [10, 10, 8, 8, 10, 10]


async def test_later_changes_by_updates_whose_times_grow(told: Told) -> None:
    start = told.now
    await told.stand.stock(goods("A", 1000))
    assert await told.later() == ["sent"]
    told.stand.clock.move(timedelta(seconds=-5))
    await told.stand.stock(goods("A", 2000))
    assert await told.later() == ["sent"]
    told.stand.clock.move(timedelta(seconds=-5))
    await told.stand.create("order", A=4)
    assert await told.later() == ["sent"]
    await told.stand.stock(goods("A", 2000, own=20, enabled=False))
    assert await told.later() == ["sent"]

    updates = ["/update-product"] * 3
    assert [path for path, _, _ in told.products] == ["/create-product", *updates]
    assert [time for _, _, time in told.products] == [start, start + 1, start + 2, start + 5]
    facts = [(b["enabled"], b["inventory"], b["skus"][0]["price"]) for _, b in told.calls]
    assert facts == [(True, 10, 10), (True, 10, 20), (True, 6, 20), (False, 0, 20)]


async def test_nothing_where_nothing_changed_that_it_is_told(told: Told) -> None:
    await told.stand.stock(goods("A", 1000, own=10), goods("B", 500))
    assert await told.later() == ["sent", "sent"]
    await told.stand.stock(goods("A", 1000, featured=True))
    assert await told.later() == []


async def test_first_when_they_are_on_sale(told: Told) -> None:
    await told.stand.stock(goods("A", 1000, enabled=False))
    assert await told.later() == []
    assert await told.rows("told_goods") == 0
    await told.stand.stock(goods("A", 1000))
    assert await told.later() == ["sent"]

    assert [path for path, _, _ in told.products] == ["/create-product"]


async def test_nothing_any_more_if_they_leave_the_sale_before_the_call_does(told: Told) -> None:
    await told.stand.stock(goods("A", 1000))
    assert await told.later(1) == []
    await told.stand.stock(goods("A", 1000, enabled=False))
    assert await told.later(4) == ["withdrawn"]
    await told.stand.stock(goods("A", 1000))
    assert await told.later() == ["sent"]

    assert [path for path, _, _ in told.products] == ["/create-product"]


async def test_one_call_at_a_time_of_one_object(told: Told) -> None:
    await told.stand.stock(goods("A", 1000))
    await told.worker.consume()
    told.stand.clock.move(timedelta(seconds=5))
    told.server.gate = asyncio.Event()
    first = asyncio.ensure_future(told.worker.deliver())
    while not told.server.requests:
        await asyncio.sleep(0)
    await told.stand.stock(goods("A", 2000))
    assert await told.later() == []
    told.server.gate.set()
    assert await first == ["sent"]
    assert await told.worker.deliver() == ["sent"]

    assert [path for path, _, _ in told.products] == ["/create-product", "/update-product"]


async def test_what_it_did_not_take_again_with_the_newest(told: Told) -> None:
    told.server.moods = [Reply(500), Reply(201)]
    await told.stand.stock(goods("A", 1000))
    assert await told.later() == ["queued"]
    assert await told.later(10) == ["queued"]
    await told.stand.stock(goods("A", 2000))
    assert await told.later() == ["sent"]
    assert await told.later(60) == []

    assert [path for path, _, _ in told.products] == ["/create-product"] * 3
    assert told.calls[-1][1]["skus"][0]["price"] == 20
    assert [each.status for each in await told.worker.deliveries()] == ["withdrawn", "sent"]
    assert len({request.headers["x-event-id"] for request in told.server.requests}) == 2


async def test_what_a_worker_took_with_it_when_it_died(told: Told, settings: Settings) -> None:
    stand = told.stand
    await stand.stock(goods("A", 1000))
    await told.worker.consume()
    stand.clock.move(timedelta(seconds=5))
    kinds = DeliveryKinds(create_delivery_kinds(told.worker.services))
    dying = Delivering(db=stand.db, clock=stand.clock, turns=stand.clock, kinds=kinds)
    [claim] = await claim_due(dying, limit=20, shop_id=stand.shop.id)
    await stand.stock(goods("A", 2000))

    allowed = settings.having(allowed_outbound_hosts=("127.0.0.1",))
    async with notified(stand.db, stand.clock, shop=stand.shop, settings=allowed) as worker:
        await worker.consume()
        stand.clock.move(timedelta(minutes=5))
        async with stand.db.statement() as tx:
            await requeue_lost(tx, now=stand.clock.now(), due=stand.clock.now())
        assert await worker.deliver() == ["sent"]

    [(path, body)] = told.calls
    assert (path, body["skus"][0]["price"]) == ("/create-product", 20)
    statuses = {each.id: each.status for each in await told.worker.deliveries()}
    assert statuses.pop(claim.id) == "withdrawn"
    assert list(statuses.values()) == ["sent"]


async def test_nothing_when_a_merchant_stops_or_starts_to_sell(told: Told) -> None:
    await told.stand.stock(goods("A", 1000))
    assert await told.later() == ["sent"]
    await told.switch("Acme", enabled=False)
    assert await told.later() == []
    await told.stand.stock(goods("A", 2000), goods("NEW", 700))
    assert await told.later() == ["sent"]
    await told.switch("Acme", enabled=True)
    assert await told.later() == ["sent"]

    assert [path for path, _, _ in told.products] == [
        "/create-product",
        "/update-product",
        "/create-product",
    ]
    assert [body["enabled"] for _, body in told.calls] == [True, True, True]
    assert [name for _, name, _ in told.products] == ["a", "a", "new"]


async def test_what_it_sees_at_its_own_prices(told: Told) -> None:
    stand = told.stand
    urls = {name: f"{told.server.url}/other{path}" for name, path in PRODUCT_PATHS.items()}
    other = await told.worker.partner(**urls)
    lumen = product("lamp", "Lamp", "Lumen", variant("LAMP", 6000))
    await stand.stock(goods("A", 1000), lumen)
    async with stand.db.begin() as tx:
        acme = await tx.value(
            "select id from merchants where shop_id = %s and name = 'Acme'", (stand.shop.id,)
        )
        listed = await add_price_list(tx, shop_id=stand.shop.id, name="Agreed")
        await set_prices(
            tx, shop_id=stand.shop.id, price_list_id=listed, now=stand.clock.now(),
            rows=[PriceRow(sku="A", price_minor=800)],
        )  # fmt: skip
    await told.worker.set(other, visible_merchants=(acme,), price_list_id=listed)
    assert await told.later() == ["sent"] * 3
    async with stand.db.begin() as tx:
        await set_prices(
            tx, shop_id=stand.shop.id, price_list_id=listed, now=stand.clock.now(),
            rows=[PriceRow(sku="A", price_minor=750)],
        )  # fmt: skip
    assert await told.later() == ["sent"]

    seen = sorted((path, b["identifier"], b["skus"][0]["price"]) for path, b in told.calls)
    assert seen == [
        ("/create-product", "a", 10),
        ("/create-product", "lamp", 60),
        ("/other/create-product", "a", 8),
        ("/other/update-product", "a", 7.5),
    ]


async def test_only_where_it_has_an_address_for_them(told: Told) -> None:
    await told.use(update_product_url=None, create_sku_url="/create-sku")
    await told.stand.stock(goods("A", 1000))
    assert await told.later() == ["sent", "sent"]
    await told.stand.stock(goods("A", 2000))
    assert await told.later() == []
    await told.use(create_product_url=None, create_sku_url=None)
    rows = await told.rows("told_goods")
    await told.stand.stock(goods("A", 3000), goods("B", 3000))
    assert await told.later() == []
    assert await told.rows("told_goods") == rows
    await told.use(update_product_url="/update-product")
    await told.stand.stock(goods("A", 4000), goods("C", 3000))
    assert await told.later() == ["sent", "sent"]

    assert sorted((path, body["identifier"]) for path, body in told.calls[2:]) == [
        ("/update-product", "a"),
        ("/update-product", "c"),
    ]


async def test_of_many_by_as_many_statements_as_of_one(told: Told, database_url: str) -> None:
    """Four partners who see the same, one product and then two hundred."""
    for _ in range(3):
        await told.worker.partner(**dict.fromkeys(PRODUCT_PATHS, f"{told.server.url}/"))
    stand, statements = told.stand, list[str]()

    async def note(query: str) -> None:
        statements.append(query)

    async def consumed() -> int:
        async with stand.db.begin() as tx:
            await number_events(tx, shop_id=stand.shop.id)
        statements.clear()
        consumers = create_consumers(told.worker.services)[-1:]
        while await run_consumers(watched, consumers=consumers, now=stand.clock.now()):
            pass
        return len(statements)

    watched = Database(database_url, min_size=1, max_size=2, hook=note)
    await watched.open()
    try:
        await stand.stock(goods("ONE", 100))
        one = await consumed()
        await stand.stock(*(goods(f"N{number}", 100) for number in range(200)))
        many = await consumed()
    finally:
        await watched.close()

    assert many == one
    assert await told.rows("deliveries") == 4 * 201
