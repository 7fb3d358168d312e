"""Shops of any size, written directly into the tables; levels still equal the sums of their entries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.shop.events import number_events
from proof.stand import Ground, Stand
from tests.support.factories import (
    PartnerFixture,
    ShopFixture,
    make_customer,
    make_merchant,
    make_partner,
    make_shop,
)

PAGE = 50
ON_HAND = 1_000_000


@dataclass(frozen=True)
class Population:
    """A shop with many goods; one partner sees all, the other a page of 50."""

    shop: ShopFixture
    partner: PartnerFixture
    page_partner: PartnerFixture
    variants: tuple[int, ...]


@asynccontextmanager
async def populated(
    ground: Ground, name: str, *, variants: int, sample: int = 5_000
) -> AsyncIterator[tuple[Stand, Population]]:
    """Create an analysed database with that many variants; yields a sample of their ids."""
    async with ground.stand(name) as stand:
        database = Database(stand.url, min_size=1, max_size=1, statement_timeout_ms=0)
        await database.open()
        async with database.begin() as tx:
            population = await _populate(tx, variants=variants, sample=sample)
        async with database.statement() as tx:
            while await number_events(tx, shop_id=population.shop.id):
                pass
            await settle(tx)
        await database.close()
        yield stand, population


async def settle(tx: Transaction) -> None:
    """Vacuum and analyse what has rows; empty tables stay as new as in a shop that was just opened."""
    await tx.run("vacuum analyze")
    await tx.run(
        "select pg_clear_relation_stats(current_schema()::text, relname::text) from pg_class"
        " where relnamespace = current_schema()::regnamespace and relkind = 'r' and reltuples = 0"
    )
    await tx.run("checkpoint")


async def add_orders(url: str, shop: Population, *, count: int) -> None:
    """Add so many orders of two lines, one of ten still open, and a customer for every second of them."""
    values = {
        "shop": shop.shop.id,
        "partner": shop.partner.id,
        "merchant": shop.shop.merchant_id,
        "count": count,
        "variants": list(shop.variants),
    }
    database = Database(url, min_size=1, max_size=1, statement_timeout_ms=0)
    await database.open()
    async with database.begin() as tx:
        for statement in (_CUSTOMERS, _ORDERS, _LINES):
            await tx.run(statement, values)
    async with database.statement() as tx:
        await settle(tx)
    await database.close()


_CUSTOMERS = """
    insert into customers (shop_id, email, first_name, last_name)
    select %(shop)s, 'buyer-' || n || '@example.com', 'Ada', 'Moreno ' || n
    from generate_series(1, %(count)s / 2) n
"""
_ORDERS = """
    insert into orders (shop_id, order_key, channel, partner_id, partner_order_id, customer_id, fulfilment_state,
                        payment_state, release_policy, currency, subtotal_minor, total_minor, billing, shipping,
                        source, placed_at, updated_at)
    select c.shop_id, 'b-' || c.id || '-' || n, 'shoppex_partner', %(partner)s, 'PO-' || c.id || '-' || n, c.id,
           case when c.id %% 5 = 0 and n = 1
                then (array['waiting_for_release', 'reserved', 'processing'])[1 + c.id %% 3]
                else 'completed' end,
           (array['none', 'paid', 'awaiting'])[1 + c.id %% 3], 'placed', 'USD', 2 * c.id, 2 * c.id,
           address, address, 'bench', now() - (c.id * 2 + n) * interval '7 minutes', now()
    from customers c cross join generate_series(1, 2) n
    cross join lateral jsonb_build_object('first_name', c.first_name, 'last_name', c.last_name, 'country', 'US',
                                          'email', c.email) address
    where c.shop_id = %(shop)s and c.last_name like 'Moreno %%'
"""
_LINES = """
    insert into order_lines (shop_id, order_id, line_no, variant_id, product_id, merchant_id, name, sku, quantity,
                             unit_price_minor, total_minor, picked, shipped)
    select o.shop_id, o.id, n, v.id, v.product_id, v.merchant_id, v.name, v.sku, 1, o.customer_id, o.customer_id,
           gone.units, gone.units
    from orders o cross join generate_series(1, 2) n
    cross join lateral (select (o.fulfilment_state = 'completed')::integer as units) gone
    join variants v on v.shop_id = o.shop_id
     and v.id = (%(variants)s::bigint[])[1 + (o.id + n) %% cardinality(%(variants)s::bigint[])]
    where o.shop_id = %(shop)s and o.source = 'bench'
"""


async def _populate(tx: Transaction, *, variants: int, sample: int) -> Population:
    shop = await make_shop(tx)
    page_merchant = await make_merchant(tx, shop_id=shop.id)
    sales_rep = await tx.value(
        "insert into sales_reps (shop_id, name) values (%s, 'Ana') returning id", (shop.id,)
    )
    customer = await make_customer(tx, shop_id=shop.id, sales_rep_id=sales_rep)
    partner = await make_partner(tx, shop=shop, customer_id=customer)
    page_partner = await make_partner(
        tx, shop=shop, customer_id=customer, visible_merchants=(page_merchant,)
    )
    await tx.run(
        "insert into connectors (shop_id, name, kind, settings, is_default)"
        " values (%s, 'hook', 'webhook', '{\"url\": \"https://fulfilment.example/orders\"}', true)",
        (shop.id,),
    )
    rest = variants - PAGE
    for merchant_id, prefix, count in ((shop.merchant_id, "a", rest), (page_merchant, "b", PAGE)):
        await _goods(tx, shop=shop, merchant_id=merchant_id, prefix=prefix, count=count)
    await _stock(tx, shop=shop)
    rows = await tx.all(
        "select id from variants where shop_id = %s and merchant_id = %s order by hashint8(id) limit %s",
        (shop.id, shop.merchant_id, sample),
    )
    return Population(shop, partner, page_partner, tuple(row[0] for row in rows))


async def _goods(
    tx: Transaction, *, shop: ShopFixture, merchant_id: int, prefix: str, count: int
) -> None:
    await tx.run(
        "insert into products (shop_id, merchant_id, handle, name)"
        " select %s, %s, %s || g, 'Folding canvas chair number ' || g from generate_series(1, %s) g",
        (shop.id, merchant_id, prefix, count),
    )
    await tx.run(
        "insert into variants (shop_id, product_id, merchant_id, sku, upc, name, currency, retail_minor, origin)"
        " select shop_id, id, merchant_id, 'SKU-' || handle, lpad(id::text, 12, '0'), name, 'USD',"
        "        199 + id %% 90000, case id %% 3 when 0 then '*' else 'SC' end"
        " from products where shop_id = %s and merchant_id = %s",
        (shop.id, merchant_id),
    )


async def _stock(tx: Transaction, *, shop: ShopFixture) -> None:
    await tx.run(
        "insert into stock_levels (shop_id, variant_id, pool, on_hand)"
        " select shop_id, id, 'own', %s from variants where shop_id = %s",
        (ON_HAND, shop.id),
    )
    await tx.run(
        "insert into stock_entries (shop_id, variant_id, pool, kind, on_hand_delta, reason)"
        " select shop_id, id, 'own', 'receive', %s, 'population' from variants where shop_id = %s",
        (ON_HAND, shop.id),
    )
    await tx.run(
        'select write_event(%s, \'stock.changed\', null, \'{"levels": [], "reason": "population"}\', now())',
        (shop.id,),
    )
