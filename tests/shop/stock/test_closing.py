"""Holds that an order takes over..."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import hold_stock
from tests.conftest import NOON
from tests.support.factories import ShopFixture, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock

CLOSE = "select id, variant_id, pool, quantity from close_holds(%s, %s, %s) order by id"


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def hold(tx: Transaction, shop: ShopFixture, variant: int, quantity: int) -> int:
    """For a minute from noon."""
    made = await hold_stock(
        tx, shop_id=shop.id, variant_id=variant, quantity=quantity, ttl_s=60, now=NOON
    )
    return made.id


async def close(
    tx: Transaction, shop: ShopFixture, *wanted: tuple[int, int, int], seconds: int = 0
) -> list[tuple[Any, ...]]:
    """Close holds, (id, variant, quantity) each, so many seconds past noon."""
    rows = ",".join(
        f'{{"hold_id": {id_}, "variant_id": {variant}, "quantity": {quantity}}}'
        for id_, variant, quantity in wanted
    )
    return await tx.all(CLOSE, (shop.id, f"[{rows}]", NOON + timedelta(seconds=seconds)))


async def statuses(tx: Transaction, shop: ShopFixture) -> list[tuple[Any, ...]]:
    return await tx.all(
        "select id, status, closed_at from holds where shop_id = %s order by id", (shop.id,)
    )


async def test_are_closed_by_themselves(tx: Transaction, shop: ShopFixture) -> None:
    one, two = [await make_variant(tx, shop=shop, own=9) for _ in range(2)]
    first, second, third = (
        await hold(tx, shop, one, 2),
        await hold(tx, shop, two, 3),
        await hold(tx, shop, one, 2),
    )

    closed = await close(tx, shop, (first, one, 2), (second, two, 3), seconds=59)

    assert closed == [(first, one, "own", 2), (second, two, "own", 3)]
    late = NOON + timedelta(seconds=59)
    assert await statuses(tx, shop) == [
        (first, "committed", late),
        (second, "committed", late),
        (third, "held", None),
    ]
    assert await close(tx, shop, (first, one, 2), seconds=59) == []


async def test_that_are_over_or_not_what_is_asked_for_stay_as_they_are(
    tx: Transaction, shop: ShopFixture
) -> None:
    variant, other = [await make_variant(tx, shop=shop, own=9) for _ in range(2)]
    id_ = await hold(tx, shop, variant, 2)
    elsewhere = await make_shop(tx)

    assert await close(tx, shop, (id_, variant, 2), seconds=60) == []
    assert await close(tx, shop, (id_, variant, 1)) == []
    assert await close(tx, shop, (id_, other, 2)) == []
    assert await close(tx, shop, (id_ + 1, variant, 2)) == []
    assert await close(tx, elsewhere, (id_, variant, 2)) == []

    assert await statuses(tx, shop) == [(id_, "held", None)]


@pytest.mark.races
async def test_are_locked_in_one_order_whatever_order_they_are_given_in(
    database: Database, clock: FrozenClock
) -> None:
    """The second waits for the first hold and has none of the others; nobody waits in a circle."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=9)
        ids = [await hold(tx, shop, variant, 1) for _ in range(3)]

    async def close_backwards() -> int:
        async with database.begin() as other:
            return len(await close(other, shop, *((id_, variant, 1) for id_ in reversed(ids))))

    async with database.begin() as tx:
        assert len(await close(tx, shop, (ids[0], variant, 1))) == 1
        waiting = asyncio.create_task(close_backwards())
        await waiting_for_a_lock(database, behind=tx)
        await tx.run("set local lock_timeout = '2s'")
        assert len(await close(tx, shop, *((id_, variant, 1) for id_ in ids[1:]))) == 2
    assert await waiting == 0

    async with database.begin() as tx:
        assert [row[1] for row in await statuses(tx, shop)] == ["committed"] * 3
