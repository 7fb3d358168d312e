"""The search desk: why a product is found, and its place under other weights."""

import asyncio
import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.shop.catalogue import ProductRecord, VariantRecord, upsert_products
from crossdock.shop.shops import read_shop
from tests.support.factories import make_shop
from tests.support.people import make_person

DESK = "/console/search-desk"
WAIT_S = 60
GOODS = (("lamp", "Harbour <b>lamp</b>", ""), ("table", "Table", "Harbour"))


@pytest.fixture
async def noor(server_database: Database):
    """A manager of a shop with a product of the brand Harbour, and one with that word in its name."""
    async with server_database.begin() as tx:
        shop = await read_shop(tx, slug=(await make_shop(tx)).slug)
        made = [
            ProductRecord(
                handle=handle,
                name=name,
                merchant="Acme",
                currency=shop.currency,
                brand=brand,
                variants=(VariantRecord(sku=handle, retail_minor=900, stock_managed=False),),
            )
            for handle, name, brand in GOODS
        ]
        await upsert_products(tx, shop=shop, records=made, now=SystemClock().now())
        return await make_person(tx, shop_id=shop.id)


@pytest.fixture
def found():
    """The page of a search once the index has both products."""

    async def look(opened, query):
        async with asyncio.timeout(WAIT_S):
            while True:
                page = await opened.get(f"{DESK}?{query}")
                if page.status_code == 200 and page.text.count('<td class="name">') == 2:
                    return page.text
                assert page.status_code in {200, 503}, page.text
                await asyncio.sleep(0.5)

    return look


def names(page):
    """The products of a page in their order."""
    return re.findall(r'<td class="name"><a href="[^"]+">([^<]+)</a>', page)


async def test_results_are_explained_and_compared(browser, noor, found):
    opened = await browser(noor)

    now = await found(opened, "q=harbour")
    tried = await found(opened, "q=harbour&w_name=900&w_brand=0")
    odd = await found(opened, "q=harbour&w_name=x&w_tie=101&w_brand=-1")

    assert names(now) == ["Table", "Harbour &lt;b&gt;lamp&lt;/b&gt;"]
    assert re.search(r"harbour</span>\s*in brand", now)
    assert "To keep these weights" not in now
    assert names(tried) == list(reversed(names(now)))
    assert "▲ 1" in tried
    assert "▼ 1" in tried
    assert "weight_name = 900" in tried
    assert "weight_brand = 0" in tried
    assert "To keep these weights" not in odd


async def test_it_says_what_to_do_and_who_may(browser, person, noor):
    opened = await browser(noor)
    viewer = await browser(await person(role="viewer"))

    assert "Write what a shopper would write" in (await opened.get(DESK)).text
    assert (await viewer.get(DESK)).status_code == 403
    assert (await viewer.get(f"{DESK}?q=harbour")).status_code == 403
