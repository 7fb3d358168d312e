"""The search over everything in a real browser ..."""

import pytest

from crossdock.kit.clock import FrozenClock
from tests.support.factories import moment
from tests.support.people import make_person
from tests.support.ticketing import Helpdesk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
async def desk(server_database) -> Helpdesk:
    return await Helpdesk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
async def opened(visit, desk, server_database):
    """The console's home, signed in; `await opened(java_script_enabled=False)`."""
    async with server_database.begin() as tx:
        ada = await make_person(tx, shop_id=desk.shop.id, role="owner")

    async def sign_in(**options):
        seen = await visit("/console/", who=ada, **options)
        await seen.page.locator(".badge").wait_for()
        return seen

    return sign_in


@pytest.mark.parametrize("key", ["/", "Control+k"])
async def test_opens_by_a_key_and_is_walked_through_by_arrows(opened, desk, key):
    first, second = [await desk.ticket(last_name="Quist") for _ in range(2)]
    seen = await opened()
    page = seen.page

    await page.keyboard.press(key)
    await page.keyboard.type("quist")
    await page.locator("#palette-found a").nth(1).wait_for()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/console/tickets/{max(first, second)}")
    await page.keyboard.press(key)
    await page.keyboard.press("Escape")
    assert not await page.locator("#palette").is_visible()
    seen.assert_clean()


async def test_shows_all_results_on_a_page_whose_address_follows_the_field(opened, desk):
    ticket = await desk.ticket(last_name="Quist")
    seen = await opened()
    page = seen.page
    await page.keyboard.press("/")
    await page.keyboard.type("nobody")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/search?q=nobody")

    await page.locator("#q").fill("quist")
    await page.locator(f"#found a[href='/console/tickets/{ticket}']").wait_for()
    await page.wait_for_url("**/console/search?q=quist")
    await page.go_back()
    await page.locator("#found .empty").wait_for()
    seen.assert_clean()


async def test_is_a_form_without_a_script(opened, desk):
    ticket = await desk.ticket(last_name="Quist")
    seen = await opened(java_script_enabled=False)
    page = seen.page
    await page.get_by_role("link", name="Search", exact=True).click()
    await page.get_by_label("Search everywhere").first.fill("quist")
    await page.get_by_role("button", name="Find").click()
    await page.locator(f"#found a[href='/console/tickets/{ticket}']").click()
    await page.wait_for_url(f"**/console/tickets/{ticket}")
    seen.assert_clean()


async def test_leaves_what_is_shown_when_the_server_cannot_answer(opened, desk):
    await desk.ticket(last_name="Quist")
    seen = await opened()
    page = seen.page
    await seen.open("/console/search?q=quist")
    await page.route(
        "**/console/search?q=other", lambda route: route.fulfill(status=503, body="<p>")
    )
    await page.locator("#q").fill("other")
    await page.locator("#trouble").wait_for()
    assert await page.locator("#found .hits a").count() == 1
    await page.locator("#q").fill("nobody at all")
    await page.locator("#found .empty").wait_for()
    assert not await page.locator("#trouble").is_visible()


async def test_leads_to_the_sign_in_page_when_the_session_ended(opened, desk):
    seen = await opened()
    await seen.open("/console/search")
    await seen.page.context.clear_cookies()
    await seen.page.locator("#q").fill("other")
    await seen.page.wait_for_url("**/console/sign-in**")
