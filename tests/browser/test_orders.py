"""The pages of orders in a real browser: readable on every screen, worked on by keyboard."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import make_shop, moment
from tests.support.people import PASSWORD, make_person
from tests.support.staff import Desk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_they_fit_and_an_order_is_worked_on_by_keyboard(
    visit, server_database: Database, scheme, width
):
    desk = await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    good = await desk.variant(own=9, sku="A-" + "LONG-" * 12)
    first = await desk.on_account((good, 1), number="T-" + "9" * 40)
    second = await desk.on_account((good, 2), comments="Dock 4.\n<script>document.title=1</script>")
    async with server_database.begin() as tx:
        noor = await make_person(tx, shop_id=desk.shop.id)
    seen = await visit("/console/orders", who=noor, width=width, scheme=scheme)
    page = seen.page

    assert await page.locator(".board tbody tr").count() == 2
    await _check(page)
    await page.get_by_label("Search", exact=True).fill("T-" + "9" * 40)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/orders?*q=T-*")
    assert await page.locator(".board tbody tr").count() == 1
    await page.get_by_role("link", name=str(first.id)).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/orders/{first.id}")
    await _check(page)
    goods = await page.get_by_role("region", name="Lines").locator("td").first.bounding_box()
    assert goods is not None
    assert goods["width"] >= 140
    await page.get_by_role("button", name="Pick, pack and ship all").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/send")
    assert "1 × A-LONG-" in (await page.locator("dl.pairs").text_content() or "")
    await _check(page)
    await page.keyboard.press("Enter")  # the button that does it has the focus
    await page.wait_for_url("**done=sent")
    assert "Shipped." in (await page.get_by_role("status").text_content() or "")
    await _check(page)

    await page.goto(page.url.partition(str(first.id))[0] + str(second.id))
    await page.get_by_role("link", name="Cancel …").click()
    await page.wait_for_url("**/cancel")
    await _check(page)
    await page.get_by_role("button", name="Cancel the order").click()
    assert "is cancelled" in (await page.get_by_role("status").text_content() or "")
    await _check(page)
    seen.assert_clean()


async def _enter(page, text=""):
    """Type and press Enter, as a barcode scanner does, and see the page that follows."""
    if text:  # the page gives a field the focus when it is there
        await page.wait_for_function("document.activeElement?.matches('input')")
    async with page.expect_navigation():
        await page.keyboard.type(text)
        await page.keyboard.press("Enter")


async def _check(page):
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    assert await page.locator("h1").count() == 1


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
async def test_an_order_is_picked_packed_and_shipped_by_keyboard_alone(
    visit, server_database: Database, scheme, width
):
    desk = await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    lamp = await desk.variant(sku="LAMP-8", upc="0012345678905")
    mug = await desk.variant(sku="MUG-" + "LONG-" * 8)
    placed = await desk.on_account((lamp, 2), (mug, 1), comments="Ring twice.")
    async with server_database.begin() as tx:
        wim = await make_person(tx, shop_id=desk.shop.id, role="warehouse", name="Wim")
    here = f"/console/orders/{placed.id}"
    seen = await visit(f"/console/sign-in?next={here}/work", width=width, scheme=scheme)
    page, keys = seen.page, seen.page.keyboard
    await page.get_by_label("E-mail").focus()
    await keys.type(wim.email)
    await keys.press("Tab")
    await _enter(page, PASSWORD)
    await _check(page)

    for code in ("0012345678905", "LAMP-8", "NO-SUCH"):
        await _enter(page, code)  # the field has the focus, as a scanner needs it
    wrong = await page.get_by_role("alert").inner_text()
    assert wrong == "No line of this order has the code NO-SUCH."
    await _enter(page, "mug-" + "long-" * 8)
    await _check(page)
    await _enter(page)
    assert "Packed." in await page.get_by_role("status").inner_text()
    await _check(page)
    await _enter(page)
    assert "One package leaves." in await page.get_by_role("main").inner_text()
    await _check(page)
    await _enter(page)  # the button of the page that asks has the focus
    assert "Shipped." in await page.get_by_role("status").inner_text()
    await _check(page)

    order = await desk.read(placed.id)
    assert order.fulfilment_state == "shipped"
    assert {e.author for e in order.timeline if e.kind == "order.picked"} == {"Wim"}
    seen.complaints = [text for text in seen.complaints if "400 (Bad Request)" not in text]
    seen.assert_clean()


async def test_choosing_the_card_opens_its_fields(visit, server_database: Database):
    async with server_database.begin() as tx:
        noor = await make_person(tx, shop_id=(await make_shop(tx)).id, role="manager")
    page = (await visit("/console/orders/new", who=noor)).page
    assert not await page.get_by_label("Card number").is_visible()

    await page.get_by_label("Sandbox card, entered here").check()

    assert await page.get_by_label("Card number").is_visible()
