"""WordPress's other spelling of a route, `/?rest_route=`..."""

from urllib.parse import quote

import httpx2
import pytest

from crossdock.channels.shoppex_partner.app import path_in_query
from tests.support.partner_client import CREATE, PREFIX, PRODUCTS, order_of

SPELLED = "/?rest_route="


async def test_lists_the_same_products_with_the_same_signature(partner, variant):
    product = await variant()
    plain = await partner.products()
    for path in (
        SPELLED + PRODUCTS,
        SPELLED + quote(PRODUCTS, safe=""),
        f"/?a=1&rest_route={PRODUCTS}/",
    ):
        reply = await partner.products(path=path)
        assert (reply.status_code, reply.json()) == (200, plain.json()), path
    assert [row["id"] for row in plain.json()] == [product]
    head = await partner.products(method="HEAD", path=SPELLED + PRODUCTS)
    assert (head.status_code, head.content) == (200, b"")


async def test_places_an_order_once_in_either_spelling(partner, variant):
    order = order_of((await variant(), 2), number="PO-1")

    placed = await partner.create(order, path=SPELLED + CREATE)
    again = await partner.create(order)

    assert placed.status_code == 201
    assert placed.json()["partner_order_id"] == "PO-1"
    assert (again.status_code, again.json()["code"]) == (409, "partner_order_already_exists")


async def test_is_not_part_of_what_is_signed(partner, variant, nothing_written):
    order = order_of((await variant(), 1))
    async with nothing_written():
        for wrong in (SPELLED + CREATE, PREFIX + CREATE):
            reply = await partner.create(order, path=SPELLED + CREATE, route=wrong)
            assert (reply.status_code, reply.json()["code"]) == (
                401,
                "partner_auth_invalid_signature",
            )


async def test_shares_the_nonces_with_the_plain_one(partner):
    headers = partner.signed("GET")
    first = await partner.send("GET", SPELLED + PRODUCTS, headers=headers)
    second = await partner.send("GET", PREFIX + PRODUCTS, headers=headers)

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (401, "partner_auth_reused_nonce")


@pytest.mark.parametrize(
    "route",
    ["/", "x", PRODUCTS[1:], PRODUCTS + "x", PRODUCTS.upper(), PREFIX + PRODUCTS, "//x", "/../health",
     "/wp/v2/posts", "/%00", "%FF", f"{PRODUCTS}&rest_route=/x"],
)  # fmt: skip
async def test_of_an_unknown_route_is_no_route(partner, route):
    for method in ("GET", "POST"):
        reply = await partner.send(method, SPELLED + route, headers=partner.signed(method))
        assert (reply.status_code, reply.json()["code"]) == (404, "rest_no_route")


async def test_knows_each_routes_own_method_only(partner):
    for method, route in (("POST", PRODUCTS), ("DELETE", PRODUCTS), ("GET", CREATE)):
        headers = partner.signed(method, route=route)
        reply = await partner.send(method, SPELLED + route, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (404, "rest_no_route")


async def test_is_refused_in_the_channels_words_when_it_is_too_large(partner):
    reply = await partner.create({"a": "x" * 300_000}, path=SPELLED + CREATE)

    assert (reply.status_code, reply.json()["code"]) == (413, "partner_payload_too_large")


@pytest.mark.parametrize(
    "path",
    ["/", "/?", "/?rest_route=", "/?rest_route", "/?rest_route=/x&rest_route=", "/?route=/x"],
)
async def test_leaves_the_landing_page_where_it_was(server, path):
    reply = httpx2.get(
        server.url + path, headers={"Accept": "text/html"}, trust_env=False, verify=False
    )

    assert reply.status_code == 200
    assert "One shop, many doors" in reply.text


async def test_counts_at_the_root_alone(partner):
    for path in ("/docs/", PREFIX + PRODUCTS):
        reply = await partner.send(
            "GET", f"{path}?rest_route={CREATE}", headers=partner.signed("GET")
        )
        assert reply.status_code == 200


@pytest.mark.parametrize(
    ("query", "path"),
    [
        (b"rest_route=/a/b", "/wp-json/a/b"),
        (b"rest%5Froute=%2Fa", "/wp-json/a"),
        (b"rest_route=/a&rest_route=/b", "/wp-json/b"),
        (b"rest_route=a", "/wp-json"),
        (b"rest_route=", None),
        (b"REST_ROUTE=/a", None),
        (b"rest_route[]=/a", None),
        (b"%&=&&%zz", None),
        (b"\xff\x00", None),
    ],
)
def test_stands_for_a_path_below_the_prefix(query, path):
    assert path_in_query(query) == path
