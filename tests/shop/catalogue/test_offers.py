"""What a partner is offered: who sees a variant, at what price, and how many it may buy."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.shop.catalogue import Offer, offers
from crossdock.shop.catalogue.offers import _BY_ID, offer_terms
from crossdock.shop.partners import Partner, Terms
from crossdock.shop.pricing import active_price
from crossdock.shop.stock import Availability, purchase_limit
from tests.support.factories import (
    ShopFixture,
    make_merchant,
    make_partner,
    make_shop,
    make_variant,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
VARIANTS = 120
BLOCKS_PER_OFFER_MAX = 25


@pytest.fixture
async def shop(tx: Transaction) -> ShopFixture:
    return await make_shop(tx)


def partner(shop: ShopFixture, **changes: Any) -> Partner:
    values: dict[str, Any] = {
        "shop_id": shop.id, "id": 1, "channel": "shoppex_partner", "name": "Partner",
        "permissions": frozenset(), "backorder": False, "currency": "USD", "min_amount_minor": None,
        "max_amount_minor": None, "visible_merchants": None, "price_list_id": None,
        "customer_id": None, "settings": {}, "revision": 1,
    }  # fmt: skip
    return Partner(**(values | changes))


async def promote(
    tx: Transaction, shop: ShopFixture, variant_id: int, price: int, *, start: datetime = NOW - HOUR,
    end: datetime = NOW + HOUR,
) -> None:  # fmt: skip
    await tx.run(
        "insert into promotions (shop_id, variant_id, price_minor, starts_at, ends_at)"
        " values (%s, %s, %s, %s, %s)",
        (shop.id, variant_id, price, start, end),
    )


async def agree(tx: Transaction, shop: ShopFixture, prices: dict[int, int]) -> int:
    list_id = await tx.value(
        "insert into price_lists (shop_id, name, currency) values (%s, 'agreed', 'USD') returning id",
        (shop.id,),
    )
    for variant_id, price in prices.items():
        await tx.run(
            "insert into price_list_items (shop_id, price_list_id, variant_id, price_minor)"
            " values (%s, %s, %s, %s)",
            (shop.id, list_id, variant_id, price),
        )
    return int(list_id)


async def offer_of(
    tx: Transaction, caller: Partner, variant_id: int, *, now: datetime = NOW
) -> Offer:
    (offer,) = await offers(tx, partner=caller, variant_ids=[variant_id], now=now)
    return offer


async def test_is_the_whole_of_what_a_channel_needs(tx, shop):
    variant_id = await make_variant(tx, shop=shop, own=7, supplier=5, price_minor=2000, origin="*")
    await promote(tx, shop, variant_id, 1500)

    offer = await offer_of(tx, partner(shop), variant_id)

    assert (offer.id, offer.merchant_id, offer.origin) == (variant_id, shop.merchant_id, "*")
    assert offer.visible
    assert (offer.retail_minor, offer.promotion_minor, offer.price_minor) == (2000, 1500, 1500)
    assert offer.regular_minor == 2000
    assert (offer.own, offer.supplier) == (7, 5)
    assert (offer.listed, offer.allowed, offer.quantity, offer.shown) == (True, True, 7, 7)


async def test_takes_the_lowest_of_the_promotions_that_run(tx, shop):
    variant_id = await make_variant(tx, shop=shop, price_minor=2000)
    await promote(tx, shop, variant_id, 1700)
    await promote(tx, shop, variant_id, 1600, start=NOW - 2 * HOUR)
    await promote(tx, shop, variant_id, 1600, start=NOW - 3 * HOUR)
    await promote(tx, shop, variant_id, 100, start=NOW - 4 * HOUR, end=NOW)
    await promote(tx, shop, variant_id, 200, start=NOW + HOUR, end=NOW + 2 * HOUR)

    assert (await offer_of(tx, partner(shop), variant_id)).price_minor == 1600
    at_its_start = await offer_of(tx, partner(shop), variant_id, now=NOW + HOUR)
    assert at_its_start.price_minor == 200


async def test_lets_the_agreed_price_go_before_a_lower_promotion(tx, shop):
    variant_id = await make_variant(tx, shop=shop, price_minor=2000)
    other = await make_variant(tx, shop=shop, price_minor=900)
    await promote(tx, shop, variant_id, 100)
    price_list = await agree(tx, shop, {variant_id: 1800})

    caller = partner(shop, price_list_id=price_list)

    offer = await offer_of(tx, caller, variant_id)
    assert (offer.price_minor, offer.regular_minor, offer.promotion_minor) == (1800, 1800, 100)
    assert (await offer_of(tx, caller, other)).price_minor == 900
    assert (await offer_of(tx, partner(shop), variant_id)).price_minor == 100


@pytest.mark.parametrize(
    ("columns", "is_visible"),
    [
        ({}, True),
        ({"listed": False}, False),
        ({"currency": "EUR"}, False),
        ({"price_minor": None}, False),
        ({"price_minor": 0}, True),
    ],
)
async def test_tells_what_the_partner_may_see(tx, shop, columns, is_visible):
    variant_id = await make_variant(tx, shop=shop, **columns)
    assert (await offer_of(tx, partner(shop), variant_id)).visible is is_visible


async def test_leaves_out_other_shops_and_merchants_out_of_sight(tx, shop):
    merchant_id = await make_merchant(tx, shop_id=shop.id)
    mine = await make_variant(tx, shop=shop)
    theirs = await make_variant(tx, shop=shop, merchant_id=merchant_id)
    foreign = await make_variant(tx, shop=await make_shop(tx))
    ids = [foreign, theirs, mine]

    async def seen(merchants: tuple[int, ...] | None) -> list[int]:
        caller = partner(shop, visible_merchants=merchants)
        return [o.id for o in await offers(tx, partner=caller, variant_ids=ids, now=NOW)]

    assert await seen(None) == [mine, theirs]
    assert await seen((merchant_id,)) == [theirs]
    assert await seen(()) == []


@pytest.mark.parametrize("seed", range(3))
async def test_agrees_with_the_rules_in_python_whatever_the_variant_is(tx, shop, seed):
    rng = random.Random(seed)
    facts = {}
    for _ in range(VARIANTS):
        fact = _any_variant(rng)
        facts[await _make(tx, shop, fact)] = fact
    price_list = await agree(tx, shop, {i: f["agreed"] for i, f in facts.items() if f["agreed"]})
    for backorder in (False, True):
        for own_requires_stock in (False, True):
            found = await offers(
                tx,
                partner=partner(shop, backorder=backorder, price_list_id=price_list),
                variant_ids=list(facts),
                now=NOW,
                own_requires_stock=own_requires_stock,
            )
            assert [offer.id for offer in found] == sorted(facts)
            for offer in found:
                fact = facts[offer.id]
                price = _price(fact, promotion=min(fact["promotions"], default=None))
                limit = purchase_limit(
                    fact["stock"], backorder=backorder, own_requires_stock=own_requires_stock
                )
                assert offer.price_minor == price, fact
                assert offer.regular_minor == _price(fact, promotion=None), fact
                assert offer.visible == (fact["listed"] and price is not None), fact
                assert (offer.listed, offer.allowed, offer.quantity, offer.shown) == (
                    limit.listed, limit.allowed, limit.quantity, limit.shown
                ), fact  # fmt: skip


def _any_variant(rng: random.Random) -> dict[str, Any]:
    maybe = [None, NOW - HOUR, NOW, NOW + HOUR]
    return {
        "listed": rng.random() < 0.8,
        "retail": rng.choice([None, 0, 2000]),
        "sale": rng.choice([None, 1500]),
        "sale_starts_at": rng.choice(maybe),
        "sale_ends_at": rng.choice(maybe),
        "agreed": rng.choice([None, None, 1800]),
        "promotions": rng.choices([1300, 1400, 1900], k=rng.randrange(3)),
        "stock": Availability(
            origin=rng.choice(["SC", "*", "XY"]),
            managed=rng.random() < 0.7,
            status=rng.choice([None, "instock", "outofstock", "onbackorder"]),
            own=rng.choice([0, 1, 40]),
            supplier=rng.choice([0, 3]),
        ),
    }


async def _make(tx: Transaction, shop: ShopFixture, fact: dict[str, Any]) -> int:
    stock: Availability = fact["stock"]
    variant_id = await make_variant(
        tx, shop=shop, own=stock.own or None, supplier=stock.supplier or None,
        price_minor=fact["retail"], listed=fact["listed"], sale_minor=fact["sale"],
        sale_starts_at=fact["sale_starts_at"], sale_ends_at=fact["sale_ends_at"],
        origin=stock.origin, stock_managed=stock.managed, stock_status=stock.status,
    )  # fmt: skip
    for days, price in enumerate(fact["promotions"], start=1):
        await promote(tx, shop, variant_id, price, start=NOW - days * HOUR)
    return variant_id


def _price(fact: dict[str, Any], *, promotion: int | None) -> int | None:
    return active_price(
        listed=fact["agreed"],
        promotion=promotion,
        sale=fact["sale"],
        sale_starts_at=fact["sale_starts_at"],
        sale_ends_at=fact["sale_ends_at"],
        retail=fact["retail"],
        moment=NOW,
    )


async def test_is_read_by_its_key_inside_the_statement_that_asks(database: Database) -> None:
    """The planner puts the function in place of its call: no scan of a function, few blocks a row."""
    async with database.begin() as tx:
        shop = await make_shop(tx)
        ids = [await make_variant(tx, shop=shop, supplier=1) for _ in range(VARIANTS)]
        stored = await make_partner(tx, shop=shop, terms=Terms(permissions=()))
        parameters = offer_terms(partner(shop, id=stored.id), now=NOW) | {"variants": ids[:10]}
        await tx.run("set local enable_seqscan = off")
        plan = await tx.value("explain (analyze, buffers, format json) " + _BY_ID, parameters)
    (top,) = plan if isinstance(plan, list) else json.loads(plan)

    assert top["Plan"]["Actual Rows"] == 10
    assert top["Plan"]["Shared Hit Blocks"] < 10 * BLOCKS_PER_OFFER_MAX
    assert "Function Scan" not in json.dumps(top)
