"""Invoices in tests: a shop, the sandbox, and what an invoice wrote."""

from datetime import timedelta
from typing import Any

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import Ids, RandomIds
from crossdock.shop.doctor import CHECKS
from crossdock.shop.invoices import (
    Invoice,
    complete_invoice,
    create_invoice,
    pay_invoice,
    read_invoice,
    void_invoice,
)
from crossdock.shop.payments import Paying
from tests.support.factories import ShopFixture, make_shop
from tests.support.ledger import balances
from tests.support.paying import GOOD, card, paying

DAY = timedelta(days=1)


class Invoicing:
    """A fresh shop with the sandbox; every operation in a transaction of its own."""

    def __init__(
        self, db: Database, clock: FrozenClock, shop: ShopFixture, *, ids: Ids | None = None
    ) -> None:
        self.db = db
        self.clock = clock
        self.shop = shop
        self.ids = ids or RandomIds()
        self.paying: Paying = paying(db, clock)

    @classmethod
    async def open(cls, db: Database, clock: FrozenClock) -> "Invoicing":
        async with db.begin() as tx:
            shop = await make_shop(tx)
        return cls(db, clock, shop)

    async def create(self, **wanted: Any) -> Invoice:
        """Two units of 12.50 EUR, to be paid within a day."""
        now = self.clock.now()
        terms: dict[str, Any] = {
            "purpose": "payment",
            "subject_id": None,
            "title": "Consulting",
            "quantity": 2,
            "unit_minor": 1250,
            "currency": "EUR",
            "email": "ann@example.com",
            "expires_at": now + DAY,
        }
        async with self.db.begin() as tx:
            return await create_invoice(
                tx, shop_id=self.shop.id, ids=self.ids, now=now, **{**terms, **wanted}
            )

    async def complete(self, invoice: Invoice, *, note: str = "") -> Invoice:
        async with self.db.begin() as tx:
            return await complete_invoice(
                tx,
                shop_id=self.shop.id,
                invoice_id=invoice.id,
                note=note,
                now=self.clock.now(),
            )

    async def void(self, invoice: Invoice) -> Invoice:
        async with self.db.begin() as tx:
            return await void_invoice(
                tx, shop_id=self.shop.id, invoice_id=invoice.id, now=self.clock.now()
            )

    async def pay(self, invoice: Invoice, *, number: str = GOOD) -> Invoice:
        return await pay_invoice(
            self.paying,
            shop_id=self.shop.id,
            invoice_id=invoice.id,
            card=card(number),
            provider="sandbox",
        )

    async def read(self, invoice: Invoice) -> Invoice:
        async with self.db.statement() as tx:
            return await read_invoice(tx, shop_id=self.shop.id, invoice_id=invoice.id)

    async def events(self, invoice: Invoice) -> list[str]:
        """The kinds of the invoice's events."""
        async with self.db.statement() as tx:
            rows = await tx.all(
                "select kind from events where shop_id = %s and subject_id = %s"
                " and kind like 'invoice.%%' order by id",
                (self.shop.id, invoice.id),
            )
        return [kind for (kind,) in rows]

    async def balances(self) -> dict[str, int]:
        async with self.db.statement() as tx:
            return await balances(tx, shop_id=self.shop.id)

    async def payments(self) -> list[tuple[str, int, int]]:
        """State, captured and refunded of every payment of the shop."""
        async with self.db.statement() as tx:
            return await tx.all(
                "select state, captured_minor, refunded_minor from payments"
                " where shop_id = %s order by id",
                (self.shop.id,),
            )

    async def faults(self) -> list[str]:
        """What the doctor finds wrong in this shop."""
        found = []
        async with self.db.begin() as tx:
            for check, query in CHECKS.items():
                rows = await tx.all(f"{query}")
                mine = f"shop {self.shop.id} "
                found += [check for row in rows if row[3] and mine in f"{row[0]} "]
        return found
