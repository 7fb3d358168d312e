"""An order as real clients send it: forms, lists with gaps, gzip; the signature covers what was sent."""

import gzip
import json
import uuid
from urllib.parse import urlencode

import pytest

from tests.channels.shoppex_partner.ordering import (
    ITEMS,
    NUMBER,
    PAYLOAD,
    QUANTITY,
    assert_refused,
    raw_order,
    stored,
)
from tests.support.partner_client import CREATE, PREFIX, PRODUCTS, order_of

FORM = "application/x-www-form-urlencoded"


def form_of(product, quantity="2", number=""):
    return urlencode(
        {
            "items[0][product_id]": product,
            "items[0][quantity]": quantity,
            "id_order_partner": number or uuid.uuid4().hex,
            "comments": "één & twee",
        }
    ).encode()


async def lines_of(database, reply):
    assert reply.status_code == 201, reply.text
    return [
        (line["variant_id"], line["quantity"]) for line in (await stored(database, reply))["lines"]
    ]


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", None, ""])
async def test_json_and_a_nested_form_under_a_forms_name_or_none(
    partner, variant, server_database, content_type
):
    product = await variant()
    for body in (
        json.dumps(order_of((product, 2))).encode(),
        b"\xef\xbb\xbf" + json.dumps(order_of((product, 2))).encode(),
        form_of(product),
    ):
        reply = await partner.create(raw=body, content_type=content_type)
        assert await lines_of(server_database, reply) == [(product, 2)]


async def test_a_multipart_order(partner, variant, server_database):
    product = await variant()
    fields = {
        "items[0][product_id]": product,
        "items[0][quantity]": 2,
        "id_order_partner": uuid.uuid4().hex,
    }
    parts = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    body = f"{parts}--B--\r\n".encode()
    reply = await partner.create(raw=body, content_type="multipart/form-data; boundary=B")
    assert await lines_of(server_database, reply) == [(product, 2)]
    reply = await partner.create(raw=body[:-8], content_type="multipart/form-data; boundary=B")
    assert_refused(reply, 400, PAYLOAD)


async def test_items_with_gaps_in_their_numbering(partner, variant, server_database):
    products = [await variant(), await variant()]
    items = {
        "5": {"product_id": products[1], "quantity": 1},
        "2": {"product_id": products[0], "quantity": 2},
    }
    reply = await partner.create({"items": items, "id_order_partner": uuid.uuid4().hex})
    assert await lines_of(server_database, reply) == [(products[0], 2), (products[1], 1)]


@pytest.mark.parametrize("form", ["{}.0", '"{}.0000"', "{}e0", '"{}"', '"0{}"'])
async def test_whole_numbers_in_every_spelling(partner, variant, server_database, form):
    product = await variant(own=10)
    body = raw_order(form.format(product), quantity=form.format(2), number=f'"{uuid.uuid4().hex}"')
    assert await lines_of(server_database, await partner.create(raw=body)) == [(product, 2)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"items[0][product_id]=1&items[0][quantity]=2.5&id_order_partner=X", QUANTITY),
        (b"items[0][product_id]=1&items[0][quantity]=1&id_order_partner=%E2%80%8B", NUMBER),
        (b"items[0][product_id]=1&items[0][quantity]=1&id_order_partner=%ff", PAYLOAD),
        (b"items[0][product_id]=1&items[0][product_id]=2&items[0][quantity]=1&id_order_partner=X", PAYLOAD),
        (b"items=1&items[0][quantity]=1&id_order_partner=X", PAYLOAD),
        (b"items[0][product_id=1&items[0][quantity]=1&id_order_partner=X", PAYLOAD),
        (b"items[0][product_id]=1&id_order_partner=X&" + b"&".join([b"x[]=1"] * 2_000), PAYLOAD),
        (b"items" + b"[0]" * 17 + b"=1&id_order_partner=X", PAYLOAD),
        (b"items=&id_order_partner=X", ITEMS),
        (b"items[a][product_id]=1&items[a][quantity]=1&id_order_partner=X", ITEMS),
        (b"a", ITEMS),
        (b"", PAYLOAD),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
async def test_a_form_that_is_no_order(partner, nothing_written, body, code):
    async with nothing_written():
        assert_refused(await partner.create(raw=body, content_type=FORM), 400, code)


async def test_a_gzip_body_is_signed_as_it_is_sent(
    partner, variant, server_database, nothing_written
):
    product = await variant()
    for plain, content_type in (
        (json.dumps(order_of((product, 2))).encode(), "application/json"),
        (form_of(product), FORM),
    ):
        packed = gzip.compress(plain, mtime=0)
        options = {"content_type": content_type, "content_encoding": "gzip"}
        reply = await partner.create(raw=packed, **options)
        assert await lines_of(server_database, reply) == [(product, 2)]
        async with nothing_written():
            headers = partner.signed("POST", body=plain)
            reply = await partner.send(
                "POST", PREFIX + CREATE, headers=headers, body=packed, **options
            )
            assert reply.json()["code"] == "partner_auth_invalid_signature"


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (gzip.compress(b" " * 300_000, mtime=0), "gzip", 413),
        (gzip.compress(b" " * 20_000_000, mtime=0), "gzip", 413),
        (b"{}", "gzip", 400),
        (b"{}", "br", 400),
        (b"{}", "zstd", 400),
    ],
)
async def test_a_compressed_body_that_is_none(partner, nothing_written, body, coding, status):
    code = {413: "partner_payload_too_large", 400: PAYLOAD}[status]
    async with nothing_written():
        assert_refused(await partner.create(raw=body, content_encoding=coding), status, code)


@pytest.mark.parametrize("before", ["/", "//", "///"])
async def test_doubled_slashes_are_single_ones(partner, variant, before):
    product = await variant()
    for path in (f"{before}wp-json/{CREATE}", f"{PREFIX}{CREATE}{before}"):
        url = partner.base_url + path
        assert (await partner.create(order_of((product, 1)), path=url)).status_code == 201
    for path in (
        f"{before}wp-json{before}{PRODUCTS}",
        f"/?rest_route={before}{PRODUCTS.replace('/', before)}",
    ):
        assert (await partner.products(path=partner.base_url + path)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/wp-json/shoppex-integrations/v1/%70roducts", "/wp-json/shoppex-integrations/v1/%2570roducts",
        "/%77p-json/shoppex-integrations/v1/products", "/wp-json%2Fshoppex-integrations/v1/products",
        "/wp-json/shoppex-integrations/v1/products%2F", "/?rest_route=%252Fshoppex-integrations%252Fv1%252Fproducts",
        "/?rest_route=/shoppex-integrations/v1/%2570roducts",
    ],
)  # fmt: skip
async def test_a_path_that_must_be_decoded_is_another_one(partner, path):
    reply = await partner.products(path=path)
    assert (reply.status_code, reply.json()["code"]) == (404, "rest_no_route")
