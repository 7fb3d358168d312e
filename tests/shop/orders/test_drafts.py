"""A draft..."""

from datetime import timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.db.unit_of_work import Database
from crossdock.errors import NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.kit.money import MINOR_MAX
from crossdock.shop.orders import (
    cancel_order,
    expire_orders,
    move_order,
    place,
    read_order,
    release_order,
)
from crossdock.shop.stock import hold_stock
from tests.support.drafts import draft_of, line_of, named
from tests.support.factories import (
    ShopFixture,
    level,
    make_merchant,
    make_shop,
    make_variant,
)

EVERYTHING = """
    select (select count(*) from orders where shop_id = %(shop)s),
           (select count(*) from identities where shop_id = %(shop)s),
           (select count(*) from order_allocations where shop_id = %(shop)s),
           (select count(*) from events where shop_id = %(shop)s)
"""


@pytest.fixture
async def shop(database: Database) -> ShopFixture:
    async with database.begin() as tx:
        return await make_shop(tx)


async def _variant(database: Database, shop: ShopFixture, own: int = 5) -> int:
    async with database.begin() as tx:
        return await make_variant(tx, shop=shop, own=own)


async def _level(database: Database, shop: ShopFixture, variant: int) -> tuple[int, ...]:
    async with database.begin() as tx:
        return tuple(await level(tx, shop_id=shop.id, variant_id=variant))


async def _hold(
    database: Database, shop: ShopFixture, variant: int, quantity: int, clock: FrozenClock
) -> int:
    async with database.begin() as tx:
        hold = await hold_stock(
            tx, shop_id=shop.id, variant_id=variant, quantity=quantity, ttl_s=60, now=clock.now()
        )
    return hold.id


async def test_turns_a_hold_into_the_orders_share(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    variant = await _variant(database, shop)
    hold = await _hold(database, shop, variant, 3, clock)
    assert await _level(database, shop, variant) == (5, 3, 0, 2)

    lines = [
        line_of(variant, shop=shop, quantity=3, take="hold", hold_id=hold),
        line_of(await _variant(database, shop), shop=shop, quantity=2),
    ]
    async with database.statement() as tx:
        placed = await place(tx, draft=draft_of(*lines, shop=shop), now=clock.now())

    assert await _level(database, shop, variant) == (5, 0, 3, 2)
    async with database.begin() as tx:
        await cancel_order(tx, shop_id=shop.id, order_id=placed.id, now=clock.now())
    assert await _level(database, shop, variant) == (5, 0, 0, 5)


@pytest.mark.parametrize("fault", ["expired", "quantity", "variant", "twice", "another shop's"])
async def test_with_a_hold_that_is_not_its_lines_is_not_placed(
    database: Database, clock: FrozenClock, shop: ShopFixture, fault: str
) -> None:
    variant, other = [await _variant(database, shop) for _ in range(2)]
    hold = await _hold(database, shop, variant, 2, clock)
    if fault == "another shop's":
        async with database.begin() as tx:
            stranger = await make_shop(tx)
        foreign = await _variant(database, stranger)
        hold = await _hold(database, stranger, foreign, 2, clock)
    if fault == "expired":
        clock.move(timedelta(seconds=60))
    lines = [
        line_of(
            other if fault == "variant" else variant,
            shop=shop,
            quantity=1 if fault == "quantity" else 2,
            take="hold",
            hold_id=hold,
        )
    ] * (2 if fault == "twice" else 1)
    async with database.statement() as tx:
        before = await tx.one(EVERYTHING, {"shop": shop.id})
    with pytest.raises(NotFound) as refusal:
        async with database.statement() as tx:
            await place(tx, draft=draft_of(*lines, shop=shop), now=clock.now())

    assert refusal.value.code == "hold_not_found"
    async with database.statement() as tx:
        assert await tx.one(EVERYTHING, {"shop": shop.id}) == before
    assert await _level(database, shop, variant) == (5, 2, 0, 3)


async def test_is_divided_into_parts_by_merchant_whose_sums_are_the_orders(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    async with database.begin() as tx:
        second = await make_merchant(tx, shop_id=shop.id)
        variants = [await make_variant(tx, shop=shop) for _ in range(3)]
    lines = [
        line_of(variants[0], shop=shop, quantity=2, price_minor=1000, tax_minor=420),
        line_of(variants[1], shop=shop, price_minor=500, discount_minor=50, shipping_minor=595),
        line_of(variants[2], shop=shop, price_minor=700, merchant_id=second),
    ]
    async with database.begin() as tx:
        placed = await place(tx, draft=draft_of(*lines, shop=shop), now=clock.now())
        order = await read_order(tx, order_id=placed.id, sections=("lines", "parts"))

    assert [line.total_minor for line in order.lines] == [2420, 1045, 700]
    assert (order.subtotal_minor, order.discount_minor, order.tax_minor) == (3200, 50, 420)
    assert (order.shipping_minor, order.total_minor, placed.total_minor) == (595, 4165, 4165)
    assert [(p.merchant_id, p.subtotal_minor, p.total_minor) for p in order.parts] == [
        (shop.merchant_id, 2500, 3465),
        (second, 700, 700),
    ]
    with pytest.raises(psycopg.Error) as refused:
        async with database.begin() as tx:
            await tx.run(
                "update order_parts set subtotal_minor = subtotal_minor + 1,"
                " total_minor = total_minor + 1 where shop_id = %s and merchant_id = %s",
                (shop.id, second),
            )
    assert refused.value.sqlstate == "CD012"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(*[st.integers(0, MINOR_MAX // 10**4)] * 4, st.integers(1, 1000)),
        min_size=1,
        max_size=8,
    )
)
def test_adds_its_lines_up(amounts: list[tuple[int, int, int, int, int]]) -> None:
    shop = ShopFixture(id=1, slug="s", merchant_id=1, customer_id=1)
    lines = [
        line_of(
            1,
            shop=shop,
            quantity=quantity,
            price_minor=price,
            discount_minor=min(discount, price * quantity),
            tax_minor=tax,
            shipping_minor=shipping,
        )
        for price, discount, tax, shipping, quantity in amounts
    ]
    draft = draft_of(*lines, shop=shop)
    subtotal = sum(price * quantity for price, _, _, _, quantity in amounts)
    assert draft.subtotal_minor == subtotal
    assert draft.total_minor == sum(
        price * quantity - min(discount, price * quantity) + tax + shipping
        for price, discount, tax, shipping, quantity in amounts
    )
    if max(subtotal, draft.total_minor) > MINOR_MAX:
        with pytest.raises(Refused) as refusal:
            draft.encode()
        assert refusal.value.code == "order_amount_not_allowed"


async def test_keeps_what_the_channel_gave_it_as_it_was(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    kept = {"nested": [1, {"x": None}], "text": "ü\n", "state": "completed"}
    variant = await _variant(database, shop)
    line = line_of(variant, shop=shop, channel_data=kept)
    async with database.begin() as tx:
        placed = await place(
            tx, draft=draft_of(line, shop=shop, channel_data=kept), now=clock.now()
        )
        order = await read_order(tx, order_id=placed.id)
    assert order.channel_data == kept
    assert order.lines[0].channel_data == kept
    assert order.fulfilment_state == "processing"


async def test_that_names_no_variant_of_the_callers_writes_nothing(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    variant = await _variant(database, shop)
    async with database.begin() as tx:
        stranger = await make_shop(tx)
    foreign = await _variant(database, stranger)
    async with database.statement() as tx:
        before = await tx.one(EVERYTHING, {"shop": shop.id})
    draft = draft_of(named(variant), named(foreign), named(2**40), shop=shop)
    with pytest.raises(NotFound) as refusal:
        async with database.statement() as tx:
            await place(tx, draft=draft, now=clock.now())

    assert refusal.value.code == "variant_not_found"
    assert refusal.value.data == {"line_numbers": [2, 3]}
    async with database.statement() as tx:
        assert await tx.one(EVERYTHING, {"shop": shop.id}) == before


async def test_that_awaits_its_payment_has_its_stock_and_is_released_when_it_is_paid(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    variant = await _variant(database, shop)
    draft = draft_of(
        line_of(variant, shop=shop, quantity=2),
        shop=shop,
        state="waiting_for_release",
        release_policy="by_hand",
        payment_state="awaiting",
    )
    async with database.statement() as tx:
        placed = await place(tx, draft=draft, now=clock.now())
    assert await _level(database, shop, variant) == (5, 0, 2, 3)
    with pytest.raises(Refused) as refusal:
        async with database.begin() as tx:
            await release_order(tx, shop_id=shop.id, order_id=placed.id, now=clock.now())
    assert refusal.value.code == "order_state"

    async with database.begin() as tx:
        await move_order(
            tx, shop_id=shop.id, order_id=placed.id, axis="payment", to="paid", now=clock.now()
        )
        state = await release_order(tx, shop_id=shop.id, order_id=placed.id, now=clock.now())
    assert state == "processing"
    assert await _level(database, shop, variant) == (5, 0, 2, 3)


async def test_that_is_not_paid_in_time_is_cancelled_and_gives_its_stock_back(
    database: Database, clock: FrozenClock, shop: ShopFixture
) -> None:
    variant = await _variant(database, shop)
    placed = []
    for minutes in (10, 11):
        draft = draft_of(
            line_of(variant, shop=shop),
            shop=shop,
            state="waiting_for_release",
            release_policy="by_hand",
            payment_state="awaiting",
            expires_at=clock.now() + timedelta(minutes=minutes),
        )
        async with database.statement() as tx:
            placed.append((await place(tx, draft=draft, now=clock.now())).id)
    clock.move(timedelta(minutes=10))

    await expire_orders(database, now=clock.now())

    async with database.begin() as tx:
        over, waiting = [await read_order(tx, order_id=order_id) for order_id in placed]
    assert (over.fulfilment_state, over.payment_state) == ("cancelled", "expired")
    assert [line.state for line in over.lines] == ["cancelled"]
    assert (waiting.fulfilment_state, waiting.payment_state) == ("waiting_for_release", "awaiting")
    assert await _level(database, shop, variant) == (5, 0, 1, 4)
