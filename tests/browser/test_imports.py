"""The journey of a catalogue in a real browser: uploaded, checked, imported, seen among the products."""

import pytest

from crossdock.db.unit_of_work import Database
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.people import make_person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LONG = "harbour-" + "goods-" * 12
FILE = (
    "Handle,Title,Variant SKU,Variant Price,Odd\nmug,Blue mug,MUG-1,9.50,x\n,Nameless,NO-1,1.00,\n"
)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_a_catalogue_is_imported_by_keyboard(visit, server_database: Database, width, scheme):
    async with server_database.begin() as tx:
        noor = await make_person(tx)
    seen = await visit("/console/imports", who=noor, width=width, scheme=scheme)
    page = seen.page
    assert await page.locator(".empty").count() == 1
    await _check(page)

    chosen = {"name": f"{LONG}.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    await page.get_by_label("File").set_input_files(files=[chosen])
    await page.get_by_role("button", name="Upload").press("Enter")
    await page.get_by_text("It looks like").wait_for()
    await page.locator("summary").first.press("Enter")
    await _check(page)
    await page.get_by_role("button", name="Dry run").press("Enter")
    start = page.get_by_role("button", name="Import it now")
    await start.wait_for()
    await _check(page)
    async with page.expect_download() as told:
        await page.get_by_role("link", name="Refused rows").first.click()
    assert (await told.value).suggested_filename == f"{LONG}-refused.csv"

    await start.press("Enter")
    await page.get_by_role("heading", name="What was imported").wait_for()
    await _check(page)
    await page.get_by_role("link", name="Look at the products").press("Enter")
    assert await page.get_by_role("link", name="Blue mug").is_visible()
    seen.assert_clean()


async def _check(page):
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
    assert await page.locator("h1").count() == 1
