"""A posting..."""

import asyncio
from typing import Any

import msgspec
import psycopg
import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import Posting, post_stock, refusing_shortage
from tests.support.factories import ShopFixture, level, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


def change(variant: int, **changes: Any) -> Posting:
    values: dict[str, Any] = {"pool": "own", "kind": "adjust"}
    return Posting(variant_id=variant, **(values | changes))


async def told(tx: Transaction, shop: ShopFixture, reason: str) -> list[tuple[Any, ...]]:
    return await tx.all(
        "select kind, subject_id, payload -> 'levels' from events"
        " where shop_id = %s and payload ->> 'reason' = %s order by id",
        (shop.id, reason),
    )


async def test_of_several_levels_tells_of_all_in_one_event(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    one = await make_variant(tx, shop=shop, own=5, supplier=2)
    two = await make_variant(tx, shop=shop, own=None)
    postings = [
        change(two, on_hand=4),
        change(one, pool="supplier", on_hand=-1),
        change(one, on_hand=1, held=2, committed=1),
        change(one, on_hand=2, held=1, committed=1),
    ]

    await post_stock(
        tx, shop_id=shop.id, postings=postings, reason="why", order_id=9, now=clock.now()
    )

    assert await level(tx, shop_id=shop.id, variant_id=one) == (8, 3, 2, 3)
    assert await level(tx, shop_id=shop.id, variant_id=one, pool="supplier") == (1, 0, 0, 1)
    assert await level(tx, shop_id=shop.id, variant_id=two) == (4, 0, 0, 4)
    assert await told(tx, shop, "why") == [
        ("stock.changed", 9, [[one, "own", 3], [one, "supplier", 1], [two, "own", 4]])
    ]
    entries = await tx.all(
        "select variant_id, pool, on_hand_delta, held_delta, committed_delta, order_id"
        " from stock_entries where shop_id = %s and reason = 'why' order by id",
        (shop.id,),
    )
    assert entries == [
        (two, "own", 4, 0, 0, 9), (one, "supplier", -1, 0, 0, 9), (one, "own", 1, 2, 1, 9),
        (one, "own", 2, 1, 1, 9),
    ]  # fmt: skip


async def test_a_posting_that_leaves_availability_unchanged_writes_inventory_moved(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=5)

    async def post(reason: str, *postings: Posting) -> str:
        await post_stock(tx, shop_id=shop.id, postings=postings, reason=reason, now=clock.now())
        ((kind, _, _),) = await told(tx, shop, reason)
        return str(kind)

    assert await post("hold", change(variant, held=2)) == "stock.changed"
    assert await post("convert", change(variant, held=-2, committed=2)) == "inventory.moved"
    assert await post("leave", change(variant, on_hand=-2, committed=-2)) == "inventory.moved"
    other = await make_variant(tx, shop=shop, own=5)
    both = (change(variant, on_hand=1), change(other, held=1, committed=-0, on_hand=1))
    assert await post("both", *both) == "stock.changed"


async def test_of_nothing_writes_nothing(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    await post_stock(tx, shop_id=shop.id, postings=[], reason="none", now=clock.now())
    assert await told(tx, shop, "none") == []


async def test_beyond_a_floor_names_each_variant_that_is_short(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        enough = await make_variant(tx, shop=shop, own=5)
        short = await make_variant(tx, shop=shop, own=2)
        none = await make_variant(tx, shop=shop, own=None)
    wanted = [change(v, kind="commit", committed=3, floor=True) for v in (none, short, enough)]

    async with database.begin() as tx:
        with pytest.raises(psycopg.Error) as raised:
            async with tx.connection.transaction():
                await tx.run(
                    "select post_stock(%s, %s::jsonb, 'x', null, now())",
                    (shop.id, _as_json(wanted)),
                )
    assert raised.value.sqlstate == "CD001"
    assert _shortages(raised.value) == [(short, "own", 2), (none, "own", 0)]
    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await post_stock(tx, shop_id=shop.id, postings=wanted, reason="x", now=clock.now())
    assert refusal.value.code == "stock_limit_exceeded"
    assert refusal.value.data == {"variant_ids": [short, none]}
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=enough) == (5, 0, 0, 5)


@pytest.mark.parametrize(
    ("before", "wanted", "left"),
    [
        ({"committed": 1}, ({"on_hand": -2, "floor": True},), 1),
        ({}, ({"held": 3, "floor": True},), 2),
        ({}, ({"committed": 2}, {"held": 1, "floor": True}), 2),
        ({"committed": 1}, ({"on_hand": -1, "held": 1, "committed": 1, "floor": True},), 1),
        ({"committed": 4}, ({"held": 1, "floor": True},), 0),
    ],
)
async def test_beyond_a_floor_tells_what_there_was_to_take(
    database: Database,
    clock: FrozenClock,
    before: dict[str, Any],
    wanted: tuple[dict[str, Any], ...],
    left: int,
) -> None:
    """Of two on hand; one posting with a floor is enough for the level that several change."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=2)
        postings = [change(variant, **before)]
        await post_stock(tx, shop_id=shop.id, postings=postings, reason="1", now=clock.now())
        stood = await level(tx, shop_id=shop.id, variant_id=variant)

    shared = {"variant_id": variant, "pool": "own", "kind": "commit", "floor": False}
    taking = msgspec.json.encode([shared | changes for changes in wanted]).decode()
    with pytest.raises(psycopg.Error) as refusal:
        async with database.begin() as tx:
            await tx.run("select post_stock(%s, %s::jsonb, 'x', null, now())", (shop.id, taking))

    assert refusal.value.sqlstate == "CD001"
    assert _shortages(refusal.value) == [(variant, "own", left)]
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == stood
        assert await told(tx, shop, "x") == []


@pytest.mark.races
async def test_adds_to_a_level_that_somebody_makes_meanwhile(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=None)

    async def post(tx: Transaction, **changes: int) -> None:
        await post_stock(
            tx, shop_id=shop.id, postings=[change(variant, **changes)], reason="x", now=clock.now()
        )

    async def post_too() -> None:
        async with database.begin() as other:
            await post(other, on_hand=6, held=2, committed=1)

    async with database.begin() as tx:
        await post(tx, on_hand=5, held=1, committed=2)
        waiting = asyncio.create_task(post_too())
        await waiting_for_a_lock(database, behind=tx)
    await waiting

    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (11, 3, 3, 5)
        assert await told(tx, shop, "x") == [
            ("stock.changed", None, [[variant, "own", 2]]),
            ("stock.changed", None, [[variant, "own", 5]]),
        ]


async def test_without_a_floor_may_promise_more_than_there_is(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=1)
    postings = [change(variant, kind="commit", committed=3)]
    await post_stock(tx, shop_id=shop.id, postings=postings, reason="x", now=clock.now())
    assert await level(tx, shop_id=shop.id, variant_id=variant) == (1, 0, 3, -2)


async def test_to_exactly_nothing_keeps_its_floor(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    variant = await make_variant(tx, shop=shop, own=3)
    postings = [change(variant, kind="commit", committed=3, floor=True)]
    await post_stock(tx, shop_id=shop.id, postings=postings, reason="x", now=clock.now())
    assert await level(tx, shop_id=shop.id, variant_id=variant) == (3, 0, 3, 0)


async def test_to_another_shops_level_leaves_it(
    tx: Transaction, shop: ShopFixture, clock: FrozenClock
) -> None:
    other = await make_shop(tx)
    variant = await make_variant(tx, shop=other, own=3)
    await post_stock(
        tx, shop_id=shop.id, postings=[change(variant, on_hand=1)], reason="x", now=clock.now()
    )
    assert await level(tx, shop_id=other.id, variant_id=variant) == (3, 0, 0, 3)


async def test_that_fails_for_another_reason_is_not_told_as_a_shortage(database: Database) -> None:
    async def fail() -> None:
        async with database.begin() as tx:
            with refusing_shortage():
                await tx.run("select 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        await fail()


@pytest.mark.races
async def test_waits_for_levels_that_somebody_locked_to_divide_them(
    database: Database, clock: FrozenClock
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=3)
        other = await make_variant(tx, shop=shop, own=3)

    async def take(variant_id: int) -> None:
        async with database.begin() as taking:
            postings = [change(variant_id, on_hand=-1)]
            await post_stock(
                taking, shop_id=shop.id, postings=postings, reason="taken", now=clock.now()
            )

    async with database.begin() as tx:
        await tx.run("select lock_levels(%s, %s, '{own,supplier}')", (shop.id, variant))
        await take(other)
        waiting = asyncio.create_task(take(variant))
        await waiting_for_a_lock(database, behind=tx)
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (3, 0, 0, 3)
    await waiting
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (2, 0, 0, 2)
        assert await level(tx, shop_id=shop.id, variant_id=variant, pool="supplier") == (0, 0, 0, 0)


@pytest.mark.races
async def test_on_several_levels_never_waits_in_a_circle(
    database: Database, clock: FrozenClock
) -> None:
    """The second, in the other order of its postings, waits for the first level, and holds none."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        one = await make_variant(tx, shop=shop, own=3)
        two = await make_variant(tx, shop=shop, own=3)

    async def take_both() -> None:
        async with database.begin() as taking:
            postings = [change(two, on_hand=-1), change(one, on_hand=-1)]
            await post_stock(
                taking, shop_id=shop.id, postings=postings, reason="both", now=clock.now()
            )

    async with database.begin() as tx:
        await post_stock(
            tx, shop_id=shop.id, postings=[change(one, on_hand=-1)], reason="1", now=clock.now()
        )
        waiting = asyncio.create_task(take_both())
        await waiting_for_a_lock(database, behind=tx)
        await tx.run("set local lock_timeout = '2s'")
        await post_stock(
            tx, shop_id=shop.id, postings=[change(two, on_hand=-1)], reason="2", now=clock.now()
        )
    await waiting
    async with database.begin() as tx:
        assert await level(tx, shop_id=shop.id, variant_id=two) == (1, 0, 0, 1)


def _as_json(postings: list[Posting]) -> str:
    return msgspec.json.encode(postings).decode()


def _shortages(error: psycopg.Error) -> list[tuple[int, str, int]]:
    rows = msgspec.json.decode(error.diag.message_detail or "[]")
    return [(row["variant_id"], row["pool"], row["available"]) for row in rows]
