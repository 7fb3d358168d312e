"""Publishers who sell in carts: how they are created, what they ask, and how a shopper buys through them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner
from proof.doors import BROKEN, SHORT, SOLD, TAKEN, UNAVAILABLE, Outcome
from tests.support.factories import PartnerFixture, ShopFixture, box
from tests.support.raw_http import Connection, Reply, request_bytes
from tests.support.shopper import ALWAYS, BODY, RIGHTS

CHANNEL = "shoppable"


async def make_publisher(
    tx: Transaction, *, shop: ShopFixture, permissions: Sequence[str] = RIGHTS, **terms: Any
) -> PartnerFixture:
    """Create a publisher without a rate limit; `secret` is its token."""
    ids = RandomIds()
    partner_id = await add_partner(
        tx,
        shop_id=shop.id,
        channel=CHANNEL,
        name=f"Publisher {ids.random_token(8)}",
        terms=Terms(permissions=tuple(permissions), settings={"rate_limit_per_minute": 0}, **terms),
    )
    made = await add_credential(tx, partner_id=partner_id, ids=ids, box=box(), proof="bearer")
    return PartnerFixture(id=partner_id, shop_id=shop.id, key=made.key, secret=made.secret)


async def make_reader(tx: Transaction, *, partner: PartnerFixture) -> tuple[str, str]:
    """Give a publisher a name and a password for the order feed."""
    ids = RandomIds()
    made = await add_credential(tx, partner_id=partner.id, ids=ids, box=box(), proof="password")
    return made.key, made.secret


def get(partner: PartnerFixture, path: str) -> bytes:
    """The bytes of a call with the publisher's token."""
    return request_bytes("GET", path, headers={"Authorization": f"Bearer {partner.secret}"})


def post(partner: PartnerFixture, path: str, document: Any) -> bytes:
    """The bytes of a call with the publisher's token and a document."""
    headers = {"Authorization": f"Bearer {partner.secret}", "Content-Type": "application/json"}
    return request_bytes("POST", path, headers=headers, body=json.dumps(document).encode())


def checkout(partner: PartnerFixture, cart_id: str, **fields: str) -> bytes:
    """The bytes of a cart's checkout with a good card."""
    path = f"/api/v3/token/{partner.secret}/checkout"
    return post(partner, path, {"cartId": cart_id, **BODY, **fields})


def log_in(name: str, password: str) -> bytes:
    """The bytes of a log-in to the order feed."""
    body = json.dumps({"userId": name, "password": password}).encode()
    return request_bytes("POST", "/auth", headers={"Content-Type": "application/json"}, body=body)


def feed(access: str, *, rows: int, page: int = 0, after: int | None = None) -> bytes:
    """The bytes of a call of the order feed: a page of all orders, or what changed after a number."""
    path = f"/v3/orderData/{rows}/page/{page}/{ALWAYS}"
    query = "" if after is None else f"?after={after}"
    return request_bytes("GET", path + query, headers={"x-access-token": access})


@dataclass(frozen=True)
class ShoppableDoor:
    """The channel of carts, for one of its publishers; the number of an order is its cart."""

    partner: PartnerFixture
    name: str = CHANNEL

    async def begin(
        self, connection: Connection, variant_id: int, *, quantity: int, number: str
    ) -> str:
        """Make a cart with the quantity; its id, '' where there is too little to put into it.

        Raises ConnectionError where the server tells to try again.
        """
        cart_id: str = (await self._cart(connection, "/v3/cart/"))["id"]
        path = f"/v3/cart/{cart_id}/put/{variant_id}/qty/{quantity}"
        return cart_id if (await self._cart(connection, path))["qty"] == quantity else ""

    async def _cart(self, connection: Connection, path: str) -> dict[str, Any]:
        reply = await connection.exchange(get(self.partner, path))
        if reply.status == 503 and reply.header("retry-after"):
            raise ConnectionError(f"{path}: {reply.body[:200]!r}")
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status} {reply.body[:200]!r}")
        cart: dict[str, Any] = reply.json()["cart"]
        return cart

    def order(
        self, variant_id: int, *, quantity: int, number: str, timestamp: int, nonce: str
    ) -> bytes:
        """A checkout of the cart."""
        return checkout(self.partner, number)

    def outcome(self, reply: Reply) -> Outcome:
        """By status: the lines of an order, the order of a used cart, or the SKUs that are short."""
        document = reply.json()
        if reply.status == 200 and isinstance(document, list) and document:
            return Outcome(SOLD, order_id=document[0]["id"])
        if reply.status == 400 and "number" in document:
            return Outcome(TAKEN, order_id=int(document["number"].removeprefix("R")))
        if reply.status == 400 and "outOfStockItems" in document:
            return Outcome(SHORT)
        if reply.status == 503 and reply.header("retry-after"):
            return Outcome(UNAVAILABLE, text=str(document))
        return Outcome(BROKEN, text=f"{reply.status} {reply.body[:200]!r}")

    def question(self, outcome: Outcome, *, number: str) -> bytes | None:
        """None: its answers leave nothing open."""
        return None

    def answer(self, outcome: Outcome, reply: Reply) -> Outcome:
        """Never called."""
        return outcome
