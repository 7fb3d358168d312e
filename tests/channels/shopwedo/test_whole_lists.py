"""Lists without an offset: from the disk with their length, one at a time, never half a list as a whole."""

import asyncio
import gzip
import json
import socket
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from crossdock.shop.catalogue import (
    CategoryRecord,
    ProductRecord,
    VariantRecord,
    upsert_categories,
    upsert_products,
)
from crossdock.shop.shops import read_shop
from crossdock.shop.stock import StockRecord
from tests.support.shopwedo_client import ShopClient

NOW = datetime.now(UTC)
MANY = 1_230  # more than two pieces, and more than is kept in memory


@pytest.fixture
def fill(server_database, shop):
    """Put many products with two variants each, and a long description, on the shelf."""

    async def write(count: int, *, text: str = "d" * 200) -> None:
        records = [
            ProductRecord(
                handle=f"p{n}",
                name=f"P {n}",
                merchant="Main",
                currency="EUR",
                description=text,
                sort=n % 7,
                option_names=("Size",),
                variants=tuple(
                    VariantRecord(
                        sku=f"p{n}-{size}",
                        options={"Size": size},
                        retail_minor=1000,
                        stock=(StockRecord(pool="own", on_hand=5),),
                    )
                    for size in ("S", "L")
                ),
            )
            for n in range(count)
        ]
        async with server_database.begin() as tx:
            found = await read_shop(tx, slug=shop.slug)
            await upsert_products(tx, shop=found, records=records, now=NOW)

    return write


async def test_a_long_list_is_the_pages_in_the_order_of_the_shop(client, fill):
    await fill(MANY // 3)

    whole = await client.read("getProducts")

    pages: list[Any] = []
    while page := await client.read("getProducts", offset=len(pages)):
        pages += page
    assert len(pages) == MANY // 3 * 3
    assert whole == sorted(pages, key=lambda p: (p["sort"], p["product_id"]))


async def test_a_long_list_has_its_length_and_is_the_same_as_gzip(client, fill):
    await fill(MANY // 3)

    plain = _raw(client, "getProducts")
    packed = _raw(client, "getProducts", accept="gzip")

    assert len(plain.body) > 500_000
    assert int(plain.headers["content-length"]) == len(plain.body)
    assert plain.headers["content-type"] == packed.headers["content-type"]
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body) / 5
    assert gzip.decompress(packed.body) == plain.body
    found = json.loads(plain.body)
    assert plain.body == json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode()


async def test_other_lists_are_whole_too(client, server_database, shop):
    records = [
        CategoryRecord(path=(f"C {n}",), sort=n, descriptions={"en": "d" * 500})
        for n in range(MANY)
    ]
    async with server_database.begin() as tx:
        await upsert_categories(
            tx, shop_id=shop.id, records=records, now=datetime(2026, 1, 1, tzinfo=UTC)
        )

    whole = await client.read("getCategories")

    assert [c["name"]["en"] for c in whole] == [f"C {n}" for n in range(MANY)]
    assert await client.read("getCategories", category_id=[]) == []
    assert await client.read("getBlogPosts") == []


async def test_callers_at_the_same_time_all_get_the_list(client, fill):
    await fill(MANY // 3)

    found = await asyncio.gather(*(client.read("getProducts") for _ in range(4)))

    assert all(each == found[0] for each in found)


async def test_who_reads_none_of_its_lists_gets_no_more_of_them_meanwhile(client, clients, fill):
    await fill(MANY // 4, text="d" * 4_000)
    other = await clients()

    with _Asked(client) as asked:
        statuses = [asked.one_more() for _ in range(8)]
        refused = [status for status in statuses if status != 200]
        assert refused
        assert set(refused) == {503}
        assert len(statuses) - len(refused) <= 4  # two a process
        assert len(await other.read("getCategories")) == 0

    async with asyncio.timeout(10):  # once the server saw that they are gone
        while (reply := await client.call("getProducts")).status_code == 503:
            await asyncio.sleep(0.1)
    assert len(reply.json()) == MANY // 4 * 3


class _Answer:
    def __init__(self, whole: bytes) -> None:
        head, _, self.body = whole.partition(b"\r\n\r\n")
        lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
        self.headers = {name.decode().lower(): value.decode() for name, _, value in lines}


def _request(client: ShopClient, method: str, *, accept: str) -> bytes:
    kind, body = client.body({})
    return (
        f"POST /api/{method} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\n"
        f"Accept-Encoding: {accept}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _raw(client: ShopClient, method: str, *, accept: str = "identity") -> _Answer:
    port = urlsplit(client.base_url).port
    assert port
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(_request(client, method, accept=accept))
        return _Answer(b"".join(iter(lambda: connection.recv(1 << 20), b"")))


class _Asked:
    """Connections that asked for a list and read no more than the status."""

    def __init__(self, client: ShopClient) -> None:
        self._client = client
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def one_more(self) -> int:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", urlsplit(self._client.base_url).port or 0))
        self._open.append(connection)
        connection.sendall(_request(self._client, "getProducts", accept="identity"))
        return int(connection.recv(12)[9:])

    def __exit__(self, *_: object) -> None:
        for connection in self._open:
            connection.close()
