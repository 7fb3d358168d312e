"""Recorded exchanges say today what they said when they were recorded, byte for byte where it can be.

Each file of exchanges/ holds requests as they went over the wire, signed for a standing clock, and
the answers with what must vary masked. Record anew, and look at the difference, with:

    RECORD_EXCHANGES=1 pytest tests/channels/shoppex_partner/test_exchanges.py
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, set_terms
from tests.channels.shoppex_partner.conftest import SIGNED_AT
from tests.support.clocked import ClockedServer
from tests.support.factories import box, make_partner, make_shop, make_variant
from tests.support.partner_client import CREATE, PREFIX, PRODUCTS, PartnerClient, raw_exchange

FOLDER = Path(__file__).parent / "exchanges"
KEY, SECRET = "pk_demo_partner_key", "sk_demo_partner_secret_0123456789abcdef"
SIGNER = PartnerClient(
    "http://shop.example", key=KEY, secret=SECRET, now=int(SIGNED_AT.timestamp())
)
ORDER = {
    "items": [{"product_id": 12345, "quantity": 2}],
    "id_order_partner": "PO-2026-0001",
    "comments": "Leave with the caretaker.",
}


def get(nonce: str = "nonce-1", **options: Any) -> bytes:
    """A signed GET as it goes over the wire."""
    headers = options.pop("headers", {})
    method = options.pop("method", "GET")
    path = options.pop("path", PREFIX + PRODUCTS)
    return _raw(method, path, SIGNER.signed("GET", nonce=nonce, **options) | headers)


def post(document: Any = None, nonce: str = "nonce-2", **changes: Any) -> bytes:
    """A signed POST as it goes over the wire."""
    body = json.dumps(ORDER | changes if document is None else document).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return (
        _raw("POST", PREFIX + CREATE, SIGNER.signed("POST", body=body, nonce=nonce) | headers)
        + body
    )


def _raw(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: shop.example", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def line(product: int, quantity: Any) -> list[dict[str, Any]]:
    return [{"product_id": product, "quantity": quantity}]


# A caller may ask whether its body is welcome before it sends it.
ANNOUNCED = SIGNER.signed("POST", nonce="nonce-1") | {
    "Content-Length": "262145",
    "Expect": "100-continue",
}

# name: (what the shop is like, the requests one after the other)
SCENARIOS: dict[str, tuple[str, list[bytes]]] = {
    "products": ("", [get()]),
    "products-empty": ("no products", [get()]),
    "products-backorder": ("backorder on", [get()]),
    "products-unchanged": ("", [get(headers={"If-None-Match": "*"})]),
    "auth-missing-headers": ("", [_raw("GET", PREFIX + PRODUCTS, {"X-Shoppex-Key": KEY})]),
    "auth-invalid-timestamp": ("", [get(timestamp="1775726400000")]),
    "auth-expired-timestamp": ("", [get(timestamp="1775726099")]),
    "auth-invalid-key": ("", [get(key="pk_nobody")]),
    "auth-invalid-signature": ("", [get(signature="0" * 64)]),
    "auth-reused-nonce": ("", [get(), get()]),
    "auth-invalid-signature-post": ("", [post().replace(b'"quantity": 2', b'"quantity": 3')]),
    "permission-denied": ("no permissions", [get(), post()]),
    "no-route": ("", [get(method="DELETE"), get(path=PREFIX + "/shoppex-integrations/v1/nothing")]),
    "create-order": ("", [post()]),
    "create-order-again": ("", [post(), post(nonce="nonce-3")]),
    "create-order-backorder": ("backorder on", [post(items=line(11111, 500))]),
    "invalid-payload": ("", [post([])]),
    "missing-items": ("", [post(items=[])]),
    "missing-number": ("", [post(id_order_partner=" ")]),
    "invalid-quantity": ("", [post(items=line(12345, 0))]),
    "product-not-found": ("", [post(items=line(99999, 1) + line(12345, 1))]),
    "backorder-not-allowed": ("", [post(items=line(11111, 1))]),
    "stock-limit-exceeded": ("", [post(items=line(67890, 9))]),
    "amount-not-allowed": ("minimum amount", [post()]),
    "customer-not-configured": ("no customer", [post()]),
    "customer-not-found": ("customer deleted", [post()]),
    "customer-inactive": ("customer inactive", [post()]),
    "billing-incomplete": ("no billing", [post()]),
    "shipping-incomplete": ("no shipping", [post()]),
    "payload-too-large": ("", [_raw("POST", PREFIX + CREATE, ANNOUNCED)]),
}  # fmt: skip

TERMS = {
    "backorder on": Terms(backorder=True),
    "no permissions": Terms(permissions=()),
    "minimum amount": Terms(min_amount_minor=5000),
    "no customer": Terms(customer_id=None),
}
CUSTOMER = {
    "customer deleted": "deleted_at = now()",
    "customer inactive": "active = false",
    "no billing": "billing = '{}'",
    "no shipping": "shipping = '{}'",
}


async def build(database: Database, given: str) -> None:
    """A shop with one product of each origin, changed as `given` says."""
    async with database.begin() as tx:
        await tx.run("delete from credentials where public_key = %s", (KEY,))
        shop = await make_shop(tx)
        if given != "no products":
            await make_variant(
                tx, shop=shop, id=12345, name="Blue mug", own=24, upc="4006381333931"
            )
            await make_variant(
                tx, shop=shop, id=67890, name="Iron pot", own=8, supplier=30,
                price_minor=4999, origin="*", upc="0012345678905",
            )  # fmt: skip
            await make_variant(
                tx, shop=shop, id=11111, name="Oak table", own=None, supplier=40,
                price_minor=900, origin="Supplier", upc="5901234123457",
            )  # fmt: skip
        partner = await make_partner(tx, shop=shop)
        await add_credential(
            tx, partner_id=partner.id, ids=RandomIds(), box=box(), key=KEY, secret=SECRET
        )
        if given in TERMS:
            await set_terms(tx, partner_id=partner.id, terms=TERMS[given])
        if given in CUSTOMER:
            await tx.run(
                f"update customers set {CUSTOMER[given]} where id = %s", (shop.customer_id,)
            )


MASKS = (
    (r'"order_id":\d+', '"order_id":0'),
    (r"wc_order_[A-Za-z0-9]{13}", "wc_order_XXXXXXXXXXXXX"),
    (r"http://127\.0\.0\.1:\d+", "http://shop.example"),
    (r"order_id=\d+", "order_id=0"),
)
VOLATILE = {"date": "...", "x-request-id": "...", "content-length": "..."}


def masked(answer: bytes) -> dict[str, Any]:
    """Status, headers and body of an answer, without what differs from run to run."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {}
    for text in sorted(lines):
        name, _, value = text.partition(": ")
        headers[name.lower()] = VOLATILE.get(name.lower(), value)
    text = body.decode()
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return {"status": int(first.split()[1]), "headers": headers, "body": text}


async def replay(server: ClockedServer, requests: list[bytes]) -> list[dict[str, Any]]:
    return [
        {"request": request.decode(), "response": masked(await raw_exchange(server.port, request))}
        for request in requests
    ]


def test_every_scenario_is_recorded_and_nothing_else():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_recorded_exchange_still_holds(database, standing_server, name):
    given, requests = SCENARIOS[name]
    path = FOLDER / f"{name}.json"
    await build(database, given)
    if os.environ.get("RECORD_EXCHANGES"):
        exchanges = await replay(standing_server, requests)
        document = {"given": given or "a shop with three products", "exchanges": exchanges}
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    recorded = json.loads(path.read_text())["exchanges"]
    assert [exchange["request"] for exchange in recorded] == [r.decode() for r in requests]
    if os.environ.get("RECORD_EXCHANGES"):
        return
    told = await replay(standing_server, [exchange["request"].encode() for exchange in recorded])
    assert told == recorded


# ---------------------------------------------------------------- the published description


async def test_every_recorded_answer_is_one_that_the_openapi_document_describes(standing_server):
    """Status, content type and every field: the description and the server tell the same."""
    [channel] = [c for c in standing_server.app.channels if c.name == "shoppex_partner"]
    assert channel.openapi is not None
    document = channel.openapi()
    for path in sorted(FOLDER.glob("*.json")):
        for exchange in json.loads(path.read_text())["exchanges"]:
            method, target, _ = exchange["request"].split(" ", 2)
            operation = document["paths"].get(target, {}).get(method.lower())
            response = exchange["response"]
            if operation is None:
                assert response["status"] == 404
                continue
            described = operation["responses"][str(response["status"])]
            if response["status"] == 304:
                assert response["body"] == ""
                continue
            schema = described["content"]["application/json"]["schema"]
            whole = {**schema, "components": document.get("components", {})}
            jsonschema_rs.validator_for(whole).validate(json.loads(response["body"]))
