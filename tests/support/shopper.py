"""A publisher's shoppers on one server: carts, checkouts and the order feed, as the wire has them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx2

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner
from tests.support.factories import box
from tests.support.paying import GOOD
from tests.support.shoppable_client import Publisher

RIGHTS = ("catalog.read", "carts.write", "orders.create", "orders.feed", "orders.read")
ALWAYS = "startdate/2020-01-01T00:00:00.000Z/enddate/2040-01-01T00:00:00.000Z"
PERSON = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "street1": "1 Analytical Way",
    "city": "Austin",
    "state": "TX",
    "postal_code": "78701",
    "phone": "+1 512 555 0100",
    "email": "ada@buyer.example",
}
# The body of the guide: no shipping country, and a currency.
BODY = {
    **{f"shipping_{name}": text for name, text in PERSON.items()},
    **{f"billing_{name}": text for name, text in PERSON.items()},
    "billing_country": "US",
    "card_name": "Ada Lovelace",
    "currency": "USD",
    "expiry_month": "12",
    "expiry_year": "2031",
    "security_code": "737",
    "card_number": GOOD,
}


class Shopper(Publisher):
    """A publisher with a name and a password for its order feed as well."""

    def __init__(self, base_url: str, *, token: str, user: str, password: str) -> None:
        super().__init__(base_url, token=token)
        self.user = user
        self.password = password
        self.access = ""

    async def cart(self, *wanted: tuple[int, int]) -> str:
        """The id of a new cart with these quantities of variants."""
        cart_id: str = (await self.read("/v3/cart/"))["cart"]["id"]
        for variant, quantity in wanted:
            await self.put(cart_id, variant, quantity)
        return cart_id

    async def put(self, cart_id: str, sku: object, quantity: object) -> dict[str, Any]:
        """The cart after a put."""
        cart: dict[str, Any] = await self.read(f"/v3/cart/{cart_id}/put/{sku}/qty/{quantity}")
        return cart

    async def check_out(self, cart_id: str, **changes: Any) -> httpx2.Response:
        """The answer to a checkout; a change of None leaves a field out."""
        body = {"cartId": cart_id, **BODY, **changes}
        given = {name: value for name, value in body.items() if value is not None}
        return await self.send("POST", f"/api/v3/token/{self.token}/checkout", json=given)

    async def buy(self, *wanted: tuple[int, int], **changes: Any) -> list[dict[str, Any]]:
        """The lines of an order of these quantities of variants."""
        reply = await self.check_out(await self.cart(*wanted), **changes)
        assert reply.status_code == 200, reply.text
        lines: list[dict[str, Any]] = reply.json(parse_float=Decimal)
        return lines

    async def log_in(self, **changes: str) -> httpx2.Response:
        """The answer to a log-in."""
        pair = {"userId": self.user, "password": self.password} | changes
        return await self.send("POST", "/auth", json=pair)

    async def feed(
        self, *, rows: int = 100, page: int = 0, span: str = ALWAYS, **parameters: Any
    ) -> httpx2.Response:
        """The answer of the order feed; the first call logs in."""
        if not self.access:
            self.access = (await self.log_in()).json()[0]["token"]
        path = f"/v3/orderData/{rows}/page/{page}/{span}"
        headers = {"x-access-token": self.access, "Authorization": ""}
        return await self.send("GET", path, headers=headers, params=parameters or None)


async def add_shopper(
    db: Database, base_url: str, *, shop_id: int, is_test: bool = False, **terms: Any
) -> tuple[int, Shopper]:
    """A partner's id and its shoppers, with every right."""
    ids = RandomIds()
    chosen: Mapping[str, Any] = {"permissions": RIGHTS, **terms}
    async with db.begin() as tx:
        partner_id = await add_partner(
            tx,
            shop_id=shop_id,
            channel="shoppable",
            name=f"Publisher {ids.random_token(8)}",
            terms=Terms(**chosen),
        )
        token, pair = [
            await add_credential(
                tx, partner_id=partner_id, ids=ids, box=box(), proof=proof, is_test=is_test
            )
            for proof in ("bearer", "password")
        ]
    return partner_id, Shopper(base_url, token=token.secret, user=pair.key, password=pair.secret)
