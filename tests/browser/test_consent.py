"""The page that lets an app in, in a real browser: it can be read on every screen, and leads back to the app."""

import os

import pytest

from crossdock.channels.shoppex_reseller import NAME
from crossdock.channels.shoppex_reseller.auth import SCOPES
from crossdock.channels.shoppex_reseller.oauth import PREFIXES
from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import App, add_app
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.people import PASSWORD, PersonFixture, make_person
from tests.support.processes import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SHOTS = os.environ.get("CROSSDOCK_TEST_SCREENSHOTS", "")


@pytest.fixture
async def noor(server_database: Database) -> PersonFixture:
    async with server_database.begin() as tx:
        return await make_person(tx, name="Noor Haddad")


@pytest.fixture
async def app(server_database: Database, server: ServerProcess, noor: PersonFixture) -> App:
    """An app that waits at a page of the server itself, so that nothing leaves this machine."""
    async with server_database.begin() as tx:
        made = await add_app(
            tx,
            shop_id=noor.person.shop_id,
            channel=NAME,
            name="Ledger Live for wholesalers",
            return_addresses=[f"{server.url}/console/account"],
            scopes=["coupons.read", "coupons.write", "orders.read", "reseller_stock.write"],
            known_scopes=SCOPES,
            prefixes=PREFIXES,
            ids=RandomIds(),
            now=SystemClock().now(),
        )
    return made.app


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_it_fits_can_be_read_and_leads_back(visit, noor, app, scheme, width):
    asked = f"response_type=code%26client_id={app.client_id}%26state=s1"
    back = app.return_addresses[0].replace(":", "%253A").replace("/", "%252F")
    wanted = f"/dev/v1/oauth/authorize%3F{asked}%26redirect_uri={back}"
    seen = await visit(f"/console/sign-in?next={wanted}", width=width, scheme=scheme)
    page = seen.page
    await page.get_by_label("E-mail").fill(noor.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    assert await page.get_by_role("heading").text_content() == (
        f"Ledger Live for wholesalers asks for access to {noor.person.shop}"
    )
    assert await page.locator("li").all_text_contents() == [
        "Read and change coupons", "Read orders", "Change reseller stock",
    ]  # fmt: skip
    assert (await overflow_px(page), await weak_contrasts(page)) == (0, [])
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/consent-{width}-{scheme}.png", full_page=True)
    button = page.get_by_role("button", name="Allow")
    await button.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/account?code=shoa_*&state=s1")
    seen.assert_clean()
