"""Changing one's own password and second step over the real server."""

import re
import time
from html import unescape

import pyotp

from tests.support.people import PASSWORD

NEW = "seven grey herons wait"


async def test_a_new_password_signs_everybody_else_out(browser, person):
    noor = await person()
    here, elsewhere = await browser(noor), await browser(noor)

    changed = await here.submit(
        "/console/account",
        {"current": PASSWORD, "new": NEW, "again": NEW},
        to="/console/account/password",
    )

    assert changed.headers["location"] == "/console/account?done=password"
    assert "Your password is changed" in (await here.get("/console/account?done=password")).text
    assert (await elsewhere.get("/console/")).status_code == 303
    assert (await elsewhere.sign_in(noor.email)).status_code == 403
    assert (await elsewhere.sign_in(noor.email, password=NEW)).status_code == 303


async def test_a_new_password_is_refused_with_its_reason(browser, person):
    noor = await browser(await person())

    async def change(current=PASSWORD, new=NEW, again=NEW):
        return await noor.submit(
            "/console/account",
            {"current": current, "new": new, "again": again},
            to="/console/account/password",
        )

    for answer, reason in (
        (await change(again="another"), "are not the same"),
        (await change(new="short", again="short"), "12 to 256 characters"),
        (await change(new="password1234", again="password1234"), "one of the commonest"),
        (await change(current="not this one"), "not your present password"),
    ):
        assert answer.status_code == 422
        assert reason in answer.text
        assert NEW not in answer.text
    assert (await noor.get("/console/")).status_code == 200


async def test_turning_the_second_step_on_and_off(browser, person):
    noor = await person()
    here = await browser(noor)

    offered = await here.get("/console/account/two-step")
    (shown,) = re.findall(r'id="secret">([A-Z2-7 ]+)<', offered.text)
    secret = shown.replace(" ", "")
    assert "<svg" in offered.text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', offered.text))
    fields = {name: unescape(value) for name, value in fields.items()}
    wrong = await here.post(
        "/console/account/two-step", {**fields, "code": "000000", "current": PASSWORD}
    )
    assert wrong.status_code == 422
    assert secret in wrong.text.replace(" ", "")
    on = await here.post(
        "/console/account/two-step",
        {**fields, "code": pyotp.TOTP(secret).at(int(time.time())), "current": PASSWORD},
    )
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", on.text)

    assert on.status_code == 200
    assert len(set(codes)) == 10
    other = await browser()
    first = await other.sign_in(noor.email)
    assert first.headers["location"] == "/console/sign-in/code"
    assert (await other.submit("/console/sign-in/code", {"code": codes[7]})).status_code == 303

    again = await here.submit(
        "/console/account", {"current": PASSWORD}, to="/console/account/recovery-codes"
    )
    assert not set(codes) & set(re.findall(r"<code>([a-z2-7-]{19})</code>", again.text))

    not_yet = await here.submit(
        "/console/account", {"current": "wrong"}, to="/console/account/two-step/off"
    )
    off = await here.submit(
        "/console/account", {"current": PASSWORD}, to="/console/account/two-step/off"
    )
    assert not_yet.status_code == 422
    assert off.headers["location"] == "/console/account?done=two-step-off"
    assert (await (await browser()).sign_in(noor.email)).headers["location"] == "/console/"


async def test_a_name_that_would_be_markup_is_text(browser, person):
    noor = await browser(await person(name="<b>Noor</b> \"&'"))

    for path in ("/console/", "/console/account"):
        text = (await noor.get(path)).text
        assert "<b>Noor" not in text
        assert "&lt;b&gt;Noor&lt;/b&gt;" in text


async def test_words_in_the_address_do_not_reach_the_page(browser, person):
    noor = await browser(await person())

    page = await noor.get("/console/account?done=<script>alert(1)</script>")

    assert "alert(1)" not in page.text
