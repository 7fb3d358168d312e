"""The body of a call..."""

import json
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from tests.support.factories import make_shop

ORDERS, COUPONS, PRODUCTS = "/dev/v1/orders", "/dev/v1/coupons/", "/dev/v1/products"
FORM = "application/x-www-form-urlencoded"
UNSEEN = ["\u200b\u2060", "\u0301", "\u2800 \u3164"]


async def _good(merchant):
    body = {"title": "Setup", "price": 5, "type": "SERVICE"}
    return (await merchant.data("POST", PRODUCTS, status=201, json=body))["id"]


async def _send(merchant, path, content, kind):
    """What was made of a body of this type."""
    headers = {"Content-Type": kind} if kind else {}
    sent = content if isinstance(content, bytes) else content.encode()
    return await merchant.data("POST", path, status=201, content=sent, headers=headers)


async def test_may_have_objects_where_php_wrote_a_list_with_gaps(merchant):
    one, two = await _good(merchant), await _good(merchant)
    items = {
        "4": {"product_id": two, "quantity": "2.0000"},
        "1": {"product_id": one, "quantity": 3.0},
    }
    made = await merchant.data(
        "POST", ORDERS, status=201, json={"email": "a@buyer.example", "items": items}
    )
    assert [(each["product_id"], each["quantity"]) for each in made["items"]] == [
        (one, 3),
        (two, 2),
    ]

    coupon = {"code": "gaps", "discount_value": 5, "products_bound": {"2": one, "7": two}}
    made = await merchant.data("POST", COUPONS, status=201, json=coupon)
    assert made["products_bound"] == [one, two]
    body = {"title": "Keys", "price": 1, "type": "SERIALS", "serials": {"1": "A-1", "3": "B-2"}}
    assert (await merchant.data("POST", PRODUCTS, status=201, json=body))["stock"] == 2


async def test_refuses_an_object_that_is_no_list(merchant):
    body = {"email": "a@buyer.example", "items": {"first": {"product_id": "x", "quantity": 1}}}
    assert await merchant.fields_refused("POST", ORDERS, json=body) == {
        "items": "must be an array of objects"
    }


async def test_may_be_a_form_that_php_nested(merchant):
    good = await _good(merchant)
    pairs = (
        f"email=a%40buyer.example&items[2][product_id]={good}&items[2][quantity]=2&title=By+form"
    )
    parts = [
        f'--X\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in (
            ("email", "a@buyer.example"), ("items[][product_id]", good), ("items[0][quantity]", "2"),
            ("title", "By form"),
        )
    ]  # fmt: skip
    whole = "".join(parts) + "--X--\r\n"
    for content, kind in ((pairs, FORM), (whole, "multipart/form-data; boundary=X")):
        made = await _send(merchant, ORDERS, content, kind)
        assert (made["title"], made["items"][0]["quantity"]) == ("By form", 2)


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        ("email=a&email[x]=1", FORM, "email[x] is both a value and an array"),
        ("items[0=1", FORM, "'items[0' is no name of a field"),
        ("--X", "multipart/form-data; boundary=X", "the multipart body is cut off"),
        ("email=a", "text/plain", "the body is not JSON"),
    ],
)
async def test_that_cannot_be_read_is_refused(merchant, content, kind, said):
    told = await merchant.fields_refused(
        "POST", ORDERS, content=content.encode(), headers={"Content-Type": kind}
    )
    assert told == {"body": said}


@pytest.mark.parametrize("kind", ["", FORM, "text/plain", "application/json"])
async def test_is_read_as_json_under_any_type(merchant, kind):
    text = json.dumps({"title": "Setup", "price": 5.0, "type": "SERVICE"})
    for content in (text, f"\ufeff {text}", quote(text)):
        assert (await _send(merchant, PRODUCTS, content, kind))["title"] == "Setup"


@pytest.mark.parametrize("unseen", UNSEEN)
async def test_refuses_a_required_text_that_nobody_can_see(merchant, unseen):
    empty = "must not be empty"
    for path, body, field in (
        (PRODUCTS, {"title": unseen, "price": 5, "type": "SERVICE"}, "title"),
        (COUPONS, {"code": unseen, "discount_value": 5}, "code"),
        (
            "/dev/v1/payments",
            {"title": unseen, "email": "a@buyer.example", "value": 5, "currency": "USD"},
            "title",
        ),
    ):
        assert await merchant.fields_refused("POST", path, json=body) == {field: empty}


async def test_has_dates_without_a_zone_in_the_shop_s(keys, desk_database):
    async with desk_database.begin() as tx:
        shop = await make_shop(tx, time_zone="America/New_York")
    merchant = await keys(shop_id=shop.id)
    coupon = {
        "code": "noon", "discount_value": 5, "valid_from": "2026-12-01", "valid_until": "2026-12-02T12:00:00",
    }  # fmt: skip
    made = await merchant.data("POST", COUPONS, status=201, json=coupon)
    zone = ZoneInfo("America/New_York")
    assert (made["valid_from"], made["valid_until"]) == (
        int(datetime(2026, 12, 1, tzinfo=zone).timestamp()),
        int(datetime(2026, 12, 2, 12, tzinfo=zone).timestamp()),
    )
    path = f"/dev/v1/coupons/{made['id']}"
    made = await merchant.data("PATCH", path, json={"valid_from": "2026-12-01T00:00:00Z"})
    assert made["valid_from"] == int(datetime(2026, 12, 1, tzinfo=ZoneInfo("UTC")).timestamp())
