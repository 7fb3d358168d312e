"""Signing in over the real server: cookies, forms, refusals, and where one lands."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from crossdock.kit.clock import FrozenClock
from tests.support.clocked import clocked
from tests.support.people import PASSWORD, code_at, hidden_fields

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SCRIPTS = (
    "script-src 'nonce-{nonce}'; connect-src 'self'; require-trusted-types-for 'script'; "
    "trusted-types htmx; "
)


async def test_the_way_in_and_out(browser, person):
    noor = await person(name="Noor Haddad")
    visitor = await browser()

    turned_away = await visitor.get("/console/")
    assert (turned_away.status_code, turned_away.headers["location"]) == (303, "/console/sign-in")
    entered = await visitor.sign_in(noor.email)
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/")
    home = await visitor.get("/console/")
    assert home.status_code == 200
    assert "Noor Haddad" in home.text
    assert "print labels" in home.text
    assert "manage users and roles" not in home.text
    token = visitor.cookie

    left = await visitor.submit("/console/", {}, to="/console/sign-out")

    assert (left.status_code, left.headers["location"]) == (303, "/console/sign-in?left=1")
    assert visitor.cookie == ""
    visitor.client.cookies.set("crossdock", token)
    assert (await visitor.get("/console/")).status_code == 303


async def test_every_page_is_private_uncached_and_runs_its_own_scripts_alone(browser, person):
    noor = await browser(await person(with_totp=False))
    visitor = await browser()

    for who, path in (
        (visitor, "/console/sign-in"),
        (noor, "/console/"),
        (noor, "/console/account"),
        (noor, "/console/account/two-step"),
    ):
        page = await who.get(path)
        assert page.status_code == 200
        policy, nonce = page.headers["content-security-policy"], ""
        if who is noor:
            (nonce,) = re.findall("script-src 'nonce-([A-Za-z0-9]{22})'; ", policy)
            policy = policy.replace(SCRIPTS.format(nonce=nonce), "")
        assert policy == POLICY
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "etag" not in page.headers
        text = re.sub(
            rf'<script src="/static/[^"]+" nonce="{nonce}" defer></script>', "", page.text
        )
        assert not re.search(r"<script|<style|\son\w+=|\sstyle=|javascript:", text)


async def test_the_cookie_is_for_this_host_and_no_script(browser, person):
    noor = await person()
    visitor = await browser()

    opened = await visitor.get("/console/sign-in")
    entered = await visitor.sign_in(noor.email)

    form = opened.headers["set-cookie"]
    assert re.fullmatch(r"crossdock_form=\w{43}; Path=/; HttpOnly; SameSite=Lax", form)
    session = entered.headers["set-cookie"]
    assert re.fullmatch(r"crossdock=\w{43}; Path=/; HttpOnly; SameSite=Lax", session)


async def test_behind_https_every_cookie_is_secure_and_of_this_host(
    database, database_url, tmp_path, browser
):
    async with clocked(
        database_url=database_url,
        data_dir=str(tmp_path),
        clock=FrozenClock(datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        public_url="https://shop.example",
    ) as served:
        visitor = await browser(url=served.url)
        opened = await visitor.get("/console/sign-in")

    assert re.fullmatch(
        r"__Host-crossdock_form=\w{43}; Path=/; HttpOnly; SameSite=Lax; Secure",
        opened.headers["set-cookie"],
    )


async def test_unknown_e_mail_and_wrong_password_get_the_same_page(browser, person):
    noor = await person()
    visitor = await browser()

    wrong = await visitor.sign_in(noor.email, password="not the one")
    unknown = await visitor.sign_in("x" + noor.email, password="not the one")

    assert wrong.status_code == unknown.status_code == 403
    assert "The e-mail or the password is wrong." in wrong.text
    assert unknown.text.replace("x" + noor.email, noor.email) == wrong.text
    assert visitor.cookie == ""


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/console/account", "/console/account"),
        ("/docs/?q=1", "/docs/?q=1"),
        ("https://evil.example/", "/console/"),
        ("//evil.example/", "/console/"),
        ("/\\evil.example/", "/console/"),
        ("/\t/evil.example", "/console/"),
        ("javascript:alert(1)", "/console/"),
    ],
)
async def test_next_leads_to_this_server_alone(browser, person, wanted, location):
    noor = await person()
    visitor = await browser()

    by_link = await visitor.sign_in(noor.email, wanted=wanted)
    already_in = await visitor.get("/console/sign-in", params={"next": wanted})
    other = await browser()
    by_field = await other.submit(
        "/console/sign-in", {"email": noor.email, "password": PASSWORD, "next": wanted}
    )

    assert by_link.headers["location"] == location
    assert by_field.headers["location"] == location
    assert (already_in.status_code, already_in.headers["location"]) == (303, location)


async def test_a_page_that_needs_somebody_leads_back_with_its_query(browser, person):
    noor = await person()
    visitor = await browser()

    away = await visitor.get("/console/account?done=password")
    location = away.headers["location"]
    back = await visitor.submit(location, {"email": noor.email, "password": PASSWORD})

    assert location == "/console/sign-in?next=%2Fconsole%2Faccount%3Fdone%3Dpassword"
    assert back.headers["location"] == "/console/account?done=password"


async def test_a_token_planted_before_the_sign_in_is_not_used_after_it(browser, person):
    attacker = await browser(await person())
    victim, planted = await browser(), attacker.cookie
    victim.client.cookies.set("crossdock", planted)

    opened = await victim.get("/console/account")
    assert opened.status_code == 200  # the attacker's own session, as far as it goes
    fields = hidden_fields((await (await browser()).get("/console/sign-in")).text)
    forged = await victim.post(
        "/console/sign-in", {**fields, "email": "x@x.example", "password": PASSWORD}
    )
    assert forged.status_code == 403

    victim.client.cookies.clear()
    victim.client.cookies.set("crossdock", "A" * 43)
    noor = await person()
    await victim.sign_in(noor.email)
    assert "A" * 43 not in [c.value for c in victim.client.cookies.jar if c.name == "crossdock"][-1]
    thief = await browser()
    thief.client.cookies.set("crossdock", "A" * 43)
    assert (await thief.get("/console/")).status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/console/sign-out",
        "/console/account/password",
        "/console/account/two-step",
        "/console/account/two-step/off",
        "/console/account/recovery-codes",
    ],
)
async def test_a_form_without_the_sessions_token_does_nothing(browser, person, path):
    noor = await person(with_totp=False)
    victim, attacker = await browser(noor), await browser(await person())
    foreign = hidden_fields((await attacker.get("/console/account")).text)["form_token"]
    fields = {"current": PASSWORD, "new": "seven grey herons wait"}
    fields |= {"again": fields["new"]}

    for token in ({}, {"form_token": ""}, {"form_token": foreign}, {"form_token": "é"}):
        refused = await victim.post(path, {**fields, **token})
        assert refused.status_code == 403
        assert "too old" in refused.text
    assert (await victim.get("/console/")).status_code == 200
    assert (await (await browser()).sign_in(noor.email)).status_code == 303


async def test_a_form_from_another_site_is_refused_even_with_the_token(browser, person):
    noor = await browser(await person())
    fields = hidden_fields((await noor.get("/console/")).text)

    for site in ("cross-site", "same-site"):
        refused = await noor.post("/console/sign-out", fields, headers={"Sec-Fetch-Site": site})
        assert refused.status_code == 403
    left = await noor.post("/console/sign-out", fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert left.status_code == 303


async def test_a_sign_out_that_comes_without_the_cookie_takes_no_cookie_away(browser):
    visitor = await browser()

    answer = await visitor.post("/console/sign-out", {})

    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("cookie", [None, "", "B" * 43])
async def test_a_sign_in_form_without_its_own_cookie_is_refused(browser, person, cookie):
    noor = await person()
    visitor = await browser()
    fields = hidden_fields((await visitor.get("/console/sign-in")).text)
    visitor.client.cookies.clear()
    if cookie is not None:
        visitor.client.cookies.set("crossdock_form", cookie)

    refused = await visitor.post(
        "/console/sign-in", {**fields, "email": noor.email, "password": PASSWORD}
    )

    assert refused.status_code == 403
    assert "open too long" in refused.text
    assert visitor.cookie == ""


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"%", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=\x00&email=%00", "application/x-www-form-urlencoded"),
        (b'{"email": "a"}', "application/json"),
        (b"--x--", "multipart/form-data; boundary=x"),
        (b"email=a", "text/plain"),
        (b"email=a", ""),
    ],
)
async def test_a_malformed_form_is_a_refusal_and_no_fault(browser, content, kind):
    visitor = await browser()

    answer = await visitor.client.post(
        "/console/sign-in", content=content, headers={"Content-Type": kind}
    )

    assert answer.status_code == 403


async def test_what_cannot_be_an_address_is_an_ordinary_wrong_pair(browser):
    visitor = await browser()

    for email in ("\x00", "a\x00@x.example", "' or 1=1 --", "é" * 5_000, "<script>@x.example"):
        wrong = await visitor.sign_in(email)
        assert wrong.status_code == 403
        assert "<script>" not in wrong.text
    assert (await visitor.sign_in("a@x.example", password="\x00" * 50)).status_code == 403


async def test_guessing_is_held_back_with_the_time_to_wait(browser, person):
    noor = await person()
    guesser, elsewhere = await browser(), await browser()

    for number in range(5):
        assert (await guesser.sign_in(noor.email, password=f"guess {number}")).status_code == 403
    held = await guesser.sign_in(noor.email, password=PASSWORD)
    also = await elsewhere.sign_in(noor.email, password=PASSWORD)
    other = await elsewhere.sign_in((await person()).email)

    assert held.status_code == also.status_code == 429
    assert 1 <= int(held.headers["retry-after"]) <= 4
    assert "Too many attempts" in held.text
    assert guesser.cookie == ""
    assert other.status_code == 303


async def test_an_account_that_does_not_exist_is_held_back_alike(browser, person):
    noor = await person()
    guesser = await browser()

    for number in range(5):
        await guesser.sign_in("x" + noor.email, password=f"guess {number}")
    held = await guesser.sign_in("x" + noor.email)

    assert held.status_code == 429


async def test_one_source_has_thirty_failures_over_all_accounts(browser, person, server_database):
    guesser = await browser()
    fields = hidden_fields((await guesser.get("/console/sign-in")).text)

    async def guess(number):
        values = {**fields, "email": f"no{number}-{guesser.client.headers['x-forwarded-for']}@x"}
        return (await guesser.post("/console/sign-in", {**values, "password": "x"})).status_code

    codes = [await guess(number) for number in range(32)]

    assert codes[:30] == [403] * 30
    assert 429 in codes[30:]


async def test_the_second_step(browser, person):
    noor = await person(with_totp=True)
    visitor = await browser()

    first = await visitor.sign_in(noor.email, wanted="/console/account")
    half = visitor.cookie
    assert first.headers["location"] == "/console/sign-in/code?next=%2Fconsole%2Faccount"
    assert (await visitor.get("/console/account")).status_code == 303
    wrong = await visitor.submit("/console/sign-in/code", {"code": "12345"})
    assert wrong.status_code == 403
    code = code_at(time.time())
    done = await visitor.submit(first.headers["location"], {"code": code})

    assert (done.status_code, done.headers["location"]) == (303, "/console/account")
    assert visitor.cookie != half
    assert (await visitor.get("/console/account")).status_code == 200
    again = await browser()
    await again.sign_in(noor.email)
    assert (await again.submit("/console/sign-in/code", {"code": code})).status_code == 403
    with_paper = await again.submit("/console/sign-in/code", {"code": noor.recovery_codes[0]})
    assert with_paper.status_code == 303
    third = await browser()
    await third.sign_in(noor.email)
    used = await third.submit("/console/sign-in/code", {"code": noor.recovery_codes[0]})
    assert used.status_code == 403


async def test_the_code_page_is_for_people_between_two_steps(browser, person):
    visitor, noor = await browser(), await browser(await person())

    nobody = await visitor.get("/console/sign-in/code")
    posted = await visitor.post("/console/sign-in/code", {"code": "123456"})
    signed_in = await noor.get("/console/sign-in/code?next=/docs/")

    assert nobody.headers["location"] == posted.headers["location"] == "/console/sign-in"
    assert signed_in.headers["location"] == "/docs/"


async def test_a_code_without_the_forms_token_is_refused(browser, person):
    noor = await person(with_totp=True)
    visitor = await browser()
    await visitor.sign_in(noor.email)

    refused = await visitor.post("/console/sign-in/code", {"code": code_at(time.time())})

    assert refused.status_code == 403
    assert (await visitor.get("/console/")).status_code == 303


async def test_a_session_of_yesterday_leads_to_sign_in(browser, person, server_database):
    noor = await person()
    visitor = await browser(noor)

    async with server_database.begin() as tx:
        await tx.run(
            "update sessions set seen_at = seen_at - %s where principal_id = %s",
            (timedelta(hours=1), noor.id),
        )

    assert (await visitor.get("/console/")).status_code == 303
    lost = await visitor.post("/console/account/password", {"current": PASSWORD})
    assert lost.headers["location"] == "/console/sign-in?next=%2Fconsole%2Faccount"


async def test_the_log_names_the_person_and_hides_the_rest(browser, person, server):
    noor = await person(email=f"quentin-{id(object())}@hidden.example")
    visitor = await browser()
    await visitor.sign_in(noor.email, password="marmalade-on-the-log")
    await visitor.sign_in(noor.email)

    log = server.log()

    assert f"person={noor.id}" in log
    assert "q…@hidden.example" in log
    for secret in (noor.email, "marmalade", PASSWORD, visitor.cookie):
        assert secret not in log


@pytest.mark.parametrize("path", ["/console/sign-out", "/console/account/password"])
async def test_what_changes_something_is_never_a_get(browser, person, path):
    noor = await browser(await person())

    assert (await noor.get(path)).status_code == 405
    assert (await noor.get("/console/")).status_code == 200


@pytest.mark.parametrize(
    "path", ["/console/sign-in", "/console/account/password", "/console/alerts"]
)
async def test_a_form_of_too_many_fields_is_refused_in_words(browser, person, path):
    noor = await browser(await person())

    answer = await noor.post(path, {f"f{number}": "x" for number in range(51)})

    assert answer.status_code == 400
    assert "at most 50 fields" in answer.text
