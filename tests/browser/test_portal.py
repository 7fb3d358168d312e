"""A reseller works in the portal, in a real browser..."""

import os
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock, SystemClock
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.resellers.commission.earning import commission_owner
from tests.browser.looks import overflow_px, tab_stops, weak_contrasts
from tests.support.hosted import CARD
from tests.support.people import PASSWORD
from tests.support.portal import Member, joined
from tests.support.processes import ServerProcess
from tests.support.reseller_client import CHANNEL
from tests.support.reselling import Reselling

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(300),
]

PAGES = ("", "/balance", "/commission", "/keys", "/products")
GRAVE = {"serious", "critical"}


@pytest.fixture
async def selling(server: ServerProcess, server_database: Database) -> Reselling:
    """A shop with something to sell and a name of some length."""
    opened = await Reselling.open(
        server_database,
        FrozenClock(SystemClock().now()),
        channel=CHANNEL,
        min_payout_minor=500,
    )
    await opened.licence("K-1", "K-2", name="Photo editor, one year", price_minor=4900)
    await opened.licence(name="Cloud storage " + "with a long name " * 4, price_minor=1299)
    async with server_database.begin() as tx:
        await tx.run(
            "update shops set name = 'Northwind Licences' where id = %s", (opened.shop.id,)
        )
    return opened


@pytest.fixture
async def ada(selling: Reselling, server: ServerProcess) -> Any:
    """A reseller with money on both accounts."""
    async with joined(selling, server.url, mode="both", commission_bp=3000) as member:
        async with selling.database.begin() as tx:
            await selling.credit(tx, member.reseller, 25_000)
            earned = Transfer(
                debit=Account("reseller_costs"),
                credit=Account("reseller_available", commission_owner(member.reseller.id)),
                amount_minor=12_345,
                currency="USD",
                kind="commission_earned",
            )
            await post_transfers(
                tx, shop_id=selling.shop.id, transfers=[earned], now=selling.clock.now()
            )
        yield member


def at(member: Member, rest: str = "") -> str:
    return f"/portal/programmes/{member.relationship_id}{rest}"


@pytest.fixture
def opened(visit: Any, ada: Member) -> Any:
    """The portal, signed in: `await opened(width=390, scheme="dark")`."""

    async def sign_in(**options: Any) -> Any:
        seen = await visit("/console/sign-in?next=/portal/", **options)
        await seen.page.locator("#email").fill(ada.email)
        await seen.page.locator("#password").fill(PASSWORD)
        await seen.page.locator("main button").click()
        await seen.page.wait_for_url("**/portal/")
        return seen

    return sign_in


async def pictured(page: Any, name: str) -> None:
    if folder := os.environ.get("CROSSDOCK_TEST_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
async def test_on_pages_of_every_width(opened: Any, ada: Member, width: int, scheme: str) -> None:
    seen = await opened(width=width, scheme=scheme)
    for rest in ("/portal/", *(at(ada, rest) for rest in PAGES)):
        assert await seen.open(rest) == 200
        name = rest.rpartition("/")[2][:10] or "home"
        await pictured(seen.page, f"portal-{name}-{width}-{scheme}")
        assert await overflow_px(seen.page) == 0, rest
        assert await weak_contrasts(seen.page) == [], rest
    seen.assert_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_without_a_grave_finding_of_axe(opened: Any, ada: Member, scheme: str) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.async_playwright", reason="axe is not installed: make install-dev"
    )
    seen = await opened(scheme=scheme, bypass_csp=True)
    found = []
    for path in ("/portal/", *(at(ada, rest) for rest in PAGES)):
        await seen.open(path)
        results = await axe.Axe().run(seen.page)
        found += [
            (path, each["id"], [node["html"] for node in each["nodes"]])
            for each in results.response["violations"]
            if each["impact"] in GRAVE
        ]
    assert found == []


async def test_from_a_top_up_to_the_receipt(opened: Any, ada: Member) -> None:
    seen = await opened(width=390, locale="nl-NL")
    page = seen.page
    await seen.open(at(ada, "/balance"))
    await page.get_by_label("Bedrag").fill("40,00")
    await page.get_by_role("button", name="Verder naar de betaling").click()
    await page.wait_for_url("**/pay/**")
    assert "Northwind Licences" in await page.locator(".seller").inner_text()
    await pictured(page, "pay-top-up-390-nl")
    for name, text in CARD.items():
        if name != "billing":
            await page.locator(f"#{name}").fill(text)
    await page.get_by_role("button", name="betalen").click()
    await page.wait_for_selector("text=Bedankt, het is betaald")
    await seen.open(at(ada, "/balance"))
    assert "290,00" in (await page.locator("strong").first.inner_text())
    seen.assert_clean()


async def test_by_keyboard_from_a_key_to_its_end(opened: Any, ada: Member) -> None:
    seen = await opened()
    page = seen.page
    await seen.open(at(ada, "/keys"))
    stops = await tab_stops(page, count=14)
    assert stops[0] == "Skip to the content"
    assert "Make a key" in stops
    await page.get_by_role("button", name="Make a key").press("Enter")
    await page.get_by_role("heading", name="Your new key").wait_for()
    await pictured(page, "portal-new-key-1280")
    await page.get_by_role("link", name="Revoke").press("Enter")
    await page.get_by_role("button", name="Revoke it for ever").press("Enter")
    await page.get_by_text("calls with it are refused").wait_for()
    seen.assert_clean()


async def test_asks_for_a_payout_and_is_told_what_is_wrong(opened: Any, ada: Member) -> None:
    seen = await opened(width=390)
    page = seen.page
    await seen.open(at(ada, "/commission"))
    await page.get_by_label("Amount").fill("200")
    await page.get_by_label("To which account or address").fill("BE68 5390 0754 7034")
    await page.get_by_role("button", name="Ask for the payout").click()
    await page.get_by_role("alert").get_by_text("not more than is available").wait_for()
    await pictured(page, "portal-payout-refused-390")
    assert await page.evaluate("document.activeElement.id") == "amount"
    await page.get_by_label("Amount").fill("100")
    await page.get_by_role("button", name="Ask for the payout").click()
    await page.get_by_text("the shop decides on it").wait_for()
    assert [text for text in seen.complaints if "422" not in text] == []
