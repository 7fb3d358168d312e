"""The console's lists of tickets, mails and deliveries in a real browser, full and empty."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock, SystemClock
from crossdock.shop.deliveries import queue_delivery
from crossdock.shop.mailing import Mailing
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import box, moment
from tests.support.people import make_person
from tests.support.ticketing import Helpdesk, line

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_they_fit_and_can_be_read(visit, server_database: Database, scheme, width):
    desk = await Helpdesk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    ticket = await desk.ticket(lines=(line(await desk.order()),), reason="Broken. " * 30)
    now = SystemClock().now()
    async with server_database.begin() as tx:
        noor = await make_person(tx, shop_id=desk.shop.id)
        await queue_delivery(
            tx, shop_id=desk.shop.id, kind="nobody_sends_this", target="warehouse-" + "x" * 80,
            subject_id=None, now=now,
        )  # fmt: skip
        await Mailing(box=box(), mailer=None, host="shop.example").queue_mail(
            tx, shop_id=desk.shop.id, template="item_delivery", to="ada@buyer.example",
            values={"product": "Mug " + "x" * 90, "serials": ["KEY-1"]}, key="1", now=now,
        )  # fmt: skip
    seen = await visit("/console/", who=noor, width=width, scheme=scheme)
    page = seen.page
    await page.locator(".tiles").first.wait_for()
    await _check(page)

    for path in ("tickets?view=closed", "deliveries?status=sent", "mail?to=nobody"):
        await seen.open(f"/console/{path}")
        assert await page.locator(".empty").count() == 1
        await _check(page)
    for path in ("tickets", "deliveries", "mail"):
        await seen.open(f"/console/{path}")
        await _check(page)
        await page.locator(".letters a").first.click()
        await page.wait_for_url(f"**/{path}/*")
        await _check(page)
    await seen.open(f"/console/tickets/{ticket}")
    await page.get_by_role("button", name="Take it").click()
    assert await page.get_by_role("status").text_content() == "The ticket is yours."
    seen.assert_clean()


async def _check(page):
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    assert await page.locator("h1").count() == 1
