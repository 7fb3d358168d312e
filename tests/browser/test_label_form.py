"""A packer makes a label by hand, in a real browser."""

import pytest

from crossdock.db.unit_of_work import Database
from tests.browser.looks import overflow_px, weak_contrasts
from tests.browser.test_sign_in import enter, path_of
from tests.support.people import make_person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# Per field: font, size, corners and outer height, in the browser's own pixels.
FIELDS = """
() => [...document.querySelectorAll('input:not([type=hidden]), select')].map((field) => {
  const style = getComputedStyle(field);
  return [style.fontFamily, style.fontSize, style.borderRadius, field.offsetHeight];
})
"""
LINK = "/admin/shipper/add?ext=manual&trackingReference=B-9&addressCity=Gent&addressZip=9000"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
async def test_from_the_link_to_the_printed_label(
    visit, server_database: Database, width: int, scheme: str
) -> None:
    async with server_database.begin() as tx:
        packer = await make_person(tx, role="warehouse", name="Bo Peeters")
    seen = await visit(LINK, width=width, scheme=scheme)
    page = seen.page
    await enter(page, packer)
    assert path_of(page) == LINK
    assert await page.get_by_label("City").input_value() == "Gent"
    assert await overflow_px(page) == 0
    assert await weak_contrasts(page) == []

    await page.get_by_role("button", name="Make the label").click()
    assert "was not made" in (await page.get_by_role("alert").text_content() or "")
    assert await overflow_px(page) == 0
    await page.get_by_label("First name").fill("Zoë")
    await page.get_by_label("E-mail").fill("zoe@example.be")
    await page.get_by_label("Street").fill("Veldstraat")
    await page.get_by_label("House number").fill("3")
    await page.get_by_role("button", name="Make the label").click()

    assert path_of(page).startswith("/admin/shipper/label/")
    assert await page.get_by_role("link", name="Print (PDF)").is_visible()
    assert await weak_contrasts(page) == []
    assert [text for text in seen.complaints if "422" not in text] == []


async def test_its_fields_look_like_those_of_signing_in(visit, server_database: Database) -> None:
    async with server_database.begin() as tx:
        packer = await make_person(tx, role="warehouse", name="Bo Peeters")
    page = (await visit(LINK)).page
    email, password = await page.evaluate(FIELDS)
    await enter(page, packer)

    fields = await page.evaluate(FIELDS)

    assert len(fields) == 17
    assert [field for field in fields if field != email] == []
    assert email == password
    assert "mono" not in email[0].lower()
    line = await page.evaluate("getComputedStyle(trackingReference).lineHeight")
    assert (email[1], line) == ("16px", "24px")  # lower, and underscores are cut off
