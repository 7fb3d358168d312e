"""The serials of a variant, as staff look at them..."""

from datetime import timedelta

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.shop.stock import (
    add_serials,
    browse_serials,
    claim_serials,
    exchange_serials,
    masked_serial,
    reveal_serial,
    take_serials,
)
from tests.support.factories import box
from tests.support.staff import Desk

HOUR = timedelta(hours=1)
KEYS = [f"GAME-KEY-{number:04}" for number in range(1, 6)]


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


async def shelf(desk: Desk, variant_id: int, **values) -> list:
    async with desk.db.statement() as tx:
        return await browse_serials(
            tx, shop_id=desk.shop.id, variant_id=variant_id, box=box(), **values
        )


@pytest.fixture
async def variant(desk: Desk) -> int:
    """Five keys: one replaced, one sold in its place, one taken out by the shop, two unsold."""
    game, now = await desk.variant(own=None), desk.clock.now()
    order = (await desk.on_account((await desk.variant(), 1))).id
    line = {"shop_id": desk.shop.id, "order_id": order, "line_no": 1, "variant_id": game}
    async with desk.db.begin() as tx:
        await add_serials(
            tx, shop_id=desk.shop.id, variant_id=game, serials=KEYS, box=box(), now=now
        )
        await take_serials(tx, **line, quantity=1, now=now + HOUR)
        await exchange_serials(tx, **line, quantity=1, now=now + 2 * HOUR)
        await claim_serials(
            tx, shop_id=desk.shop.id, variant_id=game, quantity=1, box=box(), now=now + 3 * HOUR
        )
    return game


async def test_are_masked_with_their_states_the_newest_first(desk, variant):
    found = await shelf(desk, variant)

    assert [each.state for each in found] == ["unsold", "unsold", "claimed", "sold", "replaced"]
    assert {each.masked for each in found} == {f"••••{key[-4:]}" for key in KEYS}
    assert [each.order_id is not None for each in found] == [False, False, False, True, True]
    assert {each.added_at for each in found} == {desk.clock.now()}
    assert [(each.since - each.added_at) // HOUR for each in found] == [0, 0, 3, 2, 2]


async def test_are_found_by_state_by_their_text_by_number_and_by_order(desk, variant):
    sold = (await shelf(desk, variant, state="sold"))[0]

    by_text = await shelf(desk, variant, search=f" {KEYS[1]} ")
    by_number = await shelf(desk, variant, search=str(sold.id))
    by_order = await shelf(desk, variant, search=str(sold.order_id))
    none = await shelf(desk, variant, search="GAME-KEY")
    rest = await shelf(desk, variant, before=sold.id)

    assert [each.id for each in by_text] == [sold.id]
    assert sold.id in {each.id for each in by_number}
    assert {each.state for each in by_order} >= {"sold", "replaced"}
    assert none == []
    assert [each.state for each in rest] == ["replaced"]


async def test_are_shown_in_plain_text_one_at_a_time_and_to_their_shop_alone(desk, variant):
    sold = (await shelf(desk, variant, state="sold"))[0]
    other = await Desk.open(desk.db, desk.clock)

    async with desk.db.statement() as tx:
        text = await reveal_serial(
            tx, shop_id=desk.shop.id, variant_id=variant, serial_id=sold.id, box=box()
        )
        with pytest.raises(NotFound):
            await reveal_serial(
                tx, shop_id=other.shop.id, variant_id=variant, serial_id=sold.id, box=box()
            )

    assert text == KEYS[1]


@pytest.mark.parametrize(("text", "shown"), [("A" * 11, "••••"), ("A" * 8 + "BCDE", "••••BCDE")])
def test_show_their_end_where_they_are_long_enough(text, shown):
    assert masked_serial(text) == shown
