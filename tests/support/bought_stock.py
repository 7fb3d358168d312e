"""A purchase of stock, and what tests do with it."""

from typing import Any

import msgspec
import pytest

from crossdock.errors import CrossdockError
from crossdock.kit.paging import PlacePage
from crossdock.shop.doctor import CHECKS
from crossdock.shop.ledger import list_accounts
from crossdock.shop.mailing import Mailing
from crossdock.shop.resellers import (
    DeliveredItem,
    Reseller,
    StockItem,
    StockRequest,
    StockTransfer,
    deliver_item,
    list_items,
    read_transfer,
    request_stock,
)
from tests.support.factories import box
from tests.support.reselling import Licence, Reselling

MAILING = Mailing(box=box(), mailer=None, host="shop.example")


class Bought(msgspec.Struct, frozen=True):
    """A purchase and what tests do with it, each in a transaction of its own."""

    selling: Reselling
    reseller: Reseller
    licence: Licence
    id: int

    @classmethod
    async def of(cls, selling: Reselling, *serials: str, quantity: int) -> "Bought":
        licence = await selling.licence(*serials)
        reseller, _ = await selling.reseller(discount_bp=3500)
        async with selling.database.begin() as tx:
            made = await request_stock(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                request=StockRequest(product_id=licence.product_id, quantity=quantity),
                now=selling.clock.now(),
            )
        return cls(selling, reseller, licence, made.id)

    @property
    def names(self) -> dict[str, Any]:
        return {"shop_id": self.selling.shop.id, "reseller_id": self.reseller.id}

    async def do(self, act: Any) -> StockTransfer:
        async with self.selling.database.begin() as tx:
            return await self.within(tx, act)

    async def within(self, tx: Any, act: Any) -> StockTransfer:
        found = await act(tx, **self.names, transfer_id=self.id, now=self.selling.clock.now())
        assert isinstance(found, StockTransfer)
        return found

    async def refused(self, act: Any) -> str:
        before = await self.read()
        with pytest.raises(CrossdockError) as error:
            await self.do(act)
        assert await self.read() == before
        return error.value.code

    async def read(self) -> StockTransfer:
        async with self.selling.database.statement() as tx:
            return await read_transfer(tx, **self.names, transfer_id=self.id)

    async def items(self, **chosen: Any) -> list[StockItem]:
        """The oldest first."""
        async with self.selling.database.statement() as tx:
            found = await list_items(
                tx, **self.names, page=PlacePage(size=100), box=box(), **chosen
            )
        return found[::-1]

    async def deliver(self, item_id: int, email: str = "c@d.example") -> DeliveredItem:
        async with self.selling.database.begin() as tx:
            return await deliver_item(
                tx,
                **self.names,
                item_id=item_id,
                email=email,
                mailing=MAILING,
                now=self.selling.clock.now(),
            )

    async def events(self) -> list[str]:
        async with self.selling.database.statement() as tx:
            rows = await tx.all(
                "select kind from events where shop_id = %s and kind like 'reseller.stock%%'"
                " order by id",
                (self.selling.shop.id,),
            )
        return [row[0] for row in rows]

    async def balances(self) -> dict[str, int]:
        async with self.selling.database.statement() as tx:
            found = await list_accounts(tx, shop_id=self.selling.shop.id)
        return {each.kind: each.balance_minor for each in found if each.balance_minor}

    async def left(self) -> int:
        return (await self.selling.written(self.licence))[3]

    async def mails(self) -> int:
        async with self.selling.database.statement() as tx:
            return int(
                await tx.value(
                    "select count(*) from mails where shop_id = %s", (self.selling.shop.id,)
                )
            )

    async def faults(self) -> list[str]:
        found = []
        async with self.selling.database.begin() as tx:
            for check, query in CHECKS.items():
                rows = await tx.all(f"{query}")
                mine = f"shop {self.selling.shop.id} "
                found += [check for row in rows if row[3] and mine in f"{row[0]} "]
        return found
