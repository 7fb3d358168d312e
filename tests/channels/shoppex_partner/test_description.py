"""The document of an order has the fields that are read, and no other."""

import json
from typing import Any

import pytest

from crossdock.channels.shoppex_partner.errors import WireError
from crossdock.channels.shoppex_partner.openapi import CREATE, PRODUCTS
from crossdock.channels.shoppex_partner.wire import WireCreated, WireProduct, read_order

RIGHT: dict[str, Any] = {
    "items": [{"product_id": 7, "quantity": 2}],
    "id_order_partner": "PO-1",
    "comments": "Dock 4",
    "tax_id": "a",
    "resale_tax": "b",
}


def body_schema() -> dict[str, Any]:
    schema = CREATE.extra["requestBody"]["content"]["application/json"]["schema"]
    assert isinstance(schema, dict)
    return schema


def told(document: dict[str, Any]) -> Any:
    """What the reader makes of it: the order, or the field that is wrong."""
    try:
        return read_order(
            json.dumps(document).encode(),
            content_type="application/json",
            items_max=10,
            is_test=False,
        )
    except WireError as error:
        return error.wire_code, error.data.get("field")


@pytest.mark.parametrize("field", body_schema()["properties"])
def test_every_documented_field_is_read(field):
    assert told({**RIGHT, field: "other"}) != told(RIGHT)


@pytest.mark.parametrize("field", body_schema()["properties"]["items"]["items"]["properties"])
def test_every_documented_field_of_an_item_is_read(field):
    assert told({**RIGHT, "items": [{**RIGHT["items"][0], field: 3}]}) != told(RIGHT)


def test_a_field_that_is_not_documented_is_not_read():
    assert set(RIGHT) == set(body_schema()["properties"])
    items = [{**RIGHT["items"][0], "price": 1}]
    assert told({**RIGHT, "coupon": "x", "items": items}) == told(RIGHT)


def test_the_answers_have_the_fields_of_the_structs_that_write_them():
    created = CREATE.responses[201]["content"]["application/json"]["schema"]
    products = PRODUCTS.responses[200]["content"]["application/json"]["schema"]

    assert tuple(created["properties"]) == WireCreated.__struct_fields__
    assert tuple(products["items"]["properties"]) == WireProduct.__struct_fields__
    assert list(products["items"]["example"]) == list(products["items"]["properties"])
