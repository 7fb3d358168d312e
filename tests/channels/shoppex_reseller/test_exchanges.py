"""Recorded exchanges say today what they said when they were recorded, but for ids and times.

Record anew, and look at the difference, with:

    RECORD_EXCHANGES=1 pytest tests/channels/shoppex_reseller/test_exchanges.py
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
from tests.support.clocked import ClockedServer
from tests.support.factories import ShopFixture, box
from tests.support.partner_client import raw_exchange
from tests.support.reseller_client import add_key_holder

FOLDER = Path(__file__).parent / "exchanges"
NAME, KEY = "pk_recorded_merchant", "shx_RecordedKey0123456789merchant"
SEED_ID = "11111111-1111-4111-8111-111111111111"
LICENCE = {"title": "Licence", "price": 29.99, "type": "SERIALS", "serials": ["AAA-1", "BBB-2"]}
COUNTED = {"title": "Lamp", "price": "5", "type": "SERVICE", "stock": 3, "on_hold": True}


def sent(method: str, path: str, body: Any = None, *, key: str = KEY, **headers: str) -> bytes:
    """A request as it goes over the wire; a body that is bytes goes as it is."""
    content = (
        body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    )
    given = {"Authorization": f"Bearer {key}" if key else "", **headers}
    if content:
        given |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    lines = [f"{method} {path} HTTP/1.1", "Host: shop.example", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value]
    return "\r\n".join([*lines, "", ""]).encode() + content


SCENARIOS: dict[str, list[bytes]] = {
    "me": [sent("GET", "/dev/v1/me"), sent("GET", "/dev/v1/me/capabilities/")],
    "token": [
        sent("GET", "/dev/v1/me", key=""),
        sent("GET", "/dev/v1/me", key=KEY[:-1] + "x"),
        sent("GET", "/dev/v1/me", key="shr_reseller_api_key"),
    ],
    "products": [
        sent("POST", "/dev/v1/products/", LICENCE, Idempotency_Key="licence-1"),
        sent("POST", "/dev/v1/products", LICENCE, Idempotency_Key="licence-1"),
        sent("POST", "/dev/v1/products", COUNTED, Idempotency_Key="licence-1"),
        sent("POST", "/dev/v1/products/", COUNTED),
        sent("GET", "/dev/v1/products/?page=1&limit=1"),
        sent("GET", "/dev/v1/products/search?q=licence"),
    ],
    "refused": [
        sent("GET", f"/dev/v1/products/{SEED_ID}"),
        sent("POST", "/dev/v1/products", {"title": "", "price": -1}),
        sent("POST", "/dev/v1/products", b"{"),
        sent("POST", f"/dev/v1/products/{SEED_ID}/serials/claim"),
        sent("GET", "/dev/v1/products?limit=101&cursor=x"),
        sent("PUT", "/dev/v1/products"),
        sent("GET", "/dev/v1/nothing"),
    ],
}
MASKS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "..."),
    (r'"next_cursor":"[^"]+"', '"next_cursor":"..."'),
    (r'"slug":"shop-[a-z0-9]+"', '"slug":"..."'),
    (r"http://127\.0\.0\.1:\d+", "http://shop.example"),
)
VOLATILE = {"date": "...", "x-request-id": "...", "content-length": "..."}


@pytest.fixture
async def _recorded_merchant(desk_database: Database, desk: ShopFixture) -> None:
    """The one whose key the recorded requests have."""
    async with desk_database.begin() as tx:
        await tx.run("delete from credentials where public_key = %s", (NAME,))
    partner_id, _, _ = await add_key_holder(desk_database, shop_id=desk.id)
    async with desk_database.begin() as tx:
        await add_credential(
            tx, partner_id=partner_id, ids=RandomIds(), box=box(), proof="bearer",
            key=NAME, secret=KEY,
        )  # fmt: skip


def masked(answer: bytes) -> dict[str, Any]:
    """Status, headers and body of an answer, without what differs from run to run."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {}
    for line in sorted(lines):
        name, _, value = line.partition(": ")
        headers[name.lower()] = VOLATILE.get(name.lower(), value)
    headers.pop("x-ratelimit-remaining", None)
    headers.pop("x-ratelimit-reset", None)
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


@pytest.mark.usefixtures("_recorded_merchant")
@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_recorded_exchange_still_holds(desk_server, name):
    told = await replay(desk_server, SCENARIOS[name])
    path = FOLDER / f"{name}.json"
    if os.environ.get("RECORD_EXCHANGES"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"exchanges": told}, indent=2, ensure_ascii=False) + "\n")
    recorded = json.loads(path.read_text())["exchanges"]
    assert [each["request"] for each in recorded] == [each["request"] for each in told]
    assert told == recorded
