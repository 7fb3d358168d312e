"""A variant's unsold serials..."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, Invalid, Refused
from crossdock.shop.doctor import CHECKS
from crossdock.shop.stock import (
    Posting,
    add_serials,
    claim_serials,
    count_pooled,
    list_pooled,
    post_stock,
    remove_serials,
    replace_serials,
)
from tests.conftest import NOON
from tests.support.factories import ShopFixture, box, level, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock

Act = Callable[[Transaction, ShopFixture, int], Awaitable[Any]]
TEXTS = ["A-1", "B-2", "C-3"]


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


@pytest.fixture
async def variant(tx: Transaction, shop: ShopFixture) -> int:
    """A variant with three serials."""
    found = await make_variant(tx, shop=shop, own=None)
    await add_serials(tx, shop_id=shop.id, variant_id=found, serials=TEXTS, box=box(), now=NOON)
    return found


async def texts(tx: Transaction, shop: ShopFixture, variant: int) -> list[str]:
    """What is left, in order."""
    found = await list_pooled(
        tx, shop_id=shop.id, variant_id=variant, limit=100, offset=0, box=box()
    )
    return [each.serial for each in found]


async def claim(tx: Transaction, shop: ShopFixture, variant: int, quantity: int) -> list[str]:
    """The texts that were taken out."""
    found = await claim_serials(
        tx, shop_id=shop.id, variant_id=variant, quantity=quantity, box=box(), now=NOON
    )
    return [each.serial for each in found]


async def promise(tx: Transaction, shop: ShopFixture, variant: int, quantity: int) -> None:
    """Commit some to an order."""
    posting = Posting(variant_id=variant, pool="own", kind="commit", committed=quantity)
    await post_stock(tx, shop_id=shop.id, postings=[posting], reason="promised", now=NOON)


async def test_are_claimed_the_oldest_first_and_never_come_back(tx, shop, variant):
    assert await claim(tx, shop, variant, 2) == TEXTS[:2]
    assert await texts(tx, shop, variant) == TEXTS[2:]
    assert (await level(tx, shop_id=shop.id, variant_id=variant))[0] == 1
    with pytest.raises(Conflict):
        await add_serials(
            tx, shop_id=shop.id, variant_id=variant, serials=TEXTS[:1], box=box(), now=NOON
        )
    for name in ("unsold serials are what is on hand", "sold serials have a buyer"):
        rows = await tx.all(
            f"select * from ({CHECKS[name]}) as found (place, expected, found, wrong)"
        )
        own = [row for row in rows if row[0].startswith(f"shop {shop.id} ")]
        assert not [place for place, _, _, is_wrong in own if is_wrong]


async def test_are_claimed_with_their_numbers(tx, shop, variant):
    pooled = await list_pooled(
        tx, shop_id=shop.id, variant_id=variant, limit=2, offset=0, box=box()
    )

    claimed = await claim_serials(
        tx, shop_id=shop.id, variant_id=variant, quantity=2, box=box(), now=NOON
    )

    assert [(each.id, each.serial, each.added_at) for each in claimed] == [
        (each.id, each.serial, NOON) for each in pooled
    ]


@pytest.mark.parametrize(("quantity", "error"), [(0, Invalid), (501, Invalid), (4, Refused)])
async def test_are_claimed_all_or_none(tx, shop, variant, quantity, error):
    with pytest.raises(error):
        await claim(tx, shop, variant, quantity)


async def test_that_are_promised_are_not_claimed(tx, shop, variant):
    await promise(tx, shop, variant, 2)
    with pytest.raises(Refused, match="stock_limit_exceeded"):
        await claim(tx, shop, variant, 2)


async def test_that_are_promised_are_not_removed(tx, shop, variant):
    await promise(tx, shop, variant, 3)
    [first, *_] = await list_pooled(
        tx, shop_id=shop.id, variant_id=variant, limit=1, offset=0, box=box()
    )
    assert "A-1" not in repr(first)
    with pytest.raises(Refused, match="stock_limit_exceeded"):
        await remove_serials(
            tx, shop_id=shop.id, variant_id=variant, serial_ids=[first.id], now=NOON
        )


async def test_are_replaced_and_those_that_stay_keep_their_place(tx, shop, variant):
    await replace_serials(
        tx,
        shop_id=shop.id,
        variant_id=variant,
        serials=["Z-9", "C-3", " Y-8 "],
        box=box(),
        now=NOON,
    )
    assert await texts(tx, shop, variant) == ["C-3", "Z-9", "Y-8"]
    assert await count_pooled(tx, shop_id=shop.id, variant_id=variant) == 3
    assert (await level(tx, shop_id=shop.id, variant_id=variant))[0] == 3


async def take_beside(database: Database, act: Act) -> tuple[Any, list[str]]:
    """What comes of an act that waits while others take the oldest serial, and what is left then."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=None)
        await add_serials(
            tx, shop_id=shop.id, variant_id=variant, serials=TEXTS, box=box(), now=NOON
        )

    async def run() -> Any:
        try:
            async with database.begin() as other:
                return await act(other, shop, variant)
        except Conflict as error:
            return error.code

    async with database.begin() as tx:
        await tx.run(
            "select 1 from stock_levels where shop_id = %s and variant_id = %s for no key update",
            (shop.id, variant),
        )
        running = asyncio.create_task(run())
        await waiting_for_a_lock(database, behind=tx)
        assert await claim(tx, shop, variant, 1) == TEXTS[:1]
    outcome = await running

    async with database.begin() as tx:
        left = await texts(tx, shop, variant)
        assert (await level(tx, shop_id=shop.id, variant_id=variant))[0] == len(left)
    return outcome, left


@pytest.mark.races
async def test_that_others_take_meanwhile_are_removed_no_more_and_nobody_waits_in_a_circle(
    database: Database,
) -> None:
    async def remove(tx: Transaction, shop: ShopFixture, variant: int) -> int:
        ids = await tx.value(
            "select array_agg(id order by id) from serials where variant_id = %s", (variant,)
        )
        return await remove_serials(
            tx, shop_id=shop.id, variant_id=variant, serial_ids=ids[:2], now=NOON
        )

    assert await take_beside(database, remove) == (1, TEXTS[2:])


@pytest.mark.races
async def test_that_others_take_meanwhile_are_passed_over_by_a_claim(database: Database) -> None:
    async def claim_two(tx: Transaction, shop: ShopFixture, variant: int) -> list[str]:
        return await claim(tx, shop, variant, 2)

    assert await take_beside(database, claim_two) == (TEXTS[1:], [])


@pytest.mark.races
async def test_that_others_take_meanwhile_are_not_there_to_stay(database: Database) -> None:
    async def replace(tx: Transaction, shop: ShopFixture, variant: int) -> None:
        await replace_serials(
            tx, shop_id=shop.id, variant_id=variant, serials=["A-1", "Z-9"], box=box(), now=NOON
        )

    assert await take_beside(database, replace) == ("exists", TEXTS[1:])
