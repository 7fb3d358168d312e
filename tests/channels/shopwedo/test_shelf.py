"""What getStock, getProducts and createOrder say of the same goods agrees."""

import uuid
from typing import Any

import pytest

from crossdock.shop.catalogue import ProductRecord, upsert_products
from crossdock.shop.shops import read_shop
from crossdock.shop.stock import add_serials
from tests.channels.shopwedo.test_catalogue import NOW, a_product, a_variant, named, products
from tests.support.consuming import deliver_by_worker
from tests.support.factories import box
from tests.support.shopwedo_client import order_of


@pytest.fixture
def shelve(server_database, shop):
    """Write products as an importer does."""

    async def write(*records: ProductRecord) -> None:
        async with server_database.begin() as tx:
            found = await read_shop(tx, slug=shop.slug)
            await upsert_products(tx, shop=found, records=records, now=NOW)

    return write


def one(handle: str, **fields: Any) -> ProductRecord:
    names = {"own", "stock_managed", "enabled_goods"}
    goods = {name: fields.pop(name) for name in names & set(fields)}
    if "enabled_goods" in goods:
        goods["enabled"] = goods.pop("enabled_goods")
    return a_product(handle, a_variant(f"{handle}-1", **goods), **fields)


async def test_what_get_stock_lists_with_stock_create_order_sends(client, shelve):
    """Whether a product is offered in a web shop is another question."""
    await shelve(
        one("plain", own=3),
        one("offline", own=3, enabled=False),
        one("goods off", own=3, enabled_goods=False),
        a_product("unpriced", a_variant("U-1", own=3, retail_minor=None)),
    )
    listed = (await client.read("getStock")).values()
    assert {(item["status"], item["status_string"], item["atp"]) for item in listed} == {
        (1, "active", 3)
    }
    offered = named(await products(client))
    assert {name: product["status"] for name, product in offered.items()} == {
        "Plain": 1, "Offline": 0, "Goods Off": 0, "Unpriced": 0,
    }  # fmt: skip
    for item in listed:
        order = await client.order(await client.create(order_of((item["sku"], 3), release=True)))
        assert order["status_string"] == "released"
        left = await client.stock(item["sku"])
        assert (left["level"], left["atp"]) == (3, 0)


async def test_what_is_neither_offered_nor_there_is_inactive(client, variant):
    gone = await client.stock(await variant(enabled=False, own=0))
    assert (gone["status"], gone["status_string"]) == (0, "inactive")
    short = await client.stock(await variant(own=0))
    assert (short["status"], short["status_string"]) == (2, "out_of_stock")
    order = await client.order(await client.create(order_of((gone["sku"], 1), release=True)))
    assert order["status_string"] == "reserved"


@pytest.mark.parametrize(
    ("fields", "is_nostock", "is_virtual"),
    [
        ({"stock_managed": False}, True, False),
        ({"sold_without_stock": True}, True, False),
        ({"virtual": True}, False, True),
    ],
)
@pytest.mark.parametrize("own", [0, 4])
async def test_goods_that_are_not_counted_never_run_out(
    client, shelve, fields, is_nostock, is_virtual, own
):
    await shelve(one("endless", own=own, **fields))
    [product] = await products(client)
    item = await client.stock(product["sku"])
    assert (product["status"], product["is_nostock"], product["is_virtual"]) == (
        1, is_nostock, is_virtual,
    )  # fmt: skip
    assert (item["status"], item["status_string"]) == (1, "active")
    assert product["ATP"] == item["atp"] == item["master_atp"] == own
    order_id = await client.create(order_of((product["sku"], 1000), release=True))
    assert (await client.order(order_id))["status_string"] == "released"
    after = await client.stock(product["sku"])
    assert (after["level"], after["atp"], after["status"]) == (own, own, 1)


async def test_a_product_with_one_variant_that_is_not_counted_is_not_out_of_stock(client, shelve):
    """The one that runs out says so itself."""
    await shelve(
        a_product(
            "mixed",
            a_variant("M-1", own=0, options={"Colour": "red"}),
            a_variant("M-2", own=0, options={"Colour": "blue"}, stock_managed=False),
            option_names=("Colour",),
        )
    )
    parent, counted, endless = await products(client)
    assert [p["status"] for p in (parent, counted, endless)] == [1, 2, 1]
    assert [p["is_nostock"] for p in (parent, counted, endless)] == [True, False, True]
    states = [(await client.stock(p["sku"]))["status_string"] for p in (counted, endless)]
    assert states == ["out_of_stock", "active"]


async def test_a_name_of_several_is_the_one_that_is_offered_else_the_oldest(client, variant):
    mark = uuid.uuid4().hex[:8]
    codes = {"merchant_sku": f"M-{mark}", "upc": "054491000996", "gtin14": "00054491000996"}

    async def sent() -> set[int]:
        found = set()
        for kind, name in (("reference", f"M-{mark}"), ("barcode", "054491000996")):
            item = {"sku": name, "skuType": kind, "amount": 1}
            order = order_of((0, 1)) | {"external_order_id": uuid.uuid4().hex, "items": [item]}
            found.add((await client.order(await client.create(order)))["items"][0]["sku"])
        return found

    oldest = await variant(enabled=False, **codes)
    await variant(enabled=False, **codes)
    assert await sent() == {oldest}
    offered = await variant(**codes)
    await variant(**codes)
    assert await sent() == {offered}


async def test_goods_that_are_not_shipped_are_sent_without_a_parcel(
    client, shelve, server_database, shop
):
    await shelve(one("licence", virtual=True), one("mug", own=3))
    offered = named(await products(client))
    licence, mug = offered["Licence"]["sku"], offered["Mug"]["sku"]
    alone = await client.create(order_of((licence, 2), release=True))
    beside = await client.create(order_of((licence, 1), (mug, 1), release=True))
    await deliver_by_worker(server_database, shop_id=shop.id, now=NOW)

    sent = await client.order(alone)
    assert (sent["status_string"], sent["items"][0]["picked"]) == ("shipped", 2)
    waiting = await client.order(beside)
    assert (waiting["status_string"], [item["picked"] for item in waiting["items"]]) == (
        "released", [0, 0],
    )  # fmt: skip
    assert (await client.call("cancelOrder", {"order_id": beside})).status_code == 200


async def test_goods_that_are_sold_by_serials_are_sent_with_them_or_not_at_all(
    client, shelve, server_database, shop
):
    await shelve(one("licence", virtual=True, own=0), one("course", virtual=True, own=0))
    offered = named(await products(client))
    licence, course = offered["Licence"]["sku"], offered["Course"]["sku"]
    assert [offered[name]["status"] for name in ("Licence", "Course")] == [1, 1]
    await add_keys(server_database, shop, licence, "KEY-1", "KEY-2", "KEY-3")

    sold = await client.create(order_of((licence, 2), (course, 1), release=True))
    short = await client.create(order_of((licence, 2), release=True))
    item = await client.stock(licence)
    assert (item["level"], item["atp"], item["status"]) == (3, 1, 1)
    await deliver_by_worker(server_database, shop_id=shop.id, now=NOW)

    order = await client.order(sold)
    assert (order["status_string"], [line["serialnumber"] for line in order["items"]]) == (
        "shipped", [["KEY-1", "KEY-2"], []],
    )  # fmt: skip
    waiting = await client.order(short)
    assert (waiting["status_string"], waiting["items"][0]["serialnumber"]) == ("reserved", [])
    left = await client.stock(licence)
    assert (left["level"], left["atp"]) == (1, 1)


async def test_goods_whose_serials_are_sold_out_are_said_to_be(
    client, shelve, server_database, shop
):
    await shelve(one("licence", virtual=True, own=0))
    licence = named(await products(client))["Licence"]["sku"]
    await add_keys(server_database, shop, licence, "KEY-1")
    await client.create(order_of((licence, 1), release=True))

    assert named(await products(client))["Licence"]["status"] == 2
    item = await client.stock(licence)
    assert (item["atp"], item["status_string"]) == (0, "out_of_stock")


async def test_serials_of_goods_that_are_shipped_are_told_with_those_that_were_scanned(
    client, variant, warehouse, server_database, shop
):
    router = await variant(own=0)
    await add_keys(server_database, shop, router, "KEY-1", "KEY-2")
    order_id = await client.create(order_of((router, 2), release=True))
    await warehouse.ship_all(order_id, {1: 2})
    await warehouse.scan(order_id, 1, "SN-7", "KEY-1")

    items = (await client.order(order_id))["items"]
    assert [item["serialnumber"] for item in items] == [["KEY-1", "KEY-2", "SN-7"]]


async def add_keys(database, shop, variant_id: int, *keys: str) -> None:
    """Put licence keys into the stock of a variant."""
    async with database.begin() as tx:
        await add_serials(
            tx, shop_id=shop.id, variant_id=variant_id, serials=keys, box=box(), now=NOW
        )
