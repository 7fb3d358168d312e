"""Calls at a steady pace..."""

from datetime import timedelta

import pytest

from tests.conftest import NOON
from tests.support.factories import make_partner, make_shop

PER_MINUTE, BURST = 600, 50


async def through(tx, calls: int, *, at: float = 0) -> int:
    """How many of so many calls, so many seconds after noon, go through."""
    return await tx.value(
        "select pace_calls(-1, %s, %s, %s, %s)",
        (calls, PER_MINUTE, BURST, NOON + timedelta(seconds=at)),
    )


async def test_are_a_burst_at_first_and_then_as_many_as_time_allows(tx):
    assert await through(tx, 70) == BURST
    assert await through(tx, 1) == 0
    assert await through(tx, 1, at=0.099) == 0
    assert await through(tx, 5, at=0.1) == 1
    assert await through(tx, 50, at=1.1) == 10


async def test_are_a_burst_again_after_a_pause_and_never_more(tx):
    await through(tx, BURST)
    assert await through(tx, 100, at=5) == BURST
    assert await through(tx, 100, at=86_400) == BURST


async def test_count_only_what_went_through(tx):
    assert await through(tx, 49) == 49
    assert [await through(tx, 10) for _ in range(3)] == [1, 0, 0]
    assert await through(tx, 10, at=1) == 10


async def test_are_stopped_by_no_clock_that_was_ahead(tx):
    await through(tx, BURST, at=3600)
    assert await through(tx, 1) == 0
    assert await through(tx, 100, at=1) == 10


@pytest.mark.parametrize("limit", [0, 600])
async def test_are_confirmed_in_their_order_the_last_ones_limited(tx, limit):
    partner = await make_partner(tx, shop=await make_shop(tx))
    known = await tx.one(
        "select c.id, p.revision from credentials c join partners p on p.id = c.partner_id"
        " where c.public_key = %s",
        (partner.key,),
    )
    number, revision = known
    rows = await tx.all(
        "select outcome from confirm_paced_calls(%s, %s, %s, %s, %s)",
        ([number] * 4, [revision, revision - 1, revision, revision], [limit] * 4, [2] * 4, NOON),
    )
    last = "limited" if limit else "live"
    assert [outcome for (outcome,) in rows] == ["live", "stale", "live", last]
