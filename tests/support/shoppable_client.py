"""A publisher's program on one server: a bearer token, and answers as the wire has them."""

from decimal import Decimal
from typing import Any, Self

import httpx2

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner
from tests.support.factories import box

CATALOGUE = "/v3/catalog/"
PRODUCT = "/v3/product"


class Publisher:
    """Calls with a token, '' for none; amounts are read exactly."""

    def __init__(self, base_url: str, *, token: str, scheme: str = "Bearer") -> None:
        self.token = token
        headers = {"Authorization": f"{scheme} {token}"} if token else {}
        self._http = httpx2.AsyncClient(
            base_url=base_url, headers=headers, timeout=60, trust_env=False, verify=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, **parameters: Any) -> httpx2.Response:
        """The response, whatever it is."""
        return await self._http.get(path, params=parameters or None)

    async def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Any request."""
        return await self._http.request(method, path, **options)

    async def read(self, path: str, **parameters: Any) -> Any:
        """What a successful call answers."""
        reply = await self.get(path, **parameters)
        assert reply.status_code == 200, reply.text
        return reply.json(parse_float=Decimal)

    async def browse(self, **parameters: Any) -> dict[str, Any]:
        """A page of the catalogue."""
        page: dict[str, Any] = await self.read(CATALOGUE, **parameters)
        return page

    async def names(self, **parameters: Any) -> list[str]:
        """The names of the products that match, in the answer's order."""
        page = await self.browse(**{"rows": 100, "navigation_type": "none", **parameters})
        assert page["count"] == len(page["products"])
        return [product["name"] for product in page["products"]]

    async def refusal(self, path: str, **parameters: Any) -> tuple[int, int]:
        """Status and code of a refused call."""
        reply = await self.get(path, **parameters)
        body = reply.json()
        assert set(body) == {"error", "code"}, body
        assert isinstance(body["error"], str)
        return reply.status_code, body["code"]


async def add_publisher(
    db: Database, *, shop_id: int, permissions: tuple[str, ...] = ("catalog.read",), **terms: Any
) -> tuple[int, str]:
    """A partner's id and its token."""
    ids = RandomIds()
    async with db.begin() as tx:
        partner_id = await add_partner(
            tx,
            shop_id=shop_id,
            channel="shoppable",
            name=f"Publisher {ids.random_token(8)}",
            terms=Terms(permissions=permissions, **terms),
        )
        made = await add_credential(tx, partner_id=partner_id, ids=ids, box=box(), proof="bearer")
    return partner_id, made.secret
