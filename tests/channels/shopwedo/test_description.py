"""The OpenAPI document says what is read and what is answered, field by field."""

from typing import Any

import jsonschema_rs
import pytest

from crossdock.channels.shopwedo.answers import ANSWERS
from crossdock.channels.shopwedo.app import PREFIXES
from crossdock.channels.shopwedo.requests import REQUESTS
from tests.support.shopwedo_client import address, order_of

NOT_JUDGED = {"release"}  # any value of it is a yes or a no
NOT_READ = {"shop_id"}  # the token says whose shop it is
ODD: Any = {"odd": {"a": [[]]}}


def odd_of(fields):
    """A list in each of the fields, and in one that does not exist."""
    return {name: [1] for name in (*fields, "colour")}


async def document_of(client):
    reply = await client._http.get("/docs/api/shopwedo/openapi.json")
    return reply.json()


def data_of(document, method):
    operation = document["paths"][f"{PREFIXES[0]}/{method}"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    return body["properties"]["data"]["properties"]


async def test_every_documented_field_of_an_order_is_read_and_no_other(client):
    fields = data_of(await document_of(client), "createOrder")
    of_address = list(fields["shipping_address"]["properties"])
    of_item = list(fields["items"]["items"]["properties"])
    odd_address = odd_of(of_address)
    document = {
        **odd_of(fields),
        "shipping_address": odd_address,
        "billing_address": odd_address,
        "items": [odd_of(of_item), {**odd_of(of_item), "skuType": ""}],
    }

    reply = await client.call("createOrder", document)

    inside = {"shipping_address": of_address, "billing_address": of_address, "items.0": of_item}
    expected = {f"{at}.{name}" for at, names in inside.items() for name in names}
    expected |= set(fields) - {"shipping_address", "billing_address", "items"} - NOT_JUDGED
    assert reply.status_code == 400
    assert {key.replace("items.1", "items.0") for key in reply.json()["errors"]} == expected


@pytest.mark.parametrize(
    "method", [name for name in REQUESTS if name not in {"createOrder", "authTest"}]
)
async def test_every_documented_field_of_a_method_is_judged(client, variant, method):
    order_id = await client.create(order_of((await variant(), 1)))
    right = {
        "getOrder": {"order_id": order_id},
        "cancelOrder": {"order_id": order_id},
        "pudo": {"address": {"zip": "2800", "country": "BE"}},
        "createRetourAnnouncement": {"order_id": order_id, "items": [{"sku": 1, "amount": 1}]},
    }.get(method, {})
    fields = set(data_of(await document_of(client), method)) - NOT_READ

    for field in fields:
        wrong = {**right, field: ODD}
        if field == "external_order_id":
            del wrong["order_id"]
        reply = await client.call(method, wrong)
        assert (reply.status_code, reply.json()["error"]) == (400, "data_invalid"), field


async def test_every_answer_has_the_documented_fields(client, variant, server_database, shop):
    sku = await variant(name="Tea")
    number = "W-described"
    order_id = await client.create(
        order_of((sku, 1), number=number, billing_address=address(vat="BE 1"), language="nl")
    )
    async with server_database.begin() as tx:
        await tx.run(
            "insert into pickup_points (shop_id, carrier, code, name, street, number, zip, city, country,"
            " latitude, longitude, hours) values"
            " (%s, 'dpd', '1', 'Kiosk', 'Bruul', '1', '2800', 'Mechelen', 'BE', 51, 4, '{}')",
            (shop.id,),
        )
    for method, data in (
        ("authTest", {}),
        ("getOrder", {"order_id": order_id}),
        ("getOrder", {"external_order_id": number}),
        ("getStock", {}),
        ("getProducts", {}),
        ("getCategories", {}),
        ("getBlogPosts", {}),
        ("pudo", {"address": {"zip": "2800", "country": "BE"}}),
        ("getRetourSettings", {}),
        ("cancelOrder", {"order_id": order_id}),
    ):
        reply = await client.call(method, data)
        assert reply.status_code in {200, 202}, (method, reply.text)
        jsonschema_rs.validator_for(_closed(ANSWERS[method])).validate(reply.json())


def _closed(schema):
    """The same schema, which takes no field that it does not name."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if "properties" in schema and isinstance(schema["properties"], dict):
        closed = {"additionalProperties": False, **closed}
    return closed
