"""The page of alerts in a real browser: it can be read on every screen, and closed by keyboard."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.shop.alerts import raise_alert
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.people import PersonFixture, make_person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LONG = "Order 1207 was not sent to warehouse: https://erp.example/" + "a" * 120


@pytest.fixture
async def noor(server_database: Database) -> PersonFixture:
    """A manager whose shop has four open alerts."""
    async with server_database.begin() as tx:
        noor = await make_person(tx, name="Noor Haddad")
        for kind, order_id, subject, message in (
            ("sales_rep_missing", None, "", "No sales rep is eligible for customer 7."),
            ("dispatch_failed", 1207, "warehouse", LONG),
            ("alert_mail_failed", None, "ops@shop.example 3", "Alert 3 was not sent: 550 unknown."),
            ("consumer_stuck", None, "alert_mail", "alert_mail has failed 5 times; see the log."),
        ):
            await raise_alert(
                tx,
                shop_id=noor.person.shop_id,
                kind=kind,
                message=message,
                order_id=order_id,
                subject=subject,
                now=SystemClock().now(),
            )
    return noor


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_it_fits_and_can_be_read_and_used(visit, noor, scheme, width):
    seen = await visit("/console/alerts", who=noor, width=width, scheme=scheme)
    page = seen.page
    assert await page.locator(".notice").count() == 4
    await _check(page)

    button = page.get_by_role("button", name="Seen: Consumer stuck")
    await button.focus()
    await page.keyboard.press("Enter")
    assert await page.get_by_role("status").text_content() == "One alert is closed."
    assert await page.locator(".notice").count() == 3
    assert await page.locator(".seen li").count() == 1
    await _check(page)

    await page.get_by_role("button", name="I have seen all 3").click()
    assert await page.get_by_text("No open alerts.").is_visible()
    await _check(page)
    seen.assert_clean()


async def _check(page):
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    assert await page.locator("h1").count() == 1
