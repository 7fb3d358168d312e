"""The channels that can sell: how each orders, and how it answers."""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Protocol

from tests.support.factories import PartnerFixture
from tests.support.partner_client import CREATE, PREFIX, PRODUCTS, sign
from tests.support.raw_http import Connection, Reply, request_bytes

SOLD, SHORT, TAKEN, UNAVAILABLE, BROKEN = "sold", "short", "taken", "unavailable", "broken"
ENTERED = "entered"


@dataclass(frozen=True)
class Outcome:
    """A channel's answer: sold, short (no stock), taken (the number was used), unavailable, broken.

    `entered` holds until a second request tells which.
    """

    kind: str
    order_id: int = 0
    text: str = ""


class Door(Protocol):
    """A channel that can sell."""

    @property
    def name(self) -> str:
        """The channel's name."""

    @property
    def partner(self) -> PartnerFixture:
        """Who buys."""

    async def begin(
        self, connection: Connection, variant_id: int, *, quantity: int, number: str
    ) -> str:
        """Send what goes before an order; the number to order with, '' where too little is left."""

    def order(
        self, variant_id: int, *, quantity: int, number: str, timestamp: int, nonce: str
    ) -> bytes:
        """The request that places an order."""

    def outcome(self, reply: Reply) -> Outcome:
        """What the answer means."""

    def question(self, outcome: Outcome, *, number: str) -> bytes | None:
        """The request for what the answer left open, or None."""

    def answer(self, outcome: Outcome, reply: Reply) -> Outcome:
        """The outcome after that second answer."""


@dataclass(frozen=True)
class ShoppexPartnerDoor:
    """The signed wholesale channel, for one of its partners."""

    partner: PartnerFixture
    name: str = "shoppex_partner"

    async def begin(
        self, connection: Connection, variant_id: int, *, quantity: int, number: str
    ) -> str:
        """The number as it is: nothing goes before an order."""
        return number

    def order(
        self, variant_id: int, *, quantity: int, number: str, timestamp: int, nonce: str
    ) -> bytes:
        """An order of one line."""
        document = {
            "items": [{"product_id": variant_id, "quantity": quantity}],
            "id_order_partner": number,
        }
        body = json.dumps(document).encode()
        return signed_request(self.partner, "POST", body=body, timestamp=timestamp, nonce=nonce)

    def outcome(self, reply: Reply) -> Outcome:
        """By status and code; a 409 that names the existing order counts as an acknowledgement."""
        document = reply.json()
        if not isinstance(document, dict):
            return Outcome(BROKEN, text=f"{reply.status} {reply.body[:200]!r}")
        code = document.get("code", "")
        if reply.status in {200, 201} and document.get("success") is True:
            return Outcome(SOLD, order_id=document["order_id"])
        if reply.status == 409 and code == "partner_order_already_exists":
            return Outcome(TAKEN, order_id=document["data"].get("order_id", 0))
        if reply.status == 403 and code in _SHORT_CODES:
            return Outcome(SHORT)
        if reply.status == 503 and reply.header("retry-after"):
            return Outcome(UNAVAILABLE, text=str(code))
        return Outcome(BROKEN, text=f"{reply.status} {code} {document.get('message')}")

    def question(self, outcome: Outcome, *, number: str) -> bytes | None:
        """None: its answers leave nothing open."""
        return None

    def answer(self, outcome: Outcome, reply: Reply) -> Outcome:
        """Never called."""
        return outcome


_SHORT_CODES = {"partner_stock_limit_exceeded", "partner_backorder_not_allowed"}


def signed_request(
    partner: PartnerFixture,
    method: str,
    *,
    timestamp: int,
    nonce: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> bytes:
    """A signed request to the partner channel, ready to be written to a socket."""
    route = CREATE if method == "POST" else PRODUCTS
    signature = sign(
        partner.secret,
        method=method,
        route=route,
        timestamp=str(timestamp),
        nonce=nonce,
        body=body,
    )
    signed = {
        "X-Shoppex-Key": partner.key,
        "X-Shoppex-Timestamp": str(timestamp),
        "X-Shoppex-Nonce": nonce,
        "X-Shoppex-Signature": signature,
    }
    if method == "POST":
        signed["Content-Type"] = "application/json"
    return request_bytes(method, PREFIX + route, headers={**signed, **(headers or {})}, body=body)


async def buy(
    connection: Connection,
    door: Door,
    variant_id: int,
    *,
    quantity: int,
    number: str,
    timestamp: int | None = None,
    nonce: str = "",
) -> Outcome:
    """Place one order over an open connection, after what goes before it; its outcome."""
    number = await door.begin(connection, variant_id, quantity=quantity, number=number)
    if not number:
        return Outcome(SHORT)
    return await order(
        connection,
        door,
        variant_id,
        quantity=quantity,
        number=number,
        timestamp=timestamp,
        nonce=nonce,
    )


async def order(
    connection: Connection,
    door: Door,
    variant_id: int,
    *,
    quantity: int,
    number: str,
    timestamp: int | None = None,
    nonce: str = "",
) -> Outcome:
    """Place one order with a number that `begin` gave; its outcome."""
    request = door.order(
        variant_id,
        quantity=quantity,
        number=number,
        timestamp=int(time.time()) if timestamp is None else timestamp,
        nonce=nonce or uuid.uuid4().hex,
    )
    outcome = door.outcome(await connection.exchange(request))
    if question := door.question(outcome, number=number):
        return door.answer(outcome, await connection.exchange(question))
    return outcome
