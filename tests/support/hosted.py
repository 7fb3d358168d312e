"""A shopper's browser without a window on the hosted checkout: it reads forms and sends them."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx2

from tests.support.paying import GOOD
from tests.support.shopper import PERSON, Shopper

DELIVERY = {
    **{f"shipping_{name}": text for name, text in PERSON.items()},
    "shipping_country_code": "US",
}
CARD = {
    "billing": "same",
    "card_name": "Ada Lovelace",
    "card_number": GOOD,
    "expiry_month": "12",
    "expiry_year": "31",
    "security_code": "737",
}


class _Reader(HTMLParser):
    """Collects the fields, their attributes and the visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, dict[str, str]] = {}
        self.links: list[str] = []
        self.images: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag in {"input", "select"}:
            self.fields[found.get("id", found["name"])] = found
        if tag == "a":
            self.links.append(found.get("href", ""))
        if tag == "img":
            self.images.append(found["src"])

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


class Page:
    """A page that was answered."""

    def __init__(self, reply: httpx2.Response) -> None:
        self.reply = reply
        self.status = reply.status_code
        self.html = reply.text
        reader = _Reader()
        reader.feed(self.html)
        self.fields, self.links, self.images = reader.fields, reader.links, reader.images
        self.text = " ".join(reader.text.split())

    @property
    def form(self) -> str:
        """The text that its forms are bound by."""
        match = re.search(r'name="form" value="([^"]+)"', self.html)
        assert match, self.text
        return unescape(match[1])

    @property
    def wrong(self) -> list[str]:
        """The fields that are marked as wrong."""
        return [name for name, told in self.fields.items() if "aria-invalid" in told]

    @property
    def policy(self) -> str:
        """The origins that may show it in a frame."""
        match = re.search("frame-ancestors ([^;]+)", self.reply.headers["content-security-policy"])
        assert match
        return match[1]


class Till:
    """The hosted checkout of one cart."""

    def __init__(self, shopper: Shopper, cart_id: str, **query: str) -> None:
        self._shopper = shopper
        self.cart_id = cart_id
        self.query = {"cart": cart_id, "apiToken": shopper.token, **query}

    async def open(self, **changes: str) -> Page:
        """The page behind the link."""
        return Page(await self._shopper.get("/checkout", **(self.query | changes)))

    async def send(self, form: str, step: str, headers: Any = None, **fields: str) -> Page:
        """The answer to a form."""
        data = {"form": form, "step": step, **fields}
        return Page(await self._shopper.send("POST", "/checkout", data=data, headers=headers))

    async def deliver(self, **changes: str) -> Page:
        """The payment's page."""
        return await self.send((await self.open()).form, "delivery", **(DELIVERY | changes))

    async def pay(self, page: Page, **changes: str) -> Page:
        """The answer to the payment's form of a page."""
        return await self.send(page.form, "pay", **(CARD | changes))

    async def follow(self, page: Page) -> Page:
        """The page that a 303 leads to."""
        assert page.status == 303, page.text
        return Page(await self._shopper.get(page.reply.headers["location"]))

    async def buy(self) -> Page:
        """The confirmation, from the link on."""
        return await self.follow(await self.pay(await self.deliver()))
