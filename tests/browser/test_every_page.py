"""Every page of the console, found from its routes and from what leads to them, in a real browser ..."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import jinja2
import pytest
from playwright.async_api import Page
from starlette.responses import Response
from starlette.routing import Route

from crossdock.compose import Services
from crossdock.db.runtime import create_runtime
from crossdock.db.unit_of_work import Database
from crossdock.gate import create_gate
from crossdock.kit.clock import FrozenClock, SystemClock
from crossdock.kit.ids import RandomIds
from crossdock.settings import Settings
from crossdock.shop.alerts import raise_alert
from crossdock.shop.bulk import RunAuthor, begin_run, bulk_work
from crossdock.shop.catalogue import Promotion, add_promotions
from crossdock.shop.deliveries import queue_delivery
from crossdock.shop.events import number_events
from crossdock.shop.mailing import Mailing
from crossdock.shop.partners import Calls, Heard, KeptCall
from crossdock.shop.resellers import NewCampaign, ResellerTerms, create_campaign, invite
from crossdock.shop.stock import add_serials
from crossdock.web.console import Console
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import box, make_variant, moment
from tests.support.people import PersonFixture, PlainBrowser, make_person
from tests.support.reselling import Reselling
from tests.support.ticketing import Helpdesk, line

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
]

GRAVE = {"serious", "critical"}
# No page, or one that needs a step before it which tests of its own take.
ELSEWHERE = {
    "/console",
    "/console/sign-in",
    "/console/sign-in/code",
    "/console/welcome/token/{token}",
    "/console/orders/{order}/packages/{package}/label.pdf",
    "/console/imports/{import}",
    "/console/orders/{order}/returns/{back}/receive",
    "/console/payouts/{payout}",
}
_FILE = re.compile(r"\.(csv|pdf|zpl)$")
_LINK = re.compile(r'href="(/console/[^"#]*)"')
_TAB_STOPS_MAX = 150
_NOTE_STOPS = """
() => {
  window.stops = [];
  document.addEventListener('focusin', ({ target: e }) => {
    if (e.dataset.n === undefined) return;
    const style = getComputedStyle(e);
    // the browser marks the parts of a date itself
    const isSeen = e.type === 'date' || style.outlineStyle !== 'none' || style.boxShadow !== 'none';
    window.stops.push([e.dataset.n, isSeen, e.outerHTML.slice(0, 80)]);
  });
}
"""
_AXE_ON_COLOURS = """
() => axe.run({ runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] },
                resultTypes: ['violations'] }).then((found) => found.violations)
"""


def get_routes() -> list[Route]:
    """The routes of the console that answer GET with a page."""
    runtime = create_runtime(Settings().having(database_url="postgresql:///nobody-asks"))
    services = Services(runtime)
    console = Console(
        create_gate(services), services=services, templates=jinja2.Environment(), sends=Response()
    )
    return [
        route
        for route in console.routes()
        if "GET" in (route.methods or ())
        and route.path not in ELSEWHERE
        and not _FILE.search(route.path)
    ]


async def paths_of(plain: PlainBrowser, routes: list[Route]) -> list[str]:
    """A path for every route, its parts from the links of other pages. Fails where no page leads to one."""
    known: dict[str, str] = {}
    plain_paths = [route.path for route in routes if "{" not in route.path]
    waiting = list(plain_paths)
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = await plain.get(path)
        if answer.status_code != 200 or "html" not in answer.headers["content-type"]:
            continue
        for link in _LINK.findall(answer.text):
            target = urlsplit(unescape(link)).path
            if target in plain_paths:
                continue
            for route in routes:
                match = route.path_regex.match(target)
                if match and (fresh := match.groupdict().keys() - known.keys()):
                    known |= {name: match[name] for name in fresh}
                    waiting.append(target)
    missing = [r.path for r in routes if not set(r.param_convertors) <= known.keys()]
    assert missing == [], "no page leads to these: give the shop of this test what they show"
    return [route.path.format_map(known) for route in routes]


@pytest.fixture
async def ada(server_database: Database) -> PersonFixture:
    """The owner of a shop that has something of everything."""
    desk = await Helpdesk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    order, now = await desk.order(lines=2), SystemClock().now()
    await desk.ticket(lines=(line(order),), reason="It came in two pieces. " * 8)
    async with server_database.begin() as tx:
        long = await make_variant(tx, shop=desk.shop, supplier=4, sku="A-VERY-LONG-SKU-" + "0" * 40)
        await add_promotions(
            tx, shop_id=desk.shop.id, variant_ids=[long], now=now,
            promotion=Promotion(price_minor=1500, starts_at=now, ends_at=now + timedelta(days=9)),
        )  # fmt: skip
        keys = await make_variant(tx, shop=desk.shop, own=None, name="Game key " + "x" * 80)
        await add_serials(
            tx, shop_id=desk.shop.id, variant_id=keys, serials=["KEY-" + "1" * 60, "KEY-2"], box=box(),
            now=now,
        )  # fmt: skip
        await queue_delivery(
            tx, shop_id=desk.shop.id, kind="nobody_sends_this", target="warehouse-" + "x" * 80,
            subject_id=None, now=now,
        )  # fmt: skip
        await Mailing(box=box(), mailer=None, host="shop.example").queue_mail(
            tx, shop_id=desk.shop.id, template="item_delivery", to="ada@buyer.example",
            values={"product": "Mug " + "x" * 90, "serials": ["KEY-1"]}, key="1", now=now,
        )  # fmt: skip
        await raise_alert(
            tx, shop_id=desk.shop.id, kind="delivery_failed", message="A call failed.", now=now,
            order_id=order,
        )  # fmt: skip
        ada = await make_person(tx, shop_id=desk.shop.id, role="owner", name="Ada Lovelace")
        await begin_run(
            tx, shop_id=desk.shop.id, order_ids=[order, 999_999_999], now=now,
            work=bulk_work("note", note="Ring twice. " * 20),
            author=RunAuthor(ada.id, "Ada " + "x" * 60, "ada@shop.example", "/console/orders/*/note"),
        )  # fmt: skip

    heard = Heard()
    heard.partner = (desk.shop.id, desk.partner.id)
    call = KeptCall(
        called_at=now, request_id="request-1", method="GET", path="/wp-json/" + "x" * 200, status=401,
        request_head={"accept": "*/*" * 60}, request_body="{}" * 400, answer_head={},
        answer_body="", took_ms=3, verdict="credential_signature", mistake="",
    )  # fmt: skip
    await Calls(server_database).keep(heard, call)
    await _resell(Reselling(server_database, SystemClock(), desk.shop))
    async with server_database.statement() as tx:
        await number_events(tx, shop_id=desk.shop.id)
    return ada


async def _resell(selling: Reselling) -> None:
    """A reseller with money and a campaign, and an invitation that is open."""
    await selling.set(enabled=True, default_mode="both", default_commission_bp=1_250)
    email = f"{'long-name-' * 5}reseller@shop.example"
    reseller, _ = await selling.reseller(email, credit_minor=2_500)
    async with selling.database.begin() as tx:
        await create_campaign(
            tx, shop_id=selling.shop.id, reseller_id=reseller.id,
            campaign=NewCampaign(name="Winter " + "x" * 90), write_id=str, box=box(),
            now=selling.clock.now(),
        )  # fmt: skip
        await invite(
            tx, shop_id=selling.shop.id, email="ada@reseller.example", terms=ResellerTerms(),
            ids=RandomIds(), now=selling.clock.now(),
        )  # fmt: skip


@pytest.fixture
async def paths(server, server_database: Database, ada: PersonFixture) -> list[str]:
    async with PlainBrowser(server.url, source="10.9.8.7") as plain:
        async with server_database.begin() as tx:
            await plain.hold_session(tx, ada)
        return await paths_of(plain, get_routes())


@pytest.fixture
def opened(visit, ada: PersonFixture):
    """A page that is signed in: `await opened(width=390, scheme="dark")`."""

    async def sign_in(**options):
        seen = await visit("/console/", who=ada, **options)
        await seen.page.locator(".badge").wait_for()
        return seen

    return sign_in


async def test_keeps_to_its_policy_fits_and_can_be_read_and_walked_through_by_the_keyboard(
    paths, opened
):
    """320 px is a window of 1280 at 400 %."""
    seen = await opened()
    wrong = []
    for path in paths:
        assert await seen.open(path) == 200, path
        await seen.page.wait_for_load_state("load")
        assert seen.complaints == [], path
        wrong += [(path, lost) for lost in await _unreachable(seen.page)]
        for width, scheme in ((390, "light"), (320, "dark")):
            await seen.page.set_viewport_size({"width": width, "height": 800})
            await seen.page.emulate_media(color_scheme=scheme)
            if (by := await overflow_px(seen.page)) > 0:
                wrong.append((path, f"{by} px too wide for {width}"))
            wrong += [(path, weak) for weak in await weak_contrasts(seen.page)]
        if await seen.page.locator("h1").count() != 1:
            wrong.append((path, "has not one h1"))
        await seen.page.set_viewport_size({"width": 1280, "height": 800})
        await seen.page.emulate_media(color_scheme="light")
    assert wrong == []
    seen.assert_clean()


async def test_has_no_grave_finding_of_axe(paths, opened):
    axe = pytest.importorskip(
        "axe_playwright_python.async_playwright", reason="axe is not installed: make install-dev"
    )
    # axe itself is put into the page, which its policy would not let in
    seen = await opened(bypass_csp=True)
    found = []
    for path in paths:
        await seen.open(path)
        results = await axe.Axe().run(seen.page)
        violations = results.response["violations"]
        # the dark page is the same but for its colours
        await seen.page.emulate_media(color_scheme="dark")
        violations += await seen.page.evaluate(_AXE_ON_COLOURS)
        await seen.page.emulate_media(color_scheme="light")
        for finding in violations:
            if finding["impact"] in GRAVE:
                nodes = [node["html"][:160] for node in finding["nodes"][:3]]
                found.append((path, finding["id"], nodes))
    assert found == []


async def _unreachable(page: Page) -> list[str]:
    """What can be clicked, is shown, and no press of Tab reaches; and a focus that cannot be seen."""
    wanted = await page.evaluate(
        """() => {
          const shown = [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
            .filter((e) => e.checkVisibility() && !e.disabled && e.type !== 'hidden');
          shown.forEach((e, n) => { e.dataset.n = n; });
          return shown.map((e) => e.outerHTML.slice(0, 80));
        }"""
    )
    dates = sum(
        'type="date' in html for html in wanted
    )  # each has a stop for day, month, year, calendar
    await page.evaluate(_NOTE_STOPS)
    for _ in range(min(len(wanted) + 4 * dates + 5, _TAB_STOPS_MAX)):
        await page.keyboard.press("Tab")
    stops = await page.evaluate("window.stops")
    reached = {int(number) for number, _, _ in stops}
    dim = [f"no focus is seen: {html}" for _, is_seen, html in stops if not is_seen]
    radios = {n for n, html in enumerate(wanted) if 'type="radio"' in html}
    if len(wanted) > _TAB_STOPS_MAX:
        return dim
    return dim + [wanted[n] for n in range(len(wanted)) if n not in reached | radios]
