"""A fulfilment..."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.doctor import CHECKS
from crossdock.shop.resellers import (
    ProductTerms,
    change_terms,
    fulfil,
    list_products,
    move_reseller,
    read_balance,
    read_fulfilment,
)
from crossdock.shop.resellers.model import ResellerTerms
from tests.support.factories import box, make_variant
from tests.support.locks import waiting_for_a_lock
from tests.support.reselling import Licence, Reselling, request_of


@pytest.fixture
async def selling(database: Database, clock: FrozenClock) -> Reselling:
    return await Reselling.open(database, clock)


async def _refused(selling: Reselling, partner: Any, licence: Licence, **request: Any) -> str:
    """The code of the refusal; nothing may be written then."""
    before = await selling.written(licence)
    with pytest.raises(CrossdockError) as refused:
        await selling.fulfil(partner, licence, **request)
    assert await selling.written(licence) == before
    return refused.value.code


async def _balance(selling: Reselling, reseller_id: int) -> int:
    async with selling.database.statement() as tx:
        found = await read_balance(tx, shop_id=selling.shop.id, reseller_id=reseller_id)
    return found.balance_minor


async def _faults(selling: Reselling) -> list[str]:
    found = []
    async with selling.database.begin() as tx:
        for check, query in CHECKS.items():
            rows = await tx.all(f"{query}")
            found += [
                check for row in rows if row[3] and f"shop {selling.shop.id} " in f"{row[0]} "
            ]
    return found


async def test_delivers_the_oldest_serials_and_debits_their_wholesale_price(
    selling: Reselling,
) -> None:
    licence = await selling.licence("K-1", "K-2", "K-3")
    reseller, partner = await selling.reseller(credit_minor=10_000, discount_bp=3500)

    made = await selling.fulfil(partner, licence, quantity=2, key="order-1001-line-1")

    found = made.fulfilment
    assert not made.is_replayed
    assert found.serials == ("K-1", "K-2")
    assert (found.unit_minor, found.total_minor, found.balance_after_minor) == (650, 1300, 8700)
    assert (found.reseller_id, found.key, found.variant_id) == (
        reseller.id,
        "order-1001-line-1",
        None,
    )
    assert "K-1" not in repr(found)
    assert await selling.written(licence) == (1, 1, 1, 1)
    assert await _balance(selling, reseller.id) == 8700
    assert await _faults(selling) == []


@pytest.mark.parametrize(
    ("base", "discount", "override", "unit"),
    [
        (1000, 3500, None, 650),
        (1999, 3500, None, 1299),
        (999, 1250, None, 874),
        (1001, 5000, None, 501),
        (1000, None, None, 900),
        (1000, 3500, 0, 0),
        (1000, 3500, 777, 777),
        (1000, 10_000, None, 0),
    ],
)
async def test_costs_what_was_agreed_else_a_discount_less(
    database: Database,
    clock: FrozenClock,
    base: int,
    discount: int | None,
    override: int | None,
    unit: int,
) -> None:
    selling = await Reselling.open(database, clock, default_discount_bp=1000)
    licence = await selling.licence("K-1", price_minor=base)
    terms: dict[str, Any] = {"discount_bp": discount}
    if override is not None:
        terms["products"] = (ProductTerms(product_id=licence.product_id, wholesale_minor=override),)
    reseller, partner = await selling.reseller(credit_minor=2000, **terms)

    made = await selling.fulfil(partner, licence)

    assert made.fulfilment.unit_minor == unit
    assert await _balance(selling, reseller.id) == 2000 - unit
    assert await _faults(selling) == []


async def test_that_the_balance_does_not_cover_succeeds_after_a_top_up_with_the_same_key(
    selling: Reselling,
) -> None:
    licence = await selling.licence("K-1", price_minor=650)
    reseller, partner = await selling.reseller(credit_minor=649)

    assert await _refused(selling, partner, licence, key="k") == "balance_insufficient"
    async with selling.database.begin() as tx:
        await selling.credit(tx, reseller, 1)
    made = await selling.fulfil(partner, licence, key="k")

    assert (made.is_replayed, made.fulfilment.balance_after_minor) == (False, 0)


async def test_finds_an_empty_pool_after_an_empty_balance(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    reseller, partner = await selling.reseller(credit_minor=1500)
    await selling.fulfil(partner, licence, key="first")

    assert await _refused(selling, partner, licence, key="second") == "balance_insufficient"
    async with selling.database.begin() as tx:
        await selling.credit(tx, reseller, 10_000)
    assert await _refused(selling, partner, licence, key="second") == "stock_limit_exceeded"
    assert await _balance(selling, reseller.id) == 10_500


async def test_of_a_product_that_never_had_serials_finds_no_stock(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    async with selling.database.begin() as tx:
        variant = await make_variant(tx, shop=selling.shop, own=0)
        product = await tx.value("select product_id from variants where id = %s", (variant,))
        await tx.run("update products set virtual = true where id = %s", (product,))
    _, partner = await selling.reseller(credit_minor=5000)
    assert (
        await _refused(selling, partner, licence, product_id=product, key="k")
        == "stock_limit_exceeded"
    )


async def test_asked_for_fifty_times_at_once_debits_once_and_takes_one_serial(
    database: Database, database_url: str, clock: FrozenClock
) -> None:
    patient = Database(database_url, min_size=8, max_size=8, wait_s=90, lock_timeout_ms=60_000)
    await patient.open()
    selling = await Reselling.open(patient, clock)
    licence = await selling.licence(*[f"K-{n}" for n in range(60)])
    reseller, partner = await selling.reseller(credit_minor=100_000)
    async with database.begin() as tx:
        await tx.run("select 1 from resellers where id = %s for no key update", (reseller.id,))
        tasks = [
            asyncio.create_task(selling.fulfil(partner, licence, key="order-1001-line-1"))
            for _ in range(50)
        ]
        await waiting_for_a_lock(database, behind=tx, count=8)
    made = await asyncio.gather(*tasks)

    assert sorted(each.is_replayed for each in made) == [False] + [True] * 49
    assert {(each.fulfilment.id, each.fulfilment.serials) for each in made} == {
        (made[0].fulfilment.id, ("K-0",))
    }
    assert await selling.written(licence) == (1, 1, 1, 59)
    assert await _balance(selling, reseller.id) == 99_000
    assert await _faults(selling) == []
    await patient.close()


async def test_without_a_key_asked_for_at_once_is_one(
    selling: Reselling, database: Database
) -> None:
    licence = await selling.licence("K-1", "K-2", "K-3")
    reseller, partner = await selling.reseller(credit_minor=10_000)
    async with database.begin() as tx:
        await tx.run("select 1 from resellers where id = %s for no key update", (reseller.id,))
        tasks = [asyncio.create_task(selling.fulfil(partner, licence)) for _ in range(4)]
        await waiting_for_a_lock(database, behind=tx, count=4)
    made = await asyncio.gather(*tasks)
    assert sorted(each.is_replayed for each in made) == [False] + [True] * 3
    assert await selling.written(licence) == (1, 1, 1, 2)


async def test_of_two_relationships_at_once_never_sells_a_serial_twice(
    selling: Reselling, database: Database
) -> None:
    licence = await selling.licence("K-1", "K-2", "K-3")
    pairs = [await selling.reseller(f"r{n}@example.com", credit_minor=9000) for n in range(6)]
    async with database.begin() as tx:
        await tx.run(
            "select 1 from stock_levels where shop_id = %s for no key update", (selling.shop.id,)
        )
        tasks = [asyncio.create_task(selling.fulfil(partner, licence)) for _, partner in pairs]
        await waiting_for_a_lock(database, behind=tx, count=6)
    made = await asyncio.gather(*tasks, return_exceptions=True)

    sold = [each.fulfilment.serials for each in made if not isinstance(each, BaseException)]
    refused = [each.code for each in made if isinstance(each, CrossdockError)]
    assert sorted(sold) == [("K-1",), ("K-2",), ("K-3",)]
    assert refused == ["stock_limit_exceeded"] * 3
    assert await selling.written(licence) == (3, 3, 3, 0)
    assert await _faults(selling) == []


async def test_is_another_one_by_another_key_and_the_same_without_any(selling: Reselling) -> None:
    licence = await selling.licence("K-1", "K-2", "K-3")
    _, partner = await selling.reseller(credit_minor=10_000)

    first = await selling.fulfil(partner, licence, key="line-1")
    second = await selling.fulfil(partner, licence, key="line-2")
    without = await selling.fulfil(partner, licence)

    assert [each.is_replayed for each in (first, second, without)] == [False, False, True]
    assert without.fulfilment == first.fulfilment
    assert await selling.written(licence) == (2, 2, 2, 1)


async def test_without_a_key_is_found_by_a_later_request_with_one(selling: Reselling) -> None:
    licence = await selling.licence("K-1", "K-2")
    _, partner = await selling.reseller(credit_minor=10_000)
    first = await selling.fulfil(partner, licence)
    again = await selling.fulfil(partner, licence, key="line-1")
    assert (again.is_replayed, again.fulfilment) == (True, first.fulfilment)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"key": "k"}, {"key": "k", "quantity": 2}),
        ({"key": "k"}, {"key": "k", "external_order_id": "order-2"}),
        ({}, {"quantity": 2}),
    ],
)
async def test_of_something_else_under_the_same_identity_is_refused(
    selling: Reselling, first: dict[str, Any], then: dict[str, Any]
) -> None:
    licence = await selling.licence("K-1", "K-2", "K-3")
    _, partner = await selling.reseller(credit_minor=10_000)
    await selling.fulfil(partner, licence, **first)
    assert await _refused(selling, partner, licence, **then) == "idempotency_key_used"


async def test_under_a_key_of_another_product_is_refused(selling: Reselling) -> None:
    licence, other = await selling.licence("K-1"), await selling.licence("L-1")
    _, partner = await selling.reseller(credit_minor=10_000)
    await selling.fulfil(partner, licence, key="k")
    assert await _refused(selling, partner, other, key="k") == "idempotency_key_used"


async def test_with_another_address_alone_is_the_same(selling: Reselling) -> None:
    licence = await selling.licence("K-1", "K-2")
    _, partner = await selling.reseller(credit_minor=10_000)
    await selling.fulfil(partner, licence, key="k")
    again = await selling.fulfil(partner, licence, key="k", customer_email="other@example.com")
    assert (again.is_replayed, again.fulfilment.customer_email) == (True, "buyer@example.com")


async def test_of_two_relationships_may_have_one_number_and_key(selling: Reselling) -> None:
    licence = await selling.licence("K-1", "K-2")
    _, ada = await selling.reseller("ada@example.com", credit_minor=5000)
    _, bob = await selling.reseller("bob@example.com", credit_minor=5000)
    made = [await selling.fulfil(each, licence, key="k") for each in (ada, bob)]
    assert [each.is_replayed for each in made] == [False, False]
    async with selling.database.statement() as tx:
        with pytest.raises(CrossdockError) as foreign:
            await read_fulfilment(
                tx,
                shop_id=selling.shop.id,
                partner_id=bob.id,
                fulfilment_id=made[0].fulfilment.id,
                box=box(),
            )
    assert foreign.value.code == "not_found"


async def test_is_repeated_although_the_goods_are_not_sold_any_more(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    _, partner = await selling.reseller(credit_minor=5000)
    first = await selling.fulfil(partner, licence, key="k")
    async with selling.database.begin() as tx:
        await tx.run("update products set enabled = false where id = %s", (licence.product_id,))
    await selling.set(enabled=False)
    assert (await selling.fulfil(partner, licence, key="k")).fulfilment == first.fulfilment


async def test_needs_a_programme_and_a_mode_that_buys(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    _, partner = await selling.reseller(credit_minor=5000)
    _, affiliate = await selling.reseller("a@example.com", credit_minor=5000, mode="affiliate")
    assert await _refused(selling, affiliate, licence) == "reseller_mode"
    await selling.set(enabled=False)
    assert await _refused(selling, partner, licence) == "program_disabled"


async def test_is_of_products_that_were_agreed(selling: Reselling) -> None:
    licence, other = await selling.licence("K-1"), await selling.licence("L-1")
    barred = await selling.licence("M-1")
    _, partner = await selling.reseller(
        credit_minor=5000,
        products=(
            ProductTerms(product_id=licence.product_id),
            ProductTerms(product_id=barred.product_id, auto_fulfilled=False),
        ),
    )
    _, none = await selling.reseller("none@example.com", credit_minor=5000, products=())
    assert await _refused(selling, partner, other) == "product_not_allowed"
    assert await _refused(selling, partner, barred) == "product_not_allowed"
    assert await _refused(selling, none, licence) == "product_not_allowed"
    assert not (await selling.fulfil(partner, licence)).is_replayed


async def test_is_of_serials_and_of_what_is_on_sale(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    _, partner = await selling.reseller(credit_minor=5000)
    async with selling.database.begin() as tx:
        variant = await make_variant(tx, shop=selling.shop, own=5)
        product = await tx.value("select product_id from variants where id = %s", (variant,))
    assert (
        await _refused(selling, partner, licence, product_id=product) == "product_not_fulfillable"
    )
    assert await _refused(selling, partner, licence, product_id=1) == "variant_not_found"
    async with selling.database.begin() as tx:
        await tx.run("update products set enabled = false where id = %s", (licence.product_id,))
    assert await _refused(selling, partner, licence) == "product_not_fulfillable"


async def test_names_a_variant_of_the_product_where_there_are_several(selling: Reselling) -> None:
    licence, other = await selling.licence("K-1", "K-2"), await selling.licence("L-1")
    async with selling.database.begin() as tx:
        second = await make_variant(tx, shop=selling.shop, own=None)
        await tx.run(
            "update variants set product_id = %s where id = %s", (licence.product_id, second)
        )
    _, partner = await selling.reseller(credit_minor=5000)
    assert await _refused(selling, partner, licence) == "invalid_input"
    assert await _refused(selling, partner, licence, variant_id=other.variant_id) == "invalid_input"
    made = await selling.fulfil(partner, licence, variant_id=licence.variant_id)
    assert (made.fulfilment.variant_id, made.fulfilment.serials) == (licence.variant_id, ("K-1",))


async def test_of_a_product_whose_other_variant_is_not_sold_names_none(
    selling: Reselling,
) -> None:
    licence = await selling.licence("K-1")
    async with selling.database.begin() as tx:
        second = await make_variant(tx, shop=selling.shop, own=None, enabled=False, position=-1)
        await tx.run(
            "update variants set product_id = %s where id = %s", (licence.product_id, second)
        )
    _, partner = await selling.reseller(credit_minor=5000)
    assert await _refused(selling, partner, licence, variant_id=second) == (
        "product_not_fulfillable"
    )
    assert (await selling.fulfil(partner, licence)).fulfilment.serials == ("K-1",)


async def test_stays_within_the_quantities_that_were_agreed(selling: Reselling) -> None:
    licence = await selling.licence("K-1", "K-2", "K-3", "K-4")
    terms = ProductTerms(product_id=licence.product_id, min_quantity=2, max_quantity=3)
    _, partner = await selling.reseller(credit_minor=9000, products=(terms,))
    for quantity in (1, 4):
        refused = await _refused(selling, partner, licence, quantity=quantity, key=f"{quantity}")
        assert refused == "quantity_out_of_range"
    assert not (await selling.fulfil(partner, licence, quantity=3)).is_replayed


async def test_stays_within_the_limits_of_a_day_and_a_month(
    selling: Reselling, clock: FrozenClock
) -> None:
    licence = await selling.licence(*[f"K-{n}" for n in range(9)])
    _, partner = await selling.reseller(credit_minor=90_000, limit_daily=2, limit_monthly=3)
    await selling.fulfil(partner, licence, quantity=2, key="1")
    assert await _refused(selling, partner, licence, key="2") == "purchase_limit_exceeded"
    clock.move(timedelta(days=1))
    await selling.fulfil(partner, licence, key="2")
    assert await _refused(selling, partner, licence, key="3") == "purchase_limit_exceeded"
    clock.move(timedelta(days=31))
    await selling.fulfil(partner, licence, key="3")


async def test_waits_for_a_suspension_and_is_refused(
    selling: Reselling, database: Database
) -> None:
    licence = await selling.licence("K-1")
    reseller, partner = await selling.reseller(credit_minor=5000)
    async with database.begin() as tx:
        await move_reseller(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            action="suspend",
            now=selling.clock.now(),
        )
        asked = asyncio.create_task(selling.fulfil(partner, licence))
        await waiting_for_a_lock(database, behind=tx)
    with pytest.raises(CrossdockError) as refused:
        await asked
    assert refused.value.code == "credential_unknown"
    assert await selling.written(licence) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    "point", ["take_serials:sale", "post_transfers:entry", "deliver_fulfilment:recorded"]
)
async def test_that_breaks_off_leaves_nothing(selling: Reselling, point: str) -> None:
    licence = await selling.licence("K-1")
    reseller, partner = await selling.reseller(credit_minor=5000)

    async def break_off() -> None:
        async with selling.database.begin() as tx:
            await tx.run("select set_config('crossdock.fail_point', %s, true)", (point,))
            await fulfil(
                tx,
                partner=partner,
                request=request_of(licence),
                ids=RandomIds(),
                box=box(),
                now=selling.clock.now(),
            )

    with pytest.raises(psycopg.Error) as broken:
        await break_off()
    assert broken.value.sqlstate == "CD099"
    assert await selling.written(licence) == (0, 0, 0, 1)
    assert await _balance(selling, reseller.id) == 5000
    assert (await selling.fulfil(partner, licence)).fulfilment.serials == ("K-1",)


@pytest.mark.parametrize(
    "damage",
    [
        "update reseller_fulfilments set unit_minor = 900, total_minor = 900 where shop_id = %s",
        "update reseller_fulfilments set quantity = 2, unit_minor = 500 where shop_id = %s",
    ],
)
async def test_that_was_not_paid_or_sent_as_it_says_is_found_by_the_doctor(
    selling: Reselling, damage: str
) -> None:
    licence = await selling.licence("K-1")
    _, partner = await selling.reseller(credit_minor=5000)
    await selling.fulfil(partner, licence)
    query = CHECKS["resellers paid for what they were sent"]
    async with (
        selling.database.begin() as tx,
        tx.connection.transaction(force_rollback=True),
    ):
        await tx.run(damage, (selling.shop.id,))
        rows = await tx.all(f"{query}")
        found = [row for row in rows if row[3] and f"shop {selling.shop.id} " in row[0]]
    assert len(found) == 1


async def test_is_told_of_without_its_serials(selling: Reselling) -> None:
    licence = await selling.licence("K-SECRET")
    reseller, partner = await selling.reseller(credit_minor=5000)
    made = await selling.fulfil(partner, licence)
    async with selling.database.statement() as tx:
        rows = await tx.all(
            "select subject_id, payload from events where shop_id = %s"
            " and kind = 'reseller.api_fulfilment_delivered'",
            (selling.shop.id,),
        )
    assert rows == [
        (
            made.fulfilment.id,
            {
                "reseller_id": reseller.id,
                "email": "partner@example.com",
                "external_order_id": "order-1001",
                "product_id": licence.product_id,
                "variant_id": None,
                "quantity": 1,
                "customer_email": "buyer@example.com",
                "total_minor": 1000,
                "currency": "USD",
            },
        )
    ]


async def test_is_offered_for_the_same_products_at_the_same_price(selling: Reselling) -> None:
    licence, other = await selling.licence("K-1", "K-2"), await selling.licence("L-1")
    async with selling.database.begin() as tx:
        await make_variant(tx, shop=selling.shop, own=5)
    reseller, partner = await selling.reseller(credit_minor=5000, discount_bp=3500)

    async def listed() -> list[tuple[int, int | None, int, int]]:
        async with selling.database.statement() as tx:
            page = await list_products(
                tx,
                shop_id=selling.shop.id,
                partner_id=partner.id,
                now=selling.clock.now(),
                limit=10,
                offset=0,
            )
        assert page.total == len(page.products)
        return [
            (product.id, variant.base_minor, variant.unit_minor, variant.stock)
            for product in page.products
            for variant in product.variants
        ]

    assert await listed() == [
        (licence.product_id, 1000, 650, 2),
        (other.product_id, 1000, 650, 1),
    ]
    async with selling.database.begin() as tx:
        await change_terms(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            terms=ResellerTerms(
                products=(ProductTerms(product_id=other.product_id, wholesale_minor=5),)
            ),
            now=selling.clock.now(),
        )
    assert await listed() == [(other.product_id, 1000, 5, 1)]
