"""A cart..."""

import asyncio
import re
from datetime import timedelta

import msgspec
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import Invalid, NotFound, Refused
from crossdock.kit.clock import FrozenClock
from crossdock.shop.carts import (
    CartItem,
    clear_cart,
    create_cart,
    delete_cart,
    purge_carts,
    put_items,
    read_cart,
    remove_items,
)
from crossdock.shop.catalogue import VariantName, merchants_in_sight
from tests.support.factories import receive
from tests.support.locks import waiting_for_a_lock
from tests.support.shopping import Mall, quantities

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture
async def mall(database: Database, clock: FrozenClock) -> Mall:
    return await Mall.open(database, clock)


async def test_begins_empty_under_an_id_that_nobody_guesses(mall: Mall) -> None:
    cart = await create_cart(mall.carts, partner=mall.partner)

    assert UUID4.fullmatch(cart.id)
    assert (cart.quantity, cart.subtotal_minor, cart.shipping_minor, cart.total_minor) == (
        0,
        0,
        0,
        0,
    )
    assert (cart.merchants, cart.missing, cart.order_id) == ((), (), None)
    assert cart.currency == "USD"
    assert await mall.read(cart.id) == cart
    assert await mall.read(cart.id.upper()) == cart


async def test_has_the_sums_of_the_spec_s_worked_example(mall: Mall) -> None:
    first = await mall.merchant(shipping_flat_minor=595, free_shipping_from_minor=3500)
    second = await mall.merchant(shipping_flat_minor=700, free_shipping_from_minor=5000)
    ten = await mall.variant(merchant_id=first, price_minor=1000)
    sixty = await mall.variant(merchant_id=second, price_minor=6000)

    cart = await mall.put(await mall.cart(), (ten, 2), (sixty, 1))

    sums = [(m.subtotal_minor, m.shipping_minor, m.total_minor) for m in cart.merchants]
    assert sums == [(2000, 595, 2595), (6000, 0, 6000)]
    assert (cart.subtotal_minor, cart.shipping_minor, cart.total_minor) == (8000, 595, 8595)
    assert cart.quantity == 3


async def test_groups_merchants_and_lines_in_the_order_of_first_addition(mall: Mall) -> None:
    first, second = await mall.merchant(), await mall.merchant()
    a, b, c, d = [await mall.variant(merchant_id=m) for m in (first, second, first, second)]
    cart_id = await mall.cart((d, 1), (c, 1))

    cart = await mall.put(cart_id, (b, 1), (a, 1), (c, 2))

    assert [m.id for m in cart.merchants] == [second, first]
    assert [[line.variant_id for line in m.lines] for m in cart.merchants] == [[d, b], [c, a]]


async def test_shows_what_a_shopper_chose(mall: Mall) -> None:
    red = await mall.variant(
        sku="MUG-RED", merchant_sku="M/1", part_number="MUG", upc="012345678905", name="Mug - Red",
        price_minor=1999, vat_bp=2100, image="https://pictures.example/mug.png",
    )  # fmt: skip

    (line,) = (await mall.put(await mall.cart(), (red, 2))).lines

    assert (line.sku, line.merchant_sku, line.part_number, line.upc) == (
        "MUG-RED", "M/1", "MUG", "012345678905",
    )  # fmt: skip
    assert (line.name, line.image, line.vat_bp) == (
        "Mug - Red", "https://pictures.example/mug.png", 2100,
    )  # fmt: skip
    assert (line.retail_minor, line.sale_minor, line.price_minor, line.total_minor) == (
        1999, None, 1999, 3998,
    )  # fmt: skip
    assert (line.wanted, line.quantity, line.max_quantity) == (2, 2, 10)


async def test_is_set_to_a_quantity_and_a_repeat_changes_nothing(mall: Mall) -> None:
    good = await mall.variant()
    cart_id = await mall.cart((good, 2))

    assert quantities(await mall.put(cart_id, (good, 3))) == {good: 3}
    assert quantities(await mall.put(cart_id, (good, 3))) == {good: 3}
    assert quantities(await mall.put(cart_id, (good, 0))) == {}


async def test_is_added_to_where_that_is_the_mode(database: Database, clock: FrozenClock) -> None:
    mall = await Mall.open(database, clock, put_mode="add")
    good = await mall.variant()
    cart_id = await mall.cart((good, 2))

    assert quantities(await mall.put(cart_id, (good, 3))) == {good: 5}
    assert quantities(await mall.put(cart_id, (good, 0))) == {good: 5}
    assert quantities(await mall.put(cart_id, (good, 9))) == {good: 10}
    assert quantities(await mall.put(cart_id, (good, 1), mode="set")) == {good: 1}
    gone = await remove_items(mall.carts, partner=mall.partner, cart_id=cart_id, variants=[good])
    assert quantities(gone) == {}


async def test_counts_one_variant_in_two_items_as_their_sum(mall: Mall) -> None:
    good = await mall.variant(sku=f"TWICE-{mall.shop.id}")
    items = [
        CartItem(variant=good, quantity=2),
        CartItem(variant=VariantName("reference", f"TWICE-{mall.shop.id}"), quantity=3),
        CartItem(variant=VariantName("id", str(good)), quantity=1),
    ]

    cart = await put_items(mall.carts, partner=mall.partner, cart_id=await mall.cart(), items=items)

    assert quantities(cart) == {good: 6}


async def test_lowers_a_quantity_to_what_a_line_may_have_and_to_what_there_is(mall: Mall) -> None:
    many, few = await mall.variant(own=50), await mall.variant(own=3)
    unmanaged = await mall.variant(own=None, stock_managed=False)

    cart = await mall.put(await mall.cart(), (many, 10**12), (few, 4), (unmanaged, 99))

    assert quantities(cart) == {many: 12, few: 3, unmanaged: 12}
    assert [line.max_quantity for line in cart.lines] == [12, 3, 12]


async def test_skips_what_cannot_be_bought_and_takes_the_rest(mall: Mall) -> None:
    hidden = await mall.merchant()
    good, sold_out = await mall.variant(), await mall.variant(own=0)
    off, theirs = await mall.variant(listed=False), await mall.variant(origin="VENDOR", supplier=9)
    elsewhere = await mall.variant(merchant_id=hidden)
    mall.partner = await mall.another_partner(visible_merchants=(mall.shop.merchant_id,))
    asked = [(variant, 1) for variant in (sold_out, off, theirs, elsewhere, 2**70, 0, good)]

    cart = await mall.put(await mall.cart(), *asked)

    assert quantities(cart) == {good: 1}
    assert cart.missing == ()
    names = [
        CartItem(variant=VariantName(kind, text), quantity=1)  # type: ignore[arg-type]
        for kind, text in (("id", "x"), ("id", "9" * 40), ("reference", "none"), ("barcode", "'"))
    ]
    same = await put_items(mall.carts, partner=mall.partner, cart_id=cart.id, items=names)
    assert quantities(same) == {good: 1}


async def test_loses_sight_of_a_line_while_its_variant_is_gone(mall: Mall) -> None:
    merchant = await mall.merchant(shipping_flat_minor=500)
    good, other = await mall.variant(price_minor=100), await mall.variant(merchant_id=merchant)
    cart_id = await mall.cart((other, 2), (good, 1))

    await mall.change("variants", other, listed=False)
    without = await mall.read(cart_id)
    still = await mall.put(cart_id, (other, 1), (good, 2))
    await mall.change("variants", other, listed=True)
    again = await mall.read(cart_id)

    assert (quantities(without), without.total_minor) == ({good: 1}, 100)
    assert [(m.variant_id, m.wanted) for m in without.missing] == [(other, 2)]
    assert quantities(still) == {good: 2}
    assert quantities(again) == {other: 2, good: 2}
    assert [m.id for m in again.merchants] == [merchant, mall.shop.merchant_id]


async def test_shows_what_is_left_of_a_line_and_all_of_it_when_goods_come_in(mall: Mall) -> None:
    good = await mall.variant(own=5)
    cart_id = await mall.cart((good, 5))
    async with mall.db.begin() as tx:
        await receive(tx, shop=mall.shop, variant_id=good, quantity=-3)

    (line,) = (await mall.read(cart_id)).lines
    assert (line.wanted, line.quantity, line.total_minor) == (5, 2, 2 * 1999)

    async with mall.db.begin() as tx:
        await receive(tx, shop=mall.shop, variant_id=good, quantity=1)
    assert quantities(await mall.read(cart_id)) == {good: 3}


async def test_follows_the_prices_of_the_catalogue(mall: Mall) -> None:
    good = await mall.variant(price_minor=1000)
    cart_id = await mall.cart((good, 2))

    await mall.change("variants", good, retail_minor=1200, sale_minor=900)
    (line,) = (await mall.read(cart_id)).lines

    assert (line.retail_minor, line.sale_minor, line.price_minor) == (1200, 900, 900)
    await mall.change("variants", good, sale_minor=1300)
    (line,) = (await mall.read(cart_id)).lines
    assert (line.sale_minor, line.price_minor) == (None, 1200)


async def test_asks_for_each_unit_what_its_shipping_costs_beside_the_flat_rate(mall: Mall) -> None:
    merchant = await mall.merchant(shipping_flat_minor=500)
    heavy = await mall.variant(merchant_id=merchant, shipping_minor=150)
    free = await mall.variant(merchant_id=merchant, shipping_minor=70, free_shipping=True)
    cart_id = await mall.cart((heavy, 3), (free, 2))

    assert (await mall.read(cart_id)).shipping_minor == 500 + 3 * 150
    await mall.put(cart_id, (heavy, 0))
    assert (await mall.read(cart_id)).shipping_minor == 0


async def test_asks_no_shipping_for_what_is_not_shipped(mall: Mall) -> None:
    merchant = await mall.merchant(shipping_flat_minor=500)
    licence = await mall.variant(merchant_id=merchant, shipping_minor=70)
    product_id = (await mall.read(await mall.cart((licence, 1)))).lines[0].product_id
    await mall.change("products", product_id, virtual=True)
    cart_id = await mall.cart((licence, 2))

    assert (await mall.read(cart_id)).shipping_minor == 0
    book = await mall.variant(merchant_id=merchant, shipping_minor=30)
    assert (await mall.put(cart_id, (book, 1))).shipping_minor == 500 + 30


async def test_ships_free_from_exactly_the_minimum_on(mall: Mall) -> None:
    merchant = await mall.merchant(shipping_flat_minor=500, free_shipping_from_minor=3000)
    good = await mall.variant(merchant_id=merchant, price_minor=1000)
    cart_id = await mall.cart((good, 2))

    assert (await mall.read(cart_id)).shipping_minor == 500
    assert (await mall.put(cart_id, (good, 3))).shipping_minor == 0


async def test_is_unknown_to_everybody_else(mall: Mall) -> None:
    good = await mall.variant()
    cart_id = await mall.cart((good, 1))
    other = await mall.another_partner()
    strangers = (cart_id, "", "x", cart_id[:-1], f"{{{cart_id}}}", "\x00" * 36)

    for text in strangers:
        partner = other if text == cart_id else mall.partner
        for call in (
            read_cart(mall.carts, partner=partner, cart_id=text),
            clear_cart(mall.carts, partner=partner, cart_id=text),
            delete_cart(mall.carts, partner=partner, cart_id=text),
            remove_items(mall.carts, partner=partner, cart_id=text, variants=[good]),
            put_items(
                mall.carts,
                partner=partner,
                cart_id=text,
                items=[CartItem(variant=good, quantity=2)],
            ),
        ):
            with pytest.raises(NotFound, match="cart_not_found"):
                await call

    assert quantities(await mall.read(cart_id)) == {good: 1}


async def test_is_emptied_or_deleted(mall: Mall) -> None:
    good = await mall.variant()
    cart_id = await mall.cart((good, 1))
    other_id = await mall.cart((good, 2))

    assert quantities(await clear_cart(mall.carts, partner=mall.partner, cart_id=cart_id)) == {}
    assert quantities(await mall.put(cart_id, (good, 1))) == {good: 1}
    await delete_cart(mall.carts, partner=mall.partner, cart_id=cart_id)

    with pytest.raises(NotFound, match="cart_not_found"):
        await mall.read(cart_id)
    with pytest.raises(NotFound, match="cart_not_found"):
        await delete_cart(mall.carts, partner=mall.partner, cart_id=cart_id)
    assert quantities(await mall.read(other_id)) == {good: 2}


async def test_refuses_a_quantity_below_zero_and_more_lines_than_it_may_have(
    database: Database, clock: FrozenClock
) -> None:
    mall = await Mall.open(database, clock, lines_max=2)
    goods = [await mall.variant() for _ in range(3)]
    cart_id = await mall.cart((goods[0], 1))
    before = await mall.read(cart_id)

    with pytest.raises(Invalid, match="invalid_input"):
        await mall.put(cart_id, (goods[1], 1), (goods[0], -1))
    with pytest.raises(Refused, match="too_large") as refusal:
        await mall.put(cart_id, *((good, 1) for good in goods))
    with pytest.raises(Refused, match="too_large"):
        await mall.put(cart_id, *(((goods[0], 1),) * 1001))

    assert refusal.value.data == {"lines_max": 2}
    assert await mall.read(cart_id) == before
    assert len((await mall.put(cart_id, (goods[0], 0), (goods[1], 1), (goods[2], 1))).lines) == 2


async def test_is_changed_by_two_at_once_and_keeps_both_changes(
    database: Database, clock: FrozenClock
) -> None:
    mall = await Mall.open(database, clock, put_mode="add")
    good, other = await mall.variant(), await mall.variant()
    cart_id = await mall.cart()

    async with mall.db.begin() as tx:
        await tx.run("select 1 from carts where shop_id = %s for update", (mall.shop.id,))
        puts = [
            asyncio.create_task(mall.put(cart_id, (good, 2))),
            asyncio.create_task(mall.put(cart_id, (good, 3), (other, 1))),
        ]
        await waiting_for_a_lock(mall.db, behind=tx)
    await asyncio.gather(*puts)

    assert quantities(await mall.read(cart_id)) == {good: 5, other: 1}


async def test_lives_long_and_is_purged_in_the_end(mall: Mall) -> None:
    good = await mall.variant()
    full, empty = await mall.cart((good, 1)), await mall.cart()

    async def purged(*, days: int) -> int:
        async with mall.db.begin() as tx:
            await tx.run(
                "update carts set expires_at = expires_at - %s where shop_id = %s",
                (timedelta(days=days), mall.shop.id),
            )
            return await purge_carts(tx, now=mall.clock.now())

    assert await purged(days=89) == 0
    assert await purged(days=1) == 1
    assert await purged(days=1826 - 91) == 0
    with pytest.raises(NotFound):
        await mall.read(empty)
    assert quantities(await mall.read(full)) == {good: 1}
    assert await purged(days=1) == 1
    async with mall.db.statement() as tx:
        left = "select count(*) from cart_lines where shop_id = %s"
        assert await tx.value(left, (mall.shop.id,)) == 0


async def test_is_made_changed_and_read_in_one_statement_each(
    database: Database, database_url: str, clock: FrozenClock
) -> None:
    mall = await Mall.open(database, clock)
    goods = [await mall.variant() for _ in range(20)]
    statements: list[str] = []

    async def note(statement: str) -> None:
        statements.append(statement)

    counted = Database(database_url, hook=note)
    await counted.open()
    counting = Mall(
        counted, clock, mall.shop, mall.partner, msgspec.structs.replace(mall.carts, db=counted)
    )
    cart_id = await counting.cart()
    await counting.put(cart_id, *((good, 2) for good in goods))
    cart = await counting.read(cart_id)
    await remove_items(counting.carts, partner=mall.partner, cart_id=cart_id, variants=goods)
    await clear_cart(counting.carts, partner=mall.partner, cart_id=cart_id)
    await delete_cart(counting.carts, partner=mall.partner, cart_id=cart_id)
    await counted.close()

    assert len(cart.lines) == 20
    assert len(statements) == 6


async def test_may_be_filled_with_the_goods_of_merchants_in_sight(mall: Mall) -> None:
    theirs = await mall.merchant()
    await mall.change("merchants", await mall.merchant(), enabled=False)

    async def seen(merchant_ids: list[int] | None) -> list[int]:
        async with mall.db.statement() as tx:
            found = await merchants_in_sight(tx, shop_id=mall.shop.id, merchant_ids=merchant_ids)
        return sorted(merchant.id for merchant in found)

    assert await seen(None) == sorted([mall.shop.merchant_id, theirs])
    assert await seen([theirs]) == [theirs]
