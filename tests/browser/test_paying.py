"""A payment page and its neighbours, in a real browser..."""

import os
from pathlib import Path
from typing import Any

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock, SystemClock
from crossdock.shop.changing_shops import change_shop
from crossdock.shop.invoices import Invoice
from tests.browser.looks import overflow_px, tab_stops, weak_contrasts
from tests.support.hosted import CARD
from tests.support.invoicing import Invoicing
from tests.support.paying import DECLINED
from tests.support.people import PlainBrowser, hidden_fields, make_person
from tests.support.pictures import photo
from tests.support.processes import ServerProcess

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(300),
]

GRAVE = {"serious", "critical"}
DECLINED_AT = {(390, "light"), (768, "light"), (1280, "dark")}
"""Not everywhere: one address may have five cards declined in a minute, and all tests share one."""


@pytest.fixture
async def invoice(server: ServerProcess, server_database: Database) -> Invoice:
    """An invoice of a shop whose main language is French."""
    billing = await Invoicing.open(server_database, FrozenClock(SystemClock().now()))
    async with server_database.begin() as tx:
        await change_shop(
            tx, shop_id=billing.shop.id, now=billing.clock.now(), name="Maison Lumière",
            languages=("fr",),
        )  # fmt: skip
    return await billing.create(title="Conseil, deux heures", is_test=True)


async def pictured(page: Any, name: str) -> None:
    if folder := os.environ.get("CROSSDOCK_TEST_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


async def pay(page: Any, **changes: str) -> None:
    for name, text in (CARD | changes).items():
        if name != "billing":
            await page.locator(f"#{name}").fill(text)
    await page.locator("main button[type=submit]").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
async def test_is_paid_at_every_width(
    visit: Any, invoice: Invoice, width: int, scheme: str
) -> None:
    seen = await visit(f"/pay/{invoice.token}", width=width, scheme=scheme, locale="en-GB")
    page = seen.page
    await pictured(page, f"pay-open-{width}-{scheme}")
    assert await overflow_px(page) == 0
    assert await weak_contrasts(page) == []
    if (width, scheme) in DECLINED_AT:
        await pay(page, card_number=DECLINED)
        await page.wait_for_selector("#trouble")
        assert await page.evaluate("document.activeElement.id") == "card_number"
        await pictured(page, f"pay-declined-{width}-{scheme}")
        assert await weak_contrasts(page) == []
    await pay(page)
    await page.wait_for_selector("text=Thank you, it is paid")
    await pictured(page, f"pay-done-{width}-{scheme}")
    assert await overflow_px(page) == 0
    assert await weak_contrasts(page) == []
    assert [text for text in seen.complaints if "422" not in text] == []


async def test_has_no_grave_finding_of_axe(visit: Any, invoice: Invoice) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.async_playwright", reason="axe is not installed: make install-dev"
    )
    seen = await visit(f"/pay/{invoice.token}", bypass_csp=True, locale="en-GB")
    found = []
    for step in ("open", "declined", "paid"):
        if step != "open":
            await pay(seen.page, **({"card_number": DECLINED} if step == "declined" else {}))
            await seen.page.wait_for_selector("#trouble" if step == "declined" else ".till.done")
        results = await axe.Axe().run(seen.page)
        found += [
            (step, each["id"], [node["html"] for node in each["nodes"]])
            for each in results.response["violations"]
            if each["impact"] in GRAVE
        ]
    assert found == []


async def test_speaks_the_shops_language_where_the_browsers_is_not_known(
    visit: Any, invoice: Invoice
) -> None:
    seen = await visit(f"/pay/{invoice.token}", locale="es-ES", width=390)
    assert await seen.page.locator("html").get_attribute("lang") == "fr"
    assert "Payer 25,00" in (await seen.page.locator("h1").inner_text()).replace("\u00a0", " ")
    stops = await tab_stops(seen.page, count=7)
    assert stops[0] == "Aller au contenu"
    assert stops[1:3] == ["card_name", "card_number"]
    await pictured(seen.page, "pay-open-390-fr")
    seen.assert_clean()


async def test_shows_the_logo_of_the_shop(
    visit: Any, invoice: Invoice, server: ServerProcess, server_database: Database
) -> None:
    async with server_database.begin() as tx:
        owner = await make_person(tx, shop_id=invoice.shop_id, role="owner")
    async with PlainBrowser(server.url) as staff:
        await staff.sign_in(owner.email)
        fields = hidden_fields((await staff.get("/console/settings")).text)
        files = {"file": ("logo.png", photo(300, 120, kind="PNG"))}
        sent = await staff.client.post("/console/settings/logo", data=fields, files=files)
        assert sent.status_code == 303
    seen = await visit(f"/pay/{invoice.token}", scheme="dark", width=390)
    logo = seen.page.locator(".seller img")
    assert await logo.evaluate("img => img.complete && img.naturalWidth") > 0
    assert "Maison Lumière" in await seen.page.locator(".seller").inner_text()
    await pictured(seen.page, "pay-logo-390-dark")
    seen.assert_clean()
