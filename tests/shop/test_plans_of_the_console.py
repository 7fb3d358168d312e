"""What the console asks for in a busy shop, whatever the database knows of it..."""

import re
from collections.abc import AsyncIterator

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.shop.catalogue.looking_up import _FOUND
from crossdock.shop.catalogue.owned import _LIST_FOUND
from crossdock.shop.customers.browsing import _FOUND as _FOUND_CUSTOMERS
from crossdock.shop.finding.finding import _ANYTHING
from crossdock.shop.ledger.trial import _TRIAL
from crossdock.shop.orders import BoardFilters
from crossdock.shop.orders.board import _COUNTS, _page
from crossdock.shop.overview import _OVERVIEW, _SALES
from tests.support.factories import make_shop
from tests.support.plans import generic_plan, whole_shops

_GOODS = (
    """
    insert into products (shop_id, merchant_id, handle, name)
    select %(shop)s, %(merchant)s, 'good-' || n, 'Good ' || n from generate_series(1, 1500) n
    """,
    """
    insert into variants (shop_id, product_id, merchant_id, sku, gtin14, name, currency, retail_minor, origin)
    select shop_id, id, merchant_id, handle, lpad(id::text, 14, '0'), name, 'EUR', 100, '*'
    from products where shop_id = %(shop)s
    """,
    """
    insert into stock_levels (shop_id, variant_id, pool, on_hand)
    select shop_id, id, 'own', 1 from variants where shop_id = %(shop)s
    """,
)
_SALES_OF_YEARS = (
    """
    insert into customers (shop_id, email) select %(shop)s, n || '@example.com' from generate_series(1, 1500) n
    """,
    """
    insert into orders (shop_id, order_key, channel, customer_id, fulfilment_state, payment_state, release_policy,
                        currency, subtotal_minor, total_minor, billing, shipping, source, placed_at, updated_at)
    select c.shop_id, c.id::text, 'test', c.id, 'completed', 'paid', 'by_hand', 'EUR', 0, 0, '{}', '{}', 't',
           now() - c.id * interval '1 hour', now()
    from customers c where c.shop_id = %(shop)s
    """,
    """
    insert into accounts (shop_id, kind, owner, currency, created_at, updated_at)
    select %(shop)s, kind, '', 'EUR', now(), now() from unnest('{bank,sales}'::text[]) kind
    """,
    """
    insert into ledger_entries (shop_id, debit_account_id, credit_account_id, amount_minor, currency,
                                debit_balance_minor, credit_balance_minor, kind, created_at)
    select %(shop)s, b.id, s.id, 1, 'EUR', 0, 0, 'sale', now() - n * interval '1 hour'
    from accounts b join accounts s on s.shop_id = b.shop_id and s.kind = 'sales' cross join generate_series(1, 1500) n
    where b.shop_id = %(shop)s and b.kind = 'bank'
    """,
)
_TABLES = "products, variants, stock_levels, customers, orders, accounts, ledger_entries"
_WHOLE = {"orders_pkey", "customers_pkey", "products_pkey", "variants_gtin", "stock_levels_pkey"}
"""What holds a whole shop: all of its orders, its goods, its levels."""
_NOT_OVER = {"orders_open", "orders_waiting", "orders_unpaid", "orders_expiry"}
"""What holds only orders that somebody still has to do something for."""


@pytest.fixture
async def busy(database: Database) -> AsyncIterator[Transaction]:
    """A shop with more behind it than before it; its tables are as empty as before in the end."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        await tx.run("savepoint empty")
        for statement in (*_GOODS, *_SALES_OF_YEARS):
            await tx.run(statement, {"shop": shop.id, "merchant": shop.merchant_id})
        await tx.run(f"analyze {_TABLES}")
        yield tx
        await tx.run("rollback to savepoint empty")


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (BoardFilters(view="open"), "orders_open"),
        (BoardFilters(view="to_release"), "orders_waiting"),
        (BoardFilters(view="to_fulfil"), "orders_open"),
        (BoardFilters(view="to_deliver"), "orders_open"),
        (BoardFilters(view="late"), "orders_open"),
        (BoardFilters(view="unpaid"), "orders_(unpaid|expiry)"),
        (BoardFilters(view="all", fulfilment_state="processing"), "orders_open"),
        (BoardFilters(view="all", payment_state="awaiting"), "orders_(unpaid|expiry)"),
    ],
)
async def test_is_read_from_what_is_not_over(busy, filters, index):
    plan = await generic_plan(busy, _page(filters))
    # In the order of the index, or by a bitmap of it: either reads only what it holds.
    assert re.search(rf"Scan (Backward )?(using|on) {index}\b", plan), plan
    assert not whole_shops(plan) & _WHOLE, plan


async def test_is_counted_from_what_is_not_over(busy):
    plan = await generic_plan(busy, _COUNTS)
    read = set(re.findall(r"\b(orders_\w+)\b", plan))
    assert read <= {*_NOT_OVER, "orders_id_key", "orders_pkey"}, plan
    assert read & {"orders_open"}
    assert not whole_shops(plan) & _WHOLE, plan


@pytest.mark.parametrize("view", ["all", "open"])
async def test_is_found_by_an_index_each(busy, view):
    plan = await generic_plan(busy, _page(BoardFilters(view=view, search="x")))
    for index in ("customers_email", "orders_customer", "orders_email", "variants_sku"):
        assert index in plan
    assert not whole_shops(plan) & _WHOLE, plan


@pytest.mark.parametrize("statement", [_ANYTHING, _FOUND], ids=["anything", "goods"])
async def test_is_found_everywhere_without_reading_all(busy, statement):
    plan = await generic_plan(busy, statement)
    assert not whole_shops(plan) & _WHOLE, plan


async def test_is_found_by_a_part_of_its_name_by_an_index(busy):
    goods = await generic_plan(busy, _LIST_FOUND)
    buyers = await generic_plan(busy, _FOUND_CUSTOMERS)
    for index in ("products_words", "products_handle", "variants_sku_folded"):
        assert f"Bitmap Index Scan on {index}" in goods or f"using {index}" in goods, goods
    assert "Bitmap Index Scan on customers_words" in buyers, buyers
    assert "Seq Scan on products" not in goods, goods
    assert "Seq Scan on customers" not in buyers, buyers


async def test_is_summed_for_the_home_page_from_some_days(busy):
    sales, state = await generic_plan(busy, _SALES), await generic_plan(busy, _OVERVIEW)
    assert "Bitmap Index Scan on orders_placed" in sales
    assert "using stock_levels_warning on" in state
    assert not whole_shops(sales + "\n" + state) & _WHOLE


async def test_is_balanced_from_the_accounts(busy):
    plan = await generic_plan(busy, _TRIAL)
    assert "Bitmap Index Scan on ledger_entries_posted" in plan
    assert "ledger_entries_pkey" not in plan
