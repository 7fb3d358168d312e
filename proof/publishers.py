"""Publishers who sell in carts: how they are created, and how a shopper buys through them."""

import json
from dataclasses import dataclass
from typing import Any

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner
from proof.doors import BROKEN, SHORT, SOLD, TAKEN, UNAVAILABLE, Outcome
from tests.support.factories import PartnerFixture, ShopFixture, box
from tests.support.raw_http import Connection, Reply, request_bytes
from tests.support.shopper import BODY, RIGHTS

CHANNEL = "shoppable"


async def make_publisher(tx: Transaction, *, shop: ShopFixture) -> PartnerFixture:
    """Create a publisher without a rate limit; `secret` is its token."""
    ids = RandomIds()
    partner_id = await add_partner(
        tx,
        shop_id=shop.id,
        channel=CHANNEL,
        name=f"Publisher {ids.random_token(8)}",
        terms=Terms(permissions=RIGHTS, settings={"rate_limit_per_minute": 0}),
    )
    made = await add_credential(tx, partner_id=partner_id, ids=ids, box=box(), proof="bearer")
    return PartnerFixture(id=partner_id, shop_id=shop.id, key=made.key, secret=made.secret)


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
        reply = await connection.exchange(self._get(path))
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
        body = json.dumps({"cartId": number, **BODY}).encode()
        headers = {"Content-Type": "application/json"}
        path = f"/api/v3/token/{self.partner.secret}/checkout"
        return request_bytes("POST", path, headers=headers, body=body)

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

    def _get(self, path: str) -> bytes:
        return request_bytes(
            "GET", path, headers={"Authorization": f"Bearer {self.partner.secret}"}
        )
