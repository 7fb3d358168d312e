"""A real Chromium on the real pages, and what it saw: complaints, and where it went."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from playwright.async_api import Browser, Page, async_playwright

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock, SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.shop.warehouse import Booking, create_carriers, poll_carriers, ship_with_carrier
from tests.support.factories import make_partner, make_shop, make_variant
from tests.support.partner_client import PartnerClient
from tests.support.people import PersonFixture, open_session_of
from tests.support.processes import ServerProcess
from tests.support.warehousing import Warehouse

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COMMENTS = "Dock 4, please.\n<script>document.title = 'taken'</script>"


class Visit:
    """One page with everything it complained of and every host it asked."""

    def __init__(self, page: Page, *, base_url: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self._base_url = base_url
        page.on("console", lambda m: self._note(m.type, m.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    async def open(self, path: str) -> int:
        """Go to a path; the status of the answer."""
        response = await self.page.goto(self._base_url + path)
        assert response is not None
        return response.status

    def assert_clean(self) -> None:
        """Nothing on the console, no blocked content, and nothing asked of another host."""
        assert self.complaints == []
        assert self.hosts <= {urlsplit(self._base_url).netloc, ""}


class PlacedFixture(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its page, and the client that placed it."""

    path: str
    number: str
    client: Any


Visits = Callable[..., Awaitable[Visit]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window; its tests are skipped, loudly, where there is none."""
    program = os.environ.get("CROSSDOCK_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, PROGRAMS)), None
    )
    if program is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield running
        await running.close()


@pytest.fixture
async def visit(
    browser: Browser, server: ServerProcess, server_database: Database
) -> AsyncIterator[Visits]:
    """Open a page of the server: `await visit("/", width=375, scheme="dark", who=a_person)`."""
    async with AsyncExitStack() as stack:

        async def make(
            path: str, *, width: int = 1280, who: PersonFixture | None = None, **options: Any
        ) -> Visit:
            context = await browser.new_context(
                viewport={"width": width, "height": 800},
                color_scheme=options.pop("scheme", "light"),
                **options,
            )
            stack.push_async_callback(context.close)
            if who:
                async with server_database.begin() as tx:
                    token = await open_session_of(tx, who)
                await context.add_cookies(
                    [{"name": "crossdock", "value": token, "url": server.url}]
                )
            seen = Visit(await context.new_page(), base_url=server.url)
            await seen.open(path)
            return seen

        yield make


@pytest.fixture
async def client(
    server: ServerProcess, server_database: Database
) -> AsyncIterator[tuple[PartnerClient, list[int]]]:
    """A partner with a test credential, and three products it may order."""
    async with server_database.begin() as tx:
        shop = await make_shop(tx)
        names = ("Trail coffee, 1 kg", "Olive oil, 750 ml", "Napkins <b>white</b>")
        variants = [
            await make_variant(
                tx,
                shop=shop,
                own=50,
                name=name,
                price_minor=price,
                image=image,
            )
            for name, price, image in zip(
                names,
                (2450, 1890, 129_900),
                ("/demo-media/11.svg", "/demo-media/12.svg", None),
                strict=True,
            )
        ]
        partner = await make_partner(tx, shop=shop)
    async with PartnerClient.of(server.url, partner) as opened:
        yield opened, variants


@pytest.fixture
async def placed(client: tuple[PartnerClient, list[int]]) -> PlacedFixture:
    """An order of three lines with comments that would like to be a script."""
    partner, variants = client
    body = msgspec.json.encode(
        {
            "items": [{"product_id": v, "quantity": n} for n, v in enumerate(variants, start=1)],
            "id_order_partner": "PO-2026-0117",
            "comments": COMMENTS,
        }
    )
    reply = await partner.send(
        "POST",
        "/wp-json/shoppex-integrations/v1/create-order",
        headers=partner.signed("POST", body=body),
        body=body,
    )
    assert reply.status_code == 201, reply.text
    url = urlsplit(reply.json()["order_detail_url"])
    return PlacedFixture(
        path=f"{url.path}?{url.query}", number=str(reply.json()["order_id"]), client=partner
    )


@pytest.fixture
async def parcel(server: ServerProcess, server_database: Database) -> str:
    """The path of a parcel's page; it left nine hours ago."""
    clock = FrozenClock(SystemClock().now() - timedelta(hours=9))
    warehouse = await Warehouse.open(server_database, clock)
    carriers = create_carriers(ids=RandomIds(), clock=clock, follow_url=f"{server.url}/track/")
    booking = Booking(db=server_database, clock=clock, carriers=carriers)
    order_id = await warehouse.enter((await warehouse.variant(), 1))
    await warehouse.pick(order_id, {1: 1})
    package_id = await warehouse.pack(order_id, {1: 1})
    given = await ship_with_carrier(booking, shop_id=warehouse.shop.id, package_id=package_id)
    clock.move(timedelta(hours=9))
    await poll_carriers(booking)
    return urlsplit(given.tracking_url).path
