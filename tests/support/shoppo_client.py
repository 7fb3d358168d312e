"""A drop shipper's program on one server: a token, a viewer id, and documents."""

from decimal import Decimal
from typing import Any, Self

import httpx2

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner
from tests.support.factories import box

PATH = "/api/graphql/partner"


class DropShipper:
    """Calls with a token and a viewer id; '' leaves the header out."""

    def __init__(self, base_url: str, *, token: str, viewer: str) -> None:
        self.token, self.viewer = token, viewer
        given = {"accesstoken": token, "viewerid": viewer}
        self._http = httpx2.AsyncClient(
            base_url=base_url,
            headers={name: value for name, value in given.items() if value},
            timeout=60,
            trust_env=False,
            verify=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, method: str = "POST", path: str = PATH, **options: Any) -> httpx2.Response:
        """Any request."""
        return await self._http.request(method, path, **options)

    async def post(self, query: str, /, **body: Any) -> httpx2.Response:
        """The response to a document, whatever it is; the rest goes into the body."""
        return await self.send(json={"query": query, **body})

    async def ask(self, query: str, /, **variables: Any) -> Any:
        """The data that a successful operation answers."""
        reply = await self.post(query, variables=variables)
        assert reply.status_code == 200, reply.text
        body = reply.json(parse_float=Decimal)
        assert set(body) == {"data"}, body
        return body["data"]

    async def refusal(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """The one error of an operation that answers 200."""
        reply = await self.post(query, variables=variables)
        assert reply.status_code == 200, reply.text
        [error] = reply.json()["errors"]
        return dict(error)


async def add_drop_shipper(
    db: Database, *, shop_id: int, permissions: tuple[str, ...] = ("graphql",), **terms: Any
) -> tuple[int, str, str]:
    """A partner's id, its viewer id and its token."""
    ids = RandomIds()
    async with db.begin() as tx:
        partner_id = await add_partner(
            tx,
            shop_id=shop_id,
            channel="shoppo",
            name=f"Drop shipper {ids.random_token(8)}",
            terms=Terms(permissions=permissions, **terms),
        )
        made = await add_credential(tx, partner_id=partner_id, ids=ids, box=box(), proof="bearer")
    return partner_id, made.key, made.secret
