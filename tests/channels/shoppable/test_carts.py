"""A cart of this channel..."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.channels.shoppable.conftest import OpenStall, Stall
from tests.support.shopper import Shopper

CART = "/v3/cart"


def _items(cart: dict[str, Any]) -> dict[str, int]:
    return {item["sku"]: item["qty"] for m in cart["merchants"] for item in m["items"]}


async def _bundle(shopper: Shopper, cart_id: str, *items: tuple[object, object]) -> Any:
    body = {"id": cart_id, "items": [{"sku": str(sku), "qty": qty} for sku, qty in items]}
    reply = await shopper.send("POST", f"{CART}/put/bundling", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def _refused(shopper: Shopper, path: str) -> tuple[int, int]:
    reply = await shopper.get(path)
    return reply.status_code, reply.json()["code"]


async def test_begins_empty_with_the_merchants_that_the_token_may_sell(
    stalls: OpenStall,
) -> None:
    stall = await stalls()
    made = await stall.shopper.read(f"{CART}/")

    assert uuid.UUID(made["cart"].pop("id")).version == 4
    async with stall.mall.db.statement() as tx:
        name = await tx.value("select name from partners where id = %s", (stall.partner_id,))
    assert made == {
        "cart": {"qty": 0, "subtotal": 0, "total": 0},
        "partner_id": 10_000 + stall.partner_id,
        "partner_name": name,
        "availableMerchants": [{"id": str(stall.mall.shop.merchant_id), "name": "Main"}],
    }


async def test_has_no_merchants_that_the_token_may_not_sell(stalls: OpenStall) -> None:
    stall = await stalls(visible_merchants=(0,))
    hidden = await stall.mall.variant()

    made = await stall.shopper.read(CART)
    assert made["availableMerchants"] == []
    assert (await stall.shopper.put(made["cart"]["id"], hidden, 1))["merchants"] == []


async def test_sums_up_as_the_example_of_the_specification(stalls: OpenStall) -> None:
    stall = await stalls()
    mall = stall.mall
    first = await mall.merchant(
        shipping_flat_minor=595,
        free_shipping_from_minor=3500,
        customer_service_url="https://a.example/help",
        return_policy_url="https://a.example/returns",
    )
    second = await mall.merchant(shipping_flat_minor=700, free_shipping_from_minor=5000)
    ten = await mall.variant(merchant_id=first, price_minor=1000, merchant_sku="M-10")
    sixty = await mall.variant(merchant_id=second, price_minor=6000)

    cart_id = await stall.shopper.cart((ten, 2), (sixty, 1))
    cart = await stall.shopper.read(f"{CART}/{cart_id}")

    number = 10_000 + stall.partner_id
    sums = cart["cart"]
    assert sums.pop("modified_on") == "2026-03-02T12:00:00.000Z"
    assert isinstance(sums.pop("partner_name"), str)
    assert {name: str(value) for name, value in sums.items()} == {
        "id": cart_id, "partner_id": str(number), "subtotal": "80.00", "shipping_total": "5.95",
        "total": "85.95", "external_total": "0.00", "qty": "3",
    }  # fmt: skip
    assert (cart["partnerId"], cart["settings"]) == (
        number,
        {"showMoreFromCategory": False, "brands": "", "merchants": "", "updateLinks": False},
    )
    one, two = cart["merchants"]
    assert [(m["id"], str(m["subtotal"]), str(m["shipping_total"]), str(m["total"]))
            for m in (one, two)] == [
        (str(first), "20.00", "5.95", "25.95"),
        (str(second), "60.00", "0.00", "60.00"),
    ]  # fmt: skip
    for name in ("shipping_flat_rate", "ship_fee", "shipping_fee"):
        assert str(one[name]) == "5.95"
    for name in ("ship_free_min", "ship_min"):
        assert str(one[name]) == "35.00"
    assert (one["customer_service_url"], one["return_policy_url"]) == (
        "https://a.example/help",
        "https://a.example/returns",
    )
    [item] = one["items"]
    product = await stall.shopper.read(f"/v3/product/{item['part_number']}")
    assert item["sku"] == product["colors"][0]["sizes"][0]["sku"] == str(ten)
    assert (item["merchant_sku"], item["name"], item["qty"]) == ("M-10", product["name"], 2)
    assert {name: str(item[name]) for name in ("retail_price", "price", "subtotal", "total")} == {
        "retail_price": "10.00", "price": "10.00", "subtotal": "20.00", "total": "20.00",
    }  # fmt: skip
    assert "sale_price" not in item
    assert (item["images"], item["url2"], item["url2_es"], item["marketplace"]) == (
        [""], None, None, False,
    )  # fmt: skip


async def test_takes_the_same_put_twice_as_once(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart()

    for _ in range(2):
        cart = await stall.shopper.put(cart_id, good, 3)
        assert _items(cart) == {str(good): 3}
    old = await stall.shopper.read(
        f"{CART}/{cart_id}/put/{good}/qty/2/idLookupType/sku/productId/{good}/"
    )
    assert _items(old) == {str(good): 2}
    assert _items(await stall.shopper.put(cart_id, good, 0)) == {}


async def test_leaves_out_what_cannot_be_bought_and_lowers_what_is_too_much(
    stalls: OpenStall,
) -> None:
    stall = await stalls()
    few, many = await stall.mall.variant(own=2), await stall.mall.variant(own=100)
    gone, hidden = await stall.mall.variant(own=0), await stall.mall.variant(listed=False)
    cart_id = await stall.shopper.cart((few, 1))

    for dead in (gone, hidden, 999_999_999, "no-such-sku", "%F0%9F%8E%81", "a%2Fb"):
        assert _items(await stall.shopper.put(cart_id, dead, 1)) == {str(few): 1}
    assert _items(await stall.shopper.put(cart_id, few, 3)) == {str(few): 2}
    assert _items(await stall.shopper.put(cart_id, many, 10**17)) == {str(few): 2, str(many): 12}


async def test_takes_a_bundle_with_a_dead_sku(stalls: OpenStall) -> None:
    stall = await stalls()
    one, two, other = [await stall.mall.variant() for _ in range(3)]
    cart_id = await stall.shopper.cart((one, 1), (other, 4))

    cart = await _bundle(stall.shopper, cart_id, (one, 2), ("dead", 1), (two, "3"))

    assert _items(cart) == {str(one): 2, str(other): 4, str(two): 3}
    assert _items(await _bundle(stall.shopper, cart_id, (one, 0))) == {str(other): 4, str(two): 3}
    # Two lines of one SKU count as their sum.
    assert _items(await _bundle(stall.shopper, cart_id, (two, 1), (two, 1)))[str(two)] == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b'{"items": []}',
        b'{"id": 7, "items": []}',
        b'{"id": "CART"}',
        b'{"id": "CART", "items": {}}',
        b'{"id": "CART", "items": [7]}',
        b'{"id": "CART", "items": [{"qty": 1}]}',
        b'{"id": "CART", "items": [{"sku": "SKU", "qty": -1}]}',
        b'{"id": "CART", "items": [{"sku": "SKU", "qty": 1.5}]}',
        b'{"id": "CART", "items": [{"sku": "SKU"}]}',
    ],
)
async def test_refuses_a_bundle_of_another_shape_and_stays_as_it_is(
    stalls: OpenStall, body: bytes
) -> None:
    stall = await stalls()
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 1))
    sent = body.replace(b"CART", cart_id.encode()).replace(b"SKU", str(good).encode())

    reply = await stall.shopper.send(
        "POST", f"{CART}/put/bundling", content=sent, headers={"Content-Type": "application/json"}
    )

    assert (reply.status_code, reply.json()["code"]) == (400, 50000)
    assert _items(await stall.shopper.read(f"{CART}/{cart_id}")) == {str(good): 1}


async def test_takes_a_bundle_as_php_writes_it(stalls: OpenStall) -> None:
    stall = await stalls()
    one, two = await stall.mall.variant(), await stall.mall.variant()
    cart_id = await stall.shopper.cart()
    kind = "application/x-www-form-urlencoded"
    entry = {"sku": str(one), "qty": "2.0000"}
    for content, content_type in (
        (json.dumps({"id": cart_id, "items": {"1": entry, "3": {"sku": two, "qty": 3.0}}}), kind),
        (
            f"id={cart_id}&items[1][sku]={one}&items[1][qty]=2&items[3][sku]={two}&items[3][qty]=3",
            kind,
        ),
    ):
        await stall.shopper.read(f"{CART}/{cart_id}/clear")
        reply = await stall.shopper.send(
            "POST",
            f"{CART}/put/bundling",
            content=content.encode(),
            headers={"Content-Type": content_type},
        )
        assert reply.status_code == 200, reply.text
        assert _items(reply.json()) == {str(one): 2, str(two): 3}


async def test_takes_a_quantity_with_a_decimal_point_that_is_whole(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant()

    cart_id = await stall.shopper.cart()
    assert _items(await stall.shopper.put(cart_id, good, "2.000")) == {str(good): 2}


async def test_lowers_a_quantity_of_any_size(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 1))
    path = f"{CART}/{cart_id}/put/{good}/qty"
    asked = [await stall.shopper.read(f"{path}/{size}") for size in ("999", "9" * 40)]

    assert _items(asked[0]) == _items(asked[1])
    assert 1 < _items(asked[1])[str(good)] < 999


@pytest.mark.parametrize("quantity", ["-1", "1.5", "two", "1e3", "+1", "%31%2E5", "٣"])
async def test_refuses_a_quantity_that_is_no_whole_number(stalls: OpenStall, quantity: str) -> None:
    stall = await stalls()
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 1))

    assert await _refused(stall.shopper, f"{CART}/{cart_id}/put/{good}/qty/{quantity}") == (
        400,
        50000,
    )
    assert _items(await stall.shopper.read(f"{CART}/{cart_id}")) == {str(good): 1}


async def test_shows_the_price_of_now_and_drops_what_is_sold_no_more(stalls: OpenStall) -> None:
    stall = await stalls()
    good, other = await stall.mall.variant(price_minor=2000), await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 2), (other, 1))

    await stall.mall.change("variants", good, sale_minor=1500)
    await stall.mall.change("variants", other, listed=False)
    cart = await stall.shopper.read(f"{CART}/{cart_id}/")

    [item] = cart["merchants"][0]["items"]
    assert (str(item["retail_price"]), str(item["sale_price"]), str(item["price"])) == (
        "20.00",
        "15.00",
        "15.00",
    )
    assert (str(cart["cart"]["total"]), cart["cart"]["qty"]) == ("30.00", 2)


async def test_gives_a_sku_back_and_is_cleared_and_deleted(stalls: OpenStall) -> None:
    stall = await stalls()
    shopper = stall.shopper
    one, two = await stall.mall.variant(), await stall.mall.variant()
    cart_id = await shopper.cart((one, 3), (two, 1))

    assert _items(await shopper.read(f"{CART}/{cart_id}/delete/{one}/")) == {str(two): 1}
    assert _items(await shopper.read(f"{CART}/{cart_id}/delete/{one}")) == {str(two): 1}
    assert (await shopper.read(f"{CART}/{cart_id}/clear"))["code"] == 200
    emptied = await shopper.read(f"{CART}/{cart_id}")
    assert (emptied["merchants"], emptied["cart"]["qty"], emptied["cart"]["subtotal"]) == ([], 0, 0)
    assert (await shopper.read(f"{CART}/{cart_id}/deleteCart"))["code"] == 200
    for rest in ("", "/clear", "/deleteCart", f"/put/{one}/qty/1", f"/delete/{one}"):
        assert await _refused(shopper, f"{CART}/{cart_id}{rest}") == (404, 40002)


async def test_is_unknown_to_others(stalls: OpenStall) -> None:
    stall, other = await stalls(), await stalls()
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 1))

    for unknown in (cart_id, str(uuid.uuid4()), "no-cart", "%00"):
        for rest in ("", "/clear", "/deleteCart", f"/put/{good}/qty/5", f"/delete/{good}"):
            path = f"{CART}/{unknown}{rest}"
            assert await _refused(other.shopper, path) == (404, 40002), path
    assert _items(await stall.shopper.read(f"{CART}/{cart_id.upper()}")) == {str(good): 1}


async def test_is_never_cached_and_readable_from_every_site(stalls: OpenStall) -> None:
    stall = await stalls()

    reply = await stall.shopper.get(f"{CART}/{await stall.shopper.cart()}")
    asked = await stall.shopper.send("OPTIONS", f"{CART}/put/bundling")

    assert (reply.headers["cache-control"], reply.headers["access-control-allow-origin"]) == (
        "no-store",
        "*",
    )
    assert asked.headers["access-control-allow-methods"] == "GET, POST"
    assert (await stall.shopper.send("HEAD", CART)).status_code == 405
    assert await stall.mall.count("carts") == 1


async def test_needs_the_right(stalls: OpenStall) -> None:
    stall: Stall = await stalls(permissions=("catalog.read",))

    assert await _refused(stall.shopper, CART) == (403, 30003)
    assert await stall.mall.count("carts") == 0


async def test_says_that_a_checkout_has_it(stalls: OpenStall) -> None:
    stall = await stalls()
    cart_id = await stall.shopper.cart((await stall.mall.variant(), 1))
    async with stall.mall.db.begin() as tx:
        until = stall.mall.clock.now() + timedelta(hours=1)
        await tx.run("update carts set claimed_until = %s where id = %s", (until, cart_id))

    reply = await stall.shopper.get(f"{CART}/{cart_id}/clear")

    error = "The cart is being checked out. Try again in a moment."
    assert (reply.status_code, reply.json()) == (503, {"error": error, "code": 503})
    assert reply.headers["retry-after"] == "5"
