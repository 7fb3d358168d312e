"""Orders that wait for their dispatch, and services with every outside party on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.kit.outbound import Outbound
from crossdock.shop.customers import Address
from crossdock.shop.dispatch import (
    Configuring,
    Connectors,
    Dispatching,
    DispatchLine,
    DispatchOrder,
    add_connector,
)
from tests.support.factories import ADDRESS, box, make_partner, make_shop

PlaceOrder = Callable[..., Awaitable[tuple[int, int]]]


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    client = Outbound(allowed_hosts=["127.0.0.1"], deadline_s=2.0)
    yield client
    await client.close()


@pytest.fixture
def dispatching(database: Database, clock: FrozenClock, outbound: Outbound) -> Dispatching:
    connectors = Connectors(outbound=outbound, box=box(), clock=clock)
    return Dispatching(db=database, clock=clock, connectors=connectors)


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
    """An order through the core's own SQL function, so with its dispatch and its job."""
    line = {
        "product_id": 1,
        "merchant_id": 1,
        "origin": "SC",
        "image": None,
        "vat_bp": 0,
        "note": note,
    }
    document = {
        "shop_id": shop_id,
        "order_key": "wc_order_test",
        "partner_id": partner_id,
        "channel": "shoppex_partner",
        "partner_order_id": f"PO-{customer_id}",
        "customer_id": customer_id,
        "state": "processing",
        "currency": "USD",
        "subtotal_minor": 6397,
        "tax_minor": 0,
        "shipping_minor": 0,
        "discount_minor": 0,
        "total_minor": 6397,
        "billing": ADDRESS,
        "shipping": {**ADDRESS, "first_name": "Grace", "email": "", "phone": ""},
        "comments": "",
        "tax_id": "",
        "resale_tax": "",
        "sales_rep_id": None,
        "sales_rep_source": "none",
        "source": "partner_integration",
        "is_test": False,
        "connector": {"name": "out", "kind": kind},
        "lines": [
            line
            | {"line_no": 1, "variant_id": 1, "name": "Mug", "sku": "MUG-1", "upc": "0001"}
            | {"quantity": 2, "unit_price_minor": 1999},
            line
            | {"line_no": 2, "variant_id": 2, "name": "Pot", "sku": "POT-1", "upc": "0002"}
            | {"quantity": 1, "unit_price_minor": 2399},
        ],
        "takes": [],
    }
    moment = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    return int(
        await tx.value("select order_id from place_order(%s, %s)", (Jsonb(document), moment))
    )


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
        "state": "processing",
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


async def dispatch_row(database: Database, order_id: int) -> tuple[Any, ...]:
    """(status, attempts, external id, last error) as stored."""
    async with database.statement() as tx:
        row = await tx.one(
            "select status, attempts, external_id, last_error from dispatches where order_id = %s",
            (order_id,),
        )
    assert row is not None
    return row


async def job_rows(database: Database, order_id: int) -> list[tuple[Any, ...]]:
    """(attempt, seconds until it runs, lock) of the order's jobs, oldest first."""
    async with database.statement() as tx:
        return await tx.all(
            "select coalesce((args ->> 'attempt')::int, 0),"
            " round(extract(epoch from scheduled_at - now()))::int, lock from procrastinate_jobs"
            " where task_name = 'send_dispatch' and queue_name = 'dispatch' and (args ->> 'order_id')::bigint = %s"
            " order by id",
            (order_id,),
        )


async def event_rows(database: Database, order_id: int) -> list[tuple[str, dict[str, Any]]]:
    """(kind, payload) of the dispatch's events, oldest first."""
    async with database.statement() as tx:
        rows = await tx.all(
            "select kind, payload from events where subject_id = %s and kind like 'dispatch.%%' order by id",
            (order_id,),
        )
    return [(row[0], row[1]) for row in rows]
