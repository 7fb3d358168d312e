"""A coupon by code..."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Conflict, Invalid, NotFound, Refused
from crossdock.kit.paging import PlacePage
from crossdock.shop.orders import OrderDraft, Placed, cancel_order, place
from crossdock.shop.pricing import (
    CodeChanges,
    CodeTerms,
    Coupon,
    Discountable,
    add_code,
    apply_code,
    change_code,
    list_codes,
    read_code,
    remove_code,
)
from tests.conftest import NOON
from tests.support.drafts import draft_of, line_of
from tests.support.factories import ShopFixture, level, make_merchant, make_shop, make_variant
from tests.support.locks import waiting_for_a_lock

DAY = timedelta(days=1)
EVERYTHING = PlacePage(size=10)


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


def goods(amount: int, *, product: int = 1, merchant: int = 1) -> Discountable:
    return Discountable(product_id=product, merchant_id=merchant, goods_minor=amount)


async def add(tx: Transaction, shop: ShopFixture, **terms: Any) -> Coupon:
    kept = {"code": "Spring", "percent_bp": 1000, **terms}
    if "amount_minor" in terms:
        del kept["percent_bp"]
    return await add_code(tx, shop_id=shop.id, terms=CodeTerms(**kept), now=NOON)


async def discounts(tx: Transaction, shop: ShopFixture, *lines: Discountable) -> tuple[int, ...]:
    return (await apply_code(tx, shop_id=shop.id, code=" SPRING ", lines=lines, now=NOON)).discounts


@pytest.mark.parametrize(
    ("terms", "lines", "expected"),
    [
        ({"percent_bp": 1000}, [goods(1005), goods(1000)], (101, 100)),  # 200.5 in all, up to 201
        ({"amount_minor": 500}, [goods(3000), goods(1000)], (375, 125)),
        ({"amount_minor": 5000}, [goods(3000), goods(1000)], (3000, 1000)),
        ({"amount_minor": 5000, "max_discount_minor": 400}, [goods(3000), goods(1000)], (300, 100)),
        ({"percent_bp": 5000, "max_discount_minor": 700}, [goods(2000)], (700,)),
        ({"percent_bp": 10_000}, [goods(1), goods(0)], (1, 0)),
        ({"min_order_minor": 2000}, [goods(2000)], (200,)),
    ],
)
async def test_takes_off_what_it_says(tx, shop, terms, lines, expected):
    await add(tx, shop, **terms)
    assert await discounts(tx, shop, *lines) == expected


async def test_is_for_its_products_and_merchants_alone(tx, shop):
    one, other = [await product_of(tx, shop) for _ in range(2)]
    await add(tx, shop, product_ids=(one,), merchant_ids=(shop.merchant_id,))
    mine = {"merchant": shop.merchant_id}
    lines = [goods(1000, product=one, **mine), goods(1000, product=other, **mine)]
    assert await discounts(tx, shop, *lines) == (100, 0)
    with pytest.raises(Refused) as refused:
        await discounts(tx, shop, lines[1], goods(1000, product=one, merchant=0))
    assert refused.value.data == {"reason": "no_goods"}


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"enabled": False}, "disabled"),
        ({"starts_at": NOON + DAY}, "not_yet"),
        ({"ends_at": NOON}, "over"),
        ({"min_order_minor": 1001}, "below_minimum"),
        ({"code": "Autumn"}, "unknown"),
    ],
)
async def test_is_refused_with_the_reason(tx, shop, terms, reason):
    await add(tx, shop, **terms)
    with pytest.raises(Refused) as refused:
        await discounts(tx, shop, goods(1000))
    assert (refused.value.code, refused.value.data) == ("coupon_refused", {"reason": reason})


async def test_has_a_code_of_its_own_in_any_case(tx, shop):
    first = await add(tx, shop, code=" Spring ")
    assert first.code == "spring"
    with pytest.raises(Conflict) as refused:
        await add(tx, shop, code="SPRING")
    assert refused.value.code == "exists"
    assert await read_code(tx, shop_id=shop.id, merchant_ids=None, code="sPRING") == first


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"code": " "}, "code"),
        ({"code": "a" * 65}, "code"),
        ({"code": "a\nb"}, "code"),
        ({"percent_bp": None}, "discount"),
        ({"percent_bp": 10_001}, "discount"),
        ({"amount_minor": 0}, "discount"),
        ({"max_discount_minor": 0}, "discount"),
        ({"min_order_minor": -1}, "minimum"),
        ({"max_uses": 0}, "max_uses"),
        ({"starts_at": NOON, "ends_at": NOON}, "ends"),
        ({"product_ids": (987654321,)}, "products"),
    ],
)
async def test_that_cannot_be_is_refused(tx, shop, terms, field):
    with pytest.raises(Invalid) as refused:
        await add(tx, shop, **terms)
    assert refused.value.data == {"field": field}
    assert await list_codes(tx, shop_id=shop.id, merchant_ids=None, page=EVERYTHING) == []


async def test_is_changed_in_what_was_given(tx, shop):
    added = await add(tx, shop, max_uses=3, ends_at=NOON + DAY)
    changed = await change_code(
        tx, shop_id=shop.id, merchant_ids=None, coupon_id=added.id, now=NOON + DAY,
        changes=CodeChanges(amount_minor=250, percent_bp=None, ends_at=None, used_count=2),
    )  # fmt: skip
    assert changed == msgspec.structs.replace(
        added, kind="amount_off", amount_minor=250, percent_bp=None, ends_at=None, used_count=2,
        updated_at=NOON + DAY,
    )  # fmt: skip


async def test_is_seen_by_whom_all_of_its_goods_belong_to(tx, shop):
    other = await make_merchant(tx, shop_id=shop.id)
    of_all = await add(tx, shop)
    of_one = await add(tx, shop, code="one", merchant_ids=(shop.merchant_id,))
    of_both = await add(tx, shop, code="both", merchant_ids=(shop.merchant_id, other))

    async def seen(merchant_ids: list[int] | None) -> list[int]:
        found = await list_codes(
            tx, shop_id=shop.id, merchant_ids=merchant_ids, page=PlacePage(size=9)
        )
        return [coupon.id for coupon in found]

    assert await seen(None) == [of_both.id, of_one.id, of_all.id]
    assert await seen([shop.merchant_id]) == [of_one.id]
    for foreign in (of_all, of_both):
        with pytest.raises(NotFound):
            await remove_code(
                tx, shop_id=shop.id, merchant_ids=[other], coupon_id=foreign.id, now=NOON
            )
        with pytest.raises(NotFound):
            await change_code(
                tx, shop_id=shop.id, merchant_ids=[other], coupon_id=foreign.id,
                changes=CodeChanges(enabled=False), now=NOON,
            )  # fmt: skip
    assert len(await seen(None)) == 3


async def product_of(tx: Transaction, shop: ShopFixture) -> int:
    variant = await make_variant(tx, shop=shop)
    return int(await tx.value("select product_id from variants where id = %s", (variant,)))


class Sold:
    """A shop whose variant is ordered with a coupon, and what a coupon's count is by then."""

    def __init__(self, db: Database, shop: ShopFixture, variant_id: int, coupon: Coupon) -> None:
        self.db, self.shop, self.variant_id, self.coupon = db, shop, variant_id, coupon

    def draft(self, variant_id: int | None = None) -> OrderDraft:
        line = line_of(variant_id or self.variant_id, shop=self.shop, discount_minor=100)
        return draft_of(line, shop=self.shop, coupon_ids=(self.coupon.id,))

    async def order(self, variant_id: int | None = None) -> Placed:
        async with self.db.begin() as tx:
            return await place(tx, draft=self.draft(variant_id), now=NOON)

    async def used(self) -> int:
        async with self.db.statement() as tx:
            found = await read_code(
                tx, shop_id=self.shop.id, merchant_ids=None, coupon_id=self.coupon.id
            )
        return found.used_count

    async def level(self) -> tuple[int, int, int, int]:
        async with self.db.statement() as tx:
            return await level(tx, shop_id=self.shop.id, variant_id=self.variant_id)

    async def cancel(self, placed: Placed) -> None:
        async with self.db.begin() as tx:
            await cancel_order(tx, shop_id=self.shop.id, order_id=placed.id, now=NOON)


@pytest.fixture
async def sold(database: Database) -> Sold:
    async with database.begin() as tx:
        shop = await make_shop(tx)
        variant_id = await make_variant(tx, shop=shop, own=10)
        coupon = await add(tx, shop, max_uses=1)
    return Sold(database, shop, variant_id, coupon)


async def test_is_used_as_often_as_it_may_be_and_not_once_more(sold: Sold):
    placed = await sold.order()
    assert (placed.outcome, await sold.used()) == ("created", 1)
    with pytest.raises(Refused) as refused:
        await sold.order()
    assert (refused.value.code, refused.value.data) == ("coupon_refused", {"reason": "used_up"})
    assert (await sold.used(), await sold.level()) == (1, (10, 0, 1, 9))


async def test_is_used_once_by_two_orders_at_once(sold: Sold):
    async with sold.db.begin() as tx:
        other = await make_variant(tx, shop=sold.shop, own=10)  # no level that both wait for
    async with sold.db.begin() as tx:
        await place(tx, draft=sold.draft(), now=NOON)
        second = asyncio.create_task(sold.order(other))
        await waiting_for_a_lock(sold.db, behind=tx)
    with pytest.raises(Refused) as refused:
        await second
    assert refused.value.code == "coupon_refused"
    assert (await sold.used(), await sold.level()) == (1, (10, 0, 1, 9))
    async with sold.db.statement() as tx:
        assert await level(tx, shop_id=sold.shop.id, variant_id=other) == (10, 0, 0, 10)


async def test_of_a_cancelled_order_is_free_again_once(sold: Sold):
    await sold.cancel(await sold.order())
    assert await sold.used() == 0
    again = await sold.order()
    assert (again.outcome, await sold.used()) == ("created", 1)


async def test_whose_count_was_set_keeps_it_when_an_earlier_order_is_cancelled(sold: Sold):
    placed = await sold.order()
    async with sold.db.begin() as tx:
        await change_code(
            tx, shop_id=sold.shop.id, merchant_ids=None, coupon_id=sold.coupon.id,
            changes=CodeChanges(used_count=0), now=NOON,
        )  # fmt: skip
    await sold.cancel(placed)
    assert await sold.used() == 0


async def test_that_is_taken_away_stays_with_its_orders_and_frees_its_code(sold: Sold):
    placed = await sold.order()
    async with sold.db.begin() as tx:
        await remove_code(
            tx, shop_id=sold.shop.id, merchant_ids=None, coupon_id=sold.coupon.id, now=NOON
        )
    with pytest.raises(NotFound):
        await sold.used()
    with pytest.raises(Refused):
        await sold.order()
    async with sold.db.begin() as tx:
        second = await add(tx, sold.shop)
        discount = await tx.value("select discount_minor from orders where id = %s", (placed.id,))
    assert (second.code, discount) == (sold.coupon.code, 100)
    await sold.cancel(placed)
