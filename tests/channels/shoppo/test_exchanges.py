"""Recorded exchanges say today what they said when they were recorded, but for ids and times.

Record anew, and look at the difference, with:

    RECORD_EXCHANGES=1 pytest tests/channels/shoppo/test_exchanges.py
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
from tests.channels.shoppo.test_plans import EVERYTHING
from tests.support.clocked import ClockedServer
from tests.support.factories import box
from tests.support.partner_client import raw_exchange
from tests.support.shoppo_client import PATH, add_drop_shipper

FOLDER = Path(__file__).parent / "exchanges"
VIEWER, TOKEN = "pk_recorded_shipper", "RecordedToken0123456789shippers"
SEED_ID = "21421713751366966949588"
SEED_PRODUCT = (
    "query product($id: ID!) {\n node(id: $id) {\n ... on Product {\n id\n name\n }\n }\n}\n"
)
LIST = """query productList(
  $first: Int,
  $after: String,
  $before: String,
  $last: Int,
  $filters: ProductFilterInput,
) {
  productList(
    first: $first,
    after: $after,
    before: $before,
    last: $last,
    filters: $filters,
  ) {
    length
    edges {
      node {
        id
        name
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
"""
CATEGORIES = """query productCategories(
  $first: Int,
  $after: String,
  ){
  productCategories(
    first: $first,
    after: $after,
  ) {
    length
    edges {
      node {
        id
        categoryId
        path
      }
    }
  }
}
"""


def post(
    query: str, *, token: str = TOKEN, viewer: str = VIEWER, accept: str = "", **body: Any
) -> bytes:
    """A request as it goes over the wire."""
    return raw(
        json.dumps({"query": query, **body}).encode(), token=token, viewer=viewer, accept=accept
    )


def raw(
    content: bytes,
    *,
    token: str = TOKEN,
    viewer: str = VIEWER,
    accept: str = "",
    method: str = "POST",
    kind: str = "application/json",
) -> bytes:
    """A request with any body."""
    lines = [f"{method} {PATH} HTTP/1.1", "Host: shop.example", "Connection: close"]
    given = {
        "Content-Type": kind, "accesstoken": token, "viewerid": viewer, "Accept": accept,
        "Content-Length": str(len(content)),
    }  # fmt: skip
    lines += [f"{name}: {value}" for name, value in given.items() if value]
    return "\r\n".join([*lines, "", ""]).encode() + content


SCENARIOS: dict[str, list[bytes]] = {
    "seed-product": [
        post(SEED_PRODUCT, variables={"id": SEED_ID}, operationName="Product"),
        raw(b'{"query":"query p($id: ID!) { node(id: $id) { id } }","variables":{"id":%s}}'
            % SEED_ID.encode()),
    ],
    "seed-list": [post(LIST), post(LIST, variables={"first": 2, "after": "", "filters": None})],
    "seed-categories": [post(CATEGORIES, variables={"first": 2})],
    "everything": [post(EVERYTHING)],
    "refused": [
        post("{"),
        post("{ nothing }"),
        post("{ nothing }", accept="application/graphql-response+json"),
        post("query q($n: Int!) { productList(first: $n) { length } }"),
        post("{ a: __typename productList(first: -1) { length } }"),
        post("query a { __typename } query b { __typename }"),
        post("{ " + " ".join(f"a{n}: __typename" for n in range(11)) + " }"),
    ],
    "no-request": [
        raw(b"{"), raw(b"[]"), raw(b"{}"), raw(b"", method="GET"),
        raw(b"query={__typename}", kind="application/x-www-form-urlencoded"),
    ],
    "token": [
        post("{ __typename }", token=""),
        post("{ __typename }", viewer=""),
        post("{ __typename }", token=TOKEN[:-1] + "x"),
        post("{ __typename }", viewer="pk_another"),
    ],
}  # fmt: skip
MASKS = (
    (r'"(id|originalId)":"[0-9A-Za-z]{22}"', r'"\1":"..."'),
    (r'"(cursor|startCursor|endCursor)":"[^"]+"', r'"\1":"..."'),
    (r'"categoryId":"\d+"', '"categoryId":"0"'),
    (r'"requestId":"[^"]+"', '"requestId":"..."'),
    (r"http://127\.0\.0\.1:\d+", "http://shop.example"),
    (r'"checksum":"[0-9a-f]{32}","originalHeight":0,"originalWidth":0,"originalUrl":"http://shop.example',
     '"checksum":"...","originalHeight":0,"originalWidth":0,"originalUrl":"http://shop.example'),
)  # fmt: skip
VOLATILE = {"date": "...", "x-request-id": "...", "content-length": "..."}


@pytest.fixture
async def _recorded_shipper(hall_database: Database, hall: Shop) -> None:
    """The one whose token the recorded requests have."""
    async with hall_database.begin() as tx:
        await tx.run("delete from credentials where public_key = %s", (VIEWER,))
    partner_id, _, _ = await add_drop_shipper(hall_database, shop_id=hall.id)
    async with hall_database.begin() as tx:
        await add_credential(
            tx, partner_id=partner_id, ids=RandomIds(), box=box(), proof="bearer",
            key=VIEWER, secret=TOKEN,
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
    assert {path.stem for path in FOLDER.glob("*.json")} == {*SCENARIOS, "order"}


@pytest.mark.usefixtures("_recorded_shipper")
@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_recorded_exchange_still_holds(hall_server, name):
    told = await replay(hall_server, SCENARIOS[name])
    path = FOLDER / f"{name}.json"
    if os.environ.get("RECORD_EXCHANGES"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"exchanges": told}, indent=2, ensure_ascii=False) + "\n")
    recorded = json.loads(path.read_text())["exchanges"]
    assert [each["request"] for each in recorded] == [each["request"] for each in told]
    assert told == recorded
