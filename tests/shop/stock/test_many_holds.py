"""Holds of several goods at once..."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.shop.stock import lock_levels, read_entries
from tests.conftest import NOON
from tests.support.factories import ShopFixture, level, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock

UNTIL = NOON + timedelta(minutes=5)
LATER = NOON + timedelta(minutes=1)
HOLDS = """
    select variant_id, pool, quantity, reference, status, expires_at, created_at, closed_at
    from holds where shop_id = %s order by id
"""


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def hold_all(tx: Transaction, shop: ShopFixture, *wanted: tuple[int, int]) -> list[int]:
    rows = [{"variant_id": variant, "quantity": quantity} for variant, quantity in wanted]
    found: list[int] = await tx.value(
        "select hold_all(%s, %s, 'checkout', %s, %s)", (shop.id, Jsonb(rows), UNTIL, NOON)
    )
    return found


async def release_all(tx: Transaction, shop: ShopFixture, *ids: int) -> int:
    return int(await tx.value("select release_all(%s, %s, %s)", (shop.id, list(ids), LATER)))


async def levels(tx: Transaction, shop: ShopFixture, *variants: int) -> list[tuple[Any, ...]]:
    return [await level(tx, shop_id=shop.id, variant_id=variant) for variant in variants]


async def test_are_made_in_the_order_in_which_they_are_asked_for(
    tx: Transaction, shop: ShopFixture
) -> None:
    first, second = [await make_variant(tx, shop=shop, own=5) for _ in range(2)]

    ids = await hold_all(tx, shop, (second, 2), (first, 1), (second, 3))

    assert ids == sorted(ids)
    assert await tx.all(HOLDS, (shop.id,)) == [
        (variant, "own", quantity, "checkout", "held", UNTIL, NOON, None)
        for variant, quantity in ((second, 2), (first, 1), (second, 3))
    ]
    assert await levels(tx, shop, first, second) == [(5, 1, 0, 4), (5, 5, 0, 0)]
    entries = await read_entries(tx, shop_id=shop.id, variant_id=second)
    assert [(entry.kind, entry.held, entry.reason) for entry in entries[:2]] == [
        ("hold", 3, "checkout"),
        ("hold", 2, "checkout"),
    ]
    held = "select hold_id from stock_entries where shop_id = %s and kind = 'hold' order by id"
    assert sorted(await tx.all(held, (shop.id,))) == [(hold_id,) for hold_id in ids]


@pytest.mark.parametrize("own", [1, None])
async def test_are_all_or_none(tx: Transaction, shop: ShopFixture, own: int | None) -> None:
    plenty, few = await make_variant(tx, shop=shop), await make_variant(tx, shop=shop, own=own)

    with pytest.raises(psycopg.Error) as refused:
        async with tx.connection.transaction():
            await hold_all(tx, shop, (plenty, 1), (few, 2))

    assert refused.value.sqlstate == "CD001"
    assert refused.value.diag.message_detail is not None
    assert f'"variant_id": {few}' in refused.value.diag.message_detail
    assert f'"available": {own or 0}' in refused.value.diag.message_detail
    assert await tx.all(HOLDS, (shop.id,)) == []
    assert await levels(tx, shop, plenty) == [(10, 0, 0, 10)]


async def test_are_released_once_and_in_their_shop_alone(
    tx: Transaction, shop: ShopFixture
) -> None:
    elsewhere = await make_shop(tx)
    one, two = [await make_variant(tx, shop=shop, own=5) for _ in range(2)]
    theirs = await make_variant(tx, shop=elsewhere, own=5)
    a, b, c = await hold_all(tx, shop, (one, 1), (two, 2), (one, 4))
    d, e = await hold_all(tx, elsewhere, (theirs, 1), (theirs, 2))

    assert await release_all(tx, shop) == 0
    assert await release_all(tx, shop, d, e) == 0
    assert await levels(tx, elsewhere, theirs) == [(5, 3, 0, 2)]
    assert await release_all(tx, shop, b, a, d) == 2
    assert await release_all(tx, shop, a, b) == 0

    assert await levels(tx, shop, one, two) == [(5, 4, 0, 1), (5, 0, 0, 5)]
    states = [(row[4], row[7]) for row in await tx.all(HOLDS, (shop.id,))]
    assert states == [("released", LATER), ("released", LATER), ("held", None)]
    [newest, *_] = await read_entries(tx, shop_id=shop.id, variant_id=two)
    assert (newest.kind, newest.held, newest.reason) == ("release", -2, "hold released")
    assert await release_all(tx, shop, c, b) == 1


@pytest.mark.races
async def test_make_missing_levels_in_one_order_so_that_nobody_waits_in_a_circle(
    database: Database,
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variants = [await make_variant(tx, shop=shop, own=None) for _ in range(24)]

    async def hold() -> str:
        try:
            async with database.begin() as other:
                await hold_all(other, shop, *((variant, 1) for variant in reversed(variants)))
        except psycopg.Error as error:
            return error.sqlstate or ""
        return "held"

    async with database.begin() as tx:
        await lock_levels(tx, shop_id=shop.id, variant_ids=variants[:1])
        holding = asyncio.create_task(hold())
        await waiting_for_a_lock(database, behind=tx)
        await lock_levels(tx, shop_id=shop.id, variant_ids=variants[1:])

    assert await holding == "CD001"
