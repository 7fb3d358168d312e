"""A list of the console that answers while one types ..."""

import pytest

from crossdock.kit.clock import FrozenClock
from tests.support.factories import make_variant, moment
from tests.support.people import make_person
from tests.support.ticketing import Helpdesk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
async def opened(visit, server_database):
    desk = await Helpdesk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    async with server_database.begin() as tx:
        for sku in ("LIVE-1", "LIVE-2"):
            await make_variant(tx, shop=desk.shop, sku=sku)
        ada = await make_person(tx, shop_id=desk.shop.id, role="owner")
    orders = [await desk.order() for _ in range(2)]
    seen = await visit("/console/", who=ada)
    await seen.page.locator(".badge").wait_for()
    return seen, orders


async def test_shows_the_products_that_match_and_keeps_the_field(opened):
    seen, _orders = opened
    page = seen.page
    await seen.open("/console/products")
    await page.locator("#q").press_sequentially("LIVE-2", delay=30)
    await page.wait_for_url("**/console/products?q=LIVE-2")
    await page.locator(".board tbody tr").nth(1).wait_for(state="detached")
    assert await page.locator(".board tbody tr").count() == 1
    assert await page.evaluate("document.activeElement.id") == "q"
    assert await page.locator("#q").input_value() == "LIVE-2"
    seen.assert_clean()


async def test_shows_the_orders_that_match_with_the_file_of_them(opened):
    seen, (first, second) = opened
    page = seen.page
    await seen.open("/console/orders?view=all")
    await page.locator("#q").press_sequentially(str(first), delay=30)
    await page.locator(f".board a[href='/console/orders/{second}']").wait_for(state="detached")
    assert await page.locator(f".board a[href='/console/orders/{first}']").count() == 1
    assert f"q={first}" in str(
        await page.locator("a[href*='/console/orders.csv']").get_attribute("href")
    )
    await page.select_option("#channel", index=1)
    await page.wait_for_url("**channel=**")
    seen.assert_clean()
