"""A recorded sale says today what it said when it was recorded, but for numbers that the database gives.

Cart, checkout, order and feed, each request made of the answers before it. Record anew, and look at
the difference, with:

    RECORD_EXCHANGES=1 pytest tests/channels/shoppable/test_recorded_sale.py
"""

import json
import os
import re
from typing import Any

from tests.channels.shoppable.conftest import OpenStall, Stall
from tests.channels.shoppable.test_exchanges import FOLDER, masked
from tests.support.partner_client import raw_exchange
from tests.support.shopper import ALWAYS, BODY

RECORDED = FOLDER / "sale" / "sale.json"
MASKS = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "CART"),
    (r"Publisher [A-Za-z0-9]{8}", "Publisher"),
    (r"Product \d+", "Product"),
    (r"SKU-\d+", "SKU"),
    (r"\bM\d+\b", "Merchant"),
    (r"\bR\d{9}\b", "R000000000"),
    (r'"upc":"\d+"', '"upc":"0"'),
    (r'"(partner_id|partnerId|id|lineitem_id|expire)":\d+', r'"\1":0'),
    (r"Content-Length: \d+", "Content-Length: 0"),
    (r'"token":"\w+"', '"token":"TOKEN"'),
)


class Sale:
    """Sends requests and keeps what was said; secrets and numbers are masked in both."""

    def __init__(self, stall: Stall) -> None:
        self._stall = stall
        self.told: list[dict[str, Any]] = []

    async def send(self, method: str, path: str, *, body: Any = None, header: str = "") -> Any:
        """The body of the answer."""
        sent = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: shop.example", "Connection: close"]
        lines += [header or f"Authorization: Bearer {self._stall.shopper.token}"]
        if sent:
            lines += ["Content-Type: application/json", f"Content-Length: {len(sent)}"]
        request = "\r\n".join([*lines, "", ""]).encode() + sent
        answer = await raw_exchange(self._stall.server.port, request)
        response = masked(answer)
        response["body"] = self._masked(response["body"])
        self.told.append({"request": self._masked(request.decode()), "response": response})
        return json.loads(answer.partition(b"\r\n\r\n")[2] or b"null")

    def _masked(self, text: str) -> str:
        shopper = self._stall.shopper
        for secret in (shopper.token, shopper.access, shopper.password, shopper.user):
            text = text.replace(secret, "SECRET") if secret else text
        for pattern, replacement in MASKS:
            text = re.sub(pattern, replacement, text)
        text = re.sub(r"(?<=put/)\d+(?=/qty)|(?<=delete/)\d+", "0", text)
        return re.sub(r'("sku": ?|"outOfStockItems": ?\[)"\d+"', r'\1"0"', text)


async def test_is_what_was_recorded(stalls: OpenStall) -> None:
    stall = await stalls()
    mall, shopper = stall.mall, stall.shopper
    first = await mall.merchant(
        shipping_flat_minor=595, free_shipping_from_minor=3500, commission_bp=1000
    )
    ten = await mall.variant(merchant_id=first, price_minor=1000)
    sixty = await mall.variant(price_minor=6000, sale_minor=5000)
    sale = Sale(stall)

    cart_id = (await sale.send("GET", "/v3/cart/"))["cart"]["id"]
    cart = f"/v3/cart/{cart_id}"
    await sale.send("GET", f"{cart}/put/{ten}/qty/8")
    await sale.send("GET", f"{cart}/put/{ten}/qty/many")
    items = [{"sku": str(ten), "qty": 2}, {"sku": "dead", "qty": 1}, {"sku": str(sixty), "qty": 1}]
    await sale.send("POST", "/v3/cart/put/bundling", body={"id": cart_id, "items": items})
    await sale.send("GET", f"{cart}/delete/{sixty}/")
    await sale.send("GET", cart)
    checkout = f"/api/v3/token/{shopper.token}/checkout"
    await sale.send("POST", checkout, body={"cartId": cart_id, **BODY, "card_number": "4242"})
    [line] = await sale.send("POST", checkout, body={"cartId": cart_id, **BODY})
    await sale.send("POST", checkout, body={"cartId": cart_id, **BODY})
    await sale.send("GET", f"/v3/order/{line['number']}")
    other = (await sale.send("GET", "/v3/cart"))["cart"]["id"]
    await sale.send("GET", f"/v3/cart/{other}/clear")
    await sale.send("GET", f"/v3/cart/{other}/deleteCart")
    await sale.send("GET", f"/v3/cart/{other}")
    pair = {"userId": shopper.user, "password": shopper.password}
    await sale.send("POST", "/auth", body=pair | {"password": "wrong"})
    [given] = await sale.send("POST", "/auth", body=pair)
    shopper.access = given["token"]
    access = f"x-access-token: {shopper.access}"
    await sale.send("GET", f"/v3/orderData/100/page/0/{ALWAYS}", header=access)
    await sale.send("GET", f"/v3/orderData/100/page/0/{ALWAYS}?after=0", header=access)
    await sale.send("GET", f"/v3/orderData/100/page/0/{ALWAYS}")

    if os.environ.get("RECORD_EXCHANGES"):
        RECORDED.parent.mkdir(exist_ok=True)
        RECORDED.write_text(
            json.dumps({"exchanges": sale.told}, indent=2, ensure_ascii=False) + "\n"
        )
    assert sale.told == json.loads(RECORDED.read_text())["exchanges"]
