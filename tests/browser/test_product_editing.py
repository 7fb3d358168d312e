"""The page on which a product is edited, in a real browser."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import FrozenClock
from crossdock.shop.catalogue import VariantPrices, price_variants
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import moment
from tests.support.people import make_person
from tests.support.staff import Desk

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_it_asks_before_it_writes_over_what_somebody_else_changed(
    visit, server_database: Database, scheme, width
):
    desk = await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    lamp = await desk.variant(sku="LAMP-9", name="Reading lamp")
    async with server_database.begin() as tx:
        noor = await make_person(tx, shop_id=desk.shop.id)
        product = await tx.value("select product_id from variants where id = %s", (lamp,))
        await tx.run("update products set description = E'Brass.\\nOak.' where id = %s", (product,))
    here = f"/console/products/{product}/edit"
    seen = await visit(f"{here}", who=noor, width=width, scheme=scheme)
    page = seen.page
    await page.get_by_label("Price: LAMP-9").fill("25.00")
    async with server_database.begin() as tx:
        await price_variants(
            tx,
            shop_id=desk.shop.id,
            prices={lamp: VariantPrices(retail_minor=2100)},
            now=desk.clock.now(),
        )
        await tx.run("update products set name = 'By import' where id = %s", (product,))

    await page.get_by_role("button", name="Save", exact=True).click()
    asked = await page.get_by_role("alert").text_content() or ""

    assert "Price: LAMP-9: now 21.00, you entered 25.00" in asked
    assert "Description" not in asked  # the browser's ends of lines are no change
    assert await page.get_by_label("Price: LAMP-9").input_value() == "25.00"
    assert await page.get_by_label("Name", exact=True).input_value() == "By import"
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    await page.get_by_role("button", name="Save", exact=True).click()
    assert "Saved." in (await page.get_by_role("status").text_content() or "")
    assert await page.get_by_label("Price: LAMP-9").input_value() == "25.00"


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
async def test_it_takes_down_what_a_buyer_fills_in_row_by_row(
    visit, server_database: Database, scheme, width
):
    desk = await Desk.open(server_database, FrozenClock(moment("2026-03-02T12:00:00+00:00")))
    lamp = await desk.variant(sku="LAMP-9", name="Reading lamp")
    async with server_database.begin() as tx:
        noor = await make_person(tx, shop_id=desk.shop.id)
        product = await tx.value("select product_id from variants where id = %s", (lamp,))
    here = f"/console/products/{product}/edit"
    seen = await visit(here, who=noor, width=width, scheme=scheme)
    page = seen.page
    await page.get_by_label("At most").fill("5")
    await page.get_by_label("Field 1: Name").fill("Engraving")
    await page.get_by_label("Field 1: Pattern").fill("(")
    await page.get_by_label("Field 1: Required").select_option("yes")
    await page.get_by_role("button", name="Save", exact=True).click()

    assert "regular expression" in (await page.get_by_role("alert").text_content() or "")
    assert await page.get_by_label("Field 1: Name").input_value() == "Engraving"
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    await page.get_by_label("Field 1: Pattern").fill("^[A-Z]{1,9}$")
    await page.get_by_label("Field 1: Pattern").press("Enter")
    assert "Saved." in (await page.get_by_role("status").text_content() or "")
    assert await page.get_by_label("Field 1: Required").input_value() == "yes"
    assert await page.get_by_label("Field 4: Name").count() == 1
