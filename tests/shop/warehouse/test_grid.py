"""Rows of prices and levels that are edited together..."""

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import read_entries
from crossdock.shop.warehouse import GridRow, RowEdit, edit_grid, find_by_sku, read_grid
from tests.support.staff import Desk


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def rows(desk: Desk, *variant_ids: int) -> dict[int, GridRow]:
    async with desk.db.statement() as tx:
        found = await read_grid(tx, shop_id=desk.shop.id, variant_ids=variant_ids)
    return {variant_id: line.row for variant_id, line in found.items()}


async def edit(desk: Desk, edits: dict[int, RowEdit]) -> dict[int, tuple[str, str]]:
    async with desk.db.begin() as tx:
        results = await edit_grid(
            tx, shop_id=desk.shop.id, edits=edits, reason="grid (Noor)", now=desk.clock.now()
        )
    return {number: (result.outcome, result.reason) for number, result in results.items()}


def wanting(seen: GridRow, **values: object) -> RowEdit:
    return RowEdit(seen=seen, wanted=msgspec.structs.replace(seen, **values))


async def test_are_written_with_an_entry_for_what_is_on_hand(desk):
    lamp = await desk.variant(own=5)
    seen = (await rows(desk, lamp))[lamp]

    told = await edit(desk, {lamp: wanting(seen, retail_minor=2450, on_hand=12, warning_level=3)})

    assert told == {lamp: ("saved", "")}
    assert (await rows(desk, lamp))[lamp] == GridRow(
        retail_minor=2450, sale_minor=None, cost_minor=None, on_hand=12, warning_level=3
    )
    async with desk.db.statement() as tx:
        (entry,) = await read_entries(tx, shop_id=desk.shop.id, variant_id=lamp, limit=1)
    assert (entry.kind, entry.on_hand, entry.reason) == ("adjust", 7, "grid (Noor)")


async def test_leave_what_somebody_else_changed_and_save_the_others(desk):
    lamp, mug = await desk.variant(own=5), await desk.variant(own=5)
    seen = await rows(desk, lamp, mug)
    await edit(desk, {lamp: wanting(seen[lamp], retail_minor=2100, on_hand=4)})

    told = await edit(
        desk,
        {
            lamp: wanting(seen[lamp], retail_minor=2450),
            mug: wanting(seen[mug], retail_minor=2450),
        },
    )
    other = await edit(desk, {lamp: wanting(seen[lamp], cost_minor=900)})

    assert told == {lamp: ("stale", ""), mug: ("saved", "")}
    assert other == {lamp: ("saved", "")}  # another field than somebody else changed
    after = await rows(desk, lamp, mug)
    assert (after[lamp].retail_minor, after[lamp].on_hand, after[lamp].cost_minor) == (2100, 4, 900)
    assert after[mug].retail_minor == 2450


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"retail_minor": -1}, "amount"), ({"cost_minor": 10**13}, "amount"),
        ({"sale_minor": 1999}, "sale"), ({"retail_minor": None, "sale_minor": 5}, "sale"),
        ({"on_hand": 2_000_000_000}, "level"), ({"warning_level": -1}, "level"),
    ],
)  # fmt: skip
async def test_are_refused_one_by_one_with_the_reason(desk, values, reason):
    lamp, mug = await desk.variant(), await desk.variant()
    seen = await rows(desk, lamp, mug)

    told = await edit(
        desk, {lamp: wanting(seen[lamp], **values), mug: wanting(seen[mug], on_hand=1)}
    )

    assert told == {lamp: ("refused", reason), mug: ("saved", "")}
    assert (await rows(desk, lamp))[lamp] == seen[lamp]


async def test_that_agree_already_write_nothing(desk):
    lamp = await desk.variant(own=5)
    seen = (await rows(desk, lamp))[lamp]
    wanted = wanting(seen, on_hand=7)
    await edit(desk, {lamp: wanted})
    before = await desk.count("events"), await desk.count("stock_entries")

    told = await edit(desk, {lamp: wanted, 999_999: wanted})

    assert told == {lamp: ("same", ""), 999_999: ("refused", "unknown")}
    assert (await desk.count("events"), await desk.count("stock_entries")) == before


async def test_are_found_by_sku_of_this_shop_alone(desk):
    lamp = await desk.variant(sku="GRID-LAMP")
    other = await Desk.open(desk.db, desk.clock)
    await other.variant(sku="GRID-LAMP")

    async with desk.db.statement() as tx:
        found = await find_by_sku(tx, shop_id=desk.shop.id, skus=["GRID-LAMP", "GRID-NONE"])

    assert found == {"GRID-LAMP": [lamp]}
