"""getStock: the formula, paging, filters, both modes, and what may not be skipped or told twice."""

import asyncio
import uuid
from typing import Any

import pytest

from tests.support.factories import make_merchant, make_shop, make_variant
from tests.support.shopwedo_client import order_of

KEYS = {
    "sku", "reference", "reference2", "description", "warehouse_id", "weight", "items_in_box", "level", "atp",
    "master_atp", "status", "status_string", "tht_alert", "tht_date", "last_update", "last_atp_update",
}  # fmt: skip


async def test_a_stock_item(client, variant):
    mark = uuid.uuid4().hex[:6]
    sku = await variant(
        name="Thé vert", sku=f"T-{mark}", merchant_sku=f"M-{mark}", weight_g=250, own=12
    )
    item = await client.stock(sku)
    assert set(item) == KEYS
    moments = {name: item.pop(name) for name in ("last_update", "last_atp_update")}
    assert item == {
        "sku": sku, "reference": f"T-{mark}", "reference2": f"M-{mark}", "description": "Thé vert",
        "warehouse_id": 1, "weight": 250, "items_in_box": 1, "level": 12, "atp": 12, "master_atp": 12,
        "status": 1, "status_string": "active", "tht_alert": "", "tht_date": False,
    }  # fmt: skip
    for moment in moments.values():
        assert set(moment) == {"date", "timezone_type", "timezone"}
        assert (moment["timezone_type"], moment["timezone"]) == (3, "Europe/Brussels")
        assert len(moment["date"]) == len("2021-08-06 12:44:16.000000")


async def test_goods_that_never_had_a_level(client, variant):
    item = await client.stock(await variant(own=None))
    assert (item["level"], item["atp"], item["status_string"]) == (0, 0, "out_of_stock")
    assert item["last_atp_update"] is False
    assert item["last_update"]["timezone"] == "Europe/Brussels"
    assert item["reference2"] == item["reference"]


async def test_supplier_stock_is_not_the_warehouses(client, variant):
    item = await client.stock(await variant(own=2, supplier=500))
    assert (item["level"], item["atp"]) == (2, 2)


async def test_the_formula_follows_every_step(client, variant, warehouse, server_database, shop):
    """atp = level - warning level - what released orders took (spec 9.2, 14.2)."""
    sku = await variant(own=10)
    async with server_database.begin() as tx:
        await tx.run(
            "update stock_levels set warning_level = 2 where shop_id = %s and variant_id = %s",
            (shop.id, sku),
        )

    async def seen() -> tuple[int, int]:
        item = await client.stock(sku)
        assert item["master_atp"] == item["atp"]
        return item["level"], item["atp"]

    assert await seen() == (10, 8)
    await client.create(order_of((sku, 3)))
    assert await seen() == (10, 8)  # not released
    await client.create(order_of((sku, 9), release=1))
    assert await seen() == (10, 8)  # reserved only
    kept = await client.create(order_of((sku, 3), release=1))
    before = (await client.stock(sku))["last_atp_update"]["date"]
    dropped = await client.create(order_of((sku, 4), release=1))
    assert await seen() == (10, 1)
    assert (await client.stock(sku))["last_atp_update"]["date"] > before
    assert (await client.call("cancelOrder", {"order_id": dropped})).status_code == 200
    assert await seen() == (10, 5)
    await warehouse.ship_all(kept, {1: 2})
    assert await seen() == (8, 5)
    await warehouse.ship_all(kept, {1: 1})
    assert await seen() == (7, 5)
    back = await warehouse.announce(kept, {1: 2})
    assert await seen() == (7, 5)
    await warehouse.take_in(back, {1: 1})
    assert await seen() == (8, 6)
    await warehouse.adjust(sku, -7)
    assert await seen() == (1, -1)
    assert (await client.stock(sku))["status_string"] == "out_of_stock"


async def test_best_before(client, variant, server_database, shop):
    sku = await variant()
    async with server_database.begin() as tx:
        await tx.run(
            "update stock_levels set best_before = '2026-08-31', best_before_alert = 'two_weeks'"
            " where shop_id = %s and variant_id = %s",
            (shop.id, sku),
        )
    item = await client.stock(sku)
    assert item["tht_alert"] == "two_weeks"
    assert item["tht_date"] == {
        "date": "2026-08-31 00:00:00.000000", "timezone_type": 3, "timezone": "Europe/Brussels",
    }  # fmt: skip


async def test_pages_of_fifty_at_most(client, variant):
    skus = [str(await variant(own=None)) for _ in range(120)]
    assert list(await client.read("getStock")) == skus[:50]
    for limit in (50, 51, 500, "500", 10**30):
        assert list(await client.read("getStock", limit=limit)) == skus[:50]
    assert list(await client.read("getStock", limit=7)) == skus[:7]
    assert list(await client.read("getStock", offset=50)) == skus[50:100]
    assert list(await client.read("getStock", limit=500, offset="100")) == skus[100:]
    assert list(await client.read("getStock", limit=3, offset=118)) == skus[118:]
    for offset in (120, 10**17, 10**30):
        assert await client.read("getStock", offset=offset) == {}
    for empty in (None, ""):
        assert (
            list(await client.read("getStock", limit=empty, offset=empty, sku=empty)) == skus[:50]
        )


WRONG: dict[str, tuple[Any, ...]] = {
    "limit": (0, -1, "0", "x", 1.5, "1.5", True, [], [5], {}, "1e1", "\x00"),
    "offset": (-1, "-1", "x", 1.5, True, [0], {}),
    "sku": (-1, "x", 1.5, True, [1], {"a": 1}, "1 or 1=1"),
    "reference": (True, ["x"], {"a": "x"}, "x" * 256, "\x00", "\ud800"),
}


@pytest.mark.parametrize("field", WRONG)
async def test_a_filter_that_is_wrong(client, field):
    for value in WRONG[field]:
        reply = await client.call("getStock", {field: value})
        assert reply.status_code == 400, (value, reply.text)
        assert reply.json()["error"] == "data_invalid"


async def test_one_item_by_either_reference(client, variant):
    mark = uuid.uuid4().hex[:6]
    first = await variant(sku=f"A-{mark}", merchant_sku=f"B-{mark}")
    second = await variant(sku=f"B-{mark}")
    assert list(await client.read("getStock", reference=f"A-{mark}")) == [str(first)]
    assert list(await client.read("getStock", reference=f"B-{mark}")) == [str(first), str(second)]
    assert list(await client.read("getStock", reference=f"B-{mark}", sku=second)) == [str(second)]
    for reference in (f"a-{mark}", "A-%", f"A-{mark}x", "'", "é"):
        assert await client.read("getStock", reference=reference) == {}


async def test_nothing_is_an_empty_object_or_list(clients, variant):
    keyed, listed = await clients(), await clients(settings={"stock_as_list": True})
    unknown = await variant() + 10**9
    for who, nothing in ((keyed, b"{}"), (listed, b"[]")):
        for data in ({"sku": unknown}, {"sku": 0}, {"offset": 9}, {"reference": "nobody's"}):
            reply = await who.call("getStock", data)
            assert (reply.status_code, reply.content) == (200, nothing)


async def test_the_list_mode_has_the_same_items(clients, variant):
    keyed, listed = await clients(), await clients(settings={"stock_as_list": True})
    for _ in range(3):
        await variant()
    assert await listed.read("getStock") == list((await keyed.read("getStock")).values())


async def test_only_the_visible_merchants_goods(clients, variant, server_database, shop):
    """P14: two web shops of one shop, and one of another."""
    async with server_database.begin() as tx:
        second = await make_merchant(tx, shop_id=shop.id)
        foreign_shop = await make_shop(tx, currency="EUR")
    here = await variant(sku="SAME")
    there = await variant(merchant_id=second, sku="SAME")
    away = await variant(of=foreign_shop, sku="SAME")
    one = await clients(visible_merchants=(shop.merchant_id,))
    two = await clients(visible_merchants=(second,))
    both, nobody = await clients(), await clients(visible_merchants=())
    foreign = await clients(of=foreign_shop)
    for who, seen in (
        (one, [here]),
        (two, [there]),
        (both, [here, there]),
        (nobody, []),
        (foreign, [away]),
    ):
        wanted = [str(sku) for sku in seen]
        assert list(await who.read("getStock")) == wanted
        assert list(await who.read("getStock", reference="SAME")) == wanted
        for sku in (here, there, away):
            assert list(await who.read("getStock", sku=sku)) == ([str(sku)] if sku in seen else [])


async def test_a_walk_under_writes_meets_every_item_once(client, variant, server_database, shop):
    """P16: others are added and changed meanwhile."""
    there = {str(await variant(own=1)) for _ in range(130)}
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            async with server_database.begin() as tx:
                await make_variant(tx, shop=shop, own=1, currency="EUR")
                await tx.run(
                    "update variants set enabled = not enabled, updated_at = now() where shop_id = %s"
                    " and id in (select id from variants where shop_id = %s order by random() limit 5)",
                    (shop.id, shop.id),
                )

    writer = asyncio.create_task(write())
    try:
        for limit in (7, 50):
            met: list[str] = []
            while page := list(await client.read("getStock", limit=limit, offset=len(met))):
                met += page
                if len(met) > 5_000:
                    break
                if there <= set(met) and len(page) < limit:
                    break
            assert len(met) == len(set(met))
            assert there <= set(met)
    finally:
        stop.set()
        await writer
