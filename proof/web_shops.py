"""Web shops whose goods the warehouse holds: how they are created, call methods, and order."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Literal

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner
from proof.doors import BROKEN, ENTERED, SHORT, SOLD, TAKEN, UNAVAILABLE, Outcome
from tests.support.factories import PartnerFixture, ShopFixture, box
from tests.support.raw_http import Connection, Reply, request_bytes
from tests.support.shopwedo_client import (
    ADMIN,
    literal,
    multipart,
    order_of,
    token_of,
    urlencoded,
)

Encoding = Literal["form", "multipart", "json"]
ENCODINGS: tuple[Encoding, ...] = ("form", "multipart", "json")
CHANNEL = "shopwedo"


async def make_web_shop(
    tx: Transaction, *, shop: ShopFixture, settings: dict[str, Any] | None = None, **terms: Any
) -> PartnerFixture:
    """Create a web shop without a rate limit; `key` is its shop id, `secret` its shop key."""
    key = str(secrets.randbelow(10**15) + 10**6)
    partner_id = await add_partner(
        tx,
        shop_id=shop.id,
        channel=CHANNEL,
        name=f"Web shop {key}",
        terms=Terms(settings={"rate_limit_per_minute": 0, **(settings or {})}, **terms),
    )
    made = await add_credential(
        tx,
        partner_id=partner_id,
        ids=RandomIds(),
        box=box(),
        key=key,
        is_test=True,
    )
    return PartnerFixture(id=partner_id, shop_id=shop.id, key=made.key, secret=made.secret)


def auth_text(partner: PartnerFixture, *, timestamp: str, salt: str) -> str:
    """The text of the auth object, with the token by the published formula."""
    token = token_of(partner.key, partner.secret, timestamp, salt)
    return (
        f'{{"shopid": "{partner.key}", "timestamp": {timestamp},'
        f' "salt": {json.dumps(salt)}, "token": "{token}"}}'
    )


def encoded(auth: str, data: str, *, encoding: Encoding) -> tuple[str, bytes]:
    """Content type and body of a call."""
    if encoding == "json":
        return literal(auth, data)
    make = multipart if encoding == "multipart" else urlencoded
    return make({"auth": auth, "data": data})


def post(method: str, content_type: str, body: bytes, *, prefix: str = ADMIN) -> bytes:
    """The bytes of a request with this body."""
    return request_bytes("POST", prefix + method, headers={"Content-Type": content_type}, body=body)


def call_bytes(
    partner: PartnerFixture,
    method: str,
    data: Any,
    *,
    timestamp: int | None = None,
    salt: str = "",
    encoding: Encoding = "form",
) -> bytes:
    """The bytes of a signed call."""
    stamp = str(int(time.time()) if timestamp is None else timestamp)
    auth = auth_text(partner, timestamp=stamp, salt=salt or secrets.token_hex(8))
    return post(method, *encoded(auth, json.dumps(data), encoding=encoding))


@dataclass(frozen=True)
class ShopWeDoDoor:
    """The fulfilment channel, for one of its web shops.

    An order without stock is accepted too, so its state is asked for afterwards. A refusal of a used
    number does not name the order, so that is asked for too.
    """

    partner: PartnerFixture
    name: str = CHANNEL

    async def begin(
        self, connection: Connection, variant_id: int, *, quantity: int, number: str
    ) -> str:
        """The number as it is: nothing goes before an order."""
        return number

    def order(
        self, variant_id: int, *, quantity: int, number: str, timestamp: int, nonce: str
    ) -> bytes:
        """An order of one line that is to be released."""
        document = order_of((variant_id, quantity), number=number, release=True)
        return call_bytes(
            self.partner, "createOrder", document, timestamp=timestamp, salt=nonce, encoding="form"
        )

    def outcome(self, reply: Reply) -> Outcome:
        """`entered` or `taken`, about which getOrder is asked; `unavailable`, or `broken`."""
        document = reply.json()
        if not isinstance(document, dict):
            return Outcome(BROKEN, text=f"{reply.status} {reply.body[:200]!r}")
        if reply.status == 201 and isinstance(document.get("order_id"), int):
            return Outcome(ENTERED, order_id=document["order_id"])
        if reply.status == 400 and document == _ALREADY_USED:
            return Outcome(TAKEN)
        return _failed(reply)

    def question(self, outcome: Outcome, *, number: str) -> bytes | None:
        """getOrder, if the first answer left something open."""
        if outcome.kind == ENTERED:
            return call_bytes(self.partner, "getOrder", {"order_id": outcome.order_id})
        if outcome.kind == TAKEN:
            return call_bytes(self.partner, "getOrder", {"external_order_id": number})
        return None

    def answer(self, outcome: Outcome, reply: Reply) -> Outcome:
        """`released` is sold, `reserved` is short; an order asked for by its number stays `taken`."""
        document = reply.json()
        if reply.status != 200 or not isinstance(document, list):
            return _failed(reply)
        order = document[0] if outcome.kind == ENTERED else document[0][0]
        order_id, word = order["order_id"], order["status_string"]
        if outcome.kind == ENTERED and order_id != outcome.order_id:
            return Outcome(BROKEN, text=f"asked for {outcome.order_id}, told of {order_id}")
        if word == "reserved":
            return Outcome(SHORT, order_id=order_id, text=word)
        if word != "released":
            return Outcome(BROKEN, text=f"order {order_id} is {word}")
        return Outcome(SOLD if outcome.kind == ENTERED else TAKEN, order_id=order_id)


_ALREADY_USED = {
    "order_id": False,
    "error": "order_invalid_data",
    "errors": {"external_order_id": ["already used"]},
}


def _failed(reply: Reply) -> Outcome:
    if reply.status == 503 and reply.header("retry-after"):
        return Outcome(UNAVAILABLE)
    return Outcome(BROKEN, text=f"{reply.status} {reply.body[:200]!r}")
