"""The pages of orders in a real browser: readable on every screen, worked on by keyboard."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import moment
from tests.support.people import PASSWORD, make_person
from tests.support.staff import Desk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_they_fit_and_an_order_is_worked_on_by_keyboard(
    visit, server_database: Database, scheme, width
):
    desk = await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    good = await desk.variant(own=9, sku="A-" + "LONG-" * 12)
    first = await desk.on_account((good, 1), number="T-" + "9" * 40)
    second = await desk.on_account((good, 2), comments="Dock 4.\n<script>document.title=1</script>")
    async with server_database.begin() as tx:
        noor = await make_person(tx, shop_id=desk.shop.id)
    seen = await visit("/console/sign-in?next=/console/orders", width=width, scheme=scheme)
    page = seen.page
    await page.get_by_label("E-mail").fill(noor.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()

    assert await page.locator(".board tbody tr").count() == 2
    await _check(page)
    await page.get_by_label("Search").fill("T-" + "9" * 40)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/orders?*q=T-*")
    assert await page.locator(".board tbody tr").count() == 1
    await page.get_by_role("link", name=str(first.id)).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/orders/{first.id}")
    await _check(page)
    await page.get_by_role("button", name="Pick, pack and ship all").focus()
    await page.keyboard.press("Enter")
    assert "Shipped." in (await page.get_by_role("status").text_content() or "")
    await _check(page)

    await page.goto(page.url.partition(str(first.id))[0] + str(second.id))
    await page.get_by_role("link", name="Cancel …").click()
    await page.wait_for_url("**/cancel")
    await _check(page)
    await page.get_by_role("button", name="Cancel the order").click()
    assert "is cancelled" in (await page.get_by_role("status").text_content() or "")
    await _check(page)
    seen.assert_clean()


async def _check(page):
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    assert await page.locator("h1").count() == 1
