"""A merchant's program that looks after stock which a reseller buys."""

from typing import Any

import msgspec

from crossdock.channels.shoppex_reseller.ids import Kind
from crossdock.shop.resellers import Reseller
from tests.support.reseller_client import KeyHolder
from tests.support.reselling import Licence, Reselling


class StockDesk(msgspec.Struct, frozen=True):
    """A merchant's key, a relationship and what it buys."""

    selling: Reselling
    reseller: Reseller
    licence: Licence
    http: KeyHolder
    ids: Any

    @property
    def path(self) -> str:
        return f"/dev/v1/resellers/{self.ids.write(Kind.RELATIONSHIP, self.reseller.id)}"

    @property
    def product(self) -> str:
        return str(self.ids.write(Kind.PRODUCT, self.licence.product_id))

    async def request(self, quantity: int = 25, **options: Any) -> Any:
        body = {"product_id": self.product, "quantity": quantity}
        return await self.http.data(
            "POST", f"{self.path}/stock-purchases", status=201, json=body, **options
        )
