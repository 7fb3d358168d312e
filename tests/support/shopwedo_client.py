"""Web shops' programs: they make the token from the published formula and send it as real clients do.

| shape | body | shop id | timestamp | salt | no arguments |
|---|---|---|---|---|---|
| php | urlencoded | text | whole seconds | 13 hex digits, new each time | `data=[]` |
| js | multipart | number | fraction of seconds | always the same | `data=` |
| py | urlencoded | text | whole seconds | 16 letters and digits | no `data` |
| json | JSON | number | whole seconds | new each time | `"data": {}` |

Nothing of the server's code is used here, so that a mistake cannot agree with itself.
"""

import hashlib
import hmac
import json
import secrets
import string
import time
import uuid
from typing import Any, Literal, Self
from urllib.parse import urlencode

import httpx2

Shape = Literal["php", "js", "py", "json"]
SHAPES: tuple[Shape, ...] = ("php", "js", "py", "json")
ADMIN = "/admin/api/"
SHORT = "/api/"
BOUNDARY = "--------------------------402187362549071928374650"
JS_SALT = "a constant of the program"
NOTHING: Any = object()


def token_of(shop_id: str, key: str, timestamp: str, salt: str) -> str:
    """The token of the published formula: HMAC-SHA512 under the key, lower-case hex."""
    message = f"{shop_id}{key}{timestamp}{salt}"
    return hmac.new(key.encode(), message.encode(), hashlib.sha512).hexdigest()


def urlencoded(fields: dict[str, str]) -> tuple[str, bytes]:
    """Content type and body of a form."""
    return "application/x-www-form-urlencoded", urlencode(fields).encode()


def multipart(fields: dict[str, str], *, boundary: str = BOUNDARY) -> tuple[str, bytes]:
    """Content type and body of a multipart form."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    ]
    body = "".join(parts) + f"--{boundary}--\r\n"
    return f"multipart/form-data; boundary={boundary}", body.encode()


def literal(auth: str, data: str = "{}") -> tuple[str, bytes]:
    """Content type and body of the page's own snippet."""
    return "application/json", f'{{"auth": {auth}, "data": {data}}}'.encode()


class ShopClient:
    """One web shop that calls one server; any part of a call can be chosen, so also falsified."""

    def __init__(
        self,
        base_url: str,
        *,
        shop_id: str,
        key: str,
        shape: Shape = "py",
        now: float | None = None,
    ) -> None:
        self.base_url = base_url
        self.shop_id = shop_id
        self.key = key
        self.shape = shape
        self.now = now
        self._http = httpx2.AsyncClient(
            base_url=base_url, timeout=60, trust_env=False, verify=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def shaped(self, shape: Shape) -> "ShopClient":
        """The same shop with another program, on the same connections."""
        other = ShopClient(
            self.base_url, shop_id=self.shop_id, key=self.key, shape=shape, now=self.now
        )
        other._http = self._http
        return other

    def auth(self, **chosen: Any) -> str:
        """The auth object's text; `timestamp` and `shopid` may be chosen as JSON text."""
        now = self.now if self.now is not None else time.time()
        defaults = {
            "php": (f'"{self.shop_id}"', str(int(now)), secrets.token_hex(7)[:13]),
            "js": (self.shop_id, f"{now:.3f}".rstrip("0").rstrip("."), JS_SALT),
            "py": (f'"{self.shop_id}"', str(int(now)), _word(16)),
            "json": (self.shop_id, str(int(now)), uuid.uuid4().hex),
        }
        shop_id, timestamp, salt = defaults[self.shape]
        shop_id = str(chosen.get("shopid", shop_id))
        timestamp = str(chosen.get("timestamp", timestamp))
        salt = str(chosen.get("salt", json.dumps(salt)))
        said = [_said(text) for text in (shop_id, timestamp, salt)]
        right = token_of(said[0], chosen.get("key", self.key), said[1], said[2])
        token = json.dumps(chosen.get("token", right))
        return (
            f'{{"shopid": {shop_id}, "timestamp": {timestamp}, "salt": {salt}, "token": {token}}}'
        )

    def body(self, data: Any = NOTHING, *, auth: str | None = None) -> tuple[str, bytes]:
        """Content type and body as this shape of program sends them."""
        proof = self.auth() if auth is None else auth
        if self.shape == "json":
            return literal(proof, "{}" if data is NOTHING else json.dumps(data))
        if data is NOTHING:
            empty: dict[str, dict[str, str]] = {"php": {"data": "[]"}, "js": {"data": ""}, "py": {}}
            fields = {"auth": proof, **empty[self.shape]}
        else:
            fields = {"auth": proof, "data": json.dumps(data)}
        return multipart(fields) if self.shape == "js" else urlencoded(fields)

    async def call(
        self, method: str, data: Any = NOTHING, *, auth: str | None = None, prefix: str = ADMIN
    ) -> httpx2.Response:
        """One call of a method."""
        content_type, body = self.body(data, auth=auth)
        return await self.send(method, body, content_type=content_type, prefix=prefix)

    async def send(
        self,
        method: str,
        body: bytes,
        *,
        content_type: str | None = "application/x-www-form-urlencoded",
        prefix: str = ADMIN,
    ) -> httpx2.Response:
        """A body as it is."""
        headers = {} if content_type is None else {"Content-Type": content_type}
        return await self._http.post(prefix + method, content=body, headers=headers)

    async def form(self, method: str, data: str, *, auth: str | None = None) -> httpx2.Response:
        """A urlencoded call with the text of `data` as it is."""
        content_type, body = urlencoded({"auth": auth or self.auth(), "data": data})
        return await self.send(method, body, content_type=content_type)

    async def read(self, method: str, **data: Any) -> Any:
        """What a method tells; fails unless the answer is 200."""
        reply = await self.call(method, data or NOTHING)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def create(self, document: Any) -> int:
        """The id of a created order; fails unless the answer is 201."""
        reply = await self.call("createOrder", document)
        assert reply.status_code == 201, reply.text
        return int(reply.json()["order_id"])

    async def order(self, order_id: int) -> dict[str, Any]:
        """The order as getOrder tells it."""
        found = await self.read("getOrder", order_id=order_id)
        assert len(found) == 1
        return dict(found[0])

    async def stock(self, sku: int) -> dict[str, Any]:
        """The stock item as getStock tells it."""
        return dict((await self.read("getStock", sku=sku))[str(sku)])


def order_of(*lines: tuple[Any, Any], number: str = "", **fields: Any) -> dict[str, Any]:
    """A createOrder document; a number of its own unless one is given."""
    return {
        "external_order_id": number or f"W-{uuid.uuid4().hex[:12]}",
        "created_at": "2026-03-01 09:30:00",
        "shipping_address": address(),
        "items": [{"sku": sku, "amount": amount} for sku, amount in lines],
        **fields,
    }


def address(**changes: Any) -> dict[str, Any]:
    """An address with every required field and no other."""
    return {
        "street": "Bruul",
        "number": "14",
        "zip": "2800",
        "city": "Mechelen",
        "country_iso2": "BE",
        "email": "lotte@example.be",
        "phone": "+32 15 55 02 00",
        **changes,
    }


def _said(text: str) -> str:
    """What a JSON text says: a string without its quotes, a number as it is written."""
    return str(json.loads(text)) if text.startswith('"') else text


def _word(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
