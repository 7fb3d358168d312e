"""What a shop asks money for, in one list..."""

import pytest
from psycopg.types.json import Jsonb

from crossdock.shop.invoices.browsing import _PAGE_OF_EMAIL, BillFilters, browse_bills
from tests.support.factories import make_customer
from tests.support.invoicing import Invoicing
from tests.support.plans import generic_plan

_ORDER = """
    insert into orders (shop_id, order_key, channel, customer_id, fulfilment_state, payment_state, release_policy,
                        currency, subtotal_minor, total_minor, billing, shipping, source, placed_at, updated_at)
    values (%s, %s, 'test', %s, 'completed', 'paid', 'by_hand', 'USD', 0, 0, %s, '{}', 't', %s, %s)
    returning id
"""


async def add_order(desk: Invoicing, billing: dict[str, str], customer: int | None = None) -> int:
    """An order that is billed like this, of this customer."""
    now = desk.clock.now()
    async with desk.db.begin() as tx:
        key = str(await tx.value("select coalesce(max(id), 0) from orders"))
        values = (desk.shop.id, key, customer, Jsonb(billing), now, now)
        return int(await tx.value(_ORDER, values))


@pytest.mark.parametrize("asked", ["ann@example.com", "bob@example.com", "nobody@example.com"])
async def test_has_with_an_address_what_is_billed_to_it(desk, asked):
    async with desk.db.begin() as tx:
        number = await make_customer(tx, shop_id=desk.shop.id, email="Ann@example.com")
    billed = {
        await add_order(desk, {"email": "Ann@Example.com"}, number): "ann@example.com",
        await add_order(desk, {"email": "bob@example.com"}, number): "bob@example.com",
        await add_order(desk, {"email": ""}, number): "ann@example.com",
        await add_order(desk, {}, number): "ann@example.com",
        await add_order(desk, {}): "",
    }
    invoice = await desk.create(email="ANN@example.com")
    async with desk.db.statement() as tx:
        found = await browse_bills(
            tx, shop_id=desk.shop.id, filters=BillFilters(email=asked), size=10
        )
    wanted = {order for order, of in billed.items() if of == asked}
    wanted |= {invoice.id} if asked == "ann@example.com" else set()
    assert {bill.id for bill in found} == wanted


_MANY_CUSTOMERS = """
    insert into customers (shop_id, email)
    select %(shop)s, 'buyer-' || n || '@example.com' from generate_series(1, 3000) n
"""
_MANY_ORDERS = """
    insert into orders (shop_id, order_key, channel, customer_id, fulfilment_state, payment_state, release_policy,
                        currency, subtotal_minor, total_minor, billing, shipping, source, placed_at, updated_at)
    select c.shop_id, 'many-' || c.id, 'test', c.id, 'completed', 'paid', 'by_hand', 'USD', 0, 0, '{}', '{}', 't',
           %(now)s, %(now)s
    from customers c where c.shop_id = %(shop)s and c.email like 'buyer-%%'
"""


async def test_finds_those_of_an_address_by_indexes(desk):
    many = {"shop": desk.shop.id, "now": desk.clock.now()}
    async with desk.db.begin() as tx:
        await tx.run(_MANY_CUSTOMERS, many)
        await tx.run(_MANY_ORDERS, many)
        await tx.run("analyze customers, orders")
        plan = await generic_plan(tx, _PAGE_OF_EMAIL)
        await tx.run("delete from orders where shop_id = %(shop)s", many)
        await tx.run(
            "delete from customers where shop_id = %(shop)s and email like 'buyer-%%'", many
        )
    for index in ("orders_email", "orders_without_email", "customers_email", "invoices_email"):
        assert index in plan
    assert "Seq Scan on orders" not in plan
