"""Loading the demo shop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.demo.access import find_sample_variant, read_keys
from crossdock.demo.loading import Loading, load_demo
from crossdock.errors import NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.kit.ids import RandomIds
from crossdock.kit.outbound import Outbound
from crossdock.kit.paging import PlacePage
from crossdock.shop.carts import (
    CartItem,
    Carts,
    CheckingOut,
    Checkout,
    check_out,
    create_cart,
    put_items,
)
from crossdock.shop.catalogue import list_merchants, list_owned
from crossdock.shop.dispatch import Configuring, list_connectors
from crossdock.shop.orders import read_order
from crossdock.shop.partners import list_partners, read_partner, rotate_secret
from crossdock.shop.pricing import COUPON_KINDS, TaxTable, list_coupons, list_tax_rates
from crossdock.shop.resellers import (
    FulfilmentRequest,
    fulfil,
    list_resellers,
    move_reseller,
    read_balance,
)
from crossdock.shop.stock import claim_serials
from tests.conftest import NOON
from tests.support import postgres
from tests.support.drafts import BUYER
from tests.support.factories import ShopFixture, box
from tests.support.paying import card, paying
from tests.support.shopping import partner_of

COUNT = 120


@asynccontextmanager
async def loading(url: str, clock: FrozenClock) -> AsyncIterator[Loading]:
    async with Outbound() as outbound:
        pool = Database(url, min_size=1, max_size=4)
        await pool.open()
        yield Loading(
            db=pool,
            clock=clock,
            ids=RandomIds(),
            box=box(),
            configuring=Configuring(outbound=outbound, box=box()),
        )
        await pool.close()


@pytest.fixture(scope="module")
async def loaded_once(postgres_url, run_dir, worker_id) -> AsyncIterator[str]:
    """The name of a database with the demo, to copy."""
    with postgres.clone(postgres_url, folder=run_dir, name=f"{worker_id}_loaded") as url:
        async with loading(url, FrozenClock(NOON)) as service:
            await load_demo(service, count=COUNT)
        yield postgres.database_of(url)


@pytest.fixture
async def fresh(empty_database_url, clock):
    """Where nothing is."""
    async with loading(empty_database_url, clock) as service:
        yield service


@pytest.fixture
async def service(postgres_url, run_dir, worker_id, loaded_once, clock):
    """Where the demo was loaded."""
    name = f"{worker_id}_copy"
    with postgres.clone(postgres_url, folder=run_dir, name=name, of=loaded_once) as url:
        async with loading(url, clock) as made:
            yield made


@pytest.fixture
def db(service):
    return service.db


async def events(db):
    async with db.statement() as tx:
        return await tx.value("select count(*) from events")


async def test_makes_a_whole_shop(fresh):
    db, done = fresh.db, list[int]()
    loaded = await load_demo(fresh, count=COUNT, moved=done.append)

    assert loaded.products_added == COUNT
    assert loaded.partners_added == 7
    assert done[-1] == COUNT
    async with db.statement() as tx:
        shop_id = await tx.value("select id from shops where slug = 'demo'")
        assert await tx.value("select count(*) from merchants") == 6
        assert await tx.value("select count(*) from sales_reps") == 5
        assert await tx.value("select max(depth) from categories") == 3
        assert await tx.value("select languages from shops") == ["en", "nl", "fr", "de"]
        digital = dict(await tx.all("select name, free_shipping from products where virtual"))
        connectors = await list_connectors(tx, shop_id=shop_id)
        coupons = await list_coupons(tx, shop_id=shop_id)
        merchants = await list_merchants(tx, shop_id=shop_id)
        rates = await list_tax_rates(tx, shop_id=shop_id)
    assert {coupon.kind for coupon in coupons} == set(COUPON_KINDS)
    assert {(bool(c.merchant), bool(c.product)) for c in coupons} == {
        (False, False), (True, False), (True, True),
    }  # fmt: skip
    terms = [merchant.terms for merchant in merchants]
    assert any(t.shipping_flat_minor and t.free_shipping_from_minor is None for t in terms)
    assert any(not t.shipping_flat_minor for t in terms)
    assert [rate.state for rate in rates] == ["CA", "TX"]
    assert [(c.kind, c.is_default) for c in connectors] == [("manual", True)]
    assert digital.pop("Game key")
    assert set(digital.values()) == {True}


async def test_changes_nothing_the_second_time(service, db):
    before = await events(db)

    again = await load_demo(service, count=COUNT)

    assert not again.changed_anything
    assert await events(db) == before


async def test_puts_back_what_was_changed(service, db):
    async with db.statement() as tx:
        await tx.run("update products set name = 'x', source_hash = null where handle like '%-7'")
        await tx.run("delete from partners where backorder")

    again = await load_demo(service, count=COUNT)

    assert again.changed_anything
    assert again.products_changed == 1
    assert again.partners_added == 1


async def test_sells_the_goods_of_all_merchants_in_one_cart(service, db, clock):
    async with db.statement() as tx:
        shop_id = await tx.value("select id from shops where slug = 'demo'")
        partner_id = await tx.value("select min(id) from partners where shop_id = %s", (shop_id,))
        rows = await tx.all(
            "select distinct on (v.merchant_id) v.id from variants v join stock_levels l"
            " on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own' and l.available > 20"
            " where v.shop_id = %s and v.listed and v.origin = 'SC' and v.stock_status is null"
            " order by v.merchant_id, v.id",
            (shop_id,),
        )
    partner = partner_of(ShopFixture(shop_id, "demo", 0, 0), id=partner_id)
    carts = Carts(db=db, clock=clock, ids=RandomIds())
    items = [CartItem(variant=variant_id, quantity=2) for (variant_id,) in rows]

    cart = await create_cart(carts, partner=partner)
    cart = await put_items(carts, partner=partner, cart_id=cart.id, items=items)
    done = await check_out(
        CheckingOut(carts=carts, paying=paying(db, clock), taxes=TaxTable(db)),
        partner=partner,
        checkout=Checkout(
            cart_id=cart.id,
            billing=BUYER,
            shipping=BUYER,
            card=card(),
            provider="sandbox",
            source="test",
        ),
    )

    assert len(cart.merchants) == len(cart.lines) == 6
    assert {line.variant_id: line.quantity for line in cart.lines} == {v: 2 for (v,) in rows}
    assert any(line.discount_minor is not None for line in cart.lines)
    async with db.statement() as tx:
        order = await read_order(tx, order_id=done.order_id, sections=("parts",))
    assert [part.route for part in order.parts] == ["manual"] * 6
    assert order.total_minor == cart.total_minor + order.tax_minor
    assert order.tax_minor > 0


async def test_grows_a_smaller_demo(service):
    grown = await load_demo(service, count=COUNT + 30)
    assert grown.products_added == 30


async def test_gives_two_partners_that_differ_in_backorder_alone(service, db):
    async with db.statement() as tx:
        plain, twin = await list_partners(tx, shop="demo", channel="shoppex_partner")
        keys = await read_keys(tx, box=box())

    assert (plain.backorder, twin.backorder) == (False, True)
    for partner in (plain, twin):
        assert set(partner.permissions) == {"products.read", "orders.create"}
        assert partner.min_amount_minor is partner.max_amount_minor is None
        assert partner.visible_merchants is None
        assert partner.settings == {"demo": True, "rate_limit_per_minute": 0}
        assert partner.credentials[0].is_test
    assert plain.customer_id != twin.customer_id
    assert [key.key for key in keys[:2]] == [p.credentials[0].key for p in (plain, twin)]
    published = [key.secret for key in keys if key.partner.token]
    assert published == [
        "Kolu72V3T3eFplHNe66e8aef90aba018",
        "demoShoppoAccessToken0123456789abcdef",
        "shx_demoMerchantKey0123456789abcdefgh",
    ]
    assert sum(key.secret.startswith("sk_") for key in keys) == len(keys) - 3
    assert "sk_" not in repr(keys)


async def test_gives_two_web_shops_that_differ_in_the_replay_cache(service, db):
    async with db.statement() as tx:
        plain, twin = await list_partners(tx, shop="demo", channel="shopwedo")

    assert plain.settings == {"demo": True, "rate_limit_per_minute": 0}
    assert twin.settings == {**plain.settings, "replay_cache": True}
    assert [p.credentials[0].key for p in (plain, twin)] == ["1", "2"]


async def test_stocks_licences_by_their_serials_and_fills_them_up(service, db):
    found = """
        select v.sku, l.on_hand, (select count(*) from serials s where s.shop_id = v.shop_id
                                  and s.variant_id = v.id and s.sold_at is null)
        from products p join variants v on v.shop_id = p.shop_id and v.product_id = p.id
        join stock_levels l on l.shop_id = v.shop_id and l.variant_id = v.id and l.pool = 'own'
        where p.requires_serial and p.handle <> 'demo-game-key' order by v.id
    """
    async with db.begin() as tx:
        licences = await tx.all(found)
        first = await tx.value("select id from variants where sku = %s", (licences[0][0],))
        shop_id = await tx.value("select id from shops where slug = 'demo'")
        await claim_serials(
            tx,
            shop_id=shop_id,
            variant_id=first,
            quantity=2,
            box=service.box,
            now=service.clock.now(),
        )
    assert len(licences) >= 1
    assert all(on_hand == serials and 5 <= serials <= 60 for _, on_hand, serials in licences)

    again = await load_demo(service, count=COUNT)

    assert again.others_changed == 2
    async with db.statement() as tx:
        assert await tx.all(found) == licences


async def test_gives_a_reseller_money_and_serials_to_buy(service, db):
    async with db.begin() as tx:
        shop_id = await tx.value("select id from shops where slug = 'demo'")
        [reseller] = await list_resellers(tx, shop_id=shop_id, page=PlacePage(size=5))
        held = await read_balance(tx, shop_id=shop_id, reseller_id=reseller.id)
        [product] = await list_owned(
            tx, shop_id=shop_id, merchant_ids=None, page=PlacePage(size=5), search="demo-game-key"
        )
        partner = await read_partner(tx, partner_id=reseller.partner_id)
        assert partner is not None
        request = FulfilmentRequest(
            external_order_id="order-1",
            customer_email="buyer@example.com",
            product_id=product.id,
            quantity=3,
        )
        bought = await fulfil(
            tx,
            partner=partner,
            request=request,
            ids=RandomIds(),
            box=service.box,
            now=service.clock.now(),
        )
        await move_reseller(
            tx,
            shop_id=shop_id,
            reseller_id=reseller.id,
            action="suspend",
            now=service.clock.now(),
        )
    assert (reseller.status, reseller.mode, reseller.products) == ("active", "both", None)
    assert (held.balance_minor, product.on_hand) == (1_000_000, 1_000)
    assert partner.settings == {"demo": True, "rate_limit_per_minute": 0}
    assert (bought.fulfilment.unit_minor, len(set(bought.fulfilment.serials))) == (650, 3)

    again = await load_demo(service, count=COUNT)

    assert again.others_changed == 5  # the status, the balance, and three serials
    async with db.statement() as tx:
        [reseller] = await list_resellers(tx, shop_id=shop_id, page=PlacePage(size=5))
        held = await read_balance(tx, shop_id=shop_id, reseller_id=reseller.id)
        [product] = await list_owned(
            tx, shop_id=shop_id, merchant_ids=None, page=PlacePage(size=5), search="demo-game-key"
        )
    assert reseller.status == "active"
    assert (held.balance_minor, product.on_hand) == (1_000_000, 1_000)


async def test_leaves_a_reseller_alone_whose_relationship_was_terminated(service, db):
    async with db.begin() as tx:
        shop_id = await tx.value("select id from shops where slug = 'demo'")
        [reseller] = await list_resellers(tx, shop_id=shop_id, page=PlacePage(size=5))
        now = service.clock.now()
        await move_reseller(
            tx, shop_id=shop_id, reseller_id=reseller.id, action="terminate", now=now
        )

    again = await load_demo(service, count=COUNT)

    assert not again.changed_anything
    async with db.statement() as tx:
        assert await tx.value("select count(*) from resellers") == 1


async def test_shows_no_secret_of_a_partner_that_is_no_demo(service, db):
    async with db.statement() as tx:
        await tx.run("update partners set settings = '{}'")
        with pytest.raises(NotFound):
            await read_keys(tx, box=box())


async def test_says_which_partner_is_disabled(service, db):
    async with db.statement() as tx:
        await tx.run("update credentials set disabled_at = now()")
        with pytest.raises(NotFound, match="Demo partner is disabled"):
            await read_keys(tx, box=box())


async def test_shows_the_newest_secret_after_a_rotation(service, db, clock):
    async with db.statement() as tx:
        before = (await read_keys(tx, box=box()))[0]
        rotated = await rotate_secret(
            tx, key=before.key, ids=RandomIds(), box=box(), now=clock.now(), overlap_s=60
        )
        after = (await read_keys(tx, box=box()))[0]
    assert after.secret == rotated.secret != before.secret


async def test_knows_something_to_order(fresh, db):
    async with fresh.db.statement() as tx:
        assert await find_sample_variant(tx) is None
    async with db.statement() as tx:
        variant_id = await find_sample_variant(tx)
        available = await tx.value(
            "select available from stock_levels where variant_id = %s", (variant_id,)
        )
    assert available > 1_000
