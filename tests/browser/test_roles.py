"""What each role does all day, and that it is kept from the rest, in a real browser ..."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import read_merchant
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import make_partner, moment
from tests.support.people import PASSWORD, make_person
from tests.support.staff import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(300),
]

# Every list and desk, so that a role is seen on what it may open and kept from the others.
DESKS = (
    "orders", "products", "stock", "merchants", "partners", "customers", "imports", "money",
    "payouts", "events", "deliveries", "tickets", "mail", "alerts", "search-desk", "people", "log",
    "settings",
)  # fmt: skip
READ_BY_VIEWERS = {
    "orders", "products", "stock", "merchants", "customers", "events", "deliveries", "tickets",
    "alerts",
}  # fmt: skip
# What is one's own: signing out, one's saved views, a note for colleagues.
OWN_FORMS = ("/console/sign-out", "/console/views", "/note")


@pytest.fixture
async def desk(server_database: Database) -> Desk:
    return await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))


@pytest.fixture
def signed_in(visit, desk: Desk):
    """A page of somebody in this role: `await signed_in("viewer", width=390)`."""

    async def open_page(role: str, **options):
        async with desk.db.begin() as tx:
            partner_id = (await make_partner(tx, shop=desk.made)).id if role == "partner" else None
            who = await make_person(tx, shop_id=desk.shop.id, role=role, partner_id=partner_id)
        seen = await visit("/console/", who=who, **options)
        await seen.page.locator(".badge").wait_for()
        return seen

    return open_page


async def test_cancelling_goods_and_terms_are_for_managing_but_not_people_or_the_shop(
    signed_in, desk: Desk
):
    lamp, _ = await _lamp(desk)
    placed = await desk.on_account((lamp, 2))
    seen = await signed_in("manager")
    page = seen.page

    await page.get_by_role("link", name="Orders", exact=True).first.click()
    await page.get_by_role("link", name=str(placed.id)).click()
    await page.get_by_label("A note for your colleagues").fill("The buyer rang.")
    await page.get_by_role("button", name="Save the note").click()
    await page.get_by_text("The buyer rang.").wait_for()
    await page.get_by_role("link", name="Cancel …").click()
    await page.get_by_role("button", name="Cancel the order").click()
    await page.get_by_text("is cancelled").wait_for()
    assert (await desk.read(placed.id)).fulfilment_state == "cancelled"

    await page.get_by_role("link", name="Products", exact=True).first.click()
    await page.get_by_role("link", name="Brass lamp").click()
    await page.get_by_role("button", name="Take out of sale").click()
    await page.get_by_text("The product is out of sale.").wait_for()
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_text("The product is for sale again.").wait_for()

    await seen.open("/console/merchants")
    await page.locator(".board .name a").first.click()
    await page.get_by_role("link", name="Change the terms").click()
    await page.get_by_label("The shop's share").fill("12.5")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("The changes are saved.").wait_for()
    async with desk.db.statement() as tx:
        merchant = await read_merchant(tx, shop_id=desk.shop.id, who=str(desk.made.merchant_id))
    assert merchant.terms.commission_bp == 1250

    assert await _refused(seen) == {"people", "log", "settings"}
    _assert_clean(seen)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_a_viewer_reads_and_nothing_is_offered_that_changes_anything(
    signed_in, desk: Desk, width, scheme
):
    lamp, product = await _lamp(desk)
    placed = await desk.on_account((lamp, 2))
    seen = await signed_in("viewer", width=width, scheme=scheme)
    page = seen.page

    await page.get_by_role("link", name="Orders", exact=True).first.click()
    await page.get_by_role("link", name=str(placed.id)).click()
    await page.get_by_role("heading", name=f"Order {placed.id}").wait_for()
    assert await page.get_by_text("LAMP-8").count() > 0
    pages = [
        f"orders/{placed.id}", f"products/{product}", f"stock/{lamp}",
        f"customers/{desk.made.customer_id}", f"merchants/{desk.made.merchant_id}",
    ]  # fmt: skip
    for path in [*pages, *sorted(READ_BY_VIEWERS)]:
        assert await seen.open(f"/console/{path}") == 200, path
        assert await overflow_px(page) <= 0, path
        assert await weak_contrasts(page) == [], path
        assert await _writes(page) == [], path
    for path in (f"orders/{placed.id}/cancel", f"products/{product}/edit", "customers/new",
                 f"merchants/{desk.made.merchant_id}/edit", "orders/new"):  # fmt: skip
        assert await seen.open(f"/console/{path}") == 403, path
        assert await page.get_by_role("heading", level=1).text_content() == "Not allowed"

    assert await _refused(seen) == set(DESKS) - READ_BY_VIEWERS
    _assert_clean(seen)


async def test_a_partners_person_sees_its_keys_and_account_and_nothing_of_the_shop(signed_in):
    seen = await signed_in("partner", width=390)
    page = seen.page

    assert await page.get_by_text("Never used.").is_visible()
    await page.get_by_role("link", name="Your account").click()
    await page.get_by_label("Language of the console").select_option("nl")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.locator("html[lang=nl]").wait_for()
    await page.get_by_label("Huidig wachtwoord").first.fill(PASSWORD)
    for field in ("#new", "#again"):
        await page.locator(field).fill("another quiet harbour")
    await page.locator("form[action$='/password'] button").click()
    await page.get_by_role("status").wait_for()
    assert await _writes(page) == ["/console/account/language", "/console/account/password"]

    assert await _refused(seen) == set(DESKS)
    _assert_clean(seen)


async def _lamp(desk: Desk) -> tuple[int, int]:
    """A variant of a product that is called Brass lamp, and the product."""
    lamp = await desk.variant(sku="LAMP-8", name="Brass")
    async with desk.db.begin() as tx:
        product = await tx.value(
            "update products p set name = 'Brass lamp' from variants v"
            " where v.id = %s and p.shop_id = v.shop_id and p.id = v.product_id returning p.id",
            (lamp,),
        )
    return lamp, int(product)


async def _writes(page) -> list[str]:
    """Where the buttons of the page send something that is not one's own."""
    actions: list[str] = await page.evaluate(
        """() => [...new Set([...document.querySelectorAll('button')].map((b) => b.form)
          .filter((f) => f?.method === 'post').map((f) => f.getAttribute('action')))]"""
    )
    return [
        action
        for action in actions
        if not any(action.startswith(own) or action.endswith(own) for own in OWN_FORMS)
    ]


async def _refused(seen) -> set[str]:
    """The desks that the person may not open; no link of the page leads to one of them."""
    refused = {name for name in DESKS if await seen.open(f"/console/{name}") == 403}
    await seen.open("/console/")
    links = await seen.page.evaluate(
        "() => [...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href'))"
    )
    assert {link for link in links if link.removeprefix("/console/") in refused} == set()
    return refused


def _assert_clean(seen) -> None:
    """Without what a browser says of a page that is refused."""
    seen.complaints = [text for text in seen.complaints if "403 (Forbidden)" not in text]
    seen.assert_clean()
