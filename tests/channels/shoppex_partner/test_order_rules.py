"""An order is refused by the first rule that says no, with its own code, and nothing is written."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.channels.shoppex_partner.ordering import (
    EXISTS,
    ITEMS,
    NOT_FOUND,
    NUMBER,
    PAYLOAD,
    QUANTITY,
    assert_refused,
    stored,
)
from tests.conftest import NOON
from tests.support.consuming import deliver_by_worker, make_virtual
from tests.support.factories import ADDRESS, make_customer
from tests.support.partner_client import order_of


async def test_each_rule_comes_before_the_next(
    clients, variant, server_database, shop, nothing_written
):
    """One request that breaks everything is mended step by step, and told the next thing each time."""
    supplier = await variant(origin="Supplier", own=None, supplier=3)
    short = await variant(own=1)
    taken = await variant()
    unconfigured = await clients(customer_id=None, min_amount_minor=10**6)
    async with server_database.begin() as tx:
        customer = await make_customer(tx, shop_id=shop.id, active=False, billing={}, shipping={})
        gone = await make_customer(tx, shop_id=shop.id)
        await tx.run("update customers set deleted_at = now() where id = %s", (gone,))
    client = await clients(customer_id=customer, min_amount_minor=10**6)
    missing = await clients(customer_id=gone, min_amount_minor=10**6)
    bad = {"product_id": supplier, "quantity": 0}
    everything = [bad, {"product_id": 2**50, "quantity": 1}]

    async def mended(sql: str, *values) -> None:
        async with server_database.begin() as tx:
            await tx.run(sql, (*values, customer))

    async def told(document, who=client) -> tuple[int, str]:
        async with nothing_written():
            reply = await who.create(document)
        return reply.status_code, reply.json()["code"]

    assert await told([]) == (400, PAYLOAD)
    assert await told({"items": [], "id_order_partner": ""}) == (400, ITEMS)
    assert await told({"items": everything, "id_order_partner": ""}) == (400, NUMBER)
    assert await told({"items": everything, "id_order_partner": "X"}) == (400, QUANTITY)
    items = [
        {"product_id": supplier, "quantity": 1},
        {"product_id": 2**50, "quantity": 1},
        {"product_id": short, "quantity": 2},
    ]
    document = {"items": items, "id_order_partner": "X"}
    assert await told(document, unconfigured) == (403, "partner_customer_not_configured")
    assert await told(document, missing) == (404, "partner_customer_not_found")
    assert await told(document) == (403, "partner_customer_inactive")
    await mended("update customers set active = true where id = %s")
    assert await told(document) == (400, "partner_customer_billing_incomplete")
    await mended("update customers set billing = %s where id = %s", Jsonb(ADDRESS))
    assert await told(document) == (400, "partner_customer_shipping_incomplete")
    await mended("update customers set shipping = %s where id = %s", Jsonb(ADDRESS))
    assert await told(document) == (404, NOT_FOUND)
    del items[1]
    assert await told(document) == (403, "partner_backorder_not_allowed")
    del items[0]
    assert await told(document) == (403, "partner_stock_limit_exceeded")
    items[0]["quantity"] = 1
    assert await told(document) == (403, "partner_order_amount_not_allowed")
    items[0] = {"product_id": taken, "quantity": 1}
    assert await told(document) == (403, "partner_order_amount_not_allowed")


async def test_a_used_number_is_told_before_anything_about_customer_goods_or_amount(
    clients, variant, server_database, nothing_written, shop
):
    client = await clients()
    product = await variant()
    first = await client.order(product, number="X")
    assert first.status_code == 201
    async with server_database.begin() as tx:
        await tx.run("update customers set active = false where id = %s", (shop.customer_id,))
    async with nothing_written():
        document = assert_refused(await client.order(2**50, 10**6, number="X"), 409, EXISTS)
        assert_refused(await client.order(product, 0, number="X"), 400, QUANTITY)
    for name in ("order_id", "order_key", "order_detail_url"):
        assert document["data"][name] == first.json()[name]


# ---------------------------------------------------------------- the customer


async def test_who_has_no_shipping_address_buys_what_is_not_shipped(
    clients, variant, server_database, shop, nothing_written
):
    async with server_database.begin() as tx:
        customer = await make_customer(tx, shop_id=shop.id, shipping={})
    client = await clients(customer_id=customer)
    licence, mug = await variant(), await variant()
    await make_virtual(server_database, licence)
    async with nothing_written():
        refused = await client.create(order_of((licence, 1), (mug, 1), number="X"))
        assert_refused(refused, 400, "partner_customer_shipping_incomplete")
    reply = await client.order(licence, number="X")
    assert reply.status_code == 201

    await deliver_by_worker(server_database, shop_id=shop.id, now=NOON)
    order = await stored(server_database, reply)
    assert (order["fulfilment_state"], order["lines"][0]["state"]) == ("completed", "shipped")


BILLING = [
    "first_name",
    "last_name",
    "email",
    "phone",
    "address_1",
    "city",
    "country",
    "state",
    "postcode",
]
SHIPPING = ["first_name", "last_name", "address_1", "city", "country", "state", "postcode"]


@pytest.mark.parametrize("value", ["", "  ", None, ...], ids=["empty", "blank", "null", "absent"])
@pytest.mark.parametrize(
    ("kind", "field"),
    [("billing", field) for field in BILLING] + [("shipping", field) for field in SHIPPING],
)
async def test_each_required_field_of_an_address_is_missed(
    clients, variant, server_database, shop, nothing_written, kind, field, value
):
    address = ADDRESS | {field: value}
    if value is ...:
        del address[field]
    async with server_database.begin() as tx:
        addresses: dict[str, Any] = {kind: address}
        customer = await make_customer(tx, shop_id=shop.id, **addresses)
    client = await clients(customer_id=customer)
    product = await variant()
    async with nothing_written():
        reply = await client.order(product)
    document = assert_refused(reply, 400, f"partner_customer_{kind}_incomplete")
    if field != "country":
        assert document["data"]["fields"] == [field]
    assert field in document["message"]


async def test_optional_fields_of_an_address_may_be_missing(
    clients, variant, server_database, shop
):
    async with server_database.begin() as tx:
        customer = await make_customer(
            tx,
            shop_id=shop.id,
            billing={k: v for k, v in ADDRESS.items() if k != "company"},
            shipping={k: v for k, v in ADDRESS.items() if k not in {"company", "email", "phone"}},
        )
    client = await clients(customer_id=customer)
    assert (await client.order(await variant())).status_code == 201


@pytest.mark.parametrize(
    ("country", "state", "postcode", "complete"),
    [
        ("US", "FL", "33101", True),
        ("US", "", "33101", False),
        ("NL", "", "1012 AB", True),
        ("NL", "", "", False),
        ("PA", "", "", True),
        ("BO", "", "", True),
        ("nl", "", "1012 AB", True),
    ],
)
async def test_state_and_postcode_are_required_where_the_country_uses_them(
    clients, variant, server_database, shop, country, state, postcode, complete
):
    address = ADDRESS | {"country": country, "state": state, "postcode": postcode}
    async with server_database.begin() as tx:
        customer = await make_customer(tx, shop_id=shop.id, billing=address, shipping=address)
    client = await clients(customer_id=customer)
    reply = await client.order(await variant())
    assert reply.status_code == (201 if complete else 400), reply.text


async def test_the_seeds_example_message_is_about_billing(clients, variant, server_database, shop):
    async with server_database.begin() as tx:
        customer = await make_customer(tx, shop_id=shop.id, billing={})
    client = await clients(customer_id=customer)
    document = (await client.order(await variant())).json()
    assert "billing information" in document["message"]
    assert "customer user configured for this partner" in document["message"]


# ---------------------------------------------------------------- the amount


@pytest.mark.parametrize(
    ("low", "high", "quantity", "passes"),
    [
        (None, None, 1, True),
        (3998, None, 2, True),
        (3999, None, 2, False),
        (None, 3998, 2, True),
        (None, 3997, 2, False),
        (3998, 3998, 2, True),
        (0, 0, 1, False),
    ],
)
async def test_the_bounds_of_the_amount_are_inclusive(
    clients, variant, nothing_written, low, high, quantity, passes
):
    client = await clients(min_amount_minor=low, max_amount_minor=high)
    product = await variant(price_minor=1999)
    if passes:
        assert (await client.order(product, quantity)).status_code == 201
        return
    async with nothing_written():
        reply = await client.order(product, quantity)
        assert_refused(reply, 403, "partner_order_amount_not_allowed")


async def test_a_total_beyond_what_money_can_hold_is_refused_and_not_an_error(
    clients, variant, nothing_written
):
    client = await clients(backorder=True)
    product = await variant(price_minor=2**62)
    async with nothing_written():
        reply = await client.create(order_of(*[(product, 1_000_000)] * 200))
        assert_refused(reply, 403, "partner_order_amount_not_allowed")


@pytest.mark.parametrize(
    ("country", "lacking"),
    [
        ("IE", ("postcode", "state")), ("HK", ("postcode", "state")), ("AE", ("postcode", "state")),
        ("KR", ("state",)), ("SG", ("city", "state")),
    ],
)  # fmt: skip
async def test_an_address_is_complete_by_the_rules_of_its_country(
    clients, variant, server_database, shop, country, lacking
):
    address = {k: v for k, v in ADDRESS.items() if k not in lacking} | {"country": country}
    async with server_database.begin() as tx:
        customer = await make_customer(tx, shop_id=shop.id, billing=address, shipping=address)
    client = await clients(customer_id=customer)
    reply = await client.create(order_of((await variant(), 1)))
    assert reply.status_code == 201, reply.text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"country": "US", "state": ""}, ["state"]),
        ({"country": "IE", "city": ""}, ["city"]),
        ({"country": "SG", "postcode": ""}, ["postcode"]),
        ({"country": "HK", "city": "", "state": ""}, ["city"]),
        ({"country": "UK"}, ["country"]),  # written before countries were read as such
    ],
)
async def test_an_address_lacks_what_its_country_needs(
    clients, variant, server_database, shop, nothing_written, change, told
):
    async with server_database.begin() as tx:
        customer = await make_customer(tx, shop_id=shop.id, shipping=ADDRESS | change)
    client = await clients(customer_id=customer)
    sku = await variant()
    async with nothing_written():
        reply = await client.create(order_of((sku, 1)))
    assert (reply.status_code, reply.json()["code"]) == (
        400, "partner_customer_shipping_incomplete",
    )  # fmt: skip
    assert reply.json()["data"]["fields"] == told
