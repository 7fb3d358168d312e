"""A cart that is checked out..."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec
import psycopg
import pytest
from psycopg import sql

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError, Unavailable
from crossdock.kit.clock import FrozenClock
from crossdock.shop.alerts import list_alerts
from crossdock.shop.carts import CartLine, CartView, delete_cart
from crossdock.shop.customers import Address
from crossdock.shop.deliveries import list_deliveries
from crossdock.shop.invoices import settle_every_payment
from crossdock.shop.ledger import verify_ledger
from crossdock.shop.orders import cancel_order
from crossdock.shop.partners import Partner
from crossdock.shop.payments import Answer, Question, Sandbox
from crossdock.shop.pricing import (
    CouponTerms,
    Taxable,
    TaxRate,
    add_coupon,
    list_coupons,
    set_tax_rate,
)
from crossdock.shop.stock import expire_holds
from tests.support.drafts import BUYER
from tests.support.factories import receive
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import DECLINED, LOST_ANSWER, LOST_CAPTURE, REFUSED_CAPTURE
from tests.support.shopping import Mall, quantities
from tests.support.warehousing import differences


@pytest.fixture
async def mall(database: Database, clock: FrozenClock) -> AsyncIterator[Mall]:
    opened = await Mall.open(database, clock)
    yield opened
    async with database.statement() as tx:
        assert await differences(tx, after_shop=opened.shop.id - 1) == []


@pytest.fixture
async def alone(empty_database_url: str, clock: FrozenClock) -> AsyncIterator[Mall]:
    """A mall in whose database nobody else's payments wait."""
    database = Database(empty_database_url, min_size=1, max_size=6)
    await database.open()
    opened = await Mall.open(database, clock)
    yield opened
    async with database.statement() as tx:
        assert await differences(tx, after_shop=opened.shop.id - 1) == []
    await database.close()


async def refusal(coroutine: Awaitable[object]) -> CrossdockError:
    with pytest.raises(CrossdockError) as refused:
        await coroutine
    return refused.value


async def test_is_one_order_with_a_part_for_each_merchant(mall: Mall) -> None:
    first = await mall.merchant(
        shipping_flat_minor=595, free_shipping_from_minor=3500, commission_bp=1250
    )
    second = await mall.merchant(shipping_flat_minor=700, free_shipping_from_minor=5000)
    ten = await mall.variant(merchant_id=first, price_minor=1000, own=5)
    two = await mall.variant(merchant_id=first, price_minor=200, own=5)
    sixty = await mall.variant(merchant_id=second, price_minor=6000, own=5)
    async with mall.db.begin() as tx:
        rate = TaxRate(country="US", state="TX", rate_bp=825)
        await set_tax_rate(tx, shop_id=mall.shop.id, rate=rate)
    cart_id = await mall.cart((ten, 2), (sixty, 1), (two, 1))

    done = await mall.check_out(
        cart_id, language="en", channel_data={"campaign": "spring"},
        line_data=lambda _cart, line: {"brand": line.brand, "max": line.max_quantity},
    )  # fmt: skip

    order = await mall.order(done.order_id)
    parts = {part.merchant_id: part for part in order.parts}
    assert [
        (p.subtotal_minor, p.shipping_minor, p.tax_minor, p.commission_minor, p.total_minor)
        for p in (parts[first], parts[second])
    ] == [(2200, 595, 182, 275, 2977), (6000, 0, 495, 0, 6495)]  # 165 and 16.5, up to 17
    assert (order.subtotal_minor, order.shipping_minor, order.tax_minor) == (8200, 595, 677)
    assert done.total_minor == order.total_minor == 8200 + 595 + 677
    assert [(line.variant_id, line.quantity, line.shipping_minor) for line in order.lines] == [
        (ten, 2, 541), (two, 1, 54), (sixty, 1, 0),
    ]  # fmt: skip
    assert (done.payment_state, order.payment_state, order.fulfilment_state) == (
        "paid",
        "paid",
        "processing",
    )
    assert (order.channel_data, order.lines[0].channel_data) == (
        {"campaign": "spring"}, {"brand": "", "max": 5},
    )  # fmt: skip
    assert (order.billing, order.shipping, order.language) == (BUYER, BUYER, "en")
    assert [event.kind for event in order.timeline] == ["order.placed", "payment.paid"]
    assert await mall.level(ten) == (5, 0, 2, 3)
    assert await mall.balances() == {
        "clearing sandbox USD": -9472,
        f"commission merchant:{first} USD": 275,
        f"sales merchant:{first} USD": 1925,
        f"sales merchant:{second} USD": 6000,
        "shipping USD": 595,
        "tax USD": 677,
    }
    async with mall.db.statement() as tx:
        assert await verify_ledger(tx, shop_id=mall.shop.id) == []


async def test_is_empty_and_knows_its_order_and_is_not_checked_out_twice(mall: Mall) -> None:
    good = await mall.variant()
    cart_id = await mall.cart((good, 2))
    done = await mall.check_out(cart_id)

    again = await refusal(mall.check_out(cart_id))
    put = await refusal(mall.put(cart_id, (good, 1)))

    assert [(e.code, e.data) for e in (again, put)] == [
        ("cart_ordered", {"order_id": done.order_id})
    ] * 2
    cart = await mall.read(cart_id)
    assert (cart.order_id, cart.lines, cart.total_minor) == (done.order_id, (), 0)
    assert (await mall.count("orders"), await mall.payment_states()) == (1, ["captured"])
    await delete_cart(mall.carts, partner=mall.partner, cart_id=cart_id)
    assert (await mall.order(done.order_id)).payment_state == "paid"


async def test_pays_the_price_after_sale_and_coupon_and_no_shipping_where_a_coupon_says_so(
    mall: Mall,
) -> None:
    merchant = await mall.merchant(shipping_flat_minor=500)
    good = await mall.variant(merchant_id=merchant, price_minor=2000)
    async with mall.db.begin() as tx:
        for terms in (
            CouponTerms(code="TEN", kind="percent_off", percent_bp=1000),
            CouponTerms(code="SHIP", kind="free_shipping", threshold_minor=1999),
        ):
            await add_coupon(tx, shop_id=mall.shop.id, terms=terms, now=mall.clock.now())
    cart_id = await mall.cart((good, 2))
    assert (await mall.read(cart_id)).total_minor == 3600

    done = await mall.check_out(cart_id, expected_total_minor=3600)

    order = await mall.order(done.order_id)
    assert (order.lines[0].unit_price_minor, order.total_minor) == (1800, 3600)


async def test_uses_a_counted_coupon_once_and_gives_it_back(mall: Mall) -> None:
    goods = [await mall.variant(price_minor=2000) for _ in range(2)]
    async with mall.db.begin() as tx:
        terms = CouponTerms(code="TEN", kind="percent_off", percent_bp=1000)
        await add_coupon(tx, shop_id=mall.shop.id, terms=terms, max_uses=1, now=mall.clock.now())
    first, second = [await mall.cart(*((good, 1) for good in goods)) for _ in range(2)]
    assert (await mall.read(second)).total_minor == 3600

    done = await mall.check_out(first)

    assert (done.total_minor, await uses(mall)) == (3600, 1)
    assert (await mall.read(second)).total_minor == 4000
    async with mall.db.begin() as tx:
        await cancel_order(tx, shop_id=mall.shop.id, order_id=done.order_id, now=mall.clock.now())
    assert (await uses(mall), (await mall.read(second)).total_minor) == (0, 3600)


async def test_whose_coupon_is_used_up_meanwhile_is_told_that_prices_changed(
    mall: Mall, database_url: str
) -> None:
    good = await mall.variant(price_minor=2000, own=5)
    async with mall.db.begin() as tx:
        terms = CouponTerms(code="TEN", kind="percent_off", percent_bp=1000)
        await add_coupon(tx, shop_id=mall.shop.id, terms=terms, max_uses=1, now=mall.clock.now())
    cart_id = await mall.cart((good, 1))

    def used_up(_cart: CartView, _line: CartLine) -> dict[str, str]:
        """Somebody else's order commits between this checkout's reading and its writing."""
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute(
                "update coupons set used_count = 1, used_base = 1 where shop_id = %s",
                (mall.shop.id,),
            )
        return {}

    refused = await refusal(mall.check_out(cart_id, line_data=used_up))

    assert refused.code == "cart_changed"
    assert (await mall.level(good))[1:3] == (0, 0)
    assert (await mall.read(cart_id)).total_minor == 2000
    assert await uses(mall) == 1


async def uses(mall: Mall) -> int:
    async with mall.db.statement() as tx:
        [coupon] = await list_coupons(tx, shop_id=mall.shop.id)
    return coupon.used_count


async def test_goes_to_each_merchant_s_connector(mall: Mall) -> None:
    async with mall.db.begin() as tx:
        for name, is_default, enabled in (
            ("house", True, True),
            ("their", False, True),
            ("off", False, False),
        ):
            await tx.run(
                "insert into connectors (shop_id, name, kind, is_default, enabled) values (%s, %s, 'manual', %s, %s)",
                (mall.shop.id, name, is_default, enabled),
            )
    merchants = [await mall.merchant(connector=name) for name in ("", "their", "off", "none")]
    goods = [await mall.variant(merchant_id=merchant) for merchant in merchants]

    done = await mall.check_out(await mall.cart(*((good, 1) for good in goods)))

    order = await mall.order(done.order_id)
    routes = {part.merchant_id: part.route for part in order.parts}
    assert [routes[merchant] for merchant in merchants] == ["house", "their", None, None]
    async with mall.db.statement() as tx:
        sent = await list_deliveries(tx, shop_id=mall.shop.id, kind="dispatch", subject_id=order.id)
    assert sorted(delivery.target for delivery in sent) == ["house", "their"]


async def test_that_costs_nothing_is_paid_without_a_payment(mall: Mall) -> None:
    done = await mall.check_out(await mall.cart((await mall.variant(price_minor=0), 1)))

    assert (done.total_minor, done.payment_state) == (0, "paid")
    assert await mall.payment_states() == []


async def test_takes_from_the_supplier_for_a_partner_with_backorder(mall: Mall) -> None:
    mall.partner = await mall.another_partner(backorder=True)
    good = await mall.variant(origin="*", own=1, supplier=0)

    done = await mall.check_out(await mall.cart((good, 3)))

    assert (await mall.order(done.order_id)).total_minor == 3 * 1999
    assert await mall.level(good) == (1, 0, 1, 0)


async def test_is_refused_when_its_card_is_and_can_be_tried_again(mall: Mall) -> None:
    good = await mall.variant(own=2)
    cart_id = await mall.cart((good, 2))

    declined = await refusal(mall.check_out(cart_id, card_number=DECLINED))

    assert (declined.code, declined.data["reason"]) == ("payment_declined", "card_declined")
    assert await mall.level(good) == (2, 0, 0, 2)
    assert (await mall.count("orders"), await mall.balances()) == (0, {})
    assert quantities(await mall.read(cart_id)) == {good: 2}
    assert (await mall.check_out(cart_id)).payment_state == "paid"


async def test_is_let_go_of_when_the_channel_cannot_say_what_it_keeps(mall: Mall) -> None:
    good = await mall.variant(own=2)
    cart_id = await mall.cart((good, 2))

    def line_data(_cart: CartView, _line: CartLine) -> dict[str, str]:
        raise KeyError("nothing of that name")

    with pytest.raises(KeyError):
        await mall.check_out(cart_id, line_data=line_data)

    assert await mall.level(good) == (2, 0, 0, 2)
    assert (await mall.count("orders"), await mall.payment_states()) == (0, ["voided"])
    assert (await mall.check_out(cart_id)).payment_state == "paid"


async def test_is_refused_without_goods_or_addresses_or_within_the_wrong_amounts(
    mall: Mall,
) -> None:
    cart_id = await mall.cart((await mall.variant(price_minor=1000), 1))
    nobody = Address(country="US")

    for code, call in (
        ("cart_empty", mall.check_out(await mall.cart())),
        ("billing_incomplete", mall.check_out(cart_id, billing=nobody)),
        ("shipping_incomplete", mall.check_out(cart_id, shipping=nobody)),
        ("cart_not_found", mall.check_out(cart_id, partner=await mall.another_partner())),
        ("cart_not_found", mall.check_out("no cart")),
        ("invalid_input", mall.check_out(cart_id, provider="none")),
        (
            "order_amount_not_allowed",
            mall.check_out(cart_id, partner=_with(mall, min_amount_minor=1001)),
        ),
        (
            "order_amount_not_allowed",
            mall.check_out(cart_id, partner=_with(mall, max_amount_minor=999)),
        ),
        ("cart_changed", mall.check_out(cart_id, expected_total_minor=999)),
    ):
        assert (await refusal(call)).code == code

    assert (await mall.count("orders"), await mall.payment_states()) == (0, [])
    assert (await mall.check_out(cart_id)).total_minor == 1000


async def test_is_told_the_partner_s_terms_when_its_amount_is_not_allowed(mall: Mall) -> None:
    cart_id = await mall.cart((await mall.variant(price_minor=1000), 1))
    partner = _with(mall, min_amount_minor=1001, max_amount_minor=2000)

    refused = await refusal(mall.check_out(cart_id, partner=partner))

    assert refused.data == {
        "subtotal_minor": 1000,
        "min_amount_minor": 1001,
        "max_amount_minor": 2000,
        "currency": "USD",
    }


async def test_is_not_touched_by_a_provider_that_is_none(mall: Mall) -> None:
    cart_id = await mall.cart((await mall.variant(), 1))
    before = (await mall.read(cart_id)).revision

    refused = await refusal(mall.check_out(cart_id, provider="none"))

    assert (refused.code, refused.data) == ("invalid_input", {"field": "provider"})
    assert (await mall.read(cart_id)).revision == before
    assert await mall.count("holds") == 0


def _with(mall: Mall, **changes: int) -> Partner:
    return msgspec.structs.replace(mall.partner, **changes)


async def test_of_which_too_little_is_left_is_refused_and_lowered_to_that(mall: Mall) -> None:
    good, gone = await mall.variant(own=5), await mall.variant(own=1)
    cart_id = await mall.cart((good, 5), (gone, 1))
    async with mall.db.begin() as tx:
        await receive(tx, shop=mall.shop, variant_id=good, quantity=-2)
        await receive(tx, shop=mall.shop, variant_id=gone, quantity=-1)

    short = await refusal(mall.check_out(cart_id))

    assert (short.code, short.data["variant_ids"]) == ("stock_limit_exceeded", sorted((good, gone)))
    wanted = [(line["variant_id"], line["wanted"], line["limit"]) for line in short.data["lines"]]
    assert wanted == [(good, 5, 3), (gone, 1, 0)]
    assert (await mall.level(good), await mall.payment_states()) == ((3, 0, 0, 3), [])
    await mall.put(cart_id, (gone, 0))
    assert (await mall.check_out(cart_id)).total_minor == 3 * 1999


async def test_sells_the_last_unit_once_and_tells_the_other(mall: Mall) -> None:
    good = await mall.variant(own=1)
    carts = [await mall.cart((good, 1)) for _ in range(4)]

    async with mall.db.begin() as tx:
        await tx.run(
            "select 1 from stock_levels where shop_id = %s and variant_id = %s for update",
            (mall.shop.id, good),
        )
        checkouts = [asyncio.create_task(mall.check_out(cart)) for cart in carts]
        await waiting_for_a_lock(mall.db, behind=tx, count=1)
    results = await asyncio.gather(*checkouts, return_exceptions=True)

    errors = [result for result in results if isinstance(result, CrossdockError)]
    assert [(e.code, e.data["variant_ids"]) for e in errors] == [
        ("stock_limit_exceeded", [good])
    ] * 3
    assert await mall.level(good) == (1, 0, 1, 0)
    assert (await mall.count("orders"), await mall.payment_states()) == (1, ["captured"])


async def test_by_two_at_once_becomes_one_order(mall: Mall) -> None:
    good = await mall.variant(own=1)
    cart_id = await mall.cart((good, 1))

    async with mall.db.begin() as tx:
        await tx.run("select 1 from carts where shop_id = %s for update", (mall.shop.id,))
        checkouts = [asyncio.create_task(mall.check_out(cart_id)) for _ in range(3)]
        await waiting_for_a_lock(mall.db, behind=tx, count=1)
    results = await asyncio.gather(*checkouts, return_exceptions=True)

    codes = {result.code for result in results if isinstance(result, CrossdockError)}
    assert codes <= {"busy", "cart_ordered"}
    assert len([result for result in results if not isinstance(result, CrossdockError)]) == 1
    assert (await mall.count("orders"), await mall.payment_states()) == (1, ["captured"])


async def test_is_left_alone_until_its_checkout_is_over_or_dead(
    alone: Mall, clock: FrozenClock, empty_database_url: str
) -> None:
    good = await alone.variant(own=1)
    cart_id = await alone.cart((good, 1))
    await _broken_at("ask_payment:authorise", empty_database_url, alone, cart_id)

    for call in (
        alone.put(cart_id, (good, 0)),
        alone.check_out(cart_id),
        delete_cart(alone.carts, partner=alone.partner, cart_id=cart_id),
    ):
        error = await refusal(call)
        assert (error.code, error.data) == ("busy", {"retry_after_s": 5, "held_by": "checkout"})
    assert await alone.level(good) == (1, 1, 0, 0)

    clock.move(timedelta(seconds=120))
    assert quantities(await alone.read(cart_id)) == {good: 1}  # what it held itself counts as there
    assert await alone.level(good) == (1, 0, 0, 1)
    assert quantities(await alone.put(cart_id, (good, 1))) == {good: 1}
    assert await alone.level(good) == (1, 0, 0, 1)
    assert (await alone.check_out(cart_id)).payment_state == "paid"
    assert await alone.level(good) == (1, 0, 1, 0)


async def test_buys_what_is_left_where_the_shopper_was_shown_just_that(alone: Mall) -> None:
    few, gone = await alone.variant(own=5), await alone.variant(own=2)
    *others, cart_id = [await alone.cart((few, 5), (gone, 2)) for _ in range(4)]
    await alone.check_out(await alone.cart((few, 3), (gone, 2)))
    assert quantities(await alone.read(cart_id)) == {few: 2}

    for other, accepted in zip(others, ({}, {few: 2}, {few: 1, gone: 0}), strict=True):
        error = await refusal(alone.check_out(other, accepted=accepted))
        assert error.code == "stock_limit_exceeded"
    done = await alone.check_out(cart_id, accepted={few: 2, gone: 0})

    bought = {line.variant_id: line.quantity for line in (await alone.order(done.order_id)).lines}
    assert bought == {few: 2}
    assert await alone.level(few) == (5, 0, 5, 0)


async def test_is_refused_in_another_currency(alone: Mall) -> None:
    cart_id = await alone.cart((await alone.variant(own=1), 1))
    error = await refusal(alone.check_out(cart_id, currency="JPY"))
    assert (error.code, error.data["field"]) == ("invalid_input", "currency")
    assert await alone.count("orders") == 0


async def test_whose_checkout_died_holds_nothing_when_it_is_deleted(
    alone: Mall, clock: FrozenClock, empty_database_url: str
) -> None:
    good = await alone.variant(own=1)
    cart_id = await alone.cart((good, 1))
    await _broken_at("ask_payment:authorise", empty_database_url, alone, cart_id)
    clock.move(timedelta(seconds=120))

    await delete_cart(alone.carts, partner=alone.partner, cart_id=cart_id)

    assert await alone.level(good) == (1, 0, 0, 1)


@pytest.mark.races
async def test_waits_for_no_other_that_is_tried_again_as_well(
    alone: Mall, clock: FrozenClock, empty_database_url: str
) -> None:
    """Each has held what the other now wants first: levels are locked in one order all the same."""
    goods = [await alone.variant(own=9), await alone.variant(own=9)]
    carts = [await alone.cart((good, 1)) for good in goods]
    for cart_id in carts:
        await _broken_at("ask_payment:authorise", empty_database_url, alone, cart_id)
    clock.move(timedelta(seconds=120))
    async with alone.db.begin() as tx:
        for cart_id, good in zip(carts, reversed(goods), strict=True):
            await tx.run(
                "insert into cart_lines (shop_id, cart_id, variant_id, quantity, added_at, updated_at)"
                " values (%s, %s, %s, 1, %s, %s)",
                (alone.shop.id, cart_id, good, clock.now(), clock.now()),
            )

    async with alone.db.begin() as tx:
        await tx.run("select 1 from stock_levels where shop_id = %s for update", (alone.shop.id,))
        checkouts = [asyncio.create_task(alone.check_out(cart_id)) for cart_id in carts]
        await waiting_for_a_lock(alone.db, behind=tx, count=2)
    done = await asyncio.gather(*checkouts)

    assert [each.payment_state for each in done] == ["paid", "paid"]
    assert [await alone.level(good) for good in goods] == [(9, 0, 2, 7)] * 2


async def test_that_another_checkout_has_taken_over_is_not_placed(
    alone: Mall, clock: FrozenClock
) -> None:
    good = await alone.variant(own=2)
    cart_id = await alone.cart((good, 1))

    class Slow:
        """Taxes that take longer than a claim lasts; meanwhile the shopper tries again."""

        async def of_lines(self, *, lines: Sequence[Taxable], **_: object) -> list[int]:
            clock.move(timedelta(seconds=121))
            self.second = await alone.check_out(cart_id)
            return [0 for _ in lines]

    slow = Slow()
    lost = await refusal(alone.check_out(cart_id, taxes=slow))

    assert lost.code in {"cart_changed", "cart_ordered"}
    assert await alone.count("orders") == 1
    assert sorted(await alone.payment_states()) == ["captured", "voided"]
    assert await alone.level(good) == (2, 0, 1, 1)
    assert (await alone.order(slow.second.order_id)).payment_state == "paid"


async def test_whose_card_tells_nothing_is_not_placed_and_its_money_let_go_of(
    alone: Mall, clock: FrozenClock
) -> None:
    good = await alone.variant(own=1)
    cart_id = await alone.cart((good, 1))

    with pytest.raises(Unavailable, match="payment_unsettled"):
        await alone.check_out(cart_id, card_number=LOST_ANSWER)
    assert await alone.level(good) == (1, 0, 0, 1)
    done = await alone.check_out(cart_id)

    for _ in range(2):
        clock.move(timedelta(seconds=901))
        await settle_every_payment(alone.paying)
    assert await alone.payment_states() == ["voided", "captured"]
    assert (await alone.order(done.order_id)).payment_state == "paid"


async def test_whose_capture_is_lost_is_paid_once_that_is_known(
    alone: Mall, clock: FrozenClock
) -> None:
    done = await alone.check_out(
        await alone.cart((await alone.variant(), 1)), card_number=LOST_CAPTURE
    )
    assert done.payment_state == "authorised"

    clock.move(timedelta(seconds=61))
    assert await settle_every_payment(alone.paying) == 1

    assert (await alone.order(done.order_id)).payment_state == "paid"
    assert await alone.payment_states() == ["captured"]
    assert await settle_every_payment(alone.paying) == 0


async def test_whose_capture_is_refused_is_told_to_staff_once(
    alone: Mall, clock: FrozenClock
) -> None:
    done = await alone.check_out(
        await alone.cart((await alone.variant(), 1)), card_number=REFUSED_CAPTURE
    )

    clock.move(timedelta(hours=1))
    assert await settle_every_payment(alone.paying) == 0
    async with alone.db.statement() as tx:
        alerts = await list_alerts(tx, shop_id=alone.shop.id)
    assert [(alert.kind, alert.order_id) for alert in alerts] == [
        ("capture_refused", done.order_id)
    ]
    assert (await alone.order(done.order_id)).payment_state == "authorised"


CLAIMING = ("claim_cart:claimed", "hold_all:made", "post_stock:levels", "post_stock:posted")
AUTHORISING = ("ask_payment:authorise", "answer_payment:payment")
PLACING = (
    "place_order:identity", "place_order:lines", "convert_holds:closed", "place_order:payment",
    "place_order:sale", "post_transfers:entry", "close_cart:ordered", "ask_payment:capture",
)  # fmt: skip


@pytest.mark.parametrize("step", [*CLAIMING, *AUTHORISING, *PLACING])
async def test_that_breaks_at_any_step_leaves_nothing_and_can_be_tried_again(
    alone: Mall, clock: FrozenClock, empty_database_url: str, step: str
) -> None:
    goods = [await alone.variant(own=1), await alone.variant(own=1)]
    cart_id = await alone.cart(*((good, 1) for good in goods))

    failure = await _broken_at(step, empty_database_url, alone, cart_id)

    assert failure.sqlstate == "CD099"
    assert (await alone.count("orders"), await alone.balances()) == (0, {})
    clock.move(timedelta(seconds=121))
    done = await alone.check_out(cart_id)
    assert (await alone.order(done.order_id)).payment_state == "paid"
    await _settle(alone, clock)
    assert [await alone.level(good) for good in goods] == [(1, 0, 1, 0)] * 2
    assert (await alone.payment_states())[-1] == "captured"
    assert set((await alone.payment_states())[:-1]) <= {"voided", "abandoned"}


async def test_whose_answer_was_not_recorded_is_paid_by_the_run_that_settles(
    alone: Mall, clock: FrozenClock, empty_database_url: str
) -> None:
    cart_id = await alone.cart((await alone.variant(own=1), 1))

    failure = await _broken_at("answer_payment:capture", empty_database_url, alone, cart_id)

    assert failure.sqlstate == "CD099"
    await _is_paid_by_the_run(alone, clock, cart_id)


async def test_whose_program_died_before_the_capture_is_paid_by_the_run_that_settles(
    alone: Mall, clock: FrozenClock
) -> None:
    class Dying(Sandbox):
        """The request does not leave the program."""

        async def capture(self, question: Question) -> Answer:
            raise SystemError(question.key)

    cart_id = await alone.cart((await alone.variant(own=1), 1))
    providers = {"sandbox": Dying(alone.db, clock=clock)}

    with pytest.raises(SystemError):
        await alone.check_out(
            cart_id, paying=msgspec.structs.replace(alone.paying, providers=providers)
        )

    await _is_paid_by_the_run(alone, clock, cart_id)


async def _is_paid_by_the_run(mall: Mall, clock: FrozenClock, cart_id: str) -> None:
    cart = await mall.read(cart_id)
    assert cart.order_id is not None
    assert (await mall.order(cart.order_id)).payment_state == "authorised"
    await _settle(mall, clock)
    assert (await mall.order(cart.order_id)).payment_state == "paid"
    assert await mall.payment_states() == ["captured"]


@pytest.mark.races
async def test_that_is_changed_before_it_is_claimed_is_bought_as_it_is_then(mall: Mall) -> None:
    good = await mall.variant(own=2)
    cart_id = await mall.cart((good, 1))

    async with mall.db.begin() as tx:
        await tx.run("select 1 from carts where id = %s for update", (cart_id,))
        checkout = asyncio.create_task(mall.check_out(cart_id))
        await waiting_for_a_lock(mall.db, behind=tx, count=1)
        await tx.run("update carts set revision = revision + 1 where id = %s", (cart_id,))
        await tx.run("update cart_lines set quantity = 2 where cart_id = %s", (cart_id,))
    done = await checkout

    assert [line.quantity for line in (await mall.order(done.order_id)).lines] == [2]
    assert await mall.level(good) == (2, 0, 2, 0)


async def test_asks_the_database_as_rarely_as_the_map_says(
    mall: Mall, database_url: str, clock: FrozenClock
) -> None:
    cart_id = await mall.cart((await mall.variant(own=1), 1), (await mall.variant(own=1), 1))
    asked: list[str] = []

    async def note(statement: str) -> None:
        asked.append(statement.rpartition(" from ")[2].partition("(")[0].removeprefix("select "))

    counted = Database(database_url, hook=note)
    await counted.open()
    carts = msgspec.structs.replace(mall.carts, db=counted)
    try:
        await Mall(counted, clock, mall.shop, mall.partner, carts).check_out(cart_id)
    finally:
        await counted.close()

    assert [statement.split(" where ")[0] for statement in asked] == [
        "cart_view",
        "claim_cart",
        "tax_rates",
        "open_payment",
        "enter_sandbox_operation",
        "order_cart",
        "enter_sandbox_operation",
        "answer_order_payment",
    ]


async def _broken_at(step: str, url: str, mall: Mall, cart_id: str) -> psycopg.Error:
    """Check the cart out on connections that break at the step, as if the program had died there."""
    name = sql.Identifier(urlsplit(url).path.lstrip("/"))
    setting = sql.SQL("alter database {} set crossdock.fail_point to {}")
    async with mall.db.statement() as tx:
        await tx.connection.execute(setting.format(name, sql.Literal(step)))
    broken = Database(url, min_size=1, max_size=4)
    await broken.open()
    carts = msgspec.structs.replace(mall.carts, db=broken)
    half = Mall(broken, mall.clock, mall.shop, mall.partner, carts)
    try:
        with pytest.raises(psycopg.Error) as failure:
            await half.check_out(cart_id)
    finally:
        await broken.close()
        async with mall.db.statement() as tx:
            await tx.connection.execute(sql.SQL("alter database {} reset all").format(name))
    return failure.value


async def _settle(mall: Mall, clock: FrozenClock) -> None:
    for _ in range(2):
        clock.move(timedelta(seconds=901))
        async with mall.db.begin() as tx:
            await expire_holds(tx, now=clock.now())
        await settle_every_payment(mall.paying)
