"""A shop with a reseller programme, licence keys in stock, and relationships that buy them."""

from typing import Any

import msgspec

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import Clock
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Partner, read_partner
from crossdock.shop.resellers import (
    Fulfilled,
    FulfilmentRequest,
    ProgramChanges,
    Reseller,
    ResellerTerms,
    accept_invitation,
    change_program,
    credit,
    fulfil,
    invite,
)
from crossdock.shop.resellers.acting import add_member
from crossdock.shop.stock import add_serials
from tests.support.factories import ShopFixture, box, level, make_shop, make_variant, moment

CHANNEL = "test"


async def make_reseller(tx: Transaction, *, shop_id: int) -> Reseller:
    """A new relationship of a shop."""
    now = moment("2026-03-02T12:00:00+00:00")
    changes = ProgramChanges(enabled=True, default_mode="both")
    await change_program(tx, shop_id=shop_id, changes=changes, now=now)
    invited = await invite(
        tx,
        shop_id=shop_id,
        email=f"{RandomIds().random_token(8).lower()}@x.example",
        terms=ResellerTerms(),
        ids=RandomIds(),
        now=now,
    )
    return await accept_invitation(
        tx, token=invited.token, channel=CHANNEL, ids=RandomIds(), now=now
    )


async def make_member(tx: Transaction, *, shop_id: int, person_id: int) -> None:
    """Let a person act for a new reseller relationship of a shop."""
    made = await make_reseller(tx, shop_id=shop_id)
    await add_member(
        tx, shop_id=shop_id, reseller_id=made.id, person_id=person_id, now=made.created_at
    )


class Licence(msgspec.Struct, frozen=True):
    """A product of serials, sold as one thing."""

    product_id: int
    variant_id: int


class Reselling(msgspec.Struct, frozen=True):
    """The shop and what tests do in it."""

    database: Database
    clock: Clock
    shop: ShopFixture
    channel: str = CHANNEL

    @classmethod
    async def open(
        cls,
        database: Database,
        clock: Clock,
        *,
        currency: str = "USD",
        channel: str = CHANNEL,
        **changes: Any,
    ) -> "Reselling":
        """A fresh shop whose programme is enabled."""
        async with database.begin() as tx:
            shop = await make_shop(tx, currency=currency)
            settings: dict[str, Any] = {"enabled": True, "default_mode": "both"}
            await change_program(
                tx, shop_id=shop.id, changes=ProgramChanges(**settings | changes), now=clock.now()
            )
        return cls(database, clock, shop, channel)

    async def set(self, **changes: Any) -> None:
        """Change the programme."""
        async with self.database.begin() as tx:
            await change_program(
                tx, shop_id=self.shop.id, changes=ProgramChanges(**changes), now=self.clock.now()
            )

    async def licence(self, *serials: str, price_minor: int = 1000, **columns: Any) -> Licence:
        """A product with these serials in stock."""
        async with self.database.begin() as tx:
            variant = await make_variant(
                tx, shop=self.shop, own=None, price_minor=price_minor, **columns
            )
            product = await tx.value("select product_id from variants where id = %s", (variant,))
            await tx.run("update products set virtual = true where id = %s", (product,))
            if serials:
                await add_serials(
                    tx,
                    shop_id=self.shop.id,
                    variant_id=variant,
                    serials=serials,
                    box=box(),
                    now=self.clock.now(),
                )
        return Licence(product_id=product, variant_id=variant)

    async def reseller(
        self, email: str = "partner@example.com", *, credit_minor: int = 0, **terms: Any
    ) -> tuple[Reseller, Partner]:
        """A relationship from invitation to acceptance, with money on its balance."""
        async with self.database.begin() as tx:
            invited = await invite(
                tx,
                shop_id=self.shop.id,
                email=email,
                terms=ResellerTerms(**terms),
                ids=RandomIds(),
                now=self.clock.now(),
            )
            reseller = await accept_invitation(
                tx,
                token=invited.token,
                channel=self.channel,
                ids=RandomIds(),
                now=self.clock.now(),
            )
            if credit_minor:
                await self.credit(tx, reseller, credit_minor)
            partner = await read_partner(tx, partner_id=reseller.partner_id)
        assert partner is not None
        return reseller, partner

    async def credit(self, tx: Any, reseller: Reseller, amount_minor: int) -> int:
        """Top up; the balance."""
        balance = await credit(
            tx,
            shop_id=self.shop.id,
            reseller_id=reseller.id,
            amount_minor=amount_minor,
            now=self.clock.now(),
        )
        return balance.balance_minor

    async def fulfil(self, partner: Partner, licence: Licence, **request: Any) -> Fulfilled:
        """Ask for one, in a transaction of its own."""
        async with self.database.begin() as tx:
            return await fulfil(
                tx,
                partner=partner,
                request=request_of(licence, **request),
                ids=RandomIds(),
                box=box(),
                now=self.clock.now(),
            )

    async def written(self, licence: Licence) -> tuple[int, int, int, int]:
        """(fulfilments, orders, rows of the ledger that no top-up wrote, serials left)."""
        async with self.database.statement() as tx:
            row = await tx.one(
                "select (select count(*) from reseller_fulfilments where shop_id = %(shop)s),"
                " (select count(*) from orders where shop_id = %(shop)s),"
                " (select count(*) from ledger_entries where shop_id = %(shop)s and kind <> 'top_up')",
                {"shop": self.shop.id},
            )
            assert row is not None
            left = (await level(tx, shop_id=self.shop.id, variant_id=licence.variant_id))[3]
        return row[0], row[1], row[2], left


def request_of(licence: Licence, **request: Any) -> FulfilmentRequest:
    """One of the licence for order-1001, unless told otherwise."""
    values: dict[str, Any] = {
        "external_order_id": "order-1001",
        "customer_email": "buyer@example.com",
        "product_id": licence.product_id,
    }
    return FulfilmentRequest(**(values | request))
