"""The pages of people: owners invite, give roles, reset, end sessions, and read what was done."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.people import find_person, set_password_hash
from tests.support.factories import ShopFixture, make_shop
from tests.support.people import PASSWORD

PEOPLE = "/console/people"
CHOSEN = "seven grey herons wading"


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


def link_in(html: str) -> str:
    (path,) = re.findall(r"(/console/welcome/token/[A-Za-z0-9]+)", html)
    return path


async def test_an_invited_person_chooses_a_password_once_and_signs_in(
    staff, browser, shop, server_database
):
    owner, guest = await staff(), await browser()
    email = f"ada-{shop.slug}@shop.example"

    invited = await owner.submit(
        f"{PEOPLE}/invite", {"email": email, "name": "Ada", "role": "warehouse"}
    )
    link = link_in(invited.text)
    assert (await guest.sign_in(email, password=PASSWORD)).status_code == 403
    weak = await guest.submit(link, {"password": "password1234", "again": "password1234"})
    unequal = await guest.submit(link, {"password": CHOSEN, "again": CHOSEN.upper()})
    done = await guest.submit(link, {"password": CHOSEN, "again": CHOSEN})

    assert (weak.status_code, unequal.status_code) == (422, 422)
    assert done.headers["location"] == "/console/sign-in?chosen=1"
    assert (await guest.get(link)).status_code == 404
    assert (await guest.sign_in(email, password=CHOSEN)).status_code == 303
    async with server_database.statement() as tx:
        ada = await find_person(tx, email=email)
    assert (ada.role, ada.shop_id, ada.name) == ("warehouse", shop.id, "Ada")
    again = await owner.submit(f"{PEOPLE}/invite", {"email": email, "role": "viewer"})
    assert again.status_code == 422
    assert "already" in again.text


async def test_a_reset_ends_the_password_and_every_session(staff, browser, person, shop):
    owner, bo = await staff(), await person(role="viewer", shop_id=shop.id)
    signed_in = await browser(bo)
    here = f"{PEOPLE}/{bo.id}"

    asked = await owner.get(f"{here}/password")
    shown = await owner.submit(f"{here}/password", {})

    assert "cannot be undone" in asked.text
    assert (await signed_in.get("/console/")).status_code == 303
    assert (await signed_in.sign_in(bo.email)).status_code == 403
    done = await signed_in.submit(link_in(shown.text), {"password": CHOSEN, "again": CHOSEN})
    assert done.status_code == 303
    assert (await signed_in.sign_in(bo.email, password=CHOSEN)).status_code == 303


async def test_a_newer_link_ends_the_one_before(staff, browser, person, shop):
    owner, bo = await staff(), await person(role="viewer", shop_id=shop.id)
    guest, here = await browser(), f"{PEOPLE}/{bo.id}/password"

    first = link_in((await owner.submit(here, {})).text)
    second = link_in((await owner.submit(here, {})).text)

    assert (await guest.get(first)).status_code == 404
    assert (await guest.get(second)).status_code == 200


async def test_role_second_step_access_and_sessions_are_changed(staff, browser, person, shop):
    owner = await staff()
    bo = await person(role="viewer", shop_id=shop.id, with_totp=True)
    here = f"{PEOPLE}/{bo.id}"

    role = await owner.submit(here, {"role": "manager"}, to=f"{here}/role")
    step = await owner.submit(f"{here}/second-step", {})
    signed_in = await browser(bo)
    assert (await signed_in.get("/console/partners")).status_code == 200
    page = await owner.get(here)
    ended = await owner.submit_surely(
        here, {"session": re.findall(r'name="session" value="([0-9a-f]{64})"', page.text)[0]},
        to=f"{here}/sessions",
    )  # fmt: skip
    assert (await signed_in.get("/console/partners")).status_code == 303
    off = await owner.submit(here, {"on": "no"}, to=f"{here}/access")
    refused = await signed_in.sign_in(bo.email)
    on = await owner.submit(here, {"on": "yes"}, to=f"{here}/access")

    assert [reply.headers["location"].partition("=")[2] for reply in (role, step, ended, off, on)] == [
        "role", "second-step", "session", "off", "on",
    ]  # fmt: skip
    assert refused.status_code == 403
    assert (await signed_in.sign_in(bo.email)).status_code == 303


async def test_the_last_owner_stays(staff, person, browser, shop):
    ada = await person(role="owner", shop_id=shop.id)
    owner, here = await browser(ada), f"{PEOPLE}/{ada.id}"

    for action, fields in (("role", {"role": "viewer"}), ("access", {"on": "no"})):
        reply = await owner.submit(here, fields, to=f"{here}/{action}")
        assert reply.status_code == 403
        assert "last owner" in reply.text


@pytest.mark.parametrize("role", ["manager", "warehouse", "viewer"])
async def test_who_does_not_manage_people_sees_and_does_nothing(staff, person, shop, role):
    opened, bo = await staff(role), await person(role="viewer", shop_id=shop.id)
    for path in (PEOPLE, f"{PEOPLE}/invite", f"{PEOPLE}/{bo.id}", "/console/log"):
        assert (await opened.get(path)).status_code == 403
    for action in ("role", "password", "second-step", "access", "sessions"):
        assert (await opened.post(f"{PEOPLE}/{bo.id}/{action}", {})).status_code == 403


async def test_another_shops_people_are_not_there(staff, person):
    owner, stranger = await staff(), await person(role="viewer")

    assert stranger.email not in (await owner.get(PEOPLE)).text
    for path in ("", "/password", "/second-step"):
        assert (await owner.get(f"{PEOPLE}/{stranger.id}{path}")).status_code == 404
    fields = {"role": "owner", "on": "no"}
    for action in ("role", "password", "second-step", "access", "sessions"):
        reply = await owner.submit(PEOPLE, fields, to=f"{PEOPLE}/{stranger.id}/{action}")
        assert reply.status_code == 404


async def test_what_was_done_is_in_the_log_without_secrets(staff, person, shop, browser):
    ada = await person(role="owner", shop_id=shop.id)
    owner, bo = await browser(ada), await person(role="viewer", shop_id=shop.id)
    here = f"{PEOPLE}/{bo.id}"
    await owner.submit(here, {"role": "warehouse"}, to=f"{here}/role")
    await owner.submit(
        "/console/account",
        {"current": PASSWORD, "new": CHOSEN, "again": CHOSEN},
        to="/console/account/password",
    )
    refused = await owner.submit(here, {"role": "root"}, to=f"{here}/role")
    assert refused.status_code == 400

    log = (await owner.get("/console/log")).text
    of_people = (await owner.get(f"/console/log?area=/console/people&who={ada.email}")).text

    assert "role: warehouse" in log
    assert "<strong>Change the password</strong>" in log
    assert "root" not in log
    assert CHOSEN not in log
    assert PASSWORD not in log
    assert f'<a href="{here}">Person {bo.id}</a>' in of_people
    assert "<strong>Change the password</strong>" not in of_people
    assert "Nothing matches" in (await owner.get("/console/log?who=nobody@x.example")).text


async def test_a_mail_that_opens_an_account_is_for_owners(staff, shop, server_database, person):
    owner, manager = await staff(), await staff("manager")
    bo = await person(role="viewer", shop_id=shop.id)
    asked = (await owner.get(f"{PEOPLE}/{bo.id}/password")).text
    done = await owner.submit(f"{PEOPLE}/{bo.id}/password", {"by_mail": "yes"})
    assert 'name="by_mail"' not in asked
    assert "on its way by mail" not in done.text
    assert "Hand it to" in done.text
    async with server_database.statement() as tx:
        mail = await tx.value("select id from mails where shop_id = %s", (shop.id,))

    assert "/console/welcome/token/" not in (await manager.get(f"/console/mail/{mail}")).text
    assert "/console/welcome/token/" in (await owner.get(f"/console/mail/{mail}")).text


async def test_fields_that_no_page_has_push_nothing_out_of_the_log(staff, person, shop):
    owner, bo = await staff(), await person(role="viewer", shop_id=shop.id)
    here = f"{PEOPLE}/{bo.id}"
    junk = {f"junk{n}": "x" for n in range(40)}
    done = await owner.submit(here, junk | {"role": "owner"}, to=f"{here}/role")

    assert done.status_code == 303
    assert "role: owner" in (await owner.get("/console/log")).text


async def test_a_link_ends_with_a_newer_password_and_with_a_refusal_of_sign_in(
    staff, browser, person, shop, server_database
):
    owner, guest = await staff(), await browser()
    for end in ("access", "password by command"):
        bo = await person(role="viewer", shop_id=shop.id)
        here = f"{PEOPLE}/{bo.id}"
        link = link_in((await owner.submit(f"{here}/password", {})).text)
        if end == "access":
            for on in ("no", "yes"):
                await owner.submit(here, {"on": on}, to=f"{here}/access")
        else:
            async with server_database.begin() as tx:
                await set_password_hash(tx, person_id=bo.id, password_hash="x" * 20)
        assert (await guest.get(link)).status_code == 404, end


async def test_the_days_of_the_log_are_the_shops(staff, shop, server_database):
    owner = await staff()
    async with server_database.begin() as tx:
        await tx.run(
            """insert into acts (shop_id, actor, act, subject, details, source, done_at)
               values (%s, 'ada@x.example', 'crossdock stock receive', 'HERON-1', '{}', '',
                       '2026-03-01T23:30:00Z')""",
            (shop.id,),
        )

    async def is_on(day: str) -> bool:
        return "HERON-1" in (await owner.get(f"/console/log?since={day}&until={day}")).text

    assert await is_on("2026-03-02")
    assert not await is_on("2026-03-01")


async def test_the_log_can_be_read_by_every_area_that_staff_change(staff):
    page = (await (await staff()).get("/console/log")).text
    for area in ("imports", "deliveries", "endpoints", "payouts", "tickets", "alerts"):
        assert f'<option value="/console/{area}"' in page
