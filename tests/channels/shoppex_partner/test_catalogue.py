"""The product list is complete, ordered and coded as asked for."""

import asyncio
import gzip
import json

import pytest
import zstandard

from tests.support.partner_client import PREFIX, PRODUCTS, raw_exchange

FIELDS = ["id", "name", "price", "stock_quantity", "stock_sc", "origen", "upc"]


async def test_an_empty_list_is_an_empty_array(partner):
    reply = await partner.products()
    assert (reply.status_code, reply.content) == (200, b"[]")


async def test_a_product_has_the_published_fields_with_their_types(partner, variant):
    product = await variant(own=24, name='Größe "L" / 日本 <b>', upc="000000000001")
    reply = await partner.products()
    assert list(reply.json()[0]) == FIELDS
    assert reply.json() == [
        {
            "id": product,
            "name": 'Größe "L" / 日本 <b>',
            "price": "19.99",
            "stock_quantity": 24,
            "stock_sc": 24,
            "origen": "SC",
            "upc": "000000000001",
        }
    ]


async def test_the_list_is_ordered_by_id(partner, variant, server_database, shop):
    ids = [await variant() for _ in range(5)]
    low = await variant(id=ids[0] - 500_000_000)
    high = await variant(id=2**60 + ids[0])
    rows = (await partner.products()).json()
    assert [row["id"] for row in rows] == [low, *ids, high]


async def test_the_answer_has_the_published_headers_and_none_of_a_paged_one(partner, variant):
    await variant()
    reply = await partner.products()
    assert reply.headers["content-type"] == "application/json; charset=UTF-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["x-robots-tag"] == "noindex"
    assert reply.headers["cache-control"] == "no-store"
    assert int(reply.headers["content-length"]) == len(reply.content)
    unwanted = {"x-wp-total", "x-wp-totalpages", "link", "set-cookie", "content-encoding"}
    assert not unwanted & set(reply.headers)
    assert not [name for name in reply.headers if name.startswith("access-control-")]


# ---------------------------------------------------------------- content codings


def plain(coding: str | None, body: bytes) -> bytes:
    if coding == "gzip":
        return gzip.decompress(body)
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    assert coding is None
    return body


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("identity", None),
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("GZIP", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip; q=0.5 , zstd;q=0.8", "zstd"),
        ("zstd;q=0", None),
        ("gzip;q=0, zstd;q=0", None),
        ("gzip;q=0.000", None),
        ("*", "zstd"),
        ("*;q=0", None),
        ("*;q=0, gzip", "gzip"),
        ("zstd;q=0, *", "gzip"),
        ("identity;q=0.5, gzip;q=0.4", None),
        ("gzip;q=0.4, identity;q=0.3", "gzip"),
        ("br", None),
        ("deflate", None),
        ("", None),
        (",,,", None),
        ("gzip;q=abc", None),
        ("gzip;q=", None),
        ("x" * 5000, None),
    ],
)
async def test_the_coding_is_the_one_asked_for(server, partner, variant, accept, coding):
    product = await variant()
    answer = await raw_get(server, partner, ("Accept-Encoding", accept))
    status, headers, body = answer
    assert status == 200
    assert headers.get("content-encoding") == coding
    assert headers["vary"] == "Accept-Encoding"
    assert int(headers["content-length"]) == len(body)
    assert [row["id"] for row in json.loads(plain(coding, body))] == [product]


async def test_no_accept_encoding_at_all_is_no_coding(server, partner, variant):
    await variant()
    status, headers, body = await raw_get(server, partner)
    assert (status, headers.get("content-encoding")) == (200, None)
    assert json.loads(body)


async def test_two_accept_encoding_lines_are_one_list(server, partner, variant):
    await variant()
    lines = (("Accept-Encoding", "br"), ("Accept-Encoding", "gzip"))
    _, headers, _ = await raw_get(server, partner, *lines)
    assert headers["content-encoding"] == "gzip"


# ---------------------------------------------------------------- methods and size


async def test_head_answers_as_get_without_a_body(partner, variant):
    await variant()
    for coding in ("identity", "gzip"):
        get = await partner.products(accept_encoding=coding)
        head = await partner.products(method="HEAD", accept_encoding=coding)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("etag", "content-type", "content-length", "content-encoding"):
            assert head.headers.get(name) == get.headers.get(name)
    assert (await partner.products(method="HEAD", signature="0" * 64)).status_code == 401
    tag = head.headers["etag"]
    assert (await partner.products(method="HEAD", if_none_match=tag)).status_code == 304


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
async def test_five_thousand_products_equal_the_database(
    partner, shop, server_database, server, coding
):
    async with server_database.begin() as tx:
        await add_many(tx, shop, count=5000)
        rows = await tx.all(
            "select id, name, retail_minor, upc from variants where shop_id = %s order by id",
            (shop.id,),
        )
    expected = [
        {
            "id": row[0],
            "name": row[1],
            "price": f"{row[2] // 100}.{row[2] % 100:02d}",
            "stock_quantity": 0,
            "stock_sc": 0,
            "origen": "SC",
            "upc": row[3],
        }
        for row in rows
    ]
    answers = await asyncio.gather(
        *(raw_get(server, partner, ("Accept-Encoding", coding)) for _ in range(4))
    )
    for status, headers, body in answers:
        assert status == 200
        assert int(headers["content-length"]) == len(body)
        assert json.loads(plain(headers.get("content-encoding"), body)) == expected


async def test_a_caller_who_goes_away_half_way_harms_nobody(partner, shop, server_database, server):
    async with server_database.begin() as tx:
        await add_many(tx, shop, count=5000)
    for _ in range(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request_of(partner))
        await reader.read(1000)
        writer.transport.abort()
    assert len(await partner.listed()) == 5000


async def add_many(tx, shop, *, count: int) -> None:
    product = await tx.value(
        "insert into products (shop_id, merchant_id, handle, name) values (%s, %s, 'many', 'Many') returning id",
        (shop.id, shop.merchant_id),
    )
    await tx.run(
        "insert into variants (shop_id, product_id, merchant_id, sku, name, currency, retail_minor, upc)"
        " select %s, %s, %s, 'S' || n, 'Náme ' || n || ' \"quoted\" ' || repeat('x', n %% 50), 'USD',"
        " n * 7 %% 100000, lpad(n::text, 12, '0') from generate_series(1, %s) n",
        (shop.id, product, shop.merchant_id, count),
    )


def request_of(partner, *headers: tuple[str, str]) -> bytes:
    lines = [f"GET {PREFIX}{PRODUCTS} HTTP/1.1", "Host: shop.example", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in [*partner.signed("GET").items(), *headers]]
    return "\r\n".join([*lines, "", ""]).encode()


async def raw_get(server, partner, *headers: tuple[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and the bytes as they came over the wire."""
    answer = await raw_exchange(server.port, request_of(partner, *headers))
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = dict(line.split(": ", 1) for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs.items()}, body
