"""A merchant's, or a reseller's, program on one server: a bearer key and JSON."""

from decimal import Decimal
from typing import Any, Self

import httpx2

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, add_partner
from tests.support.factories import box

CHANNEL = "shoppex_reseller"
MERCHANT_PREFIX = "shx_"


class KeyHolder:
    """Calls with a key; '' sends none."""

    def __init__(self, base_url: str, *, key: str, public_key: str = "") -> None:
        self.key, self.public_key, self.base_url = key, public_key, base_url
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.AsyncClient(
            base_url=base_url, headers=headers, timeout=60, trust_env=False, verify=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The response, whatever it is; `once` is an Idempotency-Key."""
        if (once := options.pop("once", None)) is not None:
            options["headers"] = {"Idempotency-Key": once, **options.get("headers", {})}
        return await self._http.request(method, path, **options)

    async def ask(self, method: str, path: str, *, status: int = 200, **options: Any) -> Any:
        """The whole body of an answer with this status; amounts are exact."""
        reply = await self.send(method, path, **options)
        assert reply.status_code == status, (reply.status_code, reply.text)
        return None if status == 204 else reply.json(parse_float=Decimal)

    async def data(self, method: str, path: str, *, status: int = 200, **options: Any) -> Any:
        """`data` of the answer."""
        return (await self.ask(method, path, status=status, **options))["data"]

    async def refusal(self, method: str, path: str, *, status: int, **options: Any) -> Any:
        """The error of an answer with this status."""
        return (await self.ask(method, path, status=status, **options))["error"]

    async def fields_refused(self, method: str, path: str, **options: Any) -> dict[str, str]:
        """What is wrong with which field, of a 422."""
        error = await self.refusal(method, path, status=422, **options)
        assert error["code"] == "VALIDATION_ERROR"
        return {each["field"]: each["message"] for each in error["details"]}


async def add_key_holder(
    db: Database,
    *,
    shop_id: int,
    permissions: tuple[str, ...] = ("*",),
    prefix: str = MERCHANT_PREFIX,
    **terms: Any,
) -> tuple[int, str, str]:
    """A partner's id, the public name of its key, and the key."""
    ids = RandomIds()
    async with db.begin() as tx:
        partner_id = await add_partner(
            tx,
            shop_id=shop_id,
            channel=CHANNEL,
            name=f"Merchant {ids.random_token(8)}",
            terms=Terms(permissions=permissions, **terms),
        )
        made = await add_credential(
            tx, partner_id=partner_id, ids=ids, box=box(), proof="bearer", prefix=prefix
        )
    return partner_id, made.key, made.secret
