"""A page of events looks through a bounded number of them, and says where it goes on."""

import pytest

from crossdock.shop.events import (
    EventFilter,
    OrderPicked,
    PackagePacked,
    browse_events,
    browsing,
    number_events,
    write_event,
)
from tests.support.factories import make_shop, moment

NOW = moment("2026-03-02T12:00:00+00:00")


@pytest.fixture
async def shop(tx):
    """A shop with one picked order before four packages."""
    shop = await make_shop(tx)
    events = [OrderPicked(lines={"1": 1}), *(PackagePacked(package_id=n) for n in range(4))]
    for event in events:
        await write_event(tx, shop_id=shop.id, event=event, subject_id=1, now=NOW)
    await number_events(tx, shop_id=shop.id)
    return shop


async def test_a_rare_kind_is_found_page_after_page(tx, shop, monkeypatch):
    monkeypatch.setattr(browsing, "SEEN_MAX", 3)
    chosen = EventFilter(kind="order.picked")

    first = await browse_events(tx, shop_id=shop.id, chosen=chosen)
    second = await browse_events(tx, shop_id=shop.id, chosen=chosen, before=first.older)

    assert (first.events, first.older) == ([], 3)
    assert ([each.sequence for each in second.events], second.older) == ([1], None)


async def test_the_last_event_of_a_full_page_is_where_the_next_begins(tx, shop):
    page = await browse_events(tx, shop_id=shop.id, chosen=EventFilter(), limit=2)
    rest = await browse_events(
        tx, shop_id=shop.id, chosen=EventFilter(), before=page.older, limit=3
    )

    assert ([each.sequence for each in page.events], page.older) == ([5, 4], 4)
    assert ([each.sequence for each in rest.events], rest.older) == ([3, 2, 1], None)


async def test_moments_are_from_the_first_to_before_the_last(tx, shop):
    async def count(**chosen):
        page = await browse_events(tx, shop_id=shop.id, chosen=EventFilter(**chosen))
        return len(page.events)

    assert await count(since=NOW) == 5
    assert await count(until=NOW) == 0
    assert await count(topic="stock") == 0
    assert await count(subject_id=2) == 0
