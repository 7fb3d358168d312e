"""An import of serials..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, Invalid
from crossdock.shop.stock import SERIALS_MAX, import_serials
from tests.conftest import NOON
from tests.support.factories import box, level, make_shop, make_variant


@pytest.fixture
async def shop_and_variant(database: Database) -> tuple[int, int]:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        return shop.id, await make_variant(tx, shop=shop, own=None)


async def put(database: Database, ids: tuple[int, int], lines: list[str]) -> int:
    """Import in a transaction of its own."""
    async with database.begin() as tx:
        return await import_serials(
            tx,
            shop_id=ids[0],
            variant_id=ids[1],
            lines=lines,
            box=box(),
            now=NOON,
            moved=lambda _: None,
        )


async def count(database: Database, ids: tuple[int, int]) -> int:
    async with database.statement() as tx:
        return (await level(tx, shop_id=ids[0], variant_id=ids[1]))[3]


async def test_takes_more_than_can_be_added_at_once(
    database: Database, shop_and_variant: tuple[int, int]
) -> None:
    lines = [f"KEY-{n}" for n in range(SERIALS_MAX + 1)]
    assert await put(database, shop_and_variant, lines) == SERIALS_MAX + 1
    assert await count(database, shop_and_variant) == SERIALS_MAX + 1
    with pytest.raises(Conflict) as refused:
        await put(database, shop_and_variant, ["NEW", *lines])
    assert refused.value.data["count"] == SERIALS_MAX + 1
    assert refused.value.data["lines"][:2] == [2, 3]
    assert await count(database, shop_and_variant) == SERIALS_MAX + 1


async def test_finds_a_repeated_line_however_far_away_and_adds_nothing(
    database: Database, shop_and_variant: tuple[int, int]
) -> None:
    lines = [*(f"KEY-{n}" for n in range(SERIALS_MAX)), "", " KEY-7 "]
    with pytest.raises(Conflict) as refused:
        await put(database, shop_and_variant, lines)
    assert refused.value.data == {"lines": [SERIALS_MAX + 2], "count": 1}
    assert "KEY-7" not in str(refused.value)
    with pytest.raises(Invalid):
        await put(database, shop_and_variant, ["", " "])
    async with database.statement() as tx:
        left = await tx.value(
            "select count(*) from serials where shop_id = %s", (shop_and_variant[0],)
        )
    assert left == 0


async def test_finds_a_line_that_repeats_one_just_before(
    database: Database, shop_and_variant: tuple[int, int]
) -> None:
    with pytest.raises(Conflict) as refused:
        await put(database, shop_and_variant, ["A", "B", " A", "C", "B", "A"])
    assert refused.value.data == {"lines": [3, 5, 6], "count": 3}
    async with database.statement() as tx:
        left = "select count(*) from serials where shop_id = %s"
        assert await tx.value(left, (shop_and_variant[0],)) == 0
