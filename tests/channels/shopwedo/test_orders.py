"""getOrder and cancelOrder: both envelopes, every state, shipments and serials as they come about."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from crossdock.channels.shopwedo.states import ORDER_STATES
from tests.support.shopwedo_client import SHAPES, address, order_of

ORDER_KEYS = {
    "order_id", "parent_order_id", "external_order_id", "external_order_reference", "shop_id", "app_id",
    "app_name", "warehouse_id", "created_at", "status", "status_string", "customer_id", "payment_method",
    "paid_at", "desired_delivery_date", "shipping_address", "billing_address", "shipping", "shipped_at",
    "comment", "comment_packing", "language", "items",
}  # fmt: skip
ADDRESS_KEYS = {
    "firstname", "lastname", "company", "vat", "street", "number", "box", "zip", "city", "country_iso2",
    "email", "phone",
}  # fmt: skip
ITEM_KEYS = {"sku", "amount", "name", "comment", "external_orderline_id", "serialnumber", "picked"}
# 10:20:30 UTC on a summer's day, as PHP in Brussels writes it.
SHIPPED_AT = {
    "date": "2026-07-01 12:20:30.000000",
    "timezone_type": 3,
    "timezone": "Europe/Brussels",
}


def refusal(reply) -> str:
    """The error's word."""
    assert reply.status_code == 400, reply.text
    return reply.json()["error"]


@pytest.fixture
async def placed(client, variant):
    """A released order of two lines, three and one pieces: (its id, its goods)."""
    skus = [await variant(name="Lamp", own=10), await variant(own=10)]
    return await client.create(order_of((skus[0], 3), (skus[1], 1), release="y")), skus


async def test_the_whole_order(client, variant):
    sku = await variant(name="Lamp")
    document = order_of(
        (sku, 2),
        external_order_reference="INV-9",
        comment="Ring twice",
        comment_packing="No paper",
        language="nl",
        shipping_method="ship",
        shipping_company="dhlexpress",
        shipping_address=address(
            firstname="Jo",
            lastname="Maes",
            company="Maes bv",
            vat="BE1",
            box="b",
            country_iso2="be",
        ),
    )
    document["items"][0] |= {"comment": "Blue", "external_orderline_id": 41, "price": 3}
    order_id = await client.create(document)
    order = await client.order(order_id)
    assert set(order) >= ORDER_KEYS
    assert order["shipping_address"] == document["shipping_address"] | {"country_iso2": "BE"}
    assert set(order["shipping_address"]) == set(order["billing_address"]) == ADDRESS_KEYS
    assert order["items"] == [
        {"sku": sku, "amount": 2, "name": "Lamp", "comment": "Blue", "external_orderline_id": 41,
         "serialnumber": [], "picked": 0}
    ]  # fmt: skip
    assert order | {"shipping_address": 0, "billing_address": 0, "items": 0} == {
        "order_id": order_id,
        "parent_order_id": 0,
        "external_order_id": document["external_order_id"],
        "external_order_reference": "INV-9",
        "shop_id": int(client.shop_id),
        "app_id": False,
        "app_name": False,
        "warehouse_id": 1,
        "created_at": {
            "date": "2026-03-01 09:30:00.000000",
            "timezone_type": 3,
            "timezone": "Europe/Brussels",
        },
        "status": 1,
        "status_string": "waiting_for_release",
        "customer_id": False,
        "payment_method": "EXTERN",
        "paid_at": False,
        "desired_delivery_date": False,
        "shipping_method": "ship",
        "shipping_company": "dhlexpress",
        "shipping_address": 0,
        "billing_address": 0,
        "shipping": False,
        "shipped_at": False,
        "comment": "Ring twice",
        "comment_packing": "No paper",
        "language": "nl",
        "items": 0,
    }


async def test_a_line_keeps_the_callers_name(client, variant):
    document = order_of((await variant(name="Lamp"), 1))
    document["items"][0]["name"] = "Lampe bleue"
    order = await client.order(await client.create(document))
    assert order["items"][0]["name"] == "Lampe bleue"
    assert set(order["items"][0]) == ITEM_KEYS


@pytest.mark.parametrize("shape", SHAPES)
async def test_both_envelopes(client, variant, shape):
    number = uuid.uuid4().hex
    order_id = await client.create(order_of((await variant(), 1), number=number))
    program = client.shaped(shape)
    by_id = await program.read("getOrder", order_id=order_id)
    assert [order["order_id"] for order in by_id] == [order_id]
    by_number = await program.read("getOrder", external_order_id=number)
    assert by_number == [by_id]
    assert await program.read("getOrder", order_id=order_id, external_order_id="another") == by_id
    assert await program.read("getOrder", order_id="", external_order_id=number) == [by_id]
    assert await program.read("getOrder", order_id=None, external_order_id=number) == [by_id]


async def test_an_order_id_in_every_spelling(client, variant):
    order_id = await client.create(order_of((await variant(), 1)))
    for spelling in (
        order_id,
        str(order_id),
        f"ORD_{order_id}",
        f" {order_id} ",
        float(order_id),
        f"ORD_0{order_id}",
    ):
        assert (await client.read("getOrder", order_id=spelling))[0]["order_id"] == order_id


@pytest.mark.parametrize(
    "data",
    [
        {}, {"order_id": None}, {"order_id": ""}, {"order_id": []}, {"order_id": {}}, {"external_order_id": ""},
        {"order_id": True}, {"order_id": False}, {"order_id": [1]}, {"order_id": {"a": 1}}, {"order_id": 1.5},
        {"order_id": "ORD_"}, {"order_id": "ORD_x"}, {"order_id": "ORDER"}, {"order_id": "1 or 1=1"},
        {"order_id": "\x00"}, {"order_id": "\ud800"}, {"external_order_id": "\x00"}, {"external_order_id": ["x"]},
        {"external_order_id": "\ud800"}, {"external_order_id": "x" * 5_000}, {"external_order_id": True},
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["getOrder", "cancelOrder"])
async def test_an_order_id_that_is_none(client, method, data):
    assert refusal(await client.call(method, data)) == "data_invalid"


async def test_foreign_and_unknown_orders_answer_alike(clients, client, variant):
    """P14: another partner of the same shop included."""
    other = await clients()
    theirs = await other.create(order_of((await variant(), 1), number="theirs"))
    for method in ("getOrder", "cancelOrder"):
        answers = [
            (await client.call(method, {"order_id": order_id})).content
            for order_id in (theirs, 1, 0, -1, 10**12, 10**30, 2**63, f"ORD_{theirs}")
        ]
        assert set(answers) == {
            b'{"error":"order_not_found","message":"The order does not exist."}'
        }
    for number in ("theirs", "nobody's"):
        assert (
            refusal(await client.call("getOrder", {"external_order_id": number}))
            == "order_not_found"
        )
    assert (await other.order(theirs))["status_string"] == "waiting_for_release"


async def test_the_demo_carrier_stands_for_the_one_that_was_asked_for(client, variant, warehouse):
    document = order_of((await variant(), 1), release=True) | {"shipping_company": "ups"}
    order_id = await client.create(document)
    await warehouse.ship_all(order_id, {1: 1})
    [shipment] = (await client.order(order_id))["shipping"]
    assert shipment["provider"] == "ups"


async def test_an_order_on_its_way_through_the_warehouse(client, placed, warehouse):
    order_id, _ = placed

    async def seen() -> tuple[Any, ...]:
        order = await client.order(order_id)
        return order["status"], order["status_string"], [i["picked"] for i in order["items"]]

    assert await seen() == (3, "released", [0, 0])
    await warehouse.start(order_id)
    assert await seen() == (4, "in_fulfilment", [0, 0])
    await warehouse.pick(order_id, {1: 2})
    assert await seen() == (4, "in_fulfilment", [2, 0])
    first = await warehouse.pack(order_id, {1: 2})
    order = await client.order(order_id)
    assert (order["shipping"], order["shipped_at"]) == (False, False)  # packed is not shipped
    await warehouse.ship(first, "TRACK-1")
    assert await seen() == (4, "in_fulfilment", [2, 0])
    order = await client.order(order_id)
    assert order["shipped_at"] == SHIPPED_AT
    shipment = {
        "provider": "demo",
        "code": "TRACK-1",
        "tracking_url": f"https://track.example/T{first}",
        "shipped_at": SHIPPED_AT,
    }
    assert order["shipping"] == [shipment]
    await warehouse.pick(order_id, {1: 1, 2: 1})
    second = await warehouse.pack(order_id, {1: 1, 2: 1})
    assert len((await client.order(order_id))["shipping"]) == 1
    await warehouse.ship(second, "TRACK-2")
    assert await seen() == (5, "shipped", [3, 1])
    order = await client.order(order_id)
    assert [package["code"] for package in order["shipping"]] == ["TRACK-1", "TRACK-2"]


async def test_the_last_shipment_is_the_one_told(client, placed, warehouse):
    order_id, _ = placed
    await warehouse.ship_all(order_id, {1: 3})
    warehouse.clock.move(timedelta(days=150))
    await warehouse.ship_all(order_id, {2: 1})
    order = await client.order(order_id)
    assert order["shipped_at"]["date"] == "2026-11-28 11:20:30.000000"  # winter
    assert [s["shipped_at"]["date"][:10] for s in order["shipping"]] == ["2026-07-01", "2026-11-28"]


async def test_serials_come_with_their_line_and_may_be_equal(client, placed, warehouse):
    order_id, _ = placed
    await warehouse.pick(order_id, {1: 3, 2: 1})
    await warehouse.scan(order_id, 1, "SN-2", "SN-1")
    await warehouse.scan(order_id, 1, "SN-2")
    items = (await client.order(order_id))["items"]
    assert [item["serialnumber"] for item in items] == [["SN-2", "SN-1", "SN-2"], []]


async def test_cancelling_gives_the_goods_back(client, placed):
    order_id, skus = placed
    assert [(await client.stock(sku))["atp"] for sku in skus] == [7, 9]
    reply = await client.call("cancelOrder", {"order_id": f"ORD_{order_id}"})
    assert (reply.status_code, reply.json()) == (
        200, {"order_id": order_id, "status_string": "cancelled"},
    )  # fmt: skip
    assert [(await client.stock(sku))["atp"] for sku in skus] == [10, 10]
    order = await client.order(order_id)
    assert (order["status"], order["status_string"]) == (9, "cancelled")
    assert (
        refusal(await client.call("cancelOrder", {"order_id": order_id})) == "order_not_cancellable"
    )
    assert [(await client.stock(sku))["atp"] for sku in skus] == [10, 10]


@pytest.mark.parametrize("release", [False, True], ids=["waiting", "reserved"])
async def test_cancelling_what_took_nothing(client, variant, release):
    sku = await variant(own=1)
    order_id = await client.create(order_of((sku, 5), release=release))
    assert (await client.call("cancelOrder", {"order_id": order_id})).status_code == 200
    assert (await client.stock(sku))["atp"] == 1


async def test_cancelling_once_work_has_begun(client, placed, warehouse, nothing_written):
    order_id, skus = placed

    async def refused() -> None:
        async with nothing_written():
            reply = await client.call("cancelOrder", {"order_id": order_id})
            assert refusal(reply) == "order_not_cancellable"

    await warehouse.start(order_id)
    await refused()
    await warehouse.ship_all(order_id, {1: 1})
    await refused()
    await warehouse.ship_all(order_id, {1: 2, 2: 1})
    await refused()
    assert [(await client.stock(sku))["atp"] for sku in skus] == [7, 9]


async def test_cancelling_at_once_is_cancelling_once(client, placed):
    order_id, skus = placed
    replies = await asyncio.gather(
        *(client.call("cancelOrder", {"order_id": order_id}) for _ in range(12))
    )
    assert sorted(reply.status_code for reply in replies) == [200, *[400] * 11]
    assert [(await client.stock(sku))["atp"] for sku in skus] == [10, 10]


async def test_cancelling_by_the_callers_number_is_not_offered(client, variant):
    await client.create(order_of((await variant(), 1), number="mine"))
    assert (
        refusal(await client.call("cancelOrder", {"external_order_id": "mine"})) == "data_invalid"
    )


async def test_every_state_of_the_core_has_a_number_and_a_word(server_database):
    async with server_database.statement() as tx:
        rows = await tx.all(
            "select from_state from order_moves where axis = 'fulfilment'"
            " union select to_state from order_moves where axis = 'fulfilment'"
        )
    assert {state for (state,) in rows} <= set(ORDER_STATES)
    for number, word in ORDER_STATES.values():
        assert isinstance(number, int)
        assert " " not in word
    assert len(set(ORDER_STATES.values())) == 6
