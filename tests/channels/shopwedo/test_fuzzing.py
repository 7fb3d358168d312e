"""P7, small: whatever stands in `data`, the answer is the method's own or a 400 with a word, and no fault."""

import copy
import math
import random
import uuid
from typing import Any

import pytest

from tests.support.shopwedo_client import address, order_of

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, -(2**63), 10**30, 1.5, -0.0, 1e308, 5e-324, "", " ", "0", "-1",
    "1e9", "١", "\x00", "\u2028", "\ud800", "\ufffe", "a" * 300, "a" * 3_000, "𝄞", "'", '"', "\\", "%s", "{}", "[]",
    "null", "2026-13-01 00:00:00", "9999-12-31 23:59:59", "0001-01-01 00:00:00", [], [None], [[]], [1, "a"], {},
    {"": ""}, {"a": {"b": {"c": []}}}, {"\x00": "\x00"}, [{}] * 250,
)  # fmt: skip
SPELLINGS = {
    "getOrder": ("order_id", "external_order_id"),
    "cancelOrder": ("order_id",),
    "getStock": ("sku", "limit", "offset", "reference"),
    "getProducts": ("product_id", "category_id", "offset"),
    "getCategories": ("category_id", "offset"),
    "getBlogPosts": ("post_id", "offset"),
    "pudo": ("address",),
    "getRetourSettings": ("shop_id",),
    "createRetourAnnouncement": ("shop_id", "order_id", "items"),
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside."""
    found = [path] if path else []
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, dict | list):
        for key, inner in entries:
            found += (
                places(inner, (*path, key)) if isinstance(inner, dict | list) else [(*path, key)]
            )
    return found


def bent(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The document with one to three of its values, at any depth, made odd or taken away."""
    made = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 2, 3))):
        *way, last = rng.choice(places(made))
        inner = made
        for key in way:
            inner = inner[key]
        if rng.random() < 0.1:
            del inner[last]
        else:
            inner[last] = copy.deepcopy(rng.choice(ODD))
    return made


def judge(reply, *, good: int) -> None:
    assert reply.status_code in {good, 400}, (reply.status_code, reply.text)
    body = reply.json()
    if reply.status_code == 400:
        assert isinstance(body["error"], str)
    else:
        assert "error" not in body


@pytest.mark.parametrize("seed", range(2))
async def test_odd_orders(client, clients, variant, seed):
    relaxed = await clients(settings={"require_v11_fields": False, "release_mode": "immediate"})
    sku = await variant(own=10**9)
    rng = random.Random(seed)
    document = order_of(
        (sku, 1),
        (sku, 2),
        release=True,
        comment="x",
        updated_at=1_700_000_000,
        billing_address=address(vat="x"),
    )
    document["items"][0] |= {
        "skuType": "",
        "price": "1.5",
        "external_orderline_id": 7,
        "name": "x",
        "comment": "y",
    }
    for _ in range(60):
        document["external_order_id"] = uuid.uuid4().hex
        who = rng.choice((client, relaxed)).shaped(rng.choice(("php", "js", "json")))
        reply = await who.call("createOrder", bent(document, rng))
        judge(reply, good=201)
        if reply.status_code == 201:
            order = await who.order(reply.json()["order_id"])
            assert math.isfinite(order["items"][0]["amount"])


@pytest.mark.parametrize("method", SPELLINGS)
async def test_odd_questions(client, variant, method):
    await variant()
    for field in SPELLINGS[method]:
        for value in ODD:
            for data in ({field: value}, dict.fromkeys(SPELLINGS[method], value), {field: [value]}):
                judge(await client.call(method, data), good=200)
    if method == "pudo":
        for value in ODD:
            for data in (
                {"zip": value, "country": "BE"},
                {"zip": "2800", "country": value, "street": value},
            ):
                judge(await client.call(method, {"address": data}), good=200)
