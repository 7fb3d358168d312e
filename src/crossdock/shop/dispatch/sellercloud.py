"""Orders into Sellercloud through its public REST API.

Read in Sellercloud's developer articles (developer.sellercloud.com, dev-article/...):

* authentication: POST {base}/rest/api/token with JSON Username and Password answers access_token,
  token_type, username, expires_in (seconds), .issued, .expires; a token lives 60 minutes (older
  pages: 30) and goes into `Authorization: Bearer`.
* create-new-sales-order: POST {base}/rest/api/Orders/ with CustomerDetails (Email, FirstName and
  LastName are mandatory), OrderDetails (CompanyID and Channel are mandatory: 0 local store, 6 website,
  21 wholesale; OrderSourceOrderID is ours), Products (ProductID, ProductName, SitePrice, Qty, Notes,
  ShipFromWareHouseID), ShippingAddress and BillingAddress (Business, FirstName, LastName, Country,
  City, State, ZipCode, Address, Address2, Phone).
* get-all-orders: GET {base}/rest/api/Orders, parameters under `model.` (rest-services-overview),
  orderSourceOrderIDList, companyID, pageNumber, pageSize of at most 50; rows come in Items.
* rest-api-rate-limiting: 10,800 calls an hour; beyond them an answer with Error and
  RateLimitResetTime.

Not stated there, so handled either way: the shape of the new order's id (a number, or an object with
ID), and the status of the rate limit answer (429 here; its body is recognised under any status).
Users report servers that ignore the filters of get-all-orders, so a found row counts only if its
OrderSourceOrderID is ours, and if other rows are returned, ours may exist without being among them.
"""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from crossdock.kit.clock import Clock
from crossdock.kit.money import to_decimal
from crossdock.kit.numbers import read_number
from crossdock.kit.outbound import Answer, Outbound, OutboundError, Refused
from crossdock.shop.customers import Address
from crossdock.shop.deliveries import Permanent, Retryable, Sent
from crossdock.shop.dispatch.contract import DispatchOrder

CHANNEL_WHOLESALE = 21
_PAGE_SIZE = 50
_PAGES_MAX = 10
_TOKEN_LIFE_S = 3600
_TOKEN_MARGIN_S = 60
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class SellercloudSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Which server, company and channel. `order_prefix` keeps our numbers apart from other sources'."""

    base_url: str
    username: str
    company_id: int
    channel: int = CHANNEL_WHOLESALE
    warehouse_id: int | None = None
    order_prefix: str = ""

    def address(self, path: str) -> str:
        """The URL of an endpoint; the base may be given with or without /rest/api."""
        return re.sub(r"(/rest(/api)?)?/*$", "", self.base_url) + "/rest/api/" + path

    def number(self, order: DispatchOrder) -> str:
        """Our order number as Sellercloud keeps it."""
        return f"{self.order_prefix}{order.reference}"


class SellercloudConnector:
    """Creates one Sellercloud order for each of ours, found again by our number."""

    def __init__(
        self, settings: SellercloudSettings, *, secret: str, outbound: Outbound, clock: Clock
    ) -> None:
        self._settings = settings
        self._password = secret
        self._outbound = outbound
        self._clock = clock
        self._token: str | None = None
        self._token_until = clock.now()
        self._signing_in = asyncio.Lock()

    async def send(self, order: DispatchOrder) -> Sent:
        if order.may_exist and (found := await self._find(order)):
            return Sent(found)
        answer = await self._call(
            "POST", "Orders/", content=_ENCODER.encode(order_body(order, self._settings))
        )
        if answer.status == 409 and (found := await self._find(order)):
            return Sent(found)
        _raise_for(answer, "create order")
        if created := _created_id(answer.json()):
            return Sent(created)
        raise Retryable(
            f"create order answered {answer.status} without an order id: {answer.text()}"
        )

    async def test(self) -> str:
        _raise_for(
            await self._call("GET", "Orders?" + urlencode({"model.pageSize": 1})), "list orders"
        )
        return "signed in and listed orders"

    async def _find(self, order: DispatchOrder) -> str:
        """The id of the order that carries our number, or '' if surely none does.

        Raises Permanent when the server ignores the filter and too many orders would have to be read.
        """
        number = self._settings.number(order)
        for page in range(1, _PAGES_MAX + 1):
            items = await self._orders_page(number, page)
            for item in items:
                if str(item.get("OrderSourceOrderID")) == number:
                    return str(item["ID"])
            if len(items) < _PAGE_SIZE:
                return ""
        raise Permanent(
            f"an earlier attempt may have created the order, and the server does not filter by order number:"
            f" look for {number} in Sellercloud"
        )

    async def _orders_page(self, number: str, page: int) -> list[dict[str, Any]]:
        query = {
            "model.orderSourceOrderIDList": number,
            "model.companyID": self._settings.company_id,
            "model.pageNumber": page,
            "model.pageSize": _PAGE_SIZE,
        }
        answer = await self._call("GET", "Orders?" + urlencode(query))
        _raise_for(answer, "find order")
        found = answer.json()
        items = found.get("Items") if isinstance(found, dict) else None
        if not isinstance(items, list) or not all(_is_order(item) for item in items):
            raise Retryable(f"find order answered something else than orders: {answer.text()}")
        return items

    async def _call(self, method: str, path: str, *, content: bytes | None = None) -> Answer:
        """One call with a token; a token that is refused before its time is replaced once."""
        token = await self._sign_in()
        answer = await self._request(method, path, content=content, token=token)
        if answer.status == 401:
            self._forget(token)
            answer = await self._request(method, path, content=content, token=await self._sign_in())
        return answer

    async def _sign_in(self) -> str:
        async with self._signing_in:
            if not self._token or self._clock.now() >= self._token_until:
                self._token = await self._new_token()
            return self._token

    def _forget(self, token: str) -> None:
        if self._token == token:
            self._token = None

    async def _new_token(self) -> str:
        credentials = {"Username": self._settings.username, "Password": self._password}
        answer = await self._request("POST", "token", content=msgspec.json.encode(credentials))
        if answer.status in {400, 401, 403}:
            raise Permanent("the user name or password was refused")
        _raise_for(answer, "token")
        found = answer.json()
        if (
            not isinstance(found, dict)
            or not isinstance(token := found.get("access_token"), str)
            or not token
        ):
            raise Retryable(f"token answered {answer.status} without a token")
        life = found.get("expires_in")
        life_s = life if isinstance(life, int) and life > 0 else _TOKEN_LIFE_S
        self._token_until = self._clock.now() + timedelta(seconds=max(life_s - _TOKEN_MARGIN_S, 1))
        return token

    async def _request(
        self, method: str, path: str, *, content: bytes | None = None, token: str = ""
    ) -> Answer:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = await self._outbound.request(
                method, self._settings.address(path), headers=headers, content=content
            )
        except Refused as error:
            raise Permanent(str(error)) from error
        except OutboundError as error:
            raise Retryable(str(error)) from error
        self._raise_if_limited(answer)
        return answer

    def _raise_if_limited(self, answer: Answer) -> None:
        found = answer.json() if answer.status != 200 else None
        reset = found.get("RateLimitResetTime") if isinstance(found, dict) else None
        if answer.status == 429 or reset:
            wait_s = _seconds_until(str(reset or ""), self._clock.now())
            raise Retryable("Sellercloud's rate limit is reached", retry_after_s=wait_s)


def order_body(order: DispatchOrder, settings: SellercloudSettings) -> dict[str, Any]:
    """The JSON that creates the order."""
    product = (
        {} if settings.warehouse_id is None else {"ShipFromWareHouseID": settings.warehouse_id}
    )
    return {
        "CustomerDetails": {
            "Email": order.email,
            "FirstName": order.billing.first_name,
            "LastName": order.billing.last_name,
            "Business": order.billing.company,
            "IsWholesale": settings.channel == CHANNEL_WHOLESALE,
        },
        "OrderDetails": {
            "CompanyID": settings.company_id,
            "Channel": settings.channel,
            "OrderSourceOrderID": settings.number(order),
            "OrderDate": order.placed_at.isoformat(timespec="seconds"),
        },
        "Products": [
            {
                "ProductID": line.sku,
                "ProductName": line.name,
                "SitePrice": to_decimal(line.unit_price_minor, order.currency),
                "Qty": line.quantity,
                "Notes": line.note,
            }
            | product
            for line in order.lines
        ],
        "ShippingAddress": _address(order.shipping),
        "BillingAddress": _address(order.billing),
    }


def _address(address: Address) -> dict[str, str]:
    return {
        "Business": address.company,
        "FirstName": address.first_name,
        "LastName": address.last_name,
        "Country": address.country,
        "City": address.city,
        "State": address.state,
        "ZipCode": address.postcode,
        "Address": address.address_1,
        "Address2": address.address_2,
        "Phone": address.phone,
    }


def _is_order(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("ID"), int)


def _created_id(body: object) -> str:
    value = body.get("ID", body.get("OrderID")) if isinstance(body, dict) else body
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if read_number(text) else ""


def _raise_for(answer: Answer, what: str) -> None:
    if answer.is_success:
        return
    message = f"{what} answered {answer.status}: {answer.text()}"
    if answer.status >= 500 or answer.status in {408, 425}:
        raise Retryable(message, status=answer.status, answer=answer.text())
    raise Permanent(message, status=answer.status, answer=answer.text())


def _seconds_until(text: str, now: datetime) -> int:
    """Seconds until an ISO time with up to seven decimals and a Z; 0 for anything else."""
    match = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text)
    if not match:
        return 0
    reset = datetime.fromisoformat(match[0]).replace(tzinfo=now.tzinfo)
    return min(max(int((reset - now).total_seconds()) + 1, 0), 86_400)
