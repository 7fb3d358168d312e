"""The pages of products and stock in a real browser, on every screen."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import make_partner, moment
from tests.support.people import make_person
from tests.support.staff import Desk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_they_fit_and_stock_is_received_by_keyboard(
    visit, server_database: Database, scheme, width
):
    desk = await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    variant_id = await desk.variant(own=9, sku="A-" + "LONG-" * 12, name="Lamp " + "x" * 90)
    async with server_database.begin() as tx:
        noor = await make_person(tx, shop_id=desk.shop.id)
        await make_partner(tx, shop=desk.made)
    seen = await visit("/console/products", who=noor, width=width, scheme=scheme)
    page = seen.page

    assert await page.locator(".shelf tbody tr").count() == 1
    await _check(page)
    await page.locator(".shelf a").click()
    await page.get_by_role("button", name="Show").click()
    await page.wait_for_url("**?partner=*")
    assert await page.get_by_text("Pays now").count() == 1
    await _check(page)
    await page.locator(f'a[href="/console/stock/{variant_id}"]').click()
    await page.get_by_label("Units that came in").fill("3")
    await page.keyboard.press("Enter")
    assert "received" in (await page.get_by_role("status").text_content() or "")
    assert await page.get_by_text("12 available").count() == 1
    await _check(page)
    seen.assert_clean()


async def _check(page):
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    assert await page.locator("h1").count() == 1
