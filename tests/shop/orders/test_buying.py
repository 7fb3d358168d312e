"""An order that is placed for an e-mail address..."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import CrossdockError, Invalid, Refused
from crossdock.kit.ids import SeededIds
from crossdock.shop.mailing import Mailing
from crossdock.shop.orders import (
    BoughtItem,
    Delivery,
    OrderView,
    Placed,
    Purchase,
    complete_order,
    deliver_order,
    place_purchase,
    read_order,
)
from crossdock.shop.partners import Partner, Terms, read_partner, set_terms
from crossdock.shop.stock import add_serials, read_sold_serials
from tests.conftest import NOON
from tests.support.factories import ShopFixture, box, make_merchant, make_partner, make_shop
from tests.support.factories import level as level_of
from tests.support.factories import make_variant as make_any

MAILING = Mailing(box=box(), mailer=None, host="localhost")
BUYER = "ada@buyer.example"
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


@pytest.fixture
async def partner(tx: Transaction, shop: ShopFixture) -> Partner:
    made = await make_partner(tx, shop=shop, channel="toy", customer_id=None)
    found = await read_partner(tx, partner_id=made.id)
    assert found
    return found


async def good(tx: Transaction, shop: ShopFixture, **columns: Any) -> tuple[int, int]:
    """A product of 19.99 USD and its variant."""
    variant_id = await make_any(tx, shop=shop, **columns)
    product_id = await tx.value("select product_id from variants where id = %s", (variant_id,))
    return int(product_id), variant_id


async def second_variant(tx: Transaction, shop: ShopFixture, product_id: int) -> int:
    _, variant_id = await good(tx, shop)
    await tx.run(
        "update variants set product_id = %s, position = 2 where id = %s", (product_id, variant_id)
    )
    return variant_id


async def keys(tx: Transaction, shop: ShopFixture, *serials: str) -> tuple[int, int]:
    product_id, variant_id = await good(tx, shop, own=None, stock_managed=False)
    await add_serials(
        tx, shop_id=shop.id, variant_id=variant_id, serials=serials, box=box(), now=NOON
    )
    return product_id, variant_id


async def buy(
    tx: Transaction, partner: Partner, *items: BoughtItem, email: str = BUYER, **more: Any
) -> Placed:
    purchase = Purchase(email=email, items=items, source="test", pay_within_s=300, **more)
    return await place_purchase(
        tx, partner=partner, purchase=purchase, ids=SeededIds(3), own_requires_stock=False, now=NOON
    )


async def seen(tx: Transaction, shop: ShopFixture, placed: Placed) -> OrderView:
    return await read_order(tx, shop_id=shop.id, order_id=placed.id, sections=("lines", "timeline"))


async def refusal(tx: Transaction, partner: Partner, *items: BoughtItem, **more: Any) -> Any:
    """The code of a refusal and its data; nothing was written."""
    before = await tx.value("select count(*) from orders")
    with pytest.raises(CrossdockError) as refused:
        async with tx.connection.transaction():
            await buy(tx, partner, *items, **more)
    assert await tx.value("select count(*) from orders") == before
    return refused.value.code, refused.value.data.get("field")


async def test_awaits_its_payment_for_as_long_as_it_is_given(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, variant_id = await good(tx, shop)
    item = BoughtItem(product_id=product_id, quantity=2, note="Blue, please")

    placed = await buy(tx, partner, item, is_test=True, channel_data={"a": 1})

    order = await seen(tx, shop, placed)
    assert (order.payment_state, order.fulfilment_state) == ("awaiting", "waiting_for_release")
    assert (order.channel, order.partner_id, order.source) == ("toy", partner.id, "test")
    assert (order.is_test, order.channel_data, order.total_minor) == (True, {"a": 1}, 3_998)
    assert (order.email, order.expires_at, order.placed_at) == (BUYER, LATER, NOON)
    [line] = order.lines
    assert (line.variant_id, line.quantity, line.note) == (variant_id, 2, "Blue, please")
    assert await level_of(tx, shop_id=shop.id, variant_id=variant_id) == (10, 0, 2, 8)
    customer = await tx.value("select email from customers where id = %s", (order.customer_id,))
    assert customer == BUYER


async def test_is_of_the_customer_who_has_the_address_already(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, _ = await good(tx, shop)
    item = BoughtItem(product_id=product_id, quantity=1)

    orders = [await seen(tx, shop, await buy(tx, partner, item, email=e)) for e in (BUYER, BUYER)]

    assert orders[0].customer_id == orders[1].customer_id


async def test_is_paid_at_once_where_it_costs_nothing(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, _ = await good(tx, shop, price_minor=0)

    placed = await buy(tx, partner, BoughtItem(product_id=product_id, quantity=1))

    order = await seen(tx, shop, placed)
    assert (order.payment_state, order.total_minor, order.paid_at) == ("paid", 0, NOON)


async def test_names_a_variant_where_there_are_several_and_none_of_another_product(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, first = await good(tx, shop)
    second = await second_variant(tx, shop, product_id)
    _, other = await good(tx, shop)

    def item(variant_id: int | None) -> BoughtItem:
        return BoughtItem(product_id=product_id, quantity=1, variant_id=variant_id)

    assert await refusal(tx, partner, item(None)) == ("invalid_input", "items[0].variant_id")
    assert await refusal(tx, partner, item(first), item(other)) == (
        "invalid_input",
        "items[1].variant_id",
    )
    order = await seen(tx, shop, await buy(tx, partner, item(second), item(first)))
    assert [line.variant_id for line in order.lines] == [second, first]
    await tx.run("update variants set enabled = false where id = %s", (second,))
    assert (await refusal(tx, partner, item(second)))[0] == "invalid_input"


async def test_is_of_products_that_the_partner_sells(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    elsewhere = await make_shop(tx)
    theirs, _ = await good(tx, elsewhere)
    hidden, _ = await good(tx, shop, merchant_id=await make_merchant(tx, shop_id=shop.id))
    await set_terms(tx, partner_id=partner.id, terms=Terms(visible_merchants=(shop.merchant_id,)))
    narrowed = await read_partner(tx, partner_id=partner.id)
    assert narrowed
    own, _ = await good(tx, shop)

    for product_id in (theirs, hidden, 0):
        item = BoughtItem(product_id=product_id, quantity=1)
        assert await refusal(tx, narrowed, item) == ("invalid_input", "items[0].product_id")
    await buy(tx, narrowed, BoughtItem(product_id=own, quantity=1))


async def test_takes_no_more_than_there_is_even_for_a_partner_with_backorders(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, variant_id = await good(tx, shop, own=2)
    generous = msgspec.structs.replace(partner, backorder=True)

    code, _ = await refusal(tx, generous, BoughtItem(product_id=product_id, quantity=3))

    assert code == "stock_limit_exceeded"
    assert await level_of(tx, shop_id=shop.id, variant_id=variant_id) == (2, 0, 0, 2)


async def test_takes_serials_from_their_level_though_nobody_counts_them(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, variant_id = await keys(tx, shop, "A", "B")

    await buy(tx, partner, BoughtItem(product_id=product_id, quantity=2))

    assert await level_of(tx, shop_id=shop.id, variant_id=variant_id) == (2, 0, 2, 0)
    item = BoughtItem(product_id=product_id, quantity=1)
    assert (await refusal(tx, partner, item))[0] == "stock_limit_exceeded"


async def complete(
    tx: Transaction, shop: ShopFixture, placed: Placed, *, now: Any = NOON, **more: Any
) -> Delivery:
    return await complete_order(
        tx, shop_id=shop.id, order_id=placed.id, mailing=MAILING, now=now, **more
    )


async def mails(tx: Transaction, shop: ShopFixture) -> int:
    return int(await tx.value("select count(*) from mails where shop_id = %s", (shop.id,)))


@pytest.mark.parametrize(
    ("asked", "mailed"), [({}, 1), ({"mails": True}, 1), ({"mails": False}, 0)]
)
async def test_is_delivered_when_the_shop_was_paid_outside(
    tx: Transaction, shop: ShopFixture, partner: Partner, asked: dict[str, Any], mailed: int
) -> None:
    product_id, variant_id = await keys(tx, shop, "A", "B", "C")
    placed = await buy(tx, partner, BoughtItem(product_id=product_id, quantity=2))

    delivery = await complete(tx, shop, placed, note="Thanks", **asked)

    assert (delivery.quantities, delivery.state) == ({1: 2}, "completed")
    order = await seen(tx, shop, placed)
    assert (order.payment_state, order.fulfilment_state) == ("paid", "completed")
    sold = await read_sold_serials(tx, shop_id=shop.id, order_id=placed.id, box=box())
    assert sold == {1: ["A", "B"]}
    assert await level_of(tx, shop_id=shop.id, variant_id=variant_id) == (1, 0, 0, 1)
    paid = "select provider, reference, captured_minor from payments where shop_id = %s"
    assert await tx.all(paid, (shop.id,)) == [("transfer", f"by hand, order {placed.id}", 3_998)]
    assert await mails(tx, shop) == mailed
    with pytest.raises(Refused, match="order_state"):
        await complete(tx, shop, placed)


@pytest.mark.parametrize(
    ("asked", "mailed"), [({}, 1), ({"mails": True}, 1), ({"mails": False}, 0)]
)
async def test_is_delivered_once_it_is_paid_and_mailed_unless_that_is_off(
    tx: Transaction, shop: ShopFixture, partner: Partner, asked: dict[str, Any], mailed: int
) -> None:
    product_id, variant_id = await keys(tx, shop, "A")
    await tx.run("update variants set retail_minor = 0 where id = %s", (variant_id,))
    placed = await buy(tx, partner, BoughtItem(product_id=product_id, quantity=1))

    delivery = await deliver_order(
        tx, shop_id=shop.id, order_id=placed.id, mailing=MAILING, now=NOON, **asked
    )

    assert (delivery.quantities, delivery.state) == ({1: 1}, "completed")
    assert await mails(tx, shop) == mailed
    with pytest.raises(Refused, match="order_state"):
        await deliver_order(tx, shop_id=shop.id, order_id=placed.id, mailing=MAILING, now=NOON)


async def test_is_not_delivered_before_it_is_paid(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, variant_id = await keys(tx, shop, "A")
    placed = await buy(tx, partner, BoughtItem(product_id=product_id, quantity=1))

    with pytest.raises(Refused, match="order_state"):
        await deliver_order(tx, shop_id=shop.id, order_id=placed.id, mailing=MAILING, now=NOON)

    assert await level_of(tx, shop_id=shop.id, variant_id=variant_id) == (1, 0, 1, 0)
    assert await mails(tx, shop) == 0


@pytest.mark.parametrize(("seconds", "code"), [(0, "order_expired"), (-1, "")])
async def test_is_delivered_before_its_time_to_be_paid_is_over(
    tx: Transaction, shop: ShopFixture, partner: Partner, seconds: int, code: str
) -> None:
    product_id, _ = await keys(tx, shop, "A")
    placed = await buy(tx, partner, BoughtItem(product_id=product_id, quantity=1))
    now = LATER + timedelta(seconds=seconds)

    if code:
        with pytest.raises(Refused, match=code):
            await complete(tx, shop, placed, now=now)
        assert (await seen(tx, shop, placed)).payment_state == "awaiting"
    else:
        assert (await complete(tx, shop, placed, now=now)).state == "completed"


async def test_is_not_delivered_by_hand_where_a_warehouse_sends_it_or_nothing_is_awaited(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, _ = await good(tx, shop)
    free, _ = await good(tx, shop, price_minor=0)
    sent = await buy(tx, partner, BoughtItem(product_id=product_id, quantity=1))
    paid = await buy(tx, partner, BoughtItem(product_id=free, quantity=1))
    await tx.run("update orders set release_policy = 'immediate' where id = %s", (sent.id,))

    for placed, state in ((sent, "awaiting"), (paid, "paid")):
        with pytest.raises(Refused, match="order_state"):
            await complete(tx, shop, placed)
        assert (await seen(tx, shop, placed)).payment_state == state
    assert await tx.value("select count(*) from payments where shop_id = %s", (shop.id,)) == 0


async def test_asks_what_its_product_asks(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, _ = await good(tx, shop)
    await tx.run(
        "update products set quantity_min = 2, quantity_max = 3 where id = %s", (product_id,)
    )

    async def told(*quantities: int) -> str:
        items = [BoughtItem(product_id=product_id, quantity=quantity) for quantity in quantities]
        return str((await refusal(tx, partner, *items))[0])

    assert [await told(1), await told(4), await told(2, 2)] == ["quantity_out_of_range"] * 3
    for quantities in ((2,), (1, 2)):
        items = [BoughtItem(product_id=product_id, quantity=quantity) for quantity in quantities]
        await buy(tx, partner, *items)


async def test_is_refused_an_address_that_is_none(
    tx: Transaction, shop: ShopFixture, partner: Partner
) -> None:
    product_id, _ = await good(tx, shop)

    with pytest.raises(Invalid):
        await buy(tx, partner, BoughtItem(product_id=product_id, quantity=1), email="nobody")
