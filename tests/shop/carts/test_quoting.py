"""A quote..."""

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.carts import CheckingOut, quote
from crossdock.shop.pricing import TaxRate, TaxTable, set_tax_rate
from tests.support.drafts import BUYER
from tests.support.shopping import Mall


async def test_is_what_the_checkout_charges_and_holds_nothing(
    database: Database, clock: FrozenClock
) -> None:
    mall = await Mall.open(database, clock)
    merchant = await mall.merchant(shipping_flat_minor=595)
    good = await mall.variant(merchant_id=merchant, price_minor=1000)
    async with mall.db.begin() as tx:
        rate = TaxRate(country=BUYER.country, state="", rate_bp=825)
        await set_tax_rate(tx, shop_id=mall.shop.id, rate=rate)
    cart_id = await mall.cart((good, 2))
    service = CheckingOut(carts=mall.carts, paying=mall.paying, taxes=TaxTable(mall.db))

    bill = await quote(service, partner=mall.partner, cart=await mall.read(cart_id), shipping=BUYER)

    assert (bill.tax_minor, bill.total_minor) == (165, 2760)
    assert await mall.level(good) == (10, 0, 0, 10)
    done = await mall.check_out(cart_id, expected_total_minor=bill.total_minor)
    assert done.total_minor == 2760


async def test_names_what_is_missing(database: Database, clock: FrozenClock) -> None:
    mall = await Mall.open(database, clock)
    good = await mall.variant(image="/demo-media/1.svg")
    cart_id = await mall.cart((good, 1))
    async with mall.db.begin() as tx:
        await tx.run(
            "update stock_levels set on_hand = 0 where shop_id = %s and variant_id = %s",
            (mall.shop.id, good),
        )

    [missing] = (await mall.read(cart_id)).missing

    assert missing.product_name.startswith("Product")
    assert missing.image == "/demo-media/1.svg"
