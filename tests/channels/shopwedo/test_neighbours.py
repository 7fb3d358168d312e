"""The calls around the orders: pick-up points, return settings, announced returns."""

import json
from typing import Any

import pytest

from tests.support.factories import make_shop
from tests.support.shopwedo_client import SHAPES, order_of

POINTS = (
    ("bpost", "1", "Post Bruul", "2800", "BE", 51.0259, 4.4776),
    ("dpd", "2", "Kiosk", "2800", "BE", 51.0300, 4.4800),
    ("postnl", "3", "Station", "2850", "BE", 51.0950, 4.3680),
    ("bpost", "4", "Gent", "9000", "BE", 51.0543, 3.7174),
    ("dhl", "5", "Paris", "2800", "FR", 48.8566, 2.3522),
    ("gls", "6", "No place", "2800", "BE", None, None),
)


@pytest.fixture
async def points(server_database, shop):
    async with server_database.begin() as tx:
        for carrier, code, name, zip_code, country, latitude, longitude in POINTS:
            await tx.run(
                "insert into pickup_points (shop_id, carrier, code, name, street, number, zip, city, country,"
                " latitude, longitude, hours) values (%s, %s, %s, %s, 'Bruul', '1', %s, 'Mechelen', %s, %s, %s,"
                ' \'{"mon": "9-17"}\')',
                (shop.id, carrier, code, name, zip_code, country, latitude, longitude),
            )


@pytest.mark.parametrize("shape", SHAPES)
async def test_pick_up_points_the_nearest_first(client, points, shape):
    program = client.shaped(shape)
    found = await program.read("pudo", address={"street": "Bruul", "zip": "2800", "country": "BE"})
    assert set(found) == {"results"}
    assert {p["pugoId"] for p in found["results"][:2]} == {"1", "2"}
    assert [p["pugoId"] for p in found["results"][2:]] == ["3", "4"]
    distances = [p["pugoDistance"] for p in found["results"]]
    assert distances == sorted(distances)
    assert 40 < distances[3] < 70
    nearest = next(p for p in found["results"] if p["pugoId"] == "1")
    assert nearest | {"pugoDistance": 0} == {
        "pugoCarrier": "bpost", "pugoId": "1", "pugoName": "Post Bruul", "pugoDistance": 0,
        "pugoLatitude": 51.0259, "pugoLongitude": 4.4776, "pugoHours": {"mon": "9-17"},
        "pugoAddress": {"street": "Bruul", "number": "1", "zip": "2800", "city": "Mechelen", "countryIso2": "BE"},
    }  # fmt: skip


async def test_pick_up_points_of_a_zip_as_people_write_it(client, points):
    for address in ({"zip": 2800, "country": "be"}, {"zip": " 28 00 ", "country": " Be "}):
        assert (await client.read("pudo", address=address))["results"]


async def test_pick_up_points_of_a_country_that_is_none(client, points):
    reply = await client.call("pudo", {"address": {"zip": "2800", "country": "UK"}})
    assert reply.status_code == 400
    assert "'UK' is no country code of ISO 3166-1; write GB for United Kingdom." in reply.text


async def test_no_pick_up_points(client, clients, points, server_database):
    async with server_database.begin() as tx:
        empty_shop = await make_shop(tx)
    for who, address in (
        (client, {"zip": "2800", "country": "JP"}),
        (client, {"zip": "%", "country": "BE"}),
        (await clients(of=empty_shop), {"zip": "2800", "country": "BE"}),
    ):
        assert await who.read("pudo", address=address) == {"results": []}


BE = {"country": "BE"}
WRONG_ADDRESSES: tuple[Any, ...] = (
    None, [], "2800", {}, {"zip": "2800"}, BE, BE | {"zip": ""}, BE | {"zip": " "}, BE | {"zip": ["2800"]},
    {"zip": "2800", "country": True}, BE | {"zip": "\x00"}, {"zip": "2800", "country": "\ud800"},
    BE | {"zip": "x" * 300},
)  # fmt: skip


async def test_an_address_that_lacks_something(client):
    for data in (*({"address": address} for address in WRONG_ADDRESSES), {}, BE | {"zip": "2800"}):
        reply = await client.call("pudo", data)
        assert (reply.status_code, reply.json()["error"]) == (400, "data_invalid"), data


async def test_return_settings_by_default(client):
    for data in ({"shop_id": int(client.shop_id)}, {"shop_id": 5}, {}):
        found = (await client.call("getRetourSettings", data)).json()
        assert (
            found["return_status"],
            found["return_day_amount"],
            found["return_other_status"],
        ) == (1, 14, 1)
        reasons = json.loads(found["return_reasons"])
        assert reasons
        assert all(set(reason) == {"nl", "fr", "en", "de"} for reason in reasons)
        for name in ("logo", "background", "color"):
            assert found[f"return_settings_{name}"] == ""
        for language in ("nl", "fr", "en", "de"):
            assert found[f"return_confirmation_text_{language}"] == ""


async def test_return_settings_of_the_partner(clients):
    reasons = [{"nl": "Te klein", "en": "Too small"}]
    client = await clients(
        settings={
            "returns": {
                "enabled": False, "days": 30, "allows_other_reason": False, "logo": "https://i.example/l.png",
                "color": "#336699", "reasons": reasons, "confirmation_text": {"nl": "Dank u"},
            }
        }
    )  # fmt: skip
    found = await client.read("getRetourSettings")
    assert json.loads(found["return_reasons"]) == reasons
    assert (found["return_status"], found["return_day_amount"], found["return_other_status"]) == (
        0,
        30,
        0,
    )
    assert (found["return_settings_logo"], found["return_settings_color"]) == (
        "https://i.example/l.png",
        "#336699",
    )
    assert (found["return_confirmation_text_nl"], found["return_confirmation_text_fr"]) == (
        "Dank u",
        "",
    )


@pytest.mark.parametrize(
    "returns", ["x", 7, [], {"days": "many"}, {"confirmation_text": "x"}, {"reasons": "x"}, {"logo": 5}], ids=repr
)  # fmt: skip
async def test_return_settings_that_an_operator_got_wrong(clients, returns):
    client = await clients(settings={"returns": returns})
    assert (await client.read("getRetourSettings"))["return_day_amount"] == 14


async def test_a_return_from_announcement_to_the_shelf(client, variant, warehouse):
    sku = await variant(own=10)
    order_id = await client.create(order_of((sku, 3), release=1))
    await warehouse.ship_all(order_id, {1: 3})
    reply = await client.call(
        "createRetourAnnouncement",
        {
            "shop_id": 5,
            "order_id": f"ORD_{order_id}",
            "items": [{"sku": str(sku), "amount": "2", "reason": "Te klein"}],
        },
    )
    assert reply.status_code == 200
    told = reply.json()
    assert told["order_id"] == order_id
    assert isinstance(told["retour_id"], int)
    assert (await client.stock(sku))["level"] == 7
    await warehouse.take_in(told["retour_id"], {1: 2})
    assert (await client.stock(sku))["level"] == 9


async def test_the_same_goods_in_several_lines_come_back_from_each(client, variant, warehouse):
    sku, other = await variant(own=10), await variant(own=10)
    order_id = await client.create(order_of((sku, 1), (other, 1), (sku, 2), release=1))
    await warehouse.ship_all(order_id, {1: 1, 2: 1, 3: 2})

    async def announce(*items: tuple[int, int]) -> int:
        wanted = [{"sku": goods, "amount": amount, "reason": None} for goods, amount in items]
        reply = await client.call(
            "createRetourAnnouncement", {"order_id": order_id, "items": wanted}
        )
        return reply.status_code

    assert await announce((sku, 4)) == 400
    assert await announce((sku, 2), (sku, 2)) == 400
    assert await announce((sku, 2)) == 200
    assert await announce((sku, 1), (other, 1)) == 200
    assert await announce((sku, 1)) == 400


async def test_a_return_that_cannot_be(clients, client, variant, warehouse, nothing_written):
    sku = await variant(own=10)
    stranger = await clients()
    order_id = await client.create(order_of((sku, 3), release=1))
    await warehouse.pick(order_id, {1: 3})
    items = [{"sku": sku, "amount": 1, "reason": "x"}]
    async with nothing_written():
        reply = await client.call(
            "createRetourAnnouncement", {"order_id": order_id, "items": items}
        )
        assert (reply.status_code, reply.json()["error"]) == (400, "order_not_returnable")
    await warehouse.ship(await warehouse.pack(order_id, {1: 3}))
    wrong_items: tuple[Any, ...] = (
        None, [], {}, "x", [None], [7], [{}], [{"sku": sku}], [{"amount": 1}], [{"sku": sku, "amount": 0}],
        [{"sku": sku, "amount": -1}], [{"sku": sku, "amount": 1.5}], [{"sku": sku, "amount": 4}],
        [{"sku": sku, "amount": 10**30}], [{"sku": sku + 10**9, "amount": 1}], [{"sku": sku, "amount": True}],
        [{"sku": sku, "amount": 1, "reason": "\x00"}], items * 201,
    )  # fmt: skip
    async with nothing_written():
        for who, data in (
            *((client, {"order_id": order_id, "items": wrong}) for wrong in wrong_items),
            (client, {"items": items}),
            (client, {"order_id": 1, "items": items}),
            (client, {"order_id": True, "items": items}),
            (stranger, {"order_id": order_id, "items": items}),
        ):
            reply = await who.call("createRetourAnnouncement", data)
            assert reply.status_code == 400, data
            assert reply.json()["error"] in {"data_invalid", "order_not_found"}, reply.text
