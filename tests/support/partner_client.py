"""A Shoppex partner's program: signs every request for real, from the published recipe alone.

Nothing of the server's code is used here, so that a mistake cannot agree with itself.
"""

import asyncio
import hashlib
import hmac
import json
import time
import uuid
from typing import Any, Self

import httpx2

from tests.support.factories import PartnerFixture

PREFIX = "/wp-json"
PRODUCTS = "/shoppex-integrations/v1/products"
CREATE = "/shoppex-integrations/v1/create-order"
ROUTES = {"GET": PRODUCTS, "HEAD": PRODUCTS, "POST": CREATE}

Headers = list[tuple[str, str]]


def sign(
    secret: str, *, method: str, route: str, timestamp: str, nonce: str, body: bytes = b""
) -> str:
    """The signature of the published recipe, lower-case hex."""
    body_hash = hashlib.sha256(body).hexdigest()
    message = f"{method}\n{route}\n{timestamp}\n{nonce}\n{body_hash}"
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()


class PartnerClient:
    """Sends signed requests to one server; any part of one can be chosen, so also falsified."""

    def __init__(self, base_url: str, *, key: str, secret: str, now: int | None = None) -> None:
        self.base_url = base_url
        self.key = key
        self.secret = secret
        self._now = now
        self._http = httpx2.AsyncClient(
            base_url=base_url, timeout=30, trust_env=False, verify=False
        )

    @classmethod
    def of(cls, base_url: str, partner: PartnerFixture, **options: Any) -> Self:
        """A client with a partner's credential."""
        return cls(base_url, key=partner.key, secret=partner.secret, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def signed(
        self,
        method: str,
        *,
        route: str | None = None,
        body: bytes = b"",
        key: str | None = None,
        secret: str | None = None,
        timestamp: str | None = None,
        nonce: str | None = None,
        signature: str | None = None,
    ) -> dict[str, str]:
        """The four headers; what is not given is right."""
        timestamp = timestamp if timestamp is not None else str(self._now or int(time.time()))
        nonce = nonce if nonce is not None else str(uuid.uuid4())
        right = sign(
            secret or self.secret,
            method=method,
            route=route or ROUTES[method],
            timestamp=timestamp,
            nonce=nonce,
            body=body,
        )
        return {
            "X-Shoppex-Key": self.key if key is None else key,
            "X-Shoppex-Timestamp": timestamp,
            "X-Shoppex-Nonce": nonce,
            "X-Shoppex-Signature": right if signature is None else signature,
        }

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | Headers,
        body: bytes = b"",
        content_type: str | None = "application/json",
        **extra: str,
    ) -> httpx2.Response:
        """One request as it is told; `extra` headers are written with underscores."""
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        names = {name.lower() for name, _ in pairs} | {name.replace("_", "-") for name in extra}
        if content_type is not None and "content-type" not in names:
            pairs.append(("Content-Type", content_type))
        if "accept-encoding" not in names:
            pairs.append(("Accept-Encoding", "identity"))
        pairs += [(name.replace("_", "-"), value) for name, value in extra.items()]
        return await self._http.request(method, path, headers=pairs, content=body or None)

    async def products(
        self, *, method: str = "GET", path: str = PREFIX + PRODUCTS, **options: Any
    ) -> httpx2.Response:
        """Ask for the product list; `options` go to `signed` where it knows them, else to `send`."""
        chosen, rest = _divide(options)
        return await self.send(method, path, headers=self.signed(method, **chosen), **rest)

    async def listed(self, **options: Any) -> dict[int, dict[str, Any]]:
        """The product list by id; fails unless the answer is 200."""
        reply = await self.products(**options)
        assert reply.status_code == 200, reply.text
        return {row["id"]: row for row in reply.json()}

    async def create(
        self,
        document: Any = None,
        *,
        raw: bytes | None = None,
        path: str = PREFIX + CREATE,
        **options: Any,
    ) -> httpx2.Response:
        """Place an order, from a document or from bytes as they are."""
        body = json.dumps(document).encode() if raw is None else raw
        chosen, rest = _divide(options)
        headers = self.signed("POST", body=body, **chosen)
        return await self.send("POST", path, headers=headers, body=body, **rest)

    async def order(
        self, product_id: Any, quantity: Any = 1, *, number: str = "", **fields: Any
    ) -> httpx2.Response:
        """Place an order of one line."""
        return await self.create(order_of((product_id, quantity), number=number, **fields))


def order_of(*lines: tuple[Any, Any], number: Any = "", **fields: Any) -> dict[str, Any]:
    """An order's document; a number of its own unless one is given."""
    return {
        "items": [{"product_id": product, "quantity": quantity} for product, quantity in lines],
        "id_order_partner": number or f"PO-{uuid.uuid4().hex[:12]}",
        **fields,
    }


def _divide(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    known = {"route", "key", "secret", "timestamp", "nonce", "signature"}
    chosen = {name: value for name, value in options.items() if name in known}
    return chosen, {name: value for name, value in options.items() if name not in known}


async def raw_exchange(port: int, data: bytes, *, timeout_s: float = 10.0) -> bytes:
    """Send bytes as they are and read until the server closes; add `Connection: close` yourself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), timeout_s)
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    """The status of a raw answer."""
    return int(answer.split(b" ", 2)[1])


def body_of(answer: bytes) -> bytes:
    """What follows the headers of a raw answer."""
    return answer.partition(b"\r\n\r\n")[2]
