"""A person signs in, turns on the second step, loses the phone, and leaves: in a real browser."""

import time

import pytest

from crossdock.db.unit_of_work import Database
from tests.browser.looks import overflow_px, weak_contrasts
from tests.support.people import PASSWORD, PersonFixture, code_at, make_person

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
async def noor(server_database: Database) -> PersonFixture:
    """A manager without a second step."""
    async with server_database.begin() as tx:
        return await make_person(tx, name="Noor Haddad")


async def enter(page, who, *, password=PASSWORD):
    """Fill in the sign-in form and send it."""
    await page.get_by_label("E-mail").fill(who.email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_load_state()


def path_of(page):
    return "/" + page.url.split("/", 3)[3]


@pytest.mark.parametrize("with_scripts", [True, False])
async def test_the_whole_way_works_with_and_without_scripts(visit, noor, with_scripts):
    seen = await visit("/console/account", java_script_enabled=with_scripts)
    page = seen.page
    assert path_of(page) == "/console/sign-in?next=%2Fconsole%2Faccount"

    await enter(page, noor, password="not the one at all")
    assert await page.get_by_role("alert").text_content() == "The e-mail or the password is wrong."
    assert await page.get_by_label("E-mail").input_value() == noor.email
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    assert path_of(page) == "/console/account"

    await page.get_by_role("link", name="Turn on").click()
    assert await page.locator(".qr svg").is_visible()
    secret = (await page.locator("#secret").text_content() or "").replace(" ", "")
    await page.get_by_label("The code it shows now").fill(code_at(time.time(), secret=secret))
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Turn on").click()
    codes = await page.locator(".codes code").all_text_contents()
    assert len(codes) == 10
    await page.get_by_role("button", name="Sign out").click()
    assert await page.get_by_role("status").text_content() == "You are signed out."

    await seen.open("/console/")
    assert path_of(page) == "/console/sign-in"
    await enter(page, noor)
    assert path_of(page) == "/console/sign-in/code"
    await page.get_by_label("Code").fill(codes[4].upper())
    await page.get_by_role("button", name="Go on").click()
    assert path_of(page) == "/console/"
    assert await page.get_by_role("heading", level=1).text_content() == "Hello, Noor Haddad"
    assert await page.get_by_text("9 recovery codes are left.").is_visible()
    assert not [text for text in seen.complaints if "403" not in text]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_the_pages_fit_and_can_be_read(visit, noor, scheme, width):
    seen = await visit("/console/sign-in", width=width, scheme=scheme)
    await check(seen.page)
    await enter(seen.page, noor)
    for path in ("/console/", "/console/account", "/console/account/two-step"):
        assert await seen.open(path) == 200
        await check(seen.page)
        assert await seen.page.locator("h1").count() == 1
    seen.assert_clean()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_a_partners_page_fits_and_can_be_read(visit, server_database, scheme, width):
    async with server_database.begin() as tx:
        robin = await make_person(tx, role="partner", name="Robin Calloway")
    seen = await visit("/console/sign-in", width=width, scheme=scheme)

    await enter(seen.page, robin)

    assert path_of(seen.page) == "/console/"
    assert await seen.page.get_by_text("Never used.").is_visible()
    await check(seen.page)
    seen.assert_clean()


async def test_the_session_cookie_is_out_of_reach_of_scripts(visit, noor):
    seen = await visit("/console/")
    await enter(seen.page, noor)

    cookies = {c["name"]: c for c in await seen.page.context.cookies()}

    assert await seen.page.evaluate("document.cookie") == ""
    assert cookies["crossdock"]["httpOnly"]
    assert cookies["crossdock"]["sameSite"] == "Lax"
    assert cookies["crossdock"]["expires"] == -1


async def test_a_form_of_another_site_changes_nothing(visit, noor, server):
    seen = await visit("/console/")
    await enter(seen.page, noor)
    page = await seen.page.context.new_page()
    # Another site to the browser: localhost is not 127.0.0.1.
    await page.goto(server.url.replace("127.0.0.1", "localhost") + "/robots.txt")
    await page.set_content(
        f'<form method="post" action="{server.url}/console/sign-out"><button>win</button></form>'
    )

    await page.get_by_role("button", name="win").click()
    await page.wait_for_load_state()

    assert await seen.open("/console/") == 200
    assert path_of(seen.page) == "/console/"


async def check(page):
    assert await overflow_px(page) <= 0
    assert await weak_contrasts(page) == []
