"""A hold..."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.stock import (
    adjust_stock,
    expire_all_holds,
    expire_holds,
    hold_stock,
    receive_stock,
    release_hold,
)
from tests.support.factories import ShopFixture, level, make_shop, make_variant


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def test_takes_from_what_is_available_and_leaves_what_is_on_hand(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=5)

    await hold_stock(tx, shop_id=shop.id, variant_id=variant, quantity=2, ttl_s=60, now=clock.now())

    assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 2, 0, 3)


async def test_is_refused_beyond_what_is_available(database: Database, clock: FrozenClock) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=5)

    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await hold_stock(
                tx, shop_id=shop.id, variant_id=variant, quantity=6, ttl_s=60, now=clock.now()
            )

    assert refusal.value.code == "stock_limit_exceeded"
    assert refusal.value.data == {"variant_ids": [variant]}
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 0, 5)
        holds = "select count(*) from holds where shop_id = %s"
        assert await tx.value(holds, (shop.id,)) == 0


async def test_on_a_variant_without_stock_is_refused(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=None)

    with pytest.raises(Refused):
        async with database.begin() as tx:
            await hold_stock(
                tx, shop_id=shop.id, variant_id=variant, quantity=1, ttl_s=60, now=clock.now()
            )


async def test_goes_back_once(tx: Transaction, shop: ShopFixture, clock: FrozenClock) -> None:
    variant = await make_variant(tx, shop=shop, own=5)
    hold = await hold_stock(
        tx, shop_id=shop.id, variant_id=variant, quantity=2, ttl_s=60, now=clock.now()
    )

    await release_hold(tx, shop_id=shop.id, hold_id=hold.id, now=clock.now())

    assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 0, 5)
    with pytest.raises(NotFound) as refusal:
        await release_hold(tx, shop_id=shop.id, hold_id=hold.id, now=clock.now())
    assert refusal.value.code == "hold_not_found"


@pytest.mark.parametrize("seconds", [0, 60])
async def test_goes_back_where_more_is_promised_than_there_is(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock, seconds: int
) -> None:
    """Released or expired: some were lost meanwhile, and this leaves too few still."""
    variant = await make_variant(tx, shop=shop, own=5)
    first = await hold_stock(
        tx, shop_id=shop.id, variant_id=variant, quantity=2, ttl_s=60, now=clock.now()
    )
    await hold_stock(tx, shop_id=shop.id, variant_id=variant, quantity=3, ttl_s=99, now=clock.now())
    await adjust_stock(tx, shop_id=shop.id, variant_id=variant, difference=-4, now=clock.now())

    clock.move(timedelta(seconds=seconds))
    if seconds:
        await expire_holds(tx, now=clock.now())
    else:
        await release_hold(tx, shop_id=shop.id, hold_id=first.id, now=clock.now())

    assert await level(tx, shop_id=shop.id, variant_id=variant) == (1, 3, 0, -2)


async def test_of_another_shop_looks_like_none(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    other = await make_shop(tx)
    variant = await make_variant(tx, shop=shop, own=5)
    hold = await hold_stock(
        tx, shop_id=shop.id, variant_id=variant, quantity=2, ttl_s=60, now=clock.now()
    )

    with pytest.raises(NotFound) as refusal:
        await release_hold(tx, shop_id=other.id, hold_id=hold.id, now=clock.now())

    assert refusal.value.code == "hold_not_found"
    assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 2, 0, 3)


async def test_expires_by_an_entry_when_its_time_is_over(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=5)
    for ttl_s in (60, 61):
        await hold_stock(
            tx, shop_id=shop.id, variant_id=variant, quantity=2, ttl_s=ttl_s, now=clock.now()
        )

    clock.move(timedelta(seconds=60))
    await expire_holds(tx, now=clock.now())

    assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 2, 0, 3)
    kinds = await tx.all(
        "select kind, held_delta from stock_entries where shop_id = %s and variant_id = %s"
        " order by id",
        (shop.id, variant),
    )
    assert kinds == [("receive", 0), ("hold", 2), ("hold", 2), ("expire", -2)]


async def test_of_the_last_units_is_won_by_as_many_as_there_are(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=3)

    async def grab() -> str:
        try:
            async with database.begin() as tx:
                await hold_stock(
                    tx, shop_id=shop.id, variant_id=variant, quantity=1, ttl_s=60, now=clock.now()
                )
        except CrossdockError as error:
            return error.code
        return "held"

    outcomes = await asyncio.gather(*(grab() for _ in range(20)))

    assert sorted(outcomes) == ["held"] * 3 + ["stock_limit_exceeded"] * 17
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (3, 3, 0, 0)


async def test_cannot_take_a_level_below_its_warning_level(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=5)
        await tx.run(
            "update stock_levels set warning_level = 4 where shop_id = %s and variant_id = %s",
            (shop.id, variant),
        )

    with pytest.raises(Refused):
        async with database.begin() as tx:
            await hold_stock(
                tx, shop_id=shop.id, variant_id=variant, quantity=2, ttl_s=60, now=clock.now()
            )


async def test_does_not_let_a_count_take_goods_below_nothing(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=5)

    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await adjust_stock(
                tx, shop_id=shop.id, variant_id=variant, difference=-6, now=clock.now()
            )

    assert refusal.value.code == "stock_insufficient"


async def expired(database: Database, clock: FrozenClock, *, limit: int = 500) -> int:
    async with database.begin() as tx:
        return await expire_holds(tx, now=clock.now(), limit=limit)


@pytest.mark.races
async def test_that_somebody_expires_already_is_passed_over_without_waiting(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=5)
        await expire_holds(tx, now=clock.now() + timedelta(days=1))
        await hold_stock(
            tx, shop_id=shop.id, variant_id=variant, quantity=2, ttl_s=60, now=clock.now()
        )
    clock.move(timedelta(seconds=60))

    async with database.begin() as tx:
        assert await expire_holds(tx, now=clock.now()) == 1
        assert await asyncio.wait_for(expired(database, clock), timeout=5) == 0

    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (5, 0, 0, 5)


async def test_expires_the_oldest_first_where_there_are_many(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=5)
        await expire_holds(tx, now=clock.now() + timedelta(days=1))
        for ttl_s in (60, 59):
            await hold_stock(
                tx, shop_id=shop.id, variant_id=variant, quantity=1, ttl_s=ttl_s, now=clock.now()
            )
        # The newer row stands first in the table, and in the index by time as well.
        await tx.run(
            "update holds set reference = 'first' where shop_id = %s and id ="
            " (select min(id) from holds where shop_id = %s)",
            (shop.id, shop.id),
        )
    clock.move(timedelta(seconds=60))

    assert await expired(database, clock, limit=1) == 1

    async with database.begin() as tx:
        rows = await tx.all(
            "select reference, status from holds where shop_id = %s order by id", (shop.id,)
        )
    assert rows == [("first", "expired"), ("", "held")]


async def test_keeps_its_reference_as_the_reason_of_its_entry(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=5)
    for reference in ("cart 7", ""):
        await hold_stock(
            tx, shop_id=shop.id, variant_id=variant, quantity=1, ttl_s=60, now=clock.now(),
            reference=reference,
        )  # fmt: skip
    reasons = await tx.all(
        "select reason from stock_entries where shop_id = %s and kind = 'hold' order by id",
        (shop.id,),
    )
    assert reasons == [("cart 7",), ("hold",)]


async def test_that_cannot_be_released_keeps_no_other_and_is_told_of(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        broken, other = [await make_variant(tx, shop=shop, own=5) for _ in range(2)]
        stuck, free = [
            await hold_stock(
                tx, shop_id=shop.id, variant_id=variant, quantity=2, ttl_s=60, now=clock.now()
            )
            for variant in (broken, other)
        ]
        later = await hold_stock(
            tx, shop_id=shop.id, variant_id=other, quantity=1, ttl_s=61, now=clock.now()
        )
        await tx.run(
            "update stock_levels set held = 0 where shop_id = %s and variant_id = %s",
            (shop.id, broken),
        )
    clock.move(timedelta(seconds=60))

    assert await expire_all_holds(database, now=clock.now()) >= 1

    async with database.begin() as tx:
        rows = dict(await tx.all("select id, status from holds where shop_id = %s", (shop.id,)))
        (alert,) = await list_alerts(tx, shop_id=shop.id)
        await tx.run("delete from holds where id = %s", (stuck.id,))
    assert rows == {stuck.id: "held", free.id: "expired", later.id: "held"}
    assert (alert.kind, alert.subject) == ("job_failed", f"expire_holds hold {stuck.id}")


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["receive", "hold", "release", "expire"]), st.integers(1, 5)),
    max_size=12,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(operations=OPERATIONS)
async def test_sequence_leaves_the_level_the_sum_of_its_entries(
    database: Database, clock: FrozenClock, operations: list[tuple[str, int]]
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=3)
    holds: list[int] = []
    for operation, number in operations:
        try:
            async with database.begin() as tx:
                if operation == "receive":
                    await receive_stock(
                        tx, shop_id=shop.id, variant_id=variant, quantity=number, now=clock.now()
                    )
                elif operation == "hold":
                    hold = await hold_stock(
                        tx,
                        shop_id=shop.id,
                        variant_id=variant,
                        quantity=number,
                        ttl_s=number,
                        now=clock.now(),
                    )
                    holds.append(hold.id)
                elif operation == "release" and holds:
                    await release_hold(tx, shop_id=shop.id, hold_id=holds.pop(), now=clock.now())
                else:
                    clock.move(timedelta(seconds=1))
                    await expire_holds(tx, now=clock.now())
        except CrossdockError:
            continue
    async with database.begin() as tx:
        on_hand, held, committed, available = await level(tx, shop_id=shop.id, variant_id=variant)
        sums = await tx.one(
            "select sum(on_hand_delta), sum(held_delta), sum(committed_delta) from stock_entries"
            " where shop_id = %s and variant_id = %s",
            (shop.id, variant),
        )
    assert sums == (on_hand, held, committed)
    assert available == on_hand - held - committed >= 0
