"""Stock set to a count..."""

import asyncio
from datetime import date
from typing import Any

import msgspec
import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import Posting, StockRecord, add_serials, post_stock, set_stock
from tests.support.factories import ShopFixture, box, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock

DAY = date(2027, 1, 31)


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def kept(tx: Transaction, shop: ShopFixture, variant: int) -> list[tuple[Any, ...]]:
    """Of each pool what its level says, and what its entries add up to."""
    return await tx.all(
        "select l.pool, l.on_hand, l.warning_level, l.best_before, l.best_before_alert,"
        " (select coalesce(sum(e.on_hand_delta), 0)::bigint from stock_entries e"
        "  where e.shop_id = l.shop_id and e.variant_id = l.variant_id and e.pool = l.pool)"
        " from stock_levels l where l.shop_id = %s and l.variant_id = %s order by l.pool",
        (shop.id, variant),
    )


async def told(tx: Transaction, shop: ShopFixture) -> list[Any]:
    """The levels of the events whose reason is 'count'."""
    rows = await tx.all(
        "select payload -> 'levels' from events where shop_id = %s and kind = 'stock.changed'"
        " and payload ->> 'reason' = 'count' order by id",
        (shop.id,),
    )
    return [row[0] for row in rows]


async def test_of_a_new_variant_is_a_level_and_an_entry_of_what_there_is(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=None)
    new = [
        (variant, StockRecord(pool="own", on_hand=7, warning_level=2, best_before=DAY,
                              best_before_alert="so\ton")),
        (variant, StockRecord(pool="supplier", on_hand=0)),
    ]  # fmt: skip

    changed = await set_stock(
        tx, shop_id=shop.id, new=new, existing=[], reason="count", now=clock.now()
    )

    assert changed == 2
    assert await kept(tx, shop, variant) == [
        ("own", 7, 2, DAY, "so\ton", 7),
        ("supplier", 0, 0, None, "", 0),
    ]
    assert await told(tx, shop) == [[[variant, "own", 5], [variant, "supplier", 0]]]
    entries = "select pool, kind, on_hand_delta, reason from stock_entries where variant_id = %s"
    assert await tx.all(entries, (variant,)) == [("own", "adjust", 7, "count")]


async def test_of_known_levels_changes_those_that_differ(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    one = await make_variant(tx, shop=shop, own=5, supplier=9)
    two = await make_variant(tx, shop=shop, own=4)
    same = await make_variant(tx, shop=shop, own=6)
    existing = [
        (one, StockRecord(pool="own", on_hand=8, warning_level=1)),
        (two, StockRecord(pool="own", on_hand=4, best_before=DAY, best_before_alert="soon")),
        (two, StockRecord(pool="supplier", on_hand=3)),
        (same, StockRecord(pool="own", on_hand=6)),
    ]

    changed = await set_stock(
        tx, shop_id=shop.id, new=[], existing=existing, reason="count", now=clock.now()
    )

    assert changed == 3
    assert await kept(tx, shop, one) == [
        ("own", 8, 1, None, "", 8),
        ("supplier", 9, 0, None, "", 9),
    ]
    assert await kept(tx, shop, two) == [
        ("own", 4, 0, DAY, "soon", 4),
        ("supplier", 3, 0, None, "", 3),
    ]
    assert await kept(tx, shop, same) == [("own", 6, 0, None, "", 6)]
    (levels,) = await told(tx, shop)
    assert sorted(levels) == [[one, "own", 7], [two, "own", 4], [two, "supplier", 3]]
    deltas = (
        "select variant_id, pool, on_hand_delta from stock_entries"
        " where shop_id = %s and kind = 'adjust' order by 1, 2"
    )
    assert await tx.all(deltas, (shop.id,)) == [(one, "own", 3), (two, "supplier", 3)]


async def test_that_agrees_already_writes_nothing(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=5)
    existing = [(variant, StockRecord(pool="own", on_hand=5))]

    changed = await set_stock(
        tx, shop_id=shop.id, new=[], existing=existing, reason="count", now=clock.now()
    )

    assert changed == 0
    assert await told(tx, shop) == []
    assert await kept(tx, shop, variant) == [("own", 5, 0, None, "", 5)]


async def test_of_counts_alone_leaves_the_rest_and_makes_no_empty_level(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=None)
    bare = await make_variant(tx, shop=shop, own=None)
    whole = StockRecord(
        pool="own", on_hand=5, warning_level=2, best_before=DAY, best_before_alert="soon"
    )
    await set_stock(
        tx, shop_id=shop.id, new=[(variant, whole)], existing=[], reason="first", now=clock.now()
    )
    existing = [
        (variant, StockRecord(pool="own", on_hand=9)),
        (bare, StockRecord(pool="own", on_hand=0)),
    ]

    changed = await set_stock(
        tx, shop_id=shop.id, new=[], existing=existing, reason="count", now=clock.now(),
        counts_only=True,
    )  # fmt: skip

    assert changed == 1
    assert await kept(tx, shop, variant) == [("own", 9, 2, DAY, "soon", 9)]
    assert await kept(tx, shop, bare) == []
    again = await set_stock(
        tx, shop_id=shop.id, new=[], existing=existing, reason="count", now=clock.now(),
        counts_only=True,
    )  # fmt: skip
    assert again == 0


@pytest.mark.races
async def test_while_somebody_takes_some_is_still_the_sum_of_its_entries(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=5)

    async def count() -> int:
        async with database.begin() as other:
            existing = [(variant, StockRecord(pool="own", on_hand=10))]
            return await set_stock(
                other, shop_id=shop.id, new=[], existing=existing, reason="count", now=clock.now()
            )

    taken = Posting(variant_id=variant, pool="own", kind="ship", on_hand=-2)
    async with database.begin() as tx:
        await post_stock(tx, shop_id=shop.id, postings=[taken], reason="sold", now=clock.now())
        counting = asyncio.create_task(count())
        await waiting_for_a_lock(database, behind=tx)
    assert await counting == 1

    async with database.begin() as tx:
        assert await kept(tx, shop, variant) == [("own", 10, 0, None, "", 10)]


@pytest.mark.races
async def test_waits_for_levels_that_somebody_locked_to_divide_them(
    database: Database, clock: FrozenClock
) -> None:
    """What they then take is in the difference that is written."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=5)

    async def count() -> int:
        async with database.begin() as other:
            existing = [(variant, StockRecord(pool="own", on_hand=10))]
            return await set_stock(
                other, shop_id=shop.id, new=[], existing=existing, reason="count", now=clock.now()
            )

    taken = Posting(variant_id=variant, pool="own", kind="ship", on_hand=-2)
    async with database.begin() as tx:
        await tx.run("select lock_levels(%s, %s, '{own}')", (shop.id, variant))
        counting = asyncio.create_task(count())
        await waiting_for_a_lock(database, behind=tx)
        await post_stock(tx, shop_id=shop.id, postings=[taken], reason="sold", now=clock.now())
    assert await counting == 1

    async with database.begin() as tx:
        assert await kept(tx, shop, variant) == [("own", 10, 0, None, "", 10)]


async def test_of_a_variant_with_serials_leaves_its_own_level_alone(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    licence = await make_variant(tx, shop=shop, own=None)
    other = await make_variant(tx, shop=shop, own=4)
    await add_serials(
        tx, shop_id=shop.id, variant_id=licence, serials=["A", "B"], box=box(), now=clock.now()
    )
    existing = [
        (licence, StockRecord(pool="own", on_hand=9)),
        (licence, StockRecord(pool="supplier", on_hand=3)),
        (other, StockRecord(pool="own", on_hand=9)),
    ]

    changed = await set_stock(
        tx, shop_id=shop.id, new=[], existing=existing, reason="count", now=clock.now()
    )

    assert changed == 2
    assert [(row[0], row[1]) for row in await kept(tx, shop, licence)] == [
        ("own", 2),
        ("supplier", 3),
    ]
    assert [(row[0], row[1]) for row in await kept(tx, shop, other)] == [("own", 9)]


async def test_of_a_variant_with_serials_alone_writes_nothing(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    licence = await make_variant(tx, shop=shop, own=None)
    await add_serials(
        tx, shop_id=shop.id, variant_id=licence, serials=["A"], box=box(), now=clock.now()
    )
    existing = [(licence, StockRecord(pool="own", on_hand=9))]

    changed = await set_stock(
        tx, shop_id=shop.id, new=[], existing=existing, reason="count", now=clock.now()
    )

    assert changed == 0
    assert await told(tx, shop) == []
    assert [(row[0], row[1]) for row in await kept(tx, shop, licence)] == [("own", 1)]


@pytest.mark.races
@pytest.mark.parametrize("own", [1, None])
async def test_of_several_levels_locks_them_in_one_order_and_no_others(
    database: Database, clock: FrozenClock, own: int | None
) -> None:
    """While it waits for the first it holds none of the rest, be they there already or not."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variants = [await make_variant(tx, shop=shop, own=own) for _ in range(6)]
        unrelated = await make_variant(tx, shop=shop, own=1)

    async def count() -> int:
        async with database.begin() as other:
            existing = [(v, StockRecord(pool="own", on_hand=10)) for v in reversed(variants)]
            return await set_stock(
                other, shop_id=shop.id, new=[], existing=existing, reason="count", now=clock.now()
            )

    def received(*ids: int) -> list[Posting]:
        return [Posting(variant_id=id_, pool="own", kind="receive", on_hand=1) for id_ in ids]

    async def receive(tx: Transaction, *ids: int) -> None:
        await post_stock(tx, shop_id=shop.id, postings=received(*ids), reason="", now=clock.now())

    async with database.begin() as elsewhere:
        await receive(elsewhere, unrelated)
        async with database.begin() as tx:
            await receive(tx, variants[0])
            counting = asyncio.create_task(count())
            await waiting_for_a_lock(database, behind=tx)
            await tx.run("set local lock_timeout = '2s'")
            await receive(tx, *variants[1:])
        assert await asyncio.wait_for(counting, timeout=10) == 6

    async with database.begin() as tx:
        for variant in variants:
            assert await kept(tx, shop, variant) == [("own", 10, 0, None, "", 10)]


def test_is_none_or_up_to_a_million_million() -> None:
    for on_hand in (0, 10**12):
        record = msgspec.convert({"pool": "own", "on_hand": on_hand}, StockRecord)
        assert (record.on_hand, record.warning_level) == (on_hand, 0)
    for wrong in (-1, 10**12 + 1):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"pool": "own", "on_hand": wrong}, StockRecord)
