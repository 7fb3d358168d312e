"""A drop shipper whose server is called: the consumers and deliveries of the channel, by the test's clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from crossdock.channels.shoppo.outgoing import create_consumers, create_delivery_kinds
from crossdock.compose import Services
from crossdock.db.runtime import Runtime
from crossdock.db.unit_of_work import Database
from crossdock.jobs.consuming import run_consumers
from crossdock.kit.clock import FrozenClock
from crossdock.settings import Settings
from crossdock.shop.alerts import Alert, list_alerts
from crossdock.shop.deliveries import (
    Delivering,
    Delivery,
    DeliveryAttempt,
    DeliveryKinds,
    deliver_due,
    list_deliveries,
    show_delivery,
)
from crossdock.shop.events import number_events
from crossdock.shop.partners import Terms, add_partner, set_terms
from crossdock.shop.shops import Shop
from tests.support.factories import ShopFixture, box

TOKEN = "their-token-for-us"


@dataclass
class Notified:
    """Lets the worker's parts run for one shop."""

    db: Database
    clock: FrozenClock
    shop: ShopFixture | Shop
    services: Services

    async def partner(self, **urls: str) -> int:
        """The id of a partner of the channel with these addresses."""
        async with self.db.begin() as tx:
            count = await tx.value("select count(*) from partners")
            return await add_partner(
                tx,
                shop_id=self.shop.id,
                channel="shoppo",
                name=f"Called {count}",
                terms=Terms(settings=dict(urls), secrets={"call_token": TOKEN}),
                box=box(),
            )

    async def set(self, partner_id: int, **terms: Any) -> None:
        """Change the partner's terms."""
        async with self.db.begin() as tx:
            await set_terms(tx, partner_id=partner_id, terms=Terms(**terms), box=box())

    async def consume(self) -> None:
        """Let the consumers read what happened."""
        async with self.db.begin() as tx:
            await number_events(tx, shop_id=self.shop.id)
        consumers = create_consumers(self.services)
        while await run_consumers(self.db, consumers=consumers, now=self.clock.now()):
            pass

    async def deliver(self) -> list[str]:
        """Make the calls that are due; the statuses by the deliveries' ids."""
        service = Delivering(
            db=self.db,
            clock=self.clock,
            turns=self.clock,
            kinds=DeliveryKinds(create_delivery_kinds(self.services)),
        )
        found = await deliver_due(service, limit=20, shop_id=self.shop.id)
        return [found[delivery_id] for delivery_id in sorted(found)]

    async def work(self) -> list[str]:
        """Read what happened, and make one round of calls."""
        await self.consume()
        return await self.deliver()

    async def deliveries(self) -> list[Delivery]:
        """All of the shop, oldest first."""
        async with self.db.statement() as tx:
            return (await list_deliveries(tx, shop_id=self.shop.id))[::-1]

    async def log(self, delivery_id: int) -> list[DeliveryAttempt]:
        """The attempts of a delivery."""
        async with self.db.statement() as tx:
            return (await show_delivery(tx, shop_id=self.shop.id, delivery_id=delivery_id))[1]

    async def alerts(self) -> list[Alert]:
        """The open ones of the shop."""
        async with self.db.statement() as tx:
            return await list_alerts(tx, shop_id=self.shop.id)


@asynccontextmanager
async def notified(
    db: Database, clock: FrozenClock, *, shop: ShopFixture | Shop, settings: Settings
) -> AsyncIterator[Notified]:
    """The worker's parts of the channel over this database."""
    async with Services(Runtime(settings=settings, clock=clock, database=db)) as services:
        services.__dict__["box"] = box()
        yield Notified(db=db, clock=clock, shop=shop, services=services)
