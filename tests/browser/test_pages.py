"""The pages in a real browser: they say what they should, look after everyone, and keep to themselves."""

import asyncio

import pytest
from playwright.async_api import Locator

from tests.browser.looks import overflow_px, tab_stops, table_widths, weak_contrasts
from tests.support.factories import make_partner, make_shop

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PUBLIC = (
    "/",
    "/docs/",
    "/docs/start",
    "/docs/search?q=master+key",
    "/docs/channels/shoppex_partner",
    "/docs/api/shoppex_partner",
    "/docs/channels/shoppable",
    "/docs/channels/shoppo",
    "/docs/channels/shoppex_reseller",
    "/docs/reference/shoppex_reseller_errors",
    "/console/partner",
    "/docs/api/shoppable",
    "/docs/reference/settings",
    "/docs/shoppex_partner/explain",
)


async def test_the_landing_page_lists_the_channels_and_their_documents(visit):
    seen = await visit("/")

    assert await seen.page.title() == "Crossdock: one shop, many doors"
    assert await seen.page.get_by_text("database ready").is_visible()
    await seen.page.get_by_role("link", name="Partner's guide").first.click()
    assert seen.page.url.endswith("/docs/channels/shoppex_partner")
    seen.assert_clean()


async def test_every_page_of_the_side_list_opens(visit):
    seen = await visit("/docs/")
    links = await seen.page.locator(".side a").evaluate_all(
        "all => all.map(a => a.getAttribute('href'))"
    )

    assert len(links) > 20
    for link in links:
        assert await seen.open(link) == 200, link
        assert await seen.page.locator("h1:visible").count() == 1, link
    seen.assert_clean()


async def test_no_link_between_the_guides_is_dead(visit):
    seen = await visit("/docs/")
    pages = await seen.page.locator(".side a").evaluate_all("all => all.map(a => a.href)")
    links = set()
    for page in pages:
        await seen.page.goto(page)
        links |= set(
            await seen.page.locator(".text a:not(#reference a)").evaluate_all(
                "all => all.map(a => a.href)"
            )
        )
    own = {link for link in links if link.startswith(pages[0].rpartition("/docs/")[0])}
    anchors: dict[str, set[str]] = {}
    for link in own:
        page, _, anchor = link.partition("#")
        anchors.setdefault(page, set()).update({anchor} - {""})
    for page, wanted in sorted(anchors.items()):
        reply = await seen.page.request.get(page)
        assert reply.status == 200, page
        if wanted:
            await seen.page.goto(page)
            ids = await seen.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
            assert {anchor: ids.count(anchor) for anchor in wanted} == dict.fromkeys(wanted, 1), (
                page
            )


async def test_the_reference_shows_both_operations_with_fields_and_answers(visit):
    seen = await visit("/docs/api/shoppex_partner")
    await seen.page.locator(".opblock").nth(1).wait_for()

    assert await seen.page.locator(".opblock").count() == 2
    create = seen.page.locator(".opblock-post")
    await create.get_by_text("/wp-json/shoppex-integrations/v1/create-order").click()
    await create.get_by_text("id_order_partner", exact=True).first.wait_for()
    await create.get_by_text("partner_order_already_exists").first.wait_for()
    assert await create.get_by_text("For people.").count() > 5
    assert await weak_contrasts(seen.page) == []
    for width in (320, 768):
        await seen.page.set_viewport_size({"width": width, "height": 800})
        assert await overflow_px(seen.page) == 0, width
    seen.assert_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_reference_can_be_read_by_night_and_opens_with_the_keyboard(visit, scheme):
    seen = await visit("/docs/api/shopwedo", scheme=scheme)
    head = seen.page.locator(".opblock-summary-control").nth(1)
    await head.wait_for()

    await head.focus()
    await seen.page.keyboard.press("Enter")

    await seen.page.get_by_text("shipping_company", exact=True).first.wait_for()
    assert await weak_contrasts(seen.page) == []
    seen.assert_clean()


async def test_the_reference_without_javascript_leads_to_the_document(visit):
    seen = await visit("/docs/api/shoppex_partner", java_script_enabled=False)

    await seen.page.locator("noscript").get_by_role("link", name="OpenAPI document").click()

    assert seen.page.url.endswith("/docs/api/shoppex_partner/openapi.json")
    seen.assert_clean()


async def test_a_signed_call_is_sent_from_the_reference(visit, client):
    partner, _ = client
    seen = await visit("/docs/api/shoppex_partner")
    await seen.page.get_by_label("Partner key").fill(partner.key)
    await seen.page.get_by_label("Partner secret").fill(partner.secret)

    status = await _send(seen.page.locator(".opblock-get"))

    assert status == "200"
    assert await seen.page.get_by_text("import httpx").count() == 0
    await seen.page.locator(".request-snippets").get_by_text("Python", exact=True).click()
    await seen.page.get_by_text("import httpx").wait_for()
    seen.assert_clean()


async def test_a_call_with_a_token_in_its_body_is_sent_from_the_reference(visit, server_database):
    async with server_database.begin() as tx:
        made = await make_partner(tx, shop=await make_shop(tx), channel="shopwedo", key="4711")
    seen = await visit("/docs/api/shopwedo")
    await seen.page.get_by_label("Shop id").fill(made.key)
    await seen.page.get_by_label("Shop key").fill(made.secret)

    assert await _send(seen.page.locator("#operations-default-authTest")) == "202"
    seen.assert_clean()


async def test_the_reference_has_a_command_for_each_operation(visit):
    seen = await visit("/docs/api/shoppex_reseller")
    operation = seen.page.locator("#operations-default-createCoupon")
    await operation.locator(".opblock-summary-control").click()

    sample = await operation.locator(".renderedMarkdown pre").inner_text()

    assert sample.startswith("curl -X POST 'http://")
    assert "-H 'Authorization: Bearer ...'" in sample
    assert '"code":"..."' in sample
    seen.assert_clean()


async def _send(operation: Locator) -> str:
    """Open the operation, send its example, and return the status of the answer."""
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_role("button", name="Execute").click()
    answered = operation.locator(".live-responses-table .response .response-col_status")
    await answered.wait_for()
    return (await answered.inner_text()).strip()


async def test_code_can_be_copied(visit):
    seen = await visit(
        "/docs/channels/shoppex_partner", permissions=["clipboard-read", "clipboard-write"]
    )
    block = seen.page.locator(".code").first

    await block.get_by_role("button", name="Copy").click()

    await block.get_by_role("button", name="Copied").wait_for(timeout=5_000)
    assert "BODY_HASH" in await seen.page.evaluate("navigator.clipboard.readText()")


async def test_the_order_page_shows_the_whole_order_and_nothing_runs_in_it(visit, placed):
    seen = await visit(placed.path)
    text = await seen.page.locator("main").inner_text()

    for part in (
        f"Order {placed.number}",
        "Partner order ID\nPO-2026-0117",
        "Ada Moreno\nMiami",
        "Napkins <b>white</b>",
        "$24.50",
        "$37.80",
        "$3,897.00",
        "$3,959.30 USD",
        "<script>document.title = 'taken'</script>",
    ):
        assert part in text
    assert await seen.page.title() == f"Order {placed.number} · Test shop"
    assert await seen.page.locator("[aria-current=step]").inner_text() == "Processing"
    loaded = (
        "() => [...document.querySelectorAll('.lines img')].filter(i => i.naturalWidth > 0).length"
    )
    # Not wait_for_function: it waits by a script in the page, which the page's policy refuses.
    async with asyncio.timeout(10):
        while await seen.page.evaluate(loaded) != 2:
            await asyncio.sleep(0.02)
    seen.assert_clean()


async def test_a_wrong_order_link_says_so_and_no_more(visit, placed):
    seen = await visit(placed.path + "x")

    assert await seen.page.locator("h1").inner_text() == "Order not found"
    assert placed.number not in await seen.page.content()


async def test_the_parcel_page_tells_how_far_it_is_with_and_without_scripts(visit, parcel):
    for with_scripts in (True, False):
        seen = await visit(parcel, java_script_enabled=with_scripts)

        assert (
            await seen.page.title() == f"Parcel {parcel.rpartition('/')[2]}: On its way · Test shop"
        )
        assert await seen.page.locator("[aria-current=step]").inner_text() == "On its way"
        sights = await seen.page.locator(".journey strong").all_inner_texts()
        assert sights == ["The label was made.", "The parcel was collected.", "The parcel is on its way."]  # fmt: skip
        assert await seen.page.get_by_text("Mechelen, Belgium").is_visible()
        seen.assert_clean()


async def test_a_wrong_tracking_number_says_so_and_no_more(visit, parcel):
    seen = await visit(parcel + "X")

    assert await seen.page.locator("h1").inner_text() == "Parcel not found"
    assert parcel not in await seen.page.content()


async def test_the_explainer_finds_a_wrong_route_without_javascript(visit, client):
    partner, _ = client
    wrong = "/wp-json/shoppex-integrations/v1/products"
    headers = partner.signed("GET", route=wrong)
    seen = await visit("/docs/shoppex_partner/explain", java_script_enabled=False)

    for name in ("key", "timestamp", "nonce", "signature"):
        await seen.page.fill(f"#{name}", headers[f"X-Shoppex-{name.title()}"])
    await seen.page.get_by_role("button", name="Explain").click()

    text = await seen.page.locator("main").inner_text()
    assert "This request would be refused now: partner_auth_invalid_signature" in text
    assert "The signed route begins with /wp-json." in text
    assert f"GET\\n\n/shoppex-integrations/v1/products\\n\n{headers['X-Shoppex-Timestamp']}" in text
    assert partner.secret not in await seen.page.content()
    assert partner.signed("GET", timestamp=headers["X-Shoppex-Timestamp"],
                          nonce=headers["X-Shoppex-Nonce"])["X-Shoppex-Signature"] not in text  # fmt: skip
    seen.assert_clean()


async def test_the_explainer_accepts_a_right_request_and_spends_nothing(visit, client):
    partner, variants = client
    body = f'{{"items":[{{"product_id":{variants[0]},"quantity":1}}],\n"id_order_partner":"PO"}}'
    headers = partner.signed("POST", body=body.encode())
    seen = await visit("/docs/shoppex_partner/explain")

    for _ in range(2):
        await seen.page.select_option("#method", "POST")
        for name in ("key", "timestamp", "nonce", "signature"):
            await seen.page.fill(f"#{name}", headers[f"X-Shoppex-{name.title()}"])
        await seen.page.fill("#body", body)
        await seen.page.get_by_role("button", name="Explain").click()
        assert await seen.page.get_by_text("would be accepted now").is_visible()
    seen.assert_clean()


async def test_a_missing_page_helps_people_and_answers_programs_in_json(visit):
    seen = await visit("/no/such/page")

    assert await seen.page.get_by_role("heading", name="There is nothing").is_visible()
    reply = await seen.page.request.get(seen.page.url, headers={"Accept": "application/json"})
    assert (reply.status, (await reply.json())["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", PUBLIC)
async def test_a_narrow_screen_needs_no_sideways_scrolling(visit, path):
    for width in (320, 375, 768):
        seen = await visit(path, width=width)
        assert await overflow_px(seen.page) == 0, width


async def test_a_table_of_two_columns_wraps_on_a_narrow_screen_and_a_wider_one_scrolls(visit):
    seen = await visit("/docs/channels/shoppo", width=390)
    widths = await table_widths(seen.page)
    assert {columns > 2 for columns, _, _ in widths} == {True, False}
    for columns, width, shown in widths:
        assert (width > shown) == (columns > 2)
    last = seen.page.locator(".scroll:has(th:nth-child(3)) td:last-child").first
    await last.scroll_into_view_if_needed()
    box = await last.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390


async def test_the_order_and_the_parcel_page_fit_a_narrow_screen(visit, placed, parcel):
    for path in (placed.path, parcel, parcel + "X"):
        for width in (320, 375):
            seen = await visit(path, width=width)
            assert await overflow_px(seen.page) == 0, (path, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read(visit, placed, parcel, scheme):
    for path in (*PUBLIC, placed.path, parcel, parcel + "X", "/no/such/page"):
        seen = await visit(path, scheme=scheme)
        assert await weak_contrasts(seen.page) == [], path


async def test_the_keyboard_reaches_everything_and_can_skip_the_head(visit):
    seen = await visit("/docs/channels/shoppex_partner")
    assert (await tab_stops(seen.page, count=3))[:3] == [
        "Skip to the content",
        "Crossdock",
        "Documentation",
    ]

    seen = await visit("/docs/shoppex_partner/explain")
    stops = await tab_stops(seen.page, count=10)
    assert stops[3:] == ["method", "key", "timestamp", "nonce", "signature", "body", "newlines"]


async def test_a_printed_order_has_no_chrome_around_it(visit, placed):
    seen = await visit(placed.path)
    await seen.page.emulate_media(media="print")

    assert not await seen.page.locator(".foot").is_visible()
    assert await seen.page.locator(".sums").is_visible()
