"""A purchase of stock..."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from crossdock.db.unit_of_work import Database
from crossdock.errors import CrossdockError
from crossdock.kit.clock import FrozenClock
from crossdock.kit.paging import PlacePage
from crossdock.shop.resellers import (
    ProductTerms,
    Reseller,
    ResellerTerms,
    StockRequest,
    StockTransfer,
    change_terms,
    list_transfers,
    move_reseller,
    request_stock,
)
from tests.support.factories import make_variant, receive
from tests.support.reselling import Licence, Reselling


@pytest.fixture
async def selling(database: Database, clock: FrozenClock) -> Reselling:
    return await Reselling.open(database, clock, default_discount_bp=3500)


async def ask(
    selling: Reselling, reseller: Reseller, licence: Licence, quantity: int = 1, **more: Any
) -> StockTransfer:
    """Ask for stock of the licence, in a transaction of its own."""
    values = {"product_id": licence.product_id, "quantity": quantity}
    request = StockRequest(**values | {k: v for k, v in more.items() if k != "limits"})
    async with selling.database.begin() as tx:
        return await request_stock(
            tx,
            shop_id=selling.shop.id,
            reseller_id=reseller.id,
            request=request,
            now=selling.clock.now(),
            limits=more.get("limits", "units"),
        )


async def requested(selling: Reselling, reseller: Reseller) -> list[StockTransfer]:
    """All transfers of the relationship, the newest first."""
    async with selling.database.statement() as tx:
        return await list_transfers(
            tx, shop_id=selling.shop.id, reseller_id=reseller.id, page=PlacePage(size=100)
        )


async def refused(
    selling: Reselling, reseller: Reseller, licence: Licence, quantity: int = 1, **more: Any
) -> str:
    """The code of the refusal; nothing may be written then."""
    before = await requested(selling, reseller)
    with pytest.raises(CrossdockError) as error:
        await ask(selling, reseller, licence, quantity, **more)
    assert await requested(selling, reseller) == before
    return error.value.code


async def test_keeps_the_price_of_its_request(selling: Reselling) -> None:
    licence = await selling.licence(*(f"K-{n}" for n in range(25)), price_minor=1999)
    reseller, _ = await selling.reseller()

    made = await ask(selling, reseller, licence, 25)

    assert (made.state, made.quantity, made.variant_id) == ("requested", 25, None)
    assert (made.base_minor, made.discount_bp) == (1999, 3500)
    assert (made.unit_minor, made.total_minor, made.currency) == (1299, 32475, "USD")
    await selling.set(default_discount_bp=0)
    assert await requested(selling, reseller) == [made]
    assert await selling.written(licence) == (0, 0, 0, 25)


async def test_costs_what_was_agreed_without_a_discount(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    terms = ProductTerms(product_id=licence.product_id, wholesale_minor=0)
    reseller, _ = await selling.reseller(products=(terms,))

    made = await ask(selling, reseller, licence)

    assert (made.base_minor, made.discount_bp, made.unit_minor, made.total_minor) == (
        1000,
        None,
        0,
        0,
    )


async def test_is_refused_by_the_first_rule_that_it_breaks(selling: Reselling) -> None:
    licence = await selling.licence("K-1", "K-2")
    none = Licence(product_id=2**40, variant_id=0)
    async with selling.database.begin() as tx:
        variant_id = await make_variant(tx, shop=selling.shop, own=9)
        product_id = await tx.value("select product_id from variants where id = %s", (variant_id,))
    mug = Licence(product_id=product_id, variant_id=variant_id)
    terms = ProductTerms(product_id=licence.product_id, min_quantity=2, max_quantity=3)
    products = (terms, ProductTerms(product_id=product_id))
    reseller, _ = await selling.reseller(mode="affiliate", limit_daily=2, products=products)

    async def change(**changes: Any) -> None:
        async with selling.database.begin() as tx:
            await change_terms(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                terms=ResellerTerms(**changes),
                now=selling.clock.now(),
            )

    async def move(action: Any) -> None:
        async with selling.database.begin() as tx:
            await move_reseller(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                action=action,
                now=selling.clock.now(),
            )

    await selling.set(enabled=False)
    await move("suspend")
    assert await refused(selling, reseller, none) == "program_disabled"
    await selling.set(enabled=True)
    assert await refused(selling, reseller, none) == "reseller_state"
    await move("reactivate")
    assert await refused(selling, reseller, none) == "reseller_mode"
    await change(mode="stock")
    assert await refused(selling, reseller, none) == "variant_not_found"
    other = await selling.licence("O-1")
    assert await refused(selling, reseller, other, variant_id=1) == "product_not_allowed"
    assert await refused(selling, reseller, mug) == "product_not_fulfillable"
    own = licence.variant_id
    assert await refused(selling, reseller, licence, variant_id=mug.variant_id) == "invalid_input"
    assert await refused(selling, reseller, licence, variant_id=own) == "invalid_input"
    assert await refused(selling, reseller, licence) == "quantity_out_of_range"
    assert await refused(selling, reseller, licence, 4) == "quantity_out_of_range"
    assert await refused(selling, reseller, licence, 3) == "purchase_limit_exceeded"
    await change(limit_daily=3)
    assert await refused(selling, reseller, licence, 3) == "stock_limit_exceeded"
    assert (await ask(selling, reseller, licence, 2)).quantity == 2


async def test_of_a_product_with_variants_names_one(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    async with selling.database.begin() as tx:
        await tx.run(
            "update products set option_names = '{Worth}' where id = %s", (licence.product_id,)
        )
    reseller, _ = await selling.reseller()

    assert await refused(selling, reseller, licence) == "invalid_input"
    made = await ask(selling, reseller, licence, variant_id=licence.variant_id)
    assert made.variant_id == licence.variant_id


async def test_counts_with_fulfilments_by_day_and_month(
    selling: Reselling, clock: FrozenClock
) -> None:
    licence = await selling.licence(*(f"K-{n}" for n in range(9)))
    reseller, partner = await selling.reseller(credit_minor=10_000, limit_daily=3, limit_monthly=4)
    await selling.fulfil(partner, licence, key="first")
    await ask(selling, reseller, licence, 2)

    assert await refused(selling, reseller, licence) == "purchase_limit_exceeded"
    with pytest.raises(CrossdockError) as error:
        await selling.fulfil(partner, licence, key="second")
    assert (error.value.code, error.value.data) == (
        "purchase_limit_exceeded",
        {"limit": 3, "used": 3},
    )
    clock.move(timedelta(days=1))
    await ask(selling, reseller, licence)
    assert await refused(selling, reseller, licence) == "purchase_limit_exceeded"
    async with selling.database.begin() as tx:
        await tx.run(
            "update reseller_transfers set state = 'revoked', revoked_at = now()"
            " where shop_id = %s and quantity = 2",
            (selling.shop.id,),
        )
    assert (await ask(selling, reseller, licence, 2)).state == "requested"


async def test_counts_as_an_amount_where_limits_are_amounts(selling: Reselling) -> None:
    licence = await selling.licence(*(f"K-{n}" for n in range(9)))
    reseller, _ = await selling.reseller(limit_daily=13, limit_monthly=26)

    await ask(selling, reseller, licence, 2, limits="amount")  # 2 x 6.50
    with pytest.raises(CrossdockError) as error:
        await ask(selling, reseller, licence, limits="amount")
    assert (error.value.code, error.value.data) == (
        "purchase_limit_exceeded",
        {"limit": 1300, "used": 1300},
    )
    assert len(await requested(selling, reseller)) == 1


async def test_leaves_nothing_where_it_breaks_off(selling: Reselling) -> None:
    licence = await selling.licence("K-1")
    reseller, _ = await selling.reseller()

    async def break_off() -> None:
        async with selling.database.begin() as tx:
            await tx.run("set local crossdock.fail_point = 'record_stock_purchase:recorded'")
            await request_stock(
                tx,
                shop_id=selling.shop.id,
                reseller_id=reseller.id,
                request=StockRequest(product_id=licence.product_id, quantity=1),
                now=selling.clock.now(),
            )

    with pytest.raises(psycopg.Error) as broken:
        await break_off()
    assert broken.value.sqlstate == "CD099"
    assert await requested(selling, reseller) == []


async def test_is_refused_for_units_that_have_no_serial(selling: Reselling) -> None:
    licence = await selling.licence("K-1", "K-2")
    reseller, _ = await selling.reseller()
    async with selling.database.begin() as tx:
        await receive(tx, shop=selling.shop, variant_id=licence.variant_id, quantity=9)

    assert await refused(selling, reseller, licence, 3) == "stock_limit_exceeded"
    assert (await ask(selling, reseller, licence, 2)).quantity == 2
