"""The doctor..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.doctor import CHECKS, examine
from crossdock.shop.orders import cancel_order
from crossdock.shop.stock import hold_stock
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.ordering import order, placing, read_partner


@pytest.fixture
async def alone(empty_database_url: str):
    """A database in which nobody else writes, with a shop at work."""
    database = Database(empty_database_url, min_size=1, max_size=4)
    await database.open()
    yield database
    await database.close()


async def _work(database: Database, clock: FrozenClock) -> tuple[int, int, int]:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=9)
        fixture = await make_partner(tx, shop=shop)
        await hold_stock(
            tx, shop_id=shop.id, variant_id=variant, quantity=1, ttl_s=60, now=clock.now()
        )
    partner = await read_partner(database, fixture)
    service = placing(database, clock)
    await order(service, partner=partner, number="A", **{f"v{variant}": 2})
    second = await order(service, partner=partner, number="B", **{f"v{variant}": 3})
    async with database.begin() as tx:
        await cancel_order(tx, shop_id=shop.id, order_id=second.id, now=clock.now())
        await tx.run("select number_all_events()")
    return shop.id, variant, second.id


async def test_finds_nothing_in_a_shop_at_work(alone: Database, clock: FrozenClock) -> None:
    await _work(alone, clock)

    results = await examine(alone)

    assert [r.check for r in results] == list(CHECKS)
    assert [d for r in results for d in r.differences] == []
    assert {r.check: r.looked_at for r in results}["order totals are the sums of their lines"] == 2


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (
            "update stock_levels set on_hand = on_hand + 1",
            "stock levels are the sums of their entries",
        ),
        ("update stock_levels set held = 0", "held stock is the sum of open holds"),
        (
            "update order_allocations set quantity = 1 where status = 'committed'",
            "committed stock is the sum of open orders",
        ),
        (
            "update orders set subtotal_minor = subtotal_minor + 1, total_minor = total_minor + 1",
            "order totals are the sums of their lines",
        ),
        ("delete from order_lines", "no order has more than it asked for"),
        (
            "update order_allocations set status = 'committed'",
            "orders that are over keep no stock",
        ),
        (
            "update order_lines set cancelled = 0",
            "orders that are over have nothing left to ship",
        ),
        (
            "update order_lines set cancelled = 1 where cancelled = 0",
            "orders that are over have nothing left to ship",
        ),
        (
            "insert into stock_levels (shop_id, variant_id, pool) select id, 0, 'own' from shops",
            "every level has a variant",
        ),
        ("update orders set partner_id = 0", "every partner of an order is there"),
        ("delete from events where kind = 'order.placed'", "every order was announced once"),
        (
            (
                "insert into deliveries (shop_id, kind, target, subject_id, next_attempt_at, queued_at, updated_at)"
                " select id, 'dispatch', 'out', 1, now(), now(), now() from shops"
            ),
            "every dispatch has an order",
        ),
        (
            (
                "insert into deliveries (shop_id, kind, target, status, next_attempt_at, queued_at, updated_at)"
                " select id, 'x', 'out', 'sending', now() - interval '2 hours', now(), now() from shops"
            ),
            "no delivery is stuck with its sender",
        ),
        (
            (
                "with t as (insert into tickets (shop_id, partner_id, kind, first_name, last_name, email, created_at,"
                " updated_at) select id, 0, 'question', 'A', 'B', 'a@b.example', now(), now() from shops"
                " returning shop_id, id)"
                " insert into ticket_lines (shop_id, ticket_id, position, order_id, line_no)"
                " select o.shop_id, t.id, 1, o.id, 1 from t join orders o on o.shop_id = t.shop_id limit 1"
            ),
            "tickets are about orders of their partners",
        ),
        (
            (
                "insert into tickets (shop_id, partner_id, kind, first_name, last_name, email, created_at, updated_at,"
                " comment_count) select id, 0, 'question', 'A', 'B', 'a@b.example', now(), now(), 1 from shops"
            ),
            "tickets count their comments",
        ),
        (
            (
                "insert into invoices (shop_id, token, purpose, title, quantity, unit_minor, total_minor, currency,"
                " email, state, proceeds_kind, proceeds_owner, created_at, updated_at)"
                " select id, 't', 'payment', 'x', 1, 5, 5, 'EUR', 'a@b.example', 'pending', 'sales', '', now(), now()"
                " from shops;"
                " update invoices set state = 'completed', paid_at = now()"
            ),
            "invoices are paid by what was captured for them",
        ),
        ("delete from events where sequence = 2", "event numbers have no gap"),
        ("delete from event_topics where topic = 'orders'", "every topic counts its events"),
    ],
)
async def test_finds_what_was_damaged(
    alone: Database, clock: FrozenClock, damage: str, check: str
) -> None:
    await _work(alone, clock)
    async with alone.begin() as tx:
        await tx.run(damage)

    results = await examine(alone)

    assert check in {d.check for r in results for d in r.differences}
