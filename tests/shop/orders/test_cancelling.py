"""Cancelling an order..."""

import psycopg
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.dispatch import resend
from crossdock.shop.orders import Cancelled, cancel_order, move_order, read_order
from tests.support.factories import (
    PartnerFixture,
    ShopFixture,
    level,
    make_partner,
    make_shop,
    make_variant,
)
from tests.support.ordering import order, placing, read_partner


async def _placed(
    database: Database, clock: FrozenClock, *, connector: str | None = None
) -> tuple[ShopFixture, int, int]:
    """A shop, a variant with 5, and an order of 2 of it."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=5)
        fixture = await make_partner(tx, shop=shop)
        if connector:
            await tx.run(
                "insert into connectors (shop_id, name, kind, is_default)"
                " values (%s, %s, %s, true)",
                (shop.id, connector, connector),
            )
    partner = await read_partner(database, fixture)
    placed = await order(
        placing(database, clock), partner=partner, number="A1", **{f"v{variant}": 2}
    )
    return shop, variant, placed.id


async def test_gives_its_stock_back_and_tells_of_it(database: Database, clock: FrozenClock) -> None:
    shop, variant, order_id = await _placed(database, clock)

    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 2, 3)
        told = await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())
        assert told == Cancelled(may_be_at="")

    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 0, 5)
        kinds = await tx.all(
            "select kind from events where shop_id = %s and subject_id = %s order by id",
            (shop.id, order_id),
        )
    assert [kind for (kind,) in kinds] == [
        "order.placed",
        "stock.changed",
        "order.lines_moved",
        "order.cancelled",
        "stock.changed",
    ]


async def test_twice_is_refused(database: Database, clock: FrozenClock) -> None:
    shop, variant, order_id = await _placed(database, clock)
    async with database.begin() as tx:
        await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    assert refusal.value.code == "order_state"
    assert refusal.value.message == "The order is cancelled already."
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 0, 5)


async def test_keeps_its_partner_number_used_for_ever(
    database: Database, clock: FrozenClock
) -> None:
    shop, variant, order_id = await _placed(database, clock)
    async with database.begin() as tx:
        await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())
        key = await tx.value(
            "select c.public_key from credentials c where c.shop_id = %s", (shop.id,)
        )
    partner = await read_partner(
        database, PartnerFixture(id=0, shop_id=shop.id, key=key, secret="")
    )

    with pytest.raises(Conflict) as refusal:
        await order(placing(database, clock), partner=partner, number="A1", **{f"v{variant}": 1})

    assert refusal.value.data["order_id"] == order_id


async def test_of_another_shop_looks_like_none(database: Database, clock: FrozenClock) -> None:
    shop, variant, order_id = await _placed(database, clock)
    async with database.begin() as tx:
        other = await make_shop(tx)

    with pytest.raises(NotFound) as refusal:
        async with database.begin() as tx:
            await cancel_order(tx, shop_id=other.id, order_id=order_id, now=clock.now())

    assert refusal.value.code == "order_not_found"
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 2, 3)


async def test_is_refused_once_the_work_has_begun(database: Database, clock: FrozenClock) -> None:
    shop, variant, order_id = await _placed(database, clock)
    async with database.begin() as tx:
        await move_order(
            tx, shop_id=shop.id, order_id=order_id, to="in_fulfilment", now=clock.now()
        )

    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    assert refusal.value.code == "order_state"
    assert refusal.value.message == "An order that is in_fulfilment cannot be cancelled."
    async with database.begin() as tx:
        order = await read_order(tx, order_id=order_id)
        assert [line.state for line in order.lines] == ["open"]
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 2, 3)


async def test_leaves_the_shop_s_other_orders_as_they_are(
    database: Database, clock: FrozenClock
) -> None:
    shop, variant, order_id = await _placed(database, clock)
    async with database.begin() as tx:
        key = await tx.value("select public_key from credentials where shop_id = %s", (shop.id,))
    fixture = PartnerFixture(id=0, shop_id=shop.id, key=key, secret="")
    partner = await read_partner(database, fixture)
    other = await order(
        placing(database, clock), partner=partner, number="A2", **{f"v{variant}": 1}
    )

    async with database.begin() as tx:
        await cancel_order(
            tx, shop_id=shop.id, order_id=order_id, reason="by phone", now=clock.now()
        )

    async with database.begin() as tx:
        left = await read_order(tx, order_id=other.id)
        assert left.fulfilment_state == "processing"
        assert [line.state for line in left.lines] == ["open"]
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 1, 4)
        payload = await tx.value(
            "select payload from events where shop_id = %s and kind = 'order.cancelled'", (shop.id,)
        )
        shares = await tx.all(
            "select order_id, quantity, status from order_allocations where shop_id = %s order by 1",
            (shop.id,),
        )
    assert payload == {"from": "processing", "to": "cancelled", "reason": "by phone", "by": "shop"}
    assert shares == [(order_id, 2, "returned"), (other.id, 1, "committed")]


async def test_withdraws_what_was_not_sent_yet(database: Database, clock: FrozenClock) -> None:
    shop, _, order_id = await _placed(database, clock, connector="webhook")

    async with database.begin() as tx:
        await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    async with database.begin() as tx:
        status = "select status from deliveries where shop_id = %s and subject_id = %s"
        assert await tx.value(status, (shop.id, order_id)) == "withdrawn"


async def test_is_refused_when_an_outside_system_has_it(
    database: Database, clock: FrozenClock
) -> None:
    shop, variant, order_id = await _placed(database, clock, connector="webhook")
    async with database.begin() as tx:
        await tx.run(
            "update deliveries set status = 'sent', result = 'X9', sent_at = now(), next_attempt_at = null"
            " where shop_id = %s",
            (shop.id,),
        )

    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    assert refusal.value.code == "order_state"
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 2, 3)


async def test_of_an_order_for_staff_is_allowed_and_needs_no_job(
    database: Database, clock: FrozenClock
) -> None:
    shop, _, order_id = await _placed(database, clock, connector="manual")

    async with database.begin() as tx:
        jobs = "select count(*) from procrastinate_jobs where args ->> 'order_id' = %s"
        assert await tx.value(jobs, (str(order_id),)) == 0
        await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())


async def test_is_walled_by_the_database_as_well(database: Database, clock: FrozenClock) -> None:
    shop, _, order_id = await _placed(database, clock)
    async with database.begin() as tx:
        await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    with pytest.raises(psycopg.Error) as refusal:
        async with database.begin() as tx:
            await tx.run(
                "update orders set fulfilment_state = 'processing' where shop_id = %s and id = %s",
                (shop.id, order_id),
            )

    assert refusal.value.sqlstate == "CD010"


async def test_is_refused_while_a_retry_waits(database: Database, clock: FrozenClock) -> None:
    shop, _, order_id = await _placed(database, clock, connector="webhook")
    async with database.begin() as tx:
        await tx.run("update deliveries set attempts = 1 where shop_id = %s", (shop.id,))

    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    assert refusal.value.code == "order_state"


async def test_is_refused_when_it_was_sent_again_by_hand(
    database: Database, clock: FrozenClock
) -> None:
    """The outside system may have the order from an attempt before, though the count began anew."""
    shop, _, order_id = await _placed(database, clock, connector="webhook")
    async with database.begin() as tx:
        await tx.run(
            "update deliveries set attempts = 7, status = 'failed', next_attempt_at = null"
            " where shop_id = %s",
            (shop.id,),
        )
        await resend(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())

    assert refusal.value.code == "order_state"


async def test_after_failed_attempts_asks_staff_to_look(
    database: Database, clock: FrozenClock
) -> None:
    shop, _, order_id = await _placed(database, clock, connector="webhook")
    async with database.begin() as tx:
        await tx.run(
            "update deliveries set attempts = 7, status = 'failed', next_attempt_at = null"
            " where shop_id = %s",
            (shop.id,),
        )
        told = await cancel_order(tx, shop_id=shop.id, order_id=order_id, now=clock.now())
        alerts = await tx.all(
            "select kind, message, order_id from alerts where shop_id = %s", (shop.id,)
        )

    assert told.may_be_at == "webhook"
    message = f"Order {order_id} was cancelled after failed attempts; see that webhook lacks it."
    assert ("cancelled_after_attempts", message, order_id) in alerts
