"""What a campaign shows on pages of others..."""

import pytest

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import NotFound
from crossdock.kit.clock import FrozenClock
from crossdock.shop.resellers import ProductTerms, count_seen, read_embed
from crossdock.shop.resellers.commission.embedding import PRODUCTS_MAX
from crossdock.shop.shops import suspend_shop
from tests.support.earning import campaign
from tests.support.reselling import Reselling

MANY = 300
_READ = """
    select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
    where relname = 'variants'
"""


@pytest.fixture
async def selling(database: Database, clock: FrozenClock) -> Reselling:
    """A shop of many products."""
    found = await Reselling.open(database, clock, default_commission_bp=1000)
    one = await found.licence("A-1")
    async with database.begin() as tx:
        await tx.run(
            "insert into products (shop_id, merchant_id, handle, name)"
            " select shop_id, merchant_id, 'many-' || n, 'Many ' || n from products p, generate_series(1, %s) n"
            " where p.shop_id = %s and p.id = %s",
            (MANY, found.shop.id, one.product_id),
        )
        await tx.run(
            "insert into variants (shop_id, product_id, merchant_id, sku, name, currency, retail_minor)"
            " select shop_id, id, merchant_id, handle, name, 'USD', 500 from products where shop_id = %s and id <> %s",
            (found.shop.id, one.product_id),
        )
    return found


async def variants_read(tx: Transaction, *, token: str, selling: Reselling) -> tuple[int, int]:
    """(how many products are shown, how many rows of variants were read for them)."""
    await tx.run("analyze products, variants")
    before = await tx.value(_READ) or 0
    embed = await read_embed(tx, token=token, now=selling.clock.now())
    return len(embed.products), int(await tx.value(_READ)) - before


@pytest.mark.parametrize("names", ["product", "variant", "agreed"])
async def test_reads_no_goods_but_its_own(selling, names):
    goods = await selling.licence("B-1")
    named = {
        "product": {"product_ids": (goods.product_id,)},
        "variant": {"variant_ids": (goods.variant_id,)},
    }
    terms = {}
    if names == "agreed":
        terms = {"products": (ProductTerms(product_id=goods.product_id),)}
    reseller, _ = await selling.reseller(**terms)
    made = await campaign(selling, reseller, **named.get(names, {}))
    async with selling.database.begin() as tx:
        shown, read = await variants_read(tx, token=made.public_token, selling=selling)
    assert shown == 1
    assert read <= 5


async def test_of_a_whole_shop_reads_what_it_shows(selling):
    reseller, _ = await selling.reseller()
    made = await campaign(selling, reseller)
    async with selling.database.begin() as tx:
        shown, read = await variants_read(tx, token=made.public_token, selling=selling)
    assert shown == PRODUCTS_MAX
    assert read <= 3 * PRODUCTS_MAX


async def test_is_not_there_while_its_shop_is_suspended(selling):
    reseller, _ = await selling.reseller()
    made = await campaign(selling, reseller)
    now = selling.clock.now()
    async with selling.database.begin() as tx:
        await suspend_shop(tx, shop_id=selling.shop.id, now=now)
        with pytest.raises(NotFound):
            await read_embed(tx, token=made.public_token, now=now)
        assert not await count_seen(tx, token=made.public_token, seen="view", now=now)
