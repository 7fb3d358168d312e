"""Promotions as staff keep them..."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Conflict, Invalid, NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import (
    Promotion,
    PromotionView,
    add_promotions,
    change_promotion,
    end_promotion,
    list_promotions,
    offers,
    read_promotion,
)
from crossdock.shop.partners import read_partner
from tests.support.factories import make_partner
from tests.support.staff import Desk

DAY = timedelta(days=1)


@pytest.fixture
async def desk(database: Database, clock: FrozenClock) -> Desk:
    return await Desk.open(database, clock)


def lasting(desk: Desk, *, price: int = 1500, starts: int = -1, ends: int = 1) -> Promotion:
    now = desk.clock.now()
    return Promotion(price_minor=price, starts_at=now + starts * DAY, ends_at=now + ends * DAY)


async def add(desk: Desk, *variant_ids: int, promotion: Promotion | None = None) -> list[int]:
    async with desk.db.begin() as tx:
        return await add_promotions(
            tx,
            shop_id=desk.shop.id,
            variant_ids=variant_ids,
            promotion=promotion or lasting(desk),
            now=desk.clock.now(),
        )


async def change(desk: Desk, number: int, promotion: Promotion) -> PromotionView:
    async with desk.db.begin() as tx:
        return await change_promotion(
            tx, shop_id=desk.shop.id, promotion_id=number, promotion=promotion, now=desk.clock.now()
        )


async def end(desk: Desk, number: int) -> PromotionView:
    async with desk.db.begin() as tx:
        return await end_promotion(
            tx, shop_id=desk.shop.id, promotion_id=number, now=desk.clock.now()
        )


async def read(desk: Desk, number: int) -> PromotionView:
    async with desk.db.statement() as tx:
        return await read_promotion(tx, shop_id=desk.shop.id, promotion_id=number)


async def listed(desk: Desk, **values: Any) -> list[int]:
    async with desk.db.statement() as tx:
        found = await list_promotions(tx, shop_id=desk.shop.id, now=desk.clock.now(), **values)
    return [each.id for each in found]


async def paid(desk: Desk, variant_id: int, *, at: datetime) -> int | None:
    async with desk.db.begin() as tx:
        made = await make_partner(tx, shop=desk.made)
        partner = await read_partner(tx, partner_id=made.id)
        assert partner is not None
        (offer,) = await offers(tx, partner=partner, variant_ids=[variant_id], now=at)
    return offer.price_minor


async def test_are_paid_while_they_run_and_told_as_a_change_of_the_product(desk):
    lamp, now = await desk.variant(), desk.clock.now()
    before = await desk.count("events")

    (number,) = await add(desk, lamp, promotion=lasting(desk, starts=0, ends=2))

    assert await paid(desk, lamp, at=now) == 1500
    assert await paid(desk, lamp, at=now + 2 * DAY) == 1999
    assert await desk.count("events") == before + 1
    found = await read(desk, number)
    assert (found.variant_id, found.price_minor, found.retail_minor) == (lamp, 1500, 1999)
    assert [found.state(now + n * DAY) for n in (-1, 0, 2)] == ["coming", "running", "over"]


async def test_are_listed_by_state_product_and_search(desk):
    lamp, mug = await desk.variant(sku="PROMO-LAMP", name="Brass lamp"), await desk.variant()
    running, second = await add(desk, lamp, mug)
    (coming,) = await add(desk, lamp, promotion=lasting(desk, starts=2, ends=3))
    product = (await read(desk, running)).product_id

    assert await listed(desk) == [coming, second, running]
    assert await listed(desk, state="running") == [second, running]
    assert await listed(desk, state="coming") == [coming]
    assert await listed(desk, product_id=product, limit=1) == [coming]
    assert await listed(desk, product_id=product, before=coming) == [running]
    assert await listed(desk, search="PROMO-LAMP") == [coming, running]
    assert await listed(desk, search="brass L") == [coming, running]
    assert await listed(desk, search="%") == []


@pytest.mark.parametrize(
    "values",
    [
        {"price": -1}, {"price": 1999}, {"price": 10**13}, {"starts": 1, "ends": 1}, {"starts": -3, "ends": -1},
    ],
)  # fmt: skip
async def test_that_cannot_be_are_refused_and_write_nothing(desk, values):
    lamp, mug = await desk.variant(), await desk.variant()
    (number,) = await add(desk, mug)

    with pytest.raises(Invalid):
        await add(desk, lamp, promotion=lasting(desk, **values))
    with pytest.raises(Invalid):
        await change(desk, number, lasting(desk, **values))

    assert await listed(desk) == [number]


async def test_of_one_variant_do_not_start_at_the_same_moment(desk):
    lamp = await desk.variant()
    (first,) = await add(desk, lamp)
    (later,) = await add(desk, lamp, promotion=lasting(desk, starts=2, ends=3))

    with pytest.raises(Conflict):
        await add(desk, lamp)
    with pytest.raises(Conflict):
        await change(desk, later, lasting(desk))

    assert await listed(desk) == [later, first]


async def test_are_changed_and_ended_and_stay_as_they_were_then(desk):
    lamp = await desk.variant()
    (running,) = await add(desk, lamp)
    (coming,) = await add(desk, lamp, promotion=lasting(desk, starts=2, ends=3))

    before = await change(desk, running, lasting(desk, price=1200, ends=5))
    changed = await read(desk, running)
    await end(desk, running)
    await end(desk, coming)

    assert (before.price_minor, changed.price_minor) == (1500, 1200)
    assert changed.ends_at == desk.clock.now() + 5 * DAY
    assert (await read(desk, running)).state(desk.clock.now()) == "over"
    assert await listed(desk) == [running]  # one that had not begun is gone
    assert await paid(desk, lamp, at=desk.clock.now()) == 1999
    for act in (end(desk, running), change(desk, running, lasting(desk, price=1, ends=9))):
        with pytest.raises(Conflict):
            await act


async def test_are_of_variants_that_are_there_and_of_their_shop_alone(desk):
    lamp = await desk.variant()
    (number,) = await add(desk, lamp)
    other = await Desk.open(desk.db, desk.clock)

    for act in (add(other, lamp), add(desk, 999_999_999), add(desk), end(other, number)):
        with pytest.raises(NotFound):
            await act
    assert await listed(other) == []
