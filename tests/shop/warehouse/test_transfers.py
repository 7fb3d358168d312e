"""Stock that is moved between the pools of a variant..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import read_entries, read_levels
from crossdock.shop.warehouse import transfer_variant
from tests.support.staff import Desk


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def move(desk: Desk, variant_id: int, quantity: int, source="own", target="supplier") -> None:
    async with desk.db.begin() as tx:
        await transfer_variant(
            tx,
            shop_id=desk.shop.id,
            variant_id=variant_id,
            quantity=quantity,
            source=source,
            target=target,
            reason="shelf cleared",
            now=desk.clock.now(),
        )


async def levels(desk: Desk, variant_id: int) -> dict[str, int]:
    async with desk.db.statement() as tx:
        found = await read_levels(tx, shop_id=desk.shop.id, variant_id=variant_id)
    return {level.pool: level.on_hand for level in found}


async def test_leaves_the_one_and_comes_into_the_other(desk):
    lamp = await desk.variant(own=5)

    await move(desk, lamp, 2)

    assert await levels(desk, lamp) == {"own": 3, "supplier": 2}
    async with desk.db.statement() as tx:
        entries = await read_entries(tx, shop_id=desk.shop.id, variant_id=lamp, limit=2)
    assert sorted((each.kind, each.pool, each.on_hand, each.reason) for each in entries) == [
        ("transfer", "own", -2, "shelf cleared"), ("transfer", "supplier", 2, "shelf cleared"),
    ]  # fmt: skip


async def test_is_never_taken_from_an_order(desk):
    lamp = await desk.variant(own=5)
    await desk.on_account((lamp, 4))

    with pytest.raises(Refused) as refusal:
        await move(desk, lamp, 2)

    assert refusal.value.code == "stock_limit_exceeded"
    assert await levels(desk, lamp) == {"own": 5}


@pytest.mark.parametrize(
    ("quantity", "source", "target"),
    [
        (0, "own", "supplier"), (-1, "own", "supplier"), (2_000_000_000, "own", "supplier"),
        (1, "own", "own"), (1, "own", "moon"), (1, "", "own"),
    ],
)  # fmt: skip
async def test_is_refused_where_it_makes_no_sense(desk, quantity, source, target):
    lamp = await desk.variant(own=5)

    with pytest.raises(CrossdockError) as refusal:
        await move(desk, lamp, quantity, source, target)

    assert refusal.value.code == "invalid_input"
    assert await levels(desk, lamp) == {"own": 5}
