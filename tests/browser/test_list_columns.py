"""The columns of the console's lists in a real browser are ..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import make_variant, moment
from tests.support.listed import fill_lists
from tests.support.people import PersonFixture, make_person
from tests.support.ticketing import Helpdesk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LISTS = (
    "orders?view=all",
    "products",
    "stock?at_most=99",
    "customers",
    "partners",
    "deliveries",
    "money/payments",
    "tickets",
    "merchants",
    "events",
    "mail",
    "money/accounts",
    "payouts?status=all",
    "log",
)


@pytest.fixture
async def ada(server_database: Database) -> PersonFixture:
    """The owner of a shop with a row for most lists."""
    now = moment("2026-03-02T12:00:00+00:00")
    desk = await Helpdesk.open(server_database, FrozenClock(now))
    await desk.order()
    await desk.ticket()
    async with server_database.begin() as tx:
        for sku in ("LIVE-1", "LIVE-2"):
            await make_variant(tx, shop=desk.shop, sku=sku)
    await fill_lists(server_database, shop=desk.shop, now=now)
    async with server_database.begin() as tx:
        return await make_person(tx, shop_id=desk.shop.id, role="owner")


async def test_chosen_by_the_keyboard_and_kept_by_a_search(visit, ada):
    seen = await visit("/console/products", who=ada)
    page = seen.page

    await page.locator("#columns summary").focus()
    await page.keyboard.press("Enter")
    for name in ("sku", "on_hand"):
        await page.locator(f"#columns input[value={name}]").focus()
        await page.keyboard.press("Space")
    await page.get_by_role("button", name="Show these columns").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/products?cols=status&cols=available&cols=price")

    heads = page.locator(".board thead th")
    assert await heads.all_text_contents() == ["Product", "Status", "Available", "Price"]
    await page.locator("#q").press_sequentially("LIVE-2", delay=30)
    await page.wait_for_url("**/console/products?*q=LIVE-2")
    await page.locator(".board tbody tr").nth(1).wait_for(state="detached")
    assert await heads.all_text_contents() == ["Product", "Status", "Available", "Price"]
    assert await page.locator(".board tbody td").count() == 4
    seen.assert_clean()


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_offered_where_they_fit_and_can_be_read(visit, ada, width, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.async_playwright", reason="axe is not installed: make install-dev"
    )
    seen = await visit("/console/", who=ada, width=width, scheme=scheme, bypass_csp=True)
    for path in LISTS:
        await seen.open(f"/console/{path}")
        await seen.page.locator("#columns summary").click()
        last = seen.page.locator("#columns input[type=checkbox]").last
        await last.check()
        results = await axe.Axe().run(seen.page)
        grave = [
            (each["id"], each["nodes"][0]["html"])
            for each in results.response["violations"]
            if each["impact"] in {"serious", "critical"}
        ]
        assert (path, grave) == (path, [])
        assert (path, await overflow_px(seen.page)) == (path, 0)
        assert (path, await weak_contrasts(seen.page)) == (path, [])
    seen.assert_clean()
