"""Orders that wait for their dispatch, and services with every outside party on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.kit.outbound import Outbound
from crossdock.shop.customers import Address
from crossdock.shop.deliveries import Delivering, DeliveryKinds, deliver_due
from crossdock.shop.dispatch import (
    Configuring,
    Connectors,
    DispatchLine,
    DispatchOrder,
    add_connector,
    dispatch_kind,
)
from crossdock.shop.orders import Route, place
from tests.support.drafts import draft_of, line_of
from tests.support.factories import ADDRESS, ShopFixture, box, make_partner, make_shop

PlaceOrder = Callable[..., Awaitable[tuple[int, int]]]


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    client = Outbound(allowed_hosts=["127.0.0.1"], deadline_s=2.0)
    yield client
    await client.close()


@pytest.fixture
def connectors(outbound: Outbound, clock: FrozenClock) -> Connectors:
    return Connectors(outbound=outbound, box=box(), clock=clock)


@pytest.fixture
def dispatching(database: Database, clock: FrozenClock, connectors: Connectors) -> Delivering:
    """The engine with orders alone, whose turns come by the test's clock."""
    kinds = DeliveryKinds([dispatch_kind(connectors)])
    return Delivering(db=database, clock=clock, turns=clock, kinds=kinds)


@pytest.fixture
def configuring(outbound: Outbound) -> Configuring:
    return Configuring(outbound=outbound, box=box())


@pytest.fixture
def place_order(database: Database, configuring: Configuring) -> PlaceOrder:
    """(shop id, order id) of an order with two lines in a fresh shop with one connector."""

    async def place(
        *,
        kind: str = "manual",
        settings: dict[str, Any] | None = None,
        secret: str = "",
        note: str = "N",
    ) -> tuple[int, int]:
        async with database.begin() as tx:
            shop = await make_shop(tx)
            await add_connector(
                tx,
                service=configuring,
                shop_id=shop.id,
                name="out",
                kind=kind,
                settings=settings or {},
                secret=secret,
            )
            partner = await make_partner(tx, shop=shop)
            return shop.id, await insert_order(
                tx,
                shop_id=shop.id,
                partner_id=partner.id,
                customer_id=shop.customer_id,
                kind=kind,
                note=note,
            )

    return place


async def insert_order(
    tx: Transaction,
    *,
    shop_id: int,
    partner_id: int,
    customer_id: int,
    kind: str = "webhook",
    note: str = "N",
) -> int:
    """An order through the core's own SQL function, so with its dispatch."""
    shop = ShopFixture(id=shop_id, slug="", merchant_id=1, customer_id=customer_id)
    lines = (
        line_of(1, shop=shop, quantity=2, price_minor=1999, take=None, name="Mug", note=note),
        line_of(2, shop=shop, quantity=1, price_minor=2399, take=None, name="Pot", note=note),
    )
    named = [
        msgspec.structs.replace(
            line, variant=msgspec.structs.replace(line.variant, sku=sku, upc=upc)
        )
        for line, sku, upc in zip(lines, ("MUG-1", "POT-1"), ("0001", "0002"), strict=True)
    ]
    billing = msgspec.convert(ADDRESS, Address)
    draft = draft_of(
        *named,
        shop=shop,
        partner_id=partner_id,
        number=f"PO-{customer_id}",
        channel="shoppex_partner",
        order_key="wc_order_test",
        customer_id=customer_id,
        billing=billing,
        shipping=msgspec.structs.replace(billing, first_name="Grace", email="", phone=""),
        source="partner_integration",
        connector=Route(name="out", kind=kind),
    )
    moment = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    return (await place(tx, draft=draft, now=moment)).id


def make_dispatch_order(**changes: Any) -> DispatchOrder:
    """An order as a connector sees it, without a database."""
    address = msgspec.convert(ADDRESS, Address)
    line = DispatchLine(
        line_no=1,
        sku="MUG-1",
        name="Mug",
        upc="0001",
        quantity=2,
        unit_price_minor=1999,
        total_minor=3998,
        note="Partner Order ID: PO-1",
    )
    values: dict[str, Any] = {
        "shop_id": 1,
        "order_id": 10001,
        "partner_order_id": "PO-1",
        "currency": "USD",
        "subtotal_minor": 3998,
        "tax_minor": 0,
        "shipping_minor": 0,
        "discount_minor": 0,
        "total_minor": 3998,
        "email": "ada@moreno.example",
        "billing": address,
        "shipping": address,
        "comments": "",
        "tax_id": "",
        "resale_tax": "",
        "is_test": False,
        "placed_at": datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
        "lines": (line,),
    }
    return DispatchOrder(**(values | changes))


async def send_dispatch(
    service: Delivering, *, shop_id: int, order_id: int, attempt: int = 0
) -> str:
    """Let the order's next attempt come at once, if it is this one; the status, or '' if it was not."""
    async with service.db.statement() as tx:
        delivery_id = await tx.value(
            "update deliveries set next_attempt_at = %s"
            " where shop_id = %s and subject_id = %s and status = 'queued' and attempts = %s returning id",
            (service.clock.now(), shop_id, order_id, attempt),
        )
    if delivery_id is None:
        return ""
    return (await deliver_due(service, limit=10, shop_id=shop_id)).get(delivery_id, "")


async def dispatch_row(database: Database, order_id: int) -> tuple[Any, ...]:
    """(status, attempts, their id, last error) as stored."""
    async with database.statement() as tx:
        row = await tx.one(
            "select status, attempts, result, last_error from deliveries"
            " where kind = 'dispatch' and subject_id = %s",
            (order_id,),
        )
    assert row is not None
    return row


async def seconds_left(database: Database, order_id: int, *, now: datetime) -> int | None:
    """How long until the order's next attempt, or its claim's end; None where there is none."""
    async with database.statement() as tx:
        moment = await tx.value(
            "select next_attempt_at from deliveries where kind = 'dispatch' and subject_id = %s",
            (order_id,),
        )
    return None if moment is None else round((moment - now).total_seconds())


async def event_rows(database: Database, order_id: int) -> list[tuple[str, dict[str, Any]]]:
    """(kind, payload) of the dispatch's events, oldest first."""
    async with database.statement() as tx:
        rows = await tx.all(
            "select kind, payload from events where subject_id = %s and kind like 'dispatch.%%' order by id",
            (order_id,),
        )
    return [(row[0], row[1]) for row in rows]
