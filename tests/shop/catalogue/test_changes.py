"""The changes that a process knows of..."""

from datetime import timedelta

import pytest

from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import Changes, changes
from crossdock.shop.events import (
    CatalogueChanged,
    CategoryChanged,
    MerchantChanged,
    PriceChanged,
    StockChanged,
    number_events,
    write_event,
)
from tests.conftest import NOON
from tests.support.factories import make_shop


class Watched:
    """A shop, and what is known of it."""

    def __init__(self, db, shop_id, clock):
        self.db, self.shop_id, self.clock = db, shop_id, clock
        self.changes = Changes(db, clock=clock)

    async def tell(self, *events, is_numbered=False):
        async with self.db.begin() as tx:
            for event in events:
                await write_event(tx, shop_id=self.shop_id, event=event, now=NOON)
        if is_numbered:
            async with self.db.begin() as tx:
                await number_events(tx, shop_id=self.shop_id)

    async def stamp(self):
        async with self.db.statement() as tx:
            version = await tx.value("select catalogue_version(%s)", (self.shop_id,))
        return await self.changes.catch_up(self.shop_id, version=version)

    def changed(self, *products, since):
        """Those that may have changed."""
        return [
            each
            for each in products
            if not self.changes.is_current(self.shop_id, each, since=since)
        ]


@pytest.fixture
async def watched(database):
    async with database.begin() as tx:
        shop = await make_shop(tx)
    return Watched(database, shop.id, FrozenClock(NOON))


@pytest.mark.parametrize("is_numbered", [False, True])
async def test_are_those_of_the_products_that_the_events_name(watched, is_numbered):
    await watched.tell(CatalogueChanged(product_ids=[1]))
    first = await watched.stamp()
    await watched.tell(CatalogueChanged(product_ids=[2, 3]), is_numbered=is_numbered)
    second = await watched.stamp()
    assert watched.changed(1, 2, 3, since=first) == [2, 3]
    assert watched.changed(1, 2, 3, since=second) == []


async def test_are_told_once_though_their_events_get_numbers_later(watched):
    await watched.tell(CatalogueChanged(product_ids=[1]))
    first = await watched.stamp()
    await watched.tell(CatalogueChanged(product_ids=[2]), is_numbered=True)
    second = await watched.stamp()
    assert watched.changed(1, 2, since=first) == [2]
    assert await watched.stamp() == second


@pytest.mark.parametrize(
    "event", [MerchantChanged(merchant_ids=[1]), CatalogueChanged(product_ids=[])]
)
async def test_are_all_products_where_an_event_names_none(watched, event):
    first = await watched.stamp()
    await watched.tell(event)
    await watched.stamp()
    assert watched.changed(1, 2, since=first) == [1, 2]


async def test_are_all_products_where_an_event_was_missed(watched, monkeypatch):
    monkeypatch.setattr(changes, "NEWS_MAX", 1)
    first = await watched.stamp()
    await watched.tell(CatalogueChanged(product_ids=[1]), CatalogueChanged(product_ids=[2]))
    await watched.stamp()
    assert watched.changed(1, 2, 3, since=first) == [1, 2, 3]


async def test_are_as_many_as_the_bound_for_all_shops_together(database, monkeypatch):
    monkeypatch.setattr(changes, "MARKS_MAX", 5)
    async with database.begin() as tx:
        large, small = [await make_shop(tx) for _ in range(2)]
    known = Watched(database, large.id, FrozenClock(NOON))
    other = Watched(database, small.id, known.clock)
    other.changes = known.changes
    first, before = await known.stamp(), await other.stamp()
    await known.tell(CatalogueChanged(product_ids=[1, 2, 3, 4]))
    second = await known.stamp()
    await other.tell(CatalogueChanged(product_ids=[1, 2]))
    await other.stamp()

    # The shop with most marks has none now: all that was read before its last change may have changed.
    assert known.changed(1, 9, since=first) == [1, 9]
    assert known.changed(1, 9, since=second) == []
    assert other.changed(1, 9, since=before) == [1]


async def test_are_all_products_where_the_clock_was_set_back(watched):
    first = await watched.stamp()
    watched.clock.move(-timedelta(seconds=1))
    await watched.stamp()
    assert watched.changed(1, since=first) == [1]


@pytest.mark.parametrize("is_numbered", [False, True])
@pytest.mark.parametrize(
    ("event", "moves"),
    [
        (CatalogueChanged(product_ids=[1]), True),
        (MerchantChanged(merchant_ids=[1]), True),
        (CategoryChanged(category_ids=[1]), True),
        (PriceChanged(variant_ids=[1]), False),
        (StockChanged(levels=[(1, "own", 1)], reason="test"), False),
    ],
)
async def test_are_of_lists_where_the_catalogue_itself_changed(watched, event, moves, is_numbered):
    first = await watched.stamp()
    assert watched.changes.listed(watched.shop_id) == first
    await watched.tell(event, is_numbered=is_numbered)
    second = await watched.stamp()
    assert second > first
    assert watched.changes.listed(watched.shop_id) == (second if moves else first)


async def test_are_of_lists_as_well_where_an_event_was_missed(watched, monkeypatch):
    monkeypatch.setattr(changes, "NEWS_MAX", 1)
    await watched.stamp()
    await watched.tell(*[StockChanged(levels=[(1, "own", 1)], reason="test")] * 2)
    assert await watched.stamp() == watched.changes.listed(watched.shop_id)


async def test_are_told_to_callers_without_a_version_of_their_own(watched):
    first = await watched.changes.catch_up(watched.shop_id, version=None)
    await watched.tell(CatalogueChanged(product_ids=[1]))
    second = await watched.changes.catch_up(watched.shop_id, version=None)
    assert watched.changed(1, 2, since=first) == [1]
    assert watched.changed(1, 2, since=second) == []
