"""The shop's own pages: its day on the home page, first steps of a new one, settings with their source."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.shops import add_shop, read_shop_by_id
from crossdock.shop.warehouse import read_sender
from tests.support.factories import ShopFixture, make_partner, make_shop, make_variant
from tests.support.people import hidden_fields
from tests.support.pictures import photo

SETTINGS = "/console/settings"
PROFILE = {
    "name": "Kade", "country": "BE", "languages": "nl, fr", "time_zone": "Europe/Brussels",
    "product_url": "https://shop.example/p/{handle}",
}  # fmt: skip


@pytest.fixture
async def shop(server_database: Database) -> ShopFixture:
    async with server_database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
def staff(person, browser, shop):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "owner"):
        return await browser(await person(role=role, shop_id=shop.id))

    return sign_in


def steps_in(html: str) -> list[bool]:
    """Which steps are done."""
    return [mark == "●" for mark in re.findall(r"<h2><span[^>]*><span[^>]*>(.)</span>", html)]


async def test_a_new_shop_is_led_step_by_step(person, browser, server_database):
    async with server_database.begin() as tx:
        slug = f"new-{(await make_shop(tx)).slug}"[:40]
        new = await add_shop(tx, slug=slug, name="New", currency="EUR", country="BE")
    owner = await browser(await person(role="owner", shop_id=new.id))
    assert "0 of 7 done" in (await owner.get("/console/")).text
    assert steps_in((await owner.get("/console/start")).text) == [False] * 7

    sender = {"company": "New", "street": "Kaai", "house_number": "1", "postcode": "2000",
              "city": "Antwerp", "country": "BE"}  # fmt: skip
    saved = await owner.submit(SETTINGS, sender, to=f"{SETTINGS}/sender")

    assert saved.headers["location"] == f"{SETTINGS}?done=sender"
    assert steps_in((await owner.get("/console/start")).text) == [True] + [False] * 6
    async with server_database.statement() as tx:
        assert (await read_sender(tx, shop_id=new.id)).city == "Antwerp"


async def test_steps_that_are_taken_elsewhere_are_known(staff, shop, server_database):
    async with server_database.begin() as tx:
        await make_variant(tx, shop=shop, own=5)
        await make_partner(tx, shop=shop)

    done = steps_in((await (await staff("manager")).get("/console/start")).text)

    assert done[1:5] == [True, True, True, True]
    assert done[5:] == [False, False]


async def test_the_shop_is_changed_and_a_mistake_is_told(staff, shop, server_database):
    opened = await staff()

    saved = await opened.submit(SETTINGS, PROFILE, to=f"{SETTINGS}/shop")
    wrong = await opened.submit(
        SETTINGS, PROFILE | {"name": "Other", "time_zone": "Mars/Base"}, to=f"{SETTINGS}/shop"
    )

    assert (saved.status_code, wrong.status_code) == (303, 422)
    assert 'value="Other"' in wrong.text
    async with server_database.statement() as tx:
        kept = await read_shop_by_id(tx, shop_id=shop.id)
    assert (kept.name, kept.country, kept.languages) == ("Kade", "BE", ("nl", "fr"))
    assert (kept.time_zone, kept.product_url) == ("Europe/Brussels", PROFILE["product_url"])


async def test_what_is_of_the_whole_server_is_not_for_one_shop_of_several(
    staff, person, server_database
):
    await person(role="owner")  # of another shop
    async with server_database.begin() as tx:
        await tx.run(
            "insert into doctor_runs (done_at, looked_at, differences, checks)"
            " values (now(), 987654, 3, '{}')"
        )
    opened = await staff()
    shown, home = (await opened.get(SETTINGS)).text, (await opened.get("/console/")).text

    assert "Several shops share this server" in shown
    for text in ("CROSSDOCK_", "data_dir", "(set, not shown)"):
        assert text not in shown
    for text in ("Oversold", "Ledger drift", "987,654", "crossdock doctor"):
        assert text not in home


@pytest.mark.parametrize("role", ["manager", "warehouse", "viewer"])
async def test_only_owners_change_settings(staff, role):
    opened = await staff(role)
    assert (await opened.get(SETTINGS)).status_code == 403
    for action in ("shop", "sender"):
        assert (await opened.post(f"{SETTINGS}/{action}", PROFILE)).status_code == 403


async def test_home_shows_the_day_to_every_member_of_staff(staff):
    for role in ("owner", "viewer"):
        shown = await (await staff(role)).get("/console/")
        assert shown.status_code == 200
        for text in ("Orders today", "Outbox lag", "Low stock"):
            assert text in shown.text


async def test_a_logo_is_shown_until_it_is_removed(staff, shop, server_database):
    opened = await staff()
    fields = hidden_fields((await opened.get(SETTINGS)).text)

    async def send(body: bytes, data: dict[str, str] = fields):
        files = {"file": ("logo.png", body)}
        return await opened.client.post(f"{SETTINGS}/logo", data=data, files=files)

    async def logo() -> str:
        async with server_database.statement() as tx:
            return (await read_shop_by_id(tx, shop_id=shop.id)).logo

    saved = await send(photo(240, 120, kind="PNG"))
    kept = await logo()
    page = (await opened.get(SETTINGS)).text
    [address] = re.findall(r'class="logo" src="([^"]+)"', page)
    picture = await opened.get(address)
    refused = [await send(b"no picture"), await send(photo(), {"form_token": "x"})]

    assert (saved.status_code, saved.headers["location"]) == (303, f"{SETTINGS}?done=logo#logo")
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/png"
    assert "immutable" in picture.headers["cache-control"]
    assert [reply.status_code for reply in refused] == [422, 403]
    assert await logo() == kept
    gone = await opened.submit(SETTINGS, {}, to=f"{SETTINGS}/logo/remove")
    assert gone.status_code == 303
    assert await logo() == ""
    assert 'class="logo"' not in (await opened.get(SETTINGS)).text
