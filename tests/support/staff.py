"""Staff orders in tests: a shop whose staff take orders down."""

from dataclasses import dataclass
from typing import Any

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import Alert, list_alerts
from crossdock.shop.orders import (
    OrderItem,
    OrderView,
    Placed,
    Placing,
    StaffOrder,
    place_on_account,
    place_with_card,
    read_order,
)
from crossdock.shop.payments import Paying, Payment, list_payments
from crossdock.shop.shops import Shop, read_shop
from tests.support.factories import ShopFixture, level, make_shop, make_variant
from tests.support.ledger import balances
from tests.support.ordering import placing
from tests.support.paying import GOOD, card, paying


@dataclass
class Desk:
    """One shop that sells in EUR, and what staff do there."""

    db: Database
    clock: FrozenClock
    made: ShopFixture
    shop: Shop
    placing: Placing
    paying: Paying

    @classmethod
    async def open(cls, db: Database, clock: FrozenClock) -> "Desk":
        """A fresh one."""
        async with db.begin() as tx:
            made = await make_shop(tx, currency="EUR")
            shop = await read_shop(tx, slug=made.slug)
        return cls(db, clock, made, shop, placing(db, clock), paying(db, clock))

    async def variant(self, **values: Any) -> int:
        """A variant for 19.99 EUR of which there are 5, unless told otherwise."""
        async with self.db.begin() as tx:
            wanted: dict[str, Any] = {"own": 5, "currency": "EUR"} | values
            return await make_variant(tx, shop=self.made, **wanted)

    def order(self, *wanted: tuple[int, int], **values: Any) -> StaffOrder:
        """For the shop's customer."""
        items = tuple(OrderItem(variant_id=v, quantity=q) for v, q in wanted)
        return StaffOrder(customer_id=self.made.customer_id, items=items, **values)

    async def on_account(self, *wanted: tuple[int, int], **values: Any) -> Placed:
        """A placed order that is to be paid later."""
        order = self.order(*wanted, **values)
        return await place_on_account(self.placing, shop=self.shop, order=order)

    async def with_card(
        self, *wanted: tuple[int, int], card_number: str = GOOD, **values: Any
    ) -> Placed:
        """A placed order with its amount authorised."""
        return await place_with_card(
            self.placing,
            self.paying,
            shop=self.shop,
            order=self.order(*wanted, **values),
            card=card(card_number),
            provider="sandbox",
        )

    async def read(self, order_id: int) -> OrderView:
        """The order with its lines and what happened to it."""
        async with self.db.statement() as tx:
            return await read_order(
                tx, shop_id=self.shop.id, order_id=order_id, sections=("lines", "timeline")
            )

    async def kinds(self, order_id: int) -> list[str]:
        """What happened to the order."""
        return [event.kind for event in (await self.read(order_id)).timeline]

    async def payments(self, order_id: int) -> list[Payment]:
        """The order's payments."""
        async with self.db.statement() as tx:
            return await list_payments(tx, shop_id=self.shop.id, order_id=order_id)

    async def refunds(self) -> list[tuple[bool, int]]:
        """What the provider was asked to refund: whether it did, and how much."""
        async with self.db.statement() as tx:
            return await tx.all(
                "select approved, amount_minor from sandbox_operations"
                " where shop_id = %s and action = 'refund' order by id",
                (self.shop.id,),
            )

    async def alerts(self) -> list[Alert]:
        """The shop's alerts, but for those of the sales rep that nobody has."""
        async with self.db.statement() as tx:
            found = await list_alerts(tx, shop_id=self.shop.id)
        return [alert for alert in found if alert.kind != "sales_rep_missing"]

    async def balances(self) -> dict[str, int]:
        """Every balance that is not zero, without the ids that are this shop's own."""
        own = {
            f"customer:{self.made.customer_id}": "customer",
            f"merchant:{self.made.merchant_id}": "merchant",
        }
        async with self.db.statement() as tx:
            found = await balances(tx, shop_id=self.shop.id)
        return {
            " ".join(own.get(word, word) for word in name.split()): minor
            for name, minor in found.items()
            if minor
        }

    async def level(self, variant_id: int) -> tuple[int, int, int, int]:
        """on hand, held, committed, available."""
        async with self.db.statement() as tx:
            return await level(tx, shop_id=self.shop.id, variant_id=variant_id)

    async def count(self, table: str) -> int:
        """How many rows of the shop a table has."""
        async with self.db.statement() as tx:
            query = f"select count(*) from {table} where shop_id = %s"
            return int(await tx.value(query, (self.shop.id,)))
