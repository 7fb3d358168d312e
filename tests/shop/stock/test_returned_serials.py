"""Serials that leave without an order, come back, or move..."""

import asyncio

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Invalid, Refused
from crossdock.shop.stock import (
    ReturnedLine,
    add_serials,
    list_serials,
    lock_levels,
    move_stock,
    read_entries,
    read_sold_serials,
    receive_stock,
    revoke_serials,
    take_serials,
)
from tests.conftest import NOON
from tests.support.factories import ShopFixture, box, level, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock

LATER = NOON.replace(hour=15)
ORDER = 7


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


@pytest.fixture
async def variant(tx: Transaction, shop: ShopFixture) -> int:
    return await make_variant(tx, shop=shop, own=None)


async def add(
    tx: Transaction, shop: ShopFixture, variant: int, *serials: str, skips_known: bool = False
) -> int:
    return await add_serials(
        tx, shop_id=shop.id, variant_id=variant, serials=serials, box=box(), now=NOON,
        skips_known=skips_known,
    )  # fmt: skip


async def sell(
    tx: Transaction, shop: ShopFixture, variant: int, quantity: int, *, line: int = 1, order=ORDER
) -> list[int]:
    return await take_serials(
        tx, shop_id=shop.id, order_id=order, line_no=line, variant_id=variant, quantity=quantity,
        now=NOON,
    )  # fmt: skip


async def revoke(
    tx: Transaction, shop: ShopFixture, returned: dict[int, ReturnedLine], *named: int
) -> list[int]:
    return await revoke_serials(
        tx, shop_id=shop.id, order_id=ORDER, returned=returned, named=named, now=LATER
    )


def back(quantity: int, *, shipped: int = 3, is_all: bool = False) -> ReturnedLine:
    return ReturnedLine(quantity=quantity, shipped=shipped, is_all=is_all)


async def revoked(tx: Transaction, shop: ShopFixture, variant: int) -> list[int]:
    views = await list_serials(tx, shop_id=shop.id, variant_id=variant)
    assert all(view.revoked_at in {None, LATER} for view in views)
    return [view.id for view in views if view.revoked_at]


async def bought(tx: Transaction, shop: ShopFixture) -> dict[int, list[str]]:
    """What the buyer of the order still has, by line."""
    return await read_sold_serials(tx, shop_id=shop.id, order_id=ORDER, box=box())


async def state(tx: Transaction, shop: ShopFixture, variant: int) -> list[bool]:
    """Which are sold, the oldest first."""
    views = await list_serials(tx, shop_id=shop.id, variant_id=variant)
    return [view.sold_at is not None for view in views]


async def test_are_those_that_are_named_of_their_lines(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    await add(tx, shop, variant, *"ABCDEF")
    a, b, c = await sell(tx, shop, variant, 3)
    d, e, _ = await sell(tx, shop, variant, 3, line=2)

    assert await revoke(tx, shop, {1: back(2), 2: back(1)}, c, a, e) == [a, c, e]

    assert await revoked(tx, shop, variant) == [a, c, e]
    with pytest.raises(Invalid) as refused:
        await revoke(tx, shop, {1: back(1), 2: back(1)}, b, a, d)
    assert refused.value.message == f"Serial {a} is not one that can come back."
    assert refused.value.data == {"field": "serials"}
    assert await revoked(tx, shop, variant) == [a, c, e]


async def test_are_not_those_of_another_line_order_or_shop(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    elsewhere = await make_shop(tx)
    foreign = await make_variant(tx, shop=elsewhere, own=None)
    await add(tx, elsewhere, foreign, "A")
    await add(tx, shop, variant, *"ABC")
    await sell(tx, shop, variant, 1)
    strangers = [
        *await sell(tx, shop, variant, 1, line=2),
        *await sell(tx, shop, variant, 1, order=8),
        *await sell(tx, elsewhere, foreign, 1),
    ]

    for stranger in strangers:
        with pytest.raises(Invalid):
            await revoke(tx, shop, {1: back(1, shipped=1)}, stranger)
    assert await revoke(tx, shop, {}) == []
    assert await revoked(tx, shop, variant) == []


async def test_are_all_of_a_line_that_comes_back_whole_without_being_named(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    await add(tx, shop, variant, *"ABCD")
    a, b, c = await sell(tx, shop, variant, 3)
    await sell(tx, shop, variant, 1, line=2)

    assert await revoke(tx, shop, {1: back(1)}, b) == [b]
    assert await bought(tx, shop) == {1: ["A", "C"], 2: ["D"]}
    assert await revoke(tx, shop, {1: back(2, is_all=True)}) == [a, c]

    assert await revoked(tx, shop, variant) == [a, b, c]
    assert await bought(tx, shop) == {2: ["D"]}


async def test_are_the_named_ones_where_the_rest_is_announced_already(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    await add(tx, shop, variant, *"AB")
    _, b = await sell(tx, shop, variant, 2)

    assert await revoke(tx, shop, {1: back(1, shipped=2, is_all=True)}, b) == [b]


@pytest.mark.parametrize("named", [0, 1, 3])
async def test_are_named_as_many_as_came_back(
    tx: Transaction, shop: ShopFixture, variant: int, named: int
) -> None:
    await add(tx, shop, variant, *"ABC")
    ids = await sell(tx, shop, variant, 3)

    with pytest.raises(Invalid) as refused:
        await revoke(tx, shop, {1: back(2)}, *ids[:named])

    assert refused.value.message == "2 of line 1 came back: name as many of its serials."
    assert refused.value.data == {"field": "serials"}
    assert await revoked(tx, shop, variant) == []


@pytest.mark.parametrize(("named", "is_right"), [(0, False), (1, True), (2, True), (3, False)])
async def test_are_at_least_those_that_units_without_a_serial_leave(
    tx: Transaction, shop: ShopFixture, variant: int, named: int, is_right: bool
) -> None:
    """Of four that were shipped three had a serial: of two that came back one may be the fourth."""
    await add(tx, shop, variant, *"ABC")
    ids = await sell(tx, shop, variant, 3)

    if is_right:
        assert await revoke(tx, shop, {1: back(2, shipped=4)}, *ids[:named]) == ids[:named]
    else:
        with pytest.raises(Invalid):
            await revoke(tx, shop, {1: back(2, shipped=4)}, *ids[:named])


async def test_count_as_bought_but_for_those_that_were_replaced(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    """One of two was replaced by another: two were bought, and a third is only in the books."""
    await add(tx, shop, variant, *"ABC")
    a, b, c = await sell(tx, shop, variant, 3)
    await tx.run(
        "update serials set revoked_at = %s, replaced_at = %s where id = %s", (NOON, NOON, a)
    )
    line = {1: back(1, shipped=2)}

    with pytest.raises(Invalid):
        await revoke(tx, shop, line)
    assert await revoke(tx, shop, line, c) == [c]
    assert await revoke(tx, shop, line, b) == [b]


DRAW = "select draw_serials(%s, %s, %s, 5, %s)"
RETURN = "select return_serials(%s, %s, %s, 5, %s)"


async def test_are_drawn_the_oldest_first_and_go_back_as_they_were(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    other = await make_variant(tx, shop=shop, own=None)
    await add(tx, shop, other, "A")
    await add(tx, shop, variant, *"ABC")

    drawn = await tx.value(DRAW, (shop.id, variant, 2, LATER))

    ids = [view.id for view in await list_serials(tx, shop_id=shop.id, variant_id=variant)]
    assert drawn == ids[:2]
    assert await state(tx, shop, variant) == [True, True, False]
    assert await state(tx, shop, other) == [False]
    assert await level(tx, shop_id=shop.id, variant_id=variant) == (1, 0, 0, 1)

    await tx.run(RETURN, (shop.id, variant, drawn[:1], LATER))

    assert await state(tx, shop, variant) == [False, True, False]
    assert await level(tx, shop_id=shop.id, variant_id=variant) == (2, 0, 0, 2)
    entries = await read_entries(tx, shop_id=shop.id, variant_id=variant)
    assert [(entry.kind, entry.on_hand, entry.reason) for entry in entries[:2]] == [
        ("restock", 1, "serials returned"),
        ("transfer", -2, "serials transferred"),
    ]
    assert (
        await tx.all(
            "select transfer_id, created_at from stock_entries where shop_id = %s and transfer_id is not null",
            (shop.id,),
        )
        == [(5, LATER)] * 2
    )


@pytest.mark.parametrize(("held", "quantity"), [(0, 3), (1, 2)])
async def test_are_not_drawn_beyond_what_is_free(
    tx: Transaction, shop: ShopFixture, variant: int, held: int, quantity: int
) -> None:
    await add(tx, shop, variant, *"AB")
    await tx.run("update stock_levels set held = %s where variant_id = %s", (held, variant))

    assert await tx.value(DRAW, (shop.id, variant, quantity, NOON)) is None
    assert await state(tx, shop, variant) == [False, False]
    assert await tx.value(DRAW, (shop.id, variant, quantity - 1, NOON)) is not None


async def test_are_drawn_of_those_that_there_are_whatever_the_level_says(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    assert await tx.value(DRAW, (shop.id, variant, 1, NOON)) is None
    await receive_stock(
        tx, shop_id=shop.id, variant_id=variant, pool="own", quantity=2, reason="", now=NOON
    )
    assert await tx.value(DRAW, (shop.id, variant, 1, NOON)) is None
    assert await level(tx, shop_id=shop.id, variant_id=variant) == (2, 0, 0, 2)


@pytest.mark.races
async def test_are_drawn_after_their_level_is_locked_so_that_nobody_waits_in_a_circle(
    database: Database,
) -> None:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant = await make_variant(tx, shop=shop, own=None)
        await add(tx, shop, variant, *"ABC")

    async def draw() -> list[int]:
        async with database.begin() as other:
            found: list[int] = await other.value(DRAW, (shop.id, variant, 2, NOON))
            return found

    async with database.begin() as tx:
        await lock_levels(tx, shop_id=shop.id, variant_ids=[variant])
        drawing = asyncio.create_task(draw())
        await waiting_for_a_lock(database, behind=tx)
        [first] = await sell(tx, shop, variant, 1)

    drawn = await drawing
    assert len(drawn) == 2
    assert first not in drawn
    async with database.begin() as tx:
        assert await state(tx, shop, variant) == [True, True, True]
        assert await level(tx, shop_id=shop.id, variant_id=variant) == (0, 0, 0, 0)


async def test_that_are_known_are_left_out_where_that_is_asked_for(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    assert await add(tx, shop, variant, "A", "B", " A", skips_known=True) == 2
    await sell(tx, shop, variant, 1)

    assert await add(tx, shop, variant, "A", "C", "B", "D", skips_known=True) == 2
    assert await add(tx, shop, variant, "D", "A", skips_known=True) == 0

    assert await level(tx, shop_id=shop.id, variant_id=variant) == (3, 0, 0, 3)
    assert len(await state(tx, shop, variant)) == 4


async def test_do_not_move_between_pools_and_other_goods_as_far_as_they_are_free(
    tx: Transaction, shop: ShopFixture, variant: int
) -> None:
    await add(tx, shop, variant, "A")
    plain = await make_variant(tx, shop=shop, own=5, supplier=1)
    await tx.run(
        "update stock_levels set held = 2 where variant_id = %s and pool = 'own'", (plain,)
    )

    async def move(moved: int, quantity: int, source: str, target: str) -> None:
        await move_stock(
            tx, shop_id=shop.id, variant_id=moved, quantity=quantity, source=source, target=target,
            reason="moved", now=NOON,
        )  # fmt: skip

    for pools in (("own", "supplier"), ("supplier", "own")):
        with pytest.raises(Invalid):
            await move(variant, 1, *pools)
    await move(plain, 3, "own", "supplier")
    assert await level(tx, shop_id=shop.id, variant_id=plain) == (2, 2, 0, 0)
    assert await level(tx, shop_id=shop.id, variant_id=plain, pool="supplier") == (4, 0, 0, 4)
    await move(plain, 4, "supplier", "own")
    assert await level(tx, shop_id=shop.id, variant_id=plain) == (6, 2, 0, 4)
    assert await level(tx, shop_id=shop.id, variant_id=variant) == (1, 0, 0, 1)
    with pytest.raises(Refused) as refused:
        await move(plain, 5, "own", "supplier")
    assert refused.value.code == "stock_limit_exceeded"
