"""GraphiQL at /console/partner in a real browser: by a caller's own token, under the page's policy."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.factories import make_shop, make_variant
from tests.support.shoppo_client import add_drop_shipper

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PATH = "/console/partner"
UNDESCRIBED = (
    "Warning: Missing `Description` or `aria-describedby={undefined}` for {DialogContent}."
)
"""What GraphiQL's own dialog complains of."""
EVERY_STORE = "() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"


@pytest.fixture
async def keys(server_database):
    """Viewer id and token of a drop shipper with one product to sell."""
    async with server_database.begin() as tx:
        shop = await make_shop(tx)
        await make_variant(tx, shop=shop, own=3)
    _, viewer, token = await add_drop_shipper(server_database, shop_id=shop.id)
    return viewer, token


async def opened(page: Page, keys) -> None:
    """Enter the credential and wait for the schema."""
    await page.locator("#viewer").fill(keys[0])
    await page.locator("#token").fill(keys[1])
    await page.get_by_role("button", name="Open").click()
    await expect(page.locator(".graphiql-query-editor .CodeMirror")).to_be_visible(timeout=30_000)


async def ask(page: Page, document: str) -> None:
    """Write a document over the one that is there, and run it by the keyboard."""
    await page.locator(".graphiql-query-editor .CodeMirror").click()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(document)
    await page.keyboard.press("Control+Enter")


async def test_runs_a_document_by_the_token_and_keeps_nothing(visit, keys):
    seen = await visit(PATH)
    page = seen.page
    await opened(page, keys)

    await ask(page, "{ productList(first: 5) { edges { node { name } } } }")
    answer = page.locator(".graphiql-response")
    await expect(answer).to_contain_text('"name": "Product ', timeout=30_000)

    assert await page.locator("#plain").is_hidden()
    assert await page.evaluate(EVERY_STORE) == '[{},{},""]'
    seen.assert_clean()
    await page.reload()
    assert await page.locator("#token").input_value() == ""


async def test_has_the_schema_beside_the_document(visit, keys):
    seen = await visit(PATH)
    page = seen.page
    await opened(page, keys)

    await page.get_by_role("button", name="Show Documentation Explorer").click()
    explorer = page.get_by_role("region", name="Documentation Explorer")
    await explorer.get_by_role("link", name="RootQuery").first.click()
    await expect(explorer).to_contain_text("productList")
    await page.get_by_role("button", name=re.compile("settings", re.IGNORECASE)).click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    seen.complaints.remove(UNDESCRIBED)
    seen.assert_clean()


async def test_says_why_a_token_is_refused(visit, keys):
    seen = await visit(PATH)
    page = seen.page
    await page.locator("#viewer").fill(keys[0])
    await page.locator("#token").fill("x" * 20)
    await page.get_by_role("button", name="Open").click()

    await expect(page.locator("#credential [role=alert]")).not_to_be_empty()
    assert await page.locator("#graphiql").is_hidden()
    assert [text for text in seen.complaints if "401" not in text] == []


async def test_the_keyboard_enters_and_leaves_the_editor(visit, keys):
    seen = await visit(PATH)
    page = seen.page
    await page.locator("#viewer").focus()
    await page.keyboard.insert_text(keys[0])
    await page.keyboard.press("Tab")
    await page.keyboard.insert_text(keys[1])
    await page.keyboard.press("Enter")
    editor = page.locator(".graphiql-query-editor .CodeMirror")
    await expect(editor).to_be_visible(timeout=30_000)
    inside = "() => !!document.activeElement.closest('.graphiql-query-editor .CodeMirror')"
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await page.evaluate(inside):
            break
    assert await page.evaluate(inside)
    for _ in range(2):
        await page.keyboard.press("Tab")
    assert not await page.evaluate(inside)
    seen.assert_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_can_be_read_and_fits(visit, keys, scheme):
    for width in (1280, 390):
        seen = await visit(PATH, scheme=scheme, width=width)
        await opened(seen.page, keys)
        await ask(
            seen.page, 'query a($n: Int = 1) { productList(first: $n, after: "") { length } }'
        )
        await expect(seen.page.locator(".graphiql-response")).to_contain_text("length")
        await seen.page.get_by_role("button", name="Show Documentation Explorer").click()
        assert await weak_contrasts(seen.page) == []
        assert await overflow_px(seen.page) == 0
        seen.assert_clean()


async def test_is_a_plain_form_without_scripts(visit, keys):
    seen = await visit(PATH, java_script_enabled=False)
    page = seen.page
    assert await page.locator("#credential").is_hidden()
    await page.locator("#viewerid").fill(keys[0])
    await page.locator("#accesstoken").fill(keys[1])
    await page.get_by_role("button", name="Run").click()

    await expect(page.locator("#answer + pre")).to_contain_text('"name": "Product ')
    seen.assert_clean()
