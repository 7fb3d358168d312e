"""What the routes do with requests that are not what the specification shows."""

import asyncio
import gzip
import json
import zlib

import pytest
import zstandard

from tests.support.partner_client import (
    CREATE,
    PREFIX,
    PRODUCTS,
    body_of,
    order_of,
    raw_exchange,
    status_of,
)

NO_ROUTE = "rest_no_route"
PAYLOAD = "partner_invalid_payload"


def assert_no_route(reply) -> None:
    assert reply.status_code == 404
    assert reply.json()["code"] == NO_ROUTE
    assert reply.json()["data"]["status"] == 404
    assert "allow" not in reply.headers


# ---------------------------------------------------------------- routes and methods


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "LIST", "get"]
)
async def test_the_product_list_knows_get_and_head_only(server, partner, method):
    headers = partner.signed(method, route=PRODUCTS)
    assert_no_route_raw(await raw_request(server, method, PREFIX + PRODUCTS, headers))


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"])
async def test_create_order_knows_post_only(server, partner, variant, nothing_written, method):
    body = json.dumps(order_of((await variant(), 1))).encode()
    headers = partner.signed(method, route=CREATE, body=body)
    async with nothing_written():
        answer = await raw_request(server, method, PREFIX + CREATE, headers, body)
    if method == "HEAD":
        assert status_of(answer) == 404
    else:
        assert_no_route_raw(answer)


@pytest.mark.parametrize(
    "path",
    [
        PREFIX,
        f"{PREFIX}/",
        f"{PREFIX}/shoppex-integrations/v1",
        f"{PREFIX}/shoppex-integrations/v1/",
        f"{PREFIX}/shoppex-integrations/v1/product",
        f"{PREFIX}/shoppex-integrations/v1/products/1",
        f"{PREFIX}/shoppex-integrations/v1/Products",
        f"{PREFIX}/Shoppex-Integrations/v1/products",
        f"{PREFIX}/shoppex-integrations/v2/products",
        f"{PREFIX}/wp/v2/posts",
        f"{PREFIX}/shoppex-integrations/v1/products%00",
        f"{PREFIX}/shoppex-integrations/v1/create-order/1",
        f"{PREFIX}/shoppex-integrations%2fv1/products",
        f"{PREFIX}/shoppex-integrations/v1/%70roducts",
    ],
)
async def test_an_unknown_path_is_no_route(partner, path):
    for method in ("GET", "POST"):
        headers = partner.signed(method)
        assert_no_route(await partner.send(method, path, headers=headers))


@pytest.mark.parametrize(
    "path", ["/WP-JSON" + PRODUCTS, "/wp-json" + PRODUCTS.upper(), "/wp-jsonx", PRODUCTS]
)
async def test_paths_are_exact_and_lower_case(partner, path):
    assert (await partner.products(path=path)).status_code == 404


async def test_a_trailing_slash_is_the_same_route_and_the_same_signature(partner, variant):
    product = await variant()
    assert (await partner.products(path=PREFIX + PRODUCTS + "/")).status_code == 200
    reply = await partner.create(order_of((product, 1)), path=PREFIX + CREATE + "/")
    assert reply.status_code == 201


@pytest.mark.parametrize(
    "query",
    [
        "?_method=DELETE",
        "?_method=POST",
        "?_envelope",
        "?_jsonp=alert",
        "?per_page=1&page=2",
        "?" + "a=b&" * 1000,
        "?%",
        "?rest_route=/x",
    ],
)
async def test_the_query_string_is_ignored(partner, variant, query):
    product = await variant()
    plain = await partner.products()
    reply = await partner.products(path=PREFIX + PRODUCTS + query)
    assert (reply.status_code, reply.content) == (200, plain.content)
    assert reply.headers["content-type"] == plain.headers["content-type"]
    created = await partner.create(order_of((product, 1)), path=PREFIX + CREATE + query)
    assert next(iter(created.json())) == "success"
    assert created.status_code == 201


async def test_an_overridden_method_is_ignored(partner, variant, nothing_written):
    product = await variant()
    override = {"x_http_method_override": "POST"}
    async with nothing_written():
        assert (await partner.products(**override)).status_code == 200
    delete = {"x_http_method_override": "DELETE"}
    assert (await partner.create(order_of((product, 1)), **delete)).status_code == 201


async def test_no_browser_is_invited(partner, variant):
    await variant()
    for reply in (
        await partner.products(origin="https://evil.example"),
        await partner.send(
            "OPTIONS",
            PREFIX + PRODUCTS,
            headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
        ),
    ):
        assert not [name for name in reply.headers if name.startswith("access-control-")]


# ---------------------------------------------------------------- bodies on their way


async def test_a_get_with_a_body_is_signed_over_that_body(partner, variant):
    await variant()
    body = b'{"x":1}'
    headers = partner.signed("GET", body=body)
    assert (
        await partner.send("GET", PREFIX + PRODUCTS, headers=headers, body=body)
    ).status_code == 200
    headers = partner.signed("GET")
    refused = await partner.send("GET", PREFIX + PRODUCTS, headers=headers, body=body)
    assert refused.json()["code"] == "partner_auth_invalid_signature"


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "nonsense"])
async def test_a_get_never_needs_a_content_type(partner, content_type):
    assert (await partner.products(content_type=content_type)).status_code == 200


@pytest.mark.parametrize(
    ("coding", "compress"),
    [
        ("deflate", zlib.compress),
        ("zstd", zstandard.compress),
        ("br", bytes),
        ("identity, gzip", gzip.compress),
    ],
)
async def test_a_compressed_body_is_refused(partner, variant, nothing_written, coding, compress):
    body = compress(json.dumps(order_of((await variant(), 1))).encode())
    async with nothing_written():
        reply = await partner.create(raw=body, content_encoding=coding)
        assert (reply.status_code, reply.json()["code"]) == (400, PAYLOAD)


async def test_a_plain_body_that_claims_to_be_compressed_is_refused(
    partner, variant, nothing_written
):
    body = json.dumps(order_of((await variant(), 1))).encode()
    async with nothing_written():
        reply = await partner.create(raw=body, content_encoding="gzip")
        assert (reply.status_code, reply.json()["code"]) == (400, PAYLOAD)


async def test_a_chunked_body_is_a_body(server, partner, variant):
    body = json.dumps(order_of((await variant(), 1))).encode()
    data = head(
        "POST",
        PREFIX + CREATE,
        {**partner.signed("POST", body=body), "Transfer-Encoding": "chunked"},
    )
    for size in (1, 7, len(body)):
        piece, body = body[:size], body[size:]
        if piece:
            data += b"%x\r\n%s\r\n" % (len(piece), piece)
    answer = await raw_exchange(server.port, data + b"0\r\n\r\n")
    assert status_of(answer) == 201


async def test_a_body_of_a_megabyte_is_too_large_however_it_is_sent(
    server, partner, variant, nothing_written
):
    document = order_of((await variant(), 1), padding="x" * 1_000_000)
    body = json.dumps(document).encode()
    signed = partner.signed("POST", body=body)
    async with nothing_written():
        reply = await partner.send("POST", PREFIX + CREATE, headers=signed, body=body)
        assert (reply.status_code, reply.json()["code"]) == (413, "partner_payload_too_large")
        assert reply.json()["success"] is False
        assert reply.json()["data"]["status"] == 413
        chunked = head("POST", PREFIX + CREATE, {**signed, "Transfer-Encoding": "chunked"})
        chunked += b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        answer = await raw_exchange(server.port, chunked)
        assert status_of(answer) == 413
        assert b"partner_payload_too_large" in body_of(answer)


async def test_a_body_of_exactly_the_limit_is_read(partner, variant):
    product = await variant()
    document = order_of((product, 1), padding="")
    room = 262_144 - len(json.dumps(document).encode())
    for extra, status in ((0, 201), (1, 413)):
        document = order_of((product, 1), padding="x" * (room + extra))
        assert (await partner.create(document)).status_code == status


async def test_a_body_that_stops_half_way_writes_nothing(server, partner, variant, nothing_written):
    body = json.dumps(order_of((await variant(), 1))).encode()
    headers = {**partner.signed("POST", body=body), "Content-Length": str(len(body))}
    async with nothing_written():
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head("POST", PREFIX + CREATE, headers) + body[:-5])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)
    assert (await partner.products()).status_code == 200


async def test_two_requests_on_one_connection_get_two_answers(server, partner, variant):
    await variant()
    requests = b"".join(
        head("GET", PREFIX + PRODUCTS, partner.signed("GET"), close=close)
        for close in (False, True)
    )
    answer = await raw_exchange(server.port, requests)
    assert answer.count(b"HTTP/1.1 200") == 2


async def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(
    server, partner, variant
):
    body = json.dumps(order_of((await variant(), 1))).encode()
    headers = {**partner.signed("POST", body=body), "Content-Length": str(len(body))}
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head("POST", PREFIX + CREATE, headers | {"Expect": "100-continue"}))
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 100")
    writer.write(body)
    assert status_of(await asyncio.wait_for(reader.read(), 5)) == 201
    writer.close()


async def test_a_body_of_two_lengths_reaches_no_handler(server, partner, variant, nothing_written):
    """What one server takes for a body, another could take for the next request."""
    body = json.dumps(order_of((await variant(), 1))).encode()
    signed = partner.signed("POST", body=body)
    hidden = b"0\r\n\r\n" + head("POST", PREFIX + CREATE, signed) + body
    twice = {"Content-Length": str(len(hidden)), "Transfer-Encoding": "chunked"}
    two = head("POST", PREFIX + CREATE, signed | {"Content-Length": "5", "content-length": "6"})
    async with nothing_written():
        for data in (head("POST", PREFIX + CREATE, signed | twice) + hidden, two + body):
            answer = await raw_exchange(server.port, data)
            assert answer.count(b"HTTP/1.1") <= 1
            assert not answer or status_of(answer) in {400, 401}


# ---------------------------------------------------------------- every answer


async def test_the_log_of_the_server_holds_no_secret_and_no_signature(server, partner, variant):
    product = await variant()
    wrong = "f" * 64
    begin = len(server.log())
    reply = await partner.order(product, comments=f"my secret is {partner.secret}")
    await partner.products(signature=wrong)
    await partner.create(raw=partner.secret.encode())
    await partner.products(path=f"{PREFIX}{PRODUCTS}?key={partner.secret}")
    signed = partner.signed("GET")
    await partner.send("GET", PREFIX + PRODUCTS, headers=signed)
    log = server.log()[begin:]
    assert log.count("create-order") >= 2
    assert reply.status_code == 201
    for hidden in (partner.secret, wrong, signed["X-Shoppex-Signature"], reply.json()["order_key"]):
        assert hidden not in log
    assert "Traceback" not in log


async def test_every_answer_has_its_request_id_and_safety_headers(clients, partner, variant):
    product = await variant()
    nobody = await clients(permissions=())
    replies = [
        await partner.products(),
        await partner.products(method="HEAD"),
        await partner.products(signature="0" * 64),
        await nobody.products(),
        await partner.order(product),
        await partner.order(2**50),
        await partner.create(raw=b"x"),
        await partner.create({"a": "x" * 300_000}),
        await partner.send("DELETE", PREFIX + PRODUCTS, headers={}),
        await partner.send("GET", PREFIX + "/nothing", headers={}),
    ]
    ids = {reply.headers["x-request-id"] for reply in replies}
    assert len(ids) == len(replies)
    for reply in replies:
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["x-robots-tag"] == "noindex"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["content-type"] == "application/json; charset=UTF-8"


async def test_the_two_shapes_of_an_error(partner):
    read = (await partner.products(signature="0" * 64)).json()
    assert list(read) == ["code", "message", "data"]
    write = (await partner.create(raw=b"{}", signature="0" * 64)).json()
    assert list(write) == ["success", "code", "message", "data"]
    assert write["success"] is False


def head(method: str, path: str, headers: dict[str, str], *, close: bool = True) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: shop.example"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Content-Type: application/json"] if method == "POST" else []
    lines += ["Connection: close"] if close else []
    return "\r\n".join([*lines, "", ""]).encode()


async def raw_request(
    server, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> bytes:
    more = {"Content-Length": str(len(body))} if body else {}
    return await raw_exchange(server.port, head(method, path, headers | more) + body)


def assert_no_route_raw(answer: bytes) -> None:
    """404 rest_no_route; a method that HTTP itself does not know may get a bare 400 from the server."""
    assert status_of(answer) == 404, answer[:300]
    assert json.loads(body_of(answer))["code"] == NO_ROUTE


async def test_two_content_types_are_none(server, partner, variant, nothing_written):
    body = json.dumps(order_of((await variant(), 1))).encode()
    signed = partner.signed("POST", body=body) | {"content-type": "text/plain"}
    async with nothing_written():
        answer = await raw_request(server, "POST", PREFIX + CREATE, signed, body)
    assert status_of(answer) == 400
    assert json.loads(body_of(answer))["code"] == "partner_invalid_payload"
