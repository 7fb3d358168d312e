"""A shop's orders of all channels..."""

from datetime import timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid, NotFound
from crossdock.kit.paging import PlacePage
from crossdock.shop.orders import (
    NOTE_MAX,
    annotate_order,
    check_note,
    list_orders,
    note_order,
    order_of_package,
    page_orders,
    place,
    read_order,
)
from tests.conftest import NOON
from tests.support.drafts import draft_of, line_of
from tests.support.factories import (
    ShopFixture,
    make_merchant,
    make_partner,
    make_shop,
    make_variant,
)

LATER = NOON + timedelta(hours=1)


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


async def order(
    tx: Transaction, shop: ShopFixture, *merchant_ids: int, state: str = "", **more: Any
) -> int:
    """The number of an order of a unit of each of these merchants' goods."""
    lines = []
    for merchant_id in merchant_ids or (shop.merchant_id,):
        variant_id = await make_variant(tx, shop=shop, merchant_id=merchant_id)
        lines.append(line_of(variant_id, shop=shop, merchant_id=merchant_id))
    placed = await place(tx, draft=draft_of(*lines, shop=shop, **more), now=NOON)
    if state:
        await tx.run("update orders set fulfilment_state = %s where id = %s", (state, placed.id))
    return placed.id


async def listed(tx: Transaction, shop: ShopFixture, **wanted: Any) -> list[int]:
    return [row.id for row in await list_orders(tx, shop_id=shop.id, **wanted)]


async def paged(
    tx: Transaction, shop: ShopFixture, *, size: int = 9, merchants=None, states=None, **ends: int
) -> list[int]:
    after, before = [(NOON, ends[name]) if name in ends else None for name in ("after", "before")]
    page = PlacePage(size=size, after=after, before=before)
    found = await page_orders(tx, shop_id=shop.id, merchant_ids=merchants, page=page, states=states)
    return [each.id for each in found]


async def test_are_listed_the_newest_first_by_state(tx: Transaction, shop: ShopFixture) -> None:
    await order(tx, await make_shop(tx))
    a, b = await order(tx, shop), await order(tx, shop, state="in_fulfilment")
    c = await order(tx, shop, state="in_fulfilment", payment_state="paid")

    assert await listed(tx, shop) == [c, b, a]
    assert await listed(tx, shop, limit=2) == [c, b]
    assert await listed(tx, shop, before=c) == [b, a]
    assert await listed(tx, shop, fulfilment_state="in_fulfilment") == [c, b]
    assert await listed(tx, shop, fulfilment_state="in_fulfilment", payment_state="none") == [b]
    assert await listed(tx, shop, payment_state="paid") == [c]


async def test_come_in_pages_between_two_places(tx: Transaction, shop: ShopFixture) -> None:
    await order(tx, await make_shop(tx))
    a, b, c, d = [await order(tx, shop) for _ in range(4)]

    assert await paged(tx, shop) == [d, c, b, a]
    assert await paged(tx, shop, size=1) == [d, c]
    assert await paged(tx, shop, after=c) == [b, a]
    assert await paged(tx, shop, before=a, after=d) == [c, b]
    assert await paged(tx, shop, after=a) == []


async def test_come_in_pages_of_states_that_go_together(tx: Transaction, shop: ShopFixture) -> None:
    a, b = await order(tx, shop), await order(tx, shop, state="in_fulfilment")
    c = await order(tx, shop, state="in_fulfilment", payment_state="paid")
    first = await tx.value("select fulfilment_state from orders where id = %s", (a,))

    assert await paged(tx, shop, states=[("none", "in_fulfilment")]) == [b]
    assert await paged(tx, shop, states=[("paid", first), ("none", first)]) == [a]
    assert await paged(tx, shop, states=[("paid", "in_fulfilment"), ("none", first)]) == [c, a]
    assert await paged(tx, shop, states=[]) == []


async def test_come_in_pages_of_merchants_who_have_all_of_their_goods(
    tx: Transaction, shop: ShopFixture
) -> None:
    other = await make_merchant(tx, shop_id=shop.id)
    own, both = await order(tx, shop), await order(tx, shop, shop.merchant_id, other)
    theirs = await order(tx, shop, other)

    assert await paged(tx, shop, merchants=[shop.merchant_id]) == [own]
    assert await paged(tx, shop, merchants=[other, shop.merchant_id]) == [theirs, both, own]
    assert await paged(tx, shop, merchants=[]) == []


async def test_come_in_pages_with_their_lines(tx: Transaction, shop: ShopFixture) -> None:
    order_id = await order(tx, shop, shop.merchant_id, shop.merchant_id)

    [found] = await page_orders(
        tx, shop_id=shop.id, merchant_ids=None, page=PlacePage(size=1), states=None
    )

    assert (found.id, [line.line_no for line in found.lines]) == (order_id, [1, 2])
    assert (found.timeline, found.packages) == ((), ())


async def test_are_found_by_a_package_of_the_partner_s_own(
    tx: Transaction, shop: ShopFixture
) -> None:
    partner, other = await make_partner(tx, shop=shop), await make_partner(tx, shop=shop)
    order_id = await order(tx, shop, partner_id=partner.id)
    await order(tx, shop, partner_id=partner.id)
    package_id = await tx.value(
        "insert into packages (shop_id, order_id, packed_at) values (%s, %s, %s) returning id",
        (shop.id, order_id, NOON),
    )

    async def found(shop_id: int, partner_id: int, number: int) -> int | None:
        return await order_of_package(tx, shop_id=shop_id, partner_id=partner_id, package_id=number)

    assert await found(shop.id, partner.id, package_id) == order_id
    assert await found(shop.id, other.id, package_id) is None
    assert await found(shop.id + 1, partner.id, package_id) is None
    assert await found(shop.id, partner.id, package_id + 1) is None


async def test_are_annotated_by_their_channel_in_what_it_names(
    tx: Transaction, shop: ShopFixture
) -> None:
    order_id, other = await order(tx, shop), await order(tx, shop)
    await tx.run(
        """update orders set channel_data = '{"a": 1, "b": 2}', billing = '{"city": "Gent"}'"""
    )

    await annotate_order(
        tx, shop_id=shop.id, order_id=order_id, now=LATER, changes={"b": 3, "c": None},
        email="new@buyer.example",
    )  # fmt: skip

    kept = "select channel_data, billing, updated_at from orders where id = %s"
    assert await tx.one(kept, (order_id,)) == (
        {"a": 1, "b": 3, "c": None},
        {"city": "Gent", "email": "new@buyer.example"},
        LATER,
    )
    assert await tx.one(kept, (other,)) == ({"a": 1, "b": 2}, {"city": "Gent"}, NOON)
    seen = await read_order(tx, shop_id=shop.id, order_id=order_id, sections=("timeline",))
    assert [event.kind for event in seen.timeline].count("order.annotated") == 1
    await annotate_order(tx, shop_id=shop.id, order_id=order_id, now=LATER)
    data = await tx.value("select channel_data from orders where id = %s", (order_id,))
    assert data == {"a": 1, "b": 3, "c": None}


async def test_keep_their_address_where_the_new_one_is_none(
    tx: Transaction, shop: ShopFixture
) -> None:
    order_id = await order(tx, shop)
    kept = "select channel_data, billing, updated_at from orders where id = %s"
    before = await tx.one(kept, (order_id,))

    with pytest.raises(Invalid) as refused:
        await annotate_order(
            tx, shop_id=shop.id, order_id=order_id, now=LATER, changes={"a": 1}, email="nobody"
        )
    assert refused.value.data == {"field": "email"}
    with pytest.raises(NotFound):
        await annotate_order(tx, shop_id=shop.id + 1, order_id=order_id, now=LATER)
    assert await tx.one(kept, (order_id,)) == before


async def test_are_noted_by_staff_in_so_many_characters(tx: Transaction, shop: ShopFixture) -> None:
    order_id = await order(tx, shop)

    await note_order(tx, shop_id=shop.id, order_id=order_id, text=" Call\x00 first ", now=LATER)

    seen = await read_order(tx, shop_id=shop.id, order_id=order_id, sections=("timeline",))
    [noted] = [event for event in seen.timeline if event.kind == "order.noted"]
    assert (noted.payload["text"], noted.created_at) == ("Call first", LATER)
    assert check_note("x" * NOTE_MAX) == "x" * NOTE_MAX
    for wrong in ("", " \x00", "x" * (NOTE_MAX + 1)):
        with pytest.raises(Invalid) as refused:
            await note_order(tx, shop_id=shop.id, order_id=order_id, text=wrong, now=LATER)
        assert refused.value.data == {"field": "note"}
    with pytest.raises(NotFound):
        await note_order(tx, shop_id=shop.id + 1, order_id=order_id, text="x", now=LATER)
