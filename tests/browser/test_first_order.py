"""From a shop without partners to a partner's first order, by pages alone, in a real browser."""

import pytest

from crossdock.db.unit_of_work import Database
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import make_shop, make_variant
from tests.support.partner_client import PartnerClient
from tests.support.people import PASSWORD, make_person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ADDRESS = {
    "First name": "Grace", "Last name": "Hopper", "Company": "Cobol & Co",
    "Street and number": "Kade 1", "Postal code": "1011 AB", "City": "Amsterdam",
    "Phone": "+31201234567",
}  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_an_owner_gets_a_partner_ordering(
    visit, server_database: Database, server, scheme, width
):
    async with server_database.begin() as tx:
        shop = await make_shop(tx)
        ada = await make_person(tx, shop_id=shop.id, role="owner")
        variant = await make_variant(tx, shop=shop, own=5)
    seen = await visit("/console/sign-in?next=/console/start", width=width, scheme=scheme)
    page = seen.page
    await page.get_by_label("E-mail").fill(ada.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/console/start")
    await _check(page)

    await page.get_by_role("link", name="Add a customer").click()
    await page.wait_for_url("**/customers/new")
    await page.get_by_label("E-mail").fill(f"grace-{width}-{shop.slug}@cobol.example")
    for label, text in ADDRESS.items():
        await page.locator("#billing_" + _field(label)).fill(text)
    await page.locator("#billing_country").select_option("NL")
    await _check(page)
    await page.get_by_role("button", name="Add the customer").click()
    await page.get_by_text("The customer is added.").wait_for()
    await _check(page)

    await page.get_by_role("link", name="Add a partner who orders for it").click()
    await page.get_by_role("link", name="Shoppex Partner").click()
    await page.get_by_label("Name", exact=True).fill("Harbour")
    await page.locator("#customer").fill(f"grace-{width}-{shop.slug}@cobol.example")
    await _check(page)
    await page.get_by_role("button", name="Add the partner").click()
    await page.get_by_text("It is shown this once.").wait_for()
    await _check(page)
    key, secret = await page.locator("code.secret").all_inner_texts()

    async with PartnerClient(server.url, key=key, secret=secret) as client:
        assert (await client.order(variant)).status_code == 201
    await page.goto(server.url + "/console/start")
    done = page.locator(".first.over", has_text="The partner's first order")
    assert await done.count() == 1
    for path in ("/console/people", "/console/log", "/console/settings", "/console/"):
        await page.goto(server.url + path)
        await _check(page)
    seen.assert_clean()


def _field(label: str) -> str:
    named = {"Street and number": "address_1", "Postal code": "postcode"}
    return named.get(label, label.lower().replace(" ", "_"))


async def _check(page) -> None:
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    assert await page.locator("h1").count() == 1
