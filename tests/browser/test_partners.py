"""The pages of partners in a real browser, on every screen."""

import pytest

from crossdock.db.unit_of_work import Database
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import make_partner, make_shop
from tests.support.people import make_person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_they_fit_and_a_secret_is_made(visit, server_database: Database, scheme, width):
    async with server_database.begin() as tx:
        shop = await make_shop(tx)
        noor = await make_person(tx, shop_id=shop.id)
        partner = await make_partner(tx, shop=shop)
    seen = await visit("/console/partners", who=noor, width=width, scheme=scheme)
    page = seen.page

    await _check(page)
    await page.locator(f'a[href="/console/partners/{partner.id}"]').click()
    await page.wait_for_url(f"**/partners/{partner.id}")
    await _check(page)
    await page.get_by_role("button", name="Make a new secret").click()
    assert await page.get_by_text("It is shown this once.").is_visible()
    await _check(page)
    seen.assert_clean()


async def _check(page):
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    assert await page.locator("h1").count() == 1
