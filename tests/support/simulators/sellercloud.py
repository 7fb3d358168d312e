"""Sellercloud's REST API as its developer articles describe it: token, create order, list orders.

Moods of the next create call, taken in order from `moods`:

| mood | what happens |
|---|---|
| `limit` | 429 with Error and RateLimitResetTime |
| `error` | 500 |
| `hang` | the order is created, the answer never comes |
| `drop` | the order is created, the connection breaks |
| `lost` | nothing is created, the connection breaks |
| `refuse` | 400 with a message |
| `object` | the new id comes as {"ID": ...} |
| `odd` | created, but the answer is no order id |
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.simulators.http import Drop, Hang, HttpSimulator, Outcome, Reply, Request

USERNAME, PASSWORD = "integration@shop.example", "correct horse"
_FIELDS = {
    "CustomerDetails": {"Email", "FirstName", "LastName"},
    "OrderDetails": {"CompanyID", "Channel"},
}


class Sellercloud(HttpSimulator):
    """One Sellercloud server with its orders."""

    def __init__(self, *, filters: bool = True, token_life_s: int = 3600) -> None:
        super().__init__(self._answer)
        self.filters = filters
        self.token_life_s = token_life_s
        self.orders: list[dict[str, Any]] = []
        self.moods: list[str] = []
        self.tokens: list[str] = []
        self.revoked: set[str] = set()
        self._next_id = 5_000_001

    def created(self, number: str) -> list[dict[str, Any]]:
        """The orders that carry a source order id."""
        return [order for order in self.orders if order["OrderSourceOrderID"] == number]

    def add_foreign_orders(self, count: int) -> None:
        """Orders that came from elsewhere."""
        for number in range(count):
            self._keep({"OrderDetails": {"OrderSourceOrderID": f"X-{number}"}})

    async def _answer(self, request: Request) -> Outcome:
        if (request.method, request.path) == ("POST", "/rest/api/token"):
            return self._token(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._live():
            return Reply(401, {"Message": "Authorization has been denied for this request."})
        if (request.method, request.path.rstrip("/")) == ("POST", "/rest/api/Orders"):
            return self._create(request)
        if (request.method, request.path) == ("GET", "/rest/api/Orders"):
            return self._list(request)
        return Reply(404, {"Message": "No HTTP resource was found."})

    def _live(self) -> set[str]:
        return set(self.tokens) - self.revoked

    def _token(self, request: Request) -> Reply:
        if request.json() != {"Username": USERNAME, "Password": PASSWORD}:
            return Reply(400, {"error": "invalid_grant"})
        token = f"head.{len(self.tokens)}.tail"
        self.tokens.append(token)
        now = datetime.now(UTC)
        return Reply(
            200,
            {
                "access_token": token,
                "token_type": "Bearer",
                "username": USERNAME,
                "expires_in": self.token_life_s,
                ".issued": now.isoformat(),
                ".expires": (now + timedelta(seconds=self.token_life_s)).isoformat(),
            },
        )

    def _create(self, request: Request) -> Outcome:
        mood = self.moods.pop(0) if self.moods else ""
        if mood == "limit":
            reset = datetime.now(UTC) + timedelta(hours=1)
            text = reset.strftime("%Y-%m-%dT%H:%M:%S.") + "9856571Z"
            return Reply(429, {"Error": "Too many requests.", "RateLimitResetTime": text})
        if mood == "error":
            return Reply(500, {"Message": "An error has occurred."})
        if mood == "lost":
            return Drop()
        body = request.json()
        missing = [
            f"{part}.{name}"
            for part, names in _FIELDS.items()
            for name in sorted(names)
            if body.get(part, {}).get(name) in (None, "")
        ]
        if missing or mood == "refuse":
            return Reply(400, {"Message": f"Invalid order: {', '.join(missing)}"})
        order_id = self._keep(body)
        outcomes: dict[str, Outcome] = {
            "hang": Hang(),
            "drop": Drop(),
            "object": Reply(200, {"ID": order_id}),
            "odd": Reply(200, {"Status": "ok"}),
        }
        return outcomes.get(mood, Reply(200, order_id))

    def _keep(self, body: dict[str, Any]) -> int:
        order_id = self._next_id
        self._next_id += 1
        number = body["OrderDetails"]["OrderSourceOrderID"]
        self.orders.insert(0, {"ID": order_id, "OrderSourceOrderID": number, "Body": body})
        return order_id

    def _list(self, request: Request) -> Reply:
        query = request.query
        size = min(int(query.get("model.pageSize", ["10"])[0]), 50)
        page = int(query.get("model.pageNumber", ["1"])[0])
        wanted = query.get("model.orderSourceOrderIDList")
        found = [
            order
            for order in self.orders
            if not (self.filters and wanted) or order["OrderSourceOrderID"] in wanted
        ]
        rows = [{key: order[key] for key in ("ID", "OrderSourceOrderID")} for order in found]
        return Reply(
            200, {"Items": rows[(page - 1) * size : page * size], "TotalResults": len(rows)}
        )
