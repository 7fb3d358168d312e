"""Recorded exchanges say today what they said when they were recorded, but for numbers that the database gives.

Record anew, and look at the difference, with:

    RECORD_EXCHANGES=1 pytest tests/channels/shoppable/test_exchanges.py
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import add_credential
from crossdock.shop.shops import Shop
from tests.support.clocked import ClockedServer
from tests.support.factories import box
from tests.support.partner_client import raw_exchange
from tests.support.shoppable_client import add_publisher

FOLDER = Path(__file__).parent / "exchanges"
KEY, TOKEN = "pk_recorded_publisher", "RecordedToken0123456789abcdefghi"


def get(path: str, *, authorization: str = f"Bearer {TOKEN}", method: str = "GET") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: shop.example", "Connection: close"]
    lines += [f"Authorization: {authorization}"] if authorization else []
    return "\r\n".join([*lines, "", ""]).encode()


PREFLIGHT = (
    b"OPTIONS /v3/catalog/ HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n"
    b"Origin: https://blog.example\r\nAccess-Control-Request-Method: GET\r\n"
    b"Access-Control-Request-Headers: authorization\r\n\r\n"
)
GUIDES = "?search=revlon&merchants=walmart&brands=revlon&offset=0&rows=5&navigation_type=none"
SCENARIOS: dict[str, list[bytes]] = {
    "catalog": [get(f"/v3/catalog/{GUIDES}")],
    "catalog-pages": [
        get(f"/v3/catalog/?sort=name&rows=1&navigation_type=none&offset={n}") for n in (0, 2, 4)
    ],
    "catalog-navigation": [
        get(f"/v3/catalog?rows=0&categories=men&navigation_type={kind}")
        for kind in ("all", "category_only", "category_all", "except_category", "none")
    ],
    "catalog-damaged-example": [
        get("/v3/catalog/?search=-category:men%20AND__%20-category:children__&rows=0"
            "&navigation_type=category_only")
    ],
    "catalog-unbalanced": [get("/v3/catalog/?search=%22velvet&navigation_type=none")],
    "catalog-wrong": [
        get(f"/v3/catalog/?{wrong}")
        for wrong in ("rows=x", "offset=-1", "sort=x", "discount_type=x", "navigation_type=x",
                      "categories=*", "part_numbers=*", "brands=*", "sizes=,", "colors=%7C",
                      "merchants=*", "min_price=x", "search=" + "a" * 513)
    ],
    "product-by-upc": [get("/v3/product?upcs=603084459353,999999999999,081555770167")],
    "product-unknown": [get("/v3/product?upcs=999999999999"), get("/v3/product/x"),
                        get("/v3/product")],
    "token": [
        get("/v3/catalog/?rows=0&navigation_type=none", authorization=f"bearer {TOKEN}"),
        get("/v3/catalog/", authorization=""),
        get("/v3/catalog/", authorization="Basic YTpi"),
        get("/v3/catalog/", authorization="Bearer Kolu72V3T3eFplHNe66e8aef90aba019"),
    ],
    "preflight": [PREFLIGHT],
    "no-route": [get("/v3/nothing"), get("/v3/catalog/", method="DELETE")],
}  # fmt: skip
MASKS = (
    (r'"(part_number|id|sku|merchant_id|category_id)":"\d+"', r'"\1":"0"'),
    (r'"(as_of|query_time)":\d+', r'"\1":0'),
    (r"http://127\.0\.0\.1:\d+", "http://shop.example"),
)
VOLATILE = {"date": "...", "x-request-id": "...", "content-length": "..."}


@pytest.fixture
async def _publisher(mall_database: Database, mall: Shop) -> None:
    """The one whose token the recorded requests have."""
    async with mall_database.begin() as tx:
        await tx.run("delete from credentials where public_key = %s", (KEY,))
    partner_id, _ = await add_publisher(mall_database, shop_id=mall.id)
    async with mall_database.begin() as tx:
        await add_credential(
            tx, partner_id=partner_id, ids=RandomIds(), box=box(), proof="bearer",
            key=KEY, secret=TOKEN,
        )  # fmt: skip


def masked(answer: bytes) -> dict[str, Any]:
    """Status, headers and body of an answer, without what differs from run to run."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {}
    for line in sorted(lines):
        name, _, value = line.partition(": ")
        headers[name.lower()] = VOLATILE.get(name.lower(), value)
    text = body.decode()
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return {"status": int(first.split()[1]), "headers": headers, "body": text}


async def replay(server: ClockedServer, requests: list[bytes]) -> list[dict[str, Any]]:
    """The requests and what is answered now."""
    return [
        {"request": request.decode(), "response": masked(await raw_exchange(server.port, request))}
        for request in requests
    ]


def test_every_scenario_is_recorded_and_nothing_else():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(SCENARIOS)


@pytest.mark.usefixtures("_publisher")
@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_recorded_exchange_still_holds(mall_server, name):
    told = await replay(mall_server, SCENARIOS[name])
    path = FOLDER / f"{name}.json"
    if os.environ.get("RECORD_EXCHANGES"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"exchanges": told}, indent=2, ensure_ascii=False) + "\n")
    recorded = json.loads(path.read_text())["exchanges"]
    assert [each["request"] for each in recorded] == [each["request"] for each in told]
    assert told == recorded
