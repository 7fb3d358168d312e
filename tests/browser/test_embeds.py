"""The embed script, on a page of another origin with a strict content policy, up to the sale it brings..."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Route

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.resellers import read_campaign
from crossdock.shop.shops import set_product_url
from tests.conftest import NOON
from tests.support.clocked import ClockedServer, clocked
from tests.support.earning import book, campaign, line, order, pay
from tests.support.reselling import Reselling

BLOG, SERVER = "http://blog.example/", "http://server.example"


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[ClockedServer]:
    async with clocked(
        database_url=database_url, data_dir=str(tmp_path), clock=FrozenClock(NOON)
    ) as found:
        yield found


@pytest.fixture
async def selling(database: Database, clock: FrozenClock) -> Reselling:
    return await Reselling.open(database, clock, default_commission_bp=3000)


async def test_shows_products_without_a_cookie_and_leads_to_the_shop(
    browser: Browser, server: ClockedServer, selling: Reselling, tmp_path: Path
) -> None:
    sold_here = await selling.licence("K-1", name="Licence <b>one</b>", price_minor=1999)
    await selling.licence(name="Sold out", price_minor=500)
    async with selling.database.begin() as tx:
        await set_product_url(
            tx, shop_id=selling.shop.id, template="http://shop.example/p/{handle}"
        )
        await tx.run(
            "update products p set name = v.name from variants v"
            " where v.product_id = p.id and p.shop_id = %s",
            (selling.shop.id,),
        )
    reseller, _ = await selling.reseller()
    running = await campaign(selling, reseller)
    policy = f"default-src 'none'; script-src {SERVER}; connect-src {SERVER}"
    script = f'<script src="{SERVER}/embed/v1/widget.js" data-campaign="{running.public_token}" async></script>'
    context = await browser.new_context(viewport={"width": 900, "height": 500}, locale="en-US")
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    async def blog(route: Route) -> None:
        html = f"<!doctype html><html lang=en><title>Blog</title><body><h1>My blog</h1>{script}</body></html>"
        headers = {"Content-Security-Policy": policy, "Content-Type": "text/html"}
        await route.fulfill(body=html, headers=headers)

    async def pass_on(route: Route) -> None:
        """To the real server: a browser lets no public page call a local address."""
        path = route.request.url.removeprefix(SERVER)
        answer = await route.fetch(url=server.url + path, max_redirects=0)
        await route.fulfill(response=answer)

    async def shop(route: Route) -> None:
        await route.fulfill(body="<title>Shop</title>", content_type="text/html")

    await context.route(f"{BLOG}**", blog)
    await context.route(f"{SERVER}/**", pass_on)
    await context.route("http://shop.example/**", shop)
    async with page.expect_response(lambda answer: answer.url.endswith("/views")):
        await page.goto(BLOG)
    texts = await page.locator("li").all_inner_texts()
    assert [text.split("\n") for text in texts] == [
        ["Licence <b>one</b>", "$19.99", "Buy"],
        ["Sold out", "$5.00", "Not available"],
    ]
    await page.screenshot(path=tmp_path / "embed.png")
    await page.get_by_role("link", name="Buy Licence <b>one</b>").click()
    await page.wait_for_url("http://shop.example/**")

    assert page.url.endswith(f"?affiliate_code={running.public_token}")
    assert await context.cookies() == []
    assert complaints == []
    await context.close()
    assert await _sums(selling, reseller.id, running.id) == (1, 1, 0, 0)

    [code] = parse_qs(urlsplit(page.url).query)["affiliate_code"]
    order_id, _ = await order(selling, line(selling, sold_here, price_minor=1999), code=code)
    await pay(selling, order_id)
    await book(selling)
    assert await _sums(selling, reseller.id, running.id) == (1, 1, 1, 600)


async def _sums(selling: Reselling, reseller_id: int, campaign_id: int) -> tuple[int, ...]:
    """(views, clicks, sales, commission)."""
    async with selling.database.statement() as tx:
        found = await read_campaign(
            tx, shop_id=selling.shop.id, reseller_id=reseller_id, campaign_id=campaign_id
        )
    sums = found.sums
    return sums.views, sums.clicks, sums.sales, sums.commission_minor
