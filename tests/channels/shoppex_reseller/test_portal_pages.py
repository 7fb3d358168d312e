"""The portal's pages..."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support.people import PASSWORD, PlainBrowser, make_person
from tests.support.portal import invitation, joined
from tests.support.reseller_client import CHANNEL
from tests.support.reselling import Reselling


@pytest.fixture
async def selling(desk_database, desk_server) -> Reselling:
    return await Reselling.open(
        desk_database, desk_server.clock, channel=CHANNEL, terms_url="https://shop.example/terms"
    )


@pytest.fixture
async def browser(desk_server) -> AsyncIterator[PlainBrowser]:
    async with PlainBrowser(desk_server.url) as opened:
        yield opened


def page_of(token: str) -> str:
    return f"/portal/invite/token/{token}"


async def test_show_the_terms_before_they_are_accepted(selling, browser):
    email, token = await invitation(selling, mode="both", commission_bp=3000, discount_bp=1250)
    opened = await browser.get(page_of(token))
    assert opened.status_code == 200
    for told in (email, "You get 30% of", "You pay 12.5% less", "https://shop.example/terms"):
        assert told in opened.text
    policy = opened.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert (opened.headers["cache-control"], opened.headers["referrer-policy"]) == (
        "no-store",
        "no-referrer",
    )
    assert "<script" not in opened.text


async def test_make_an_account_and_lead_to_the_relationship(selling, browser):
    email, token = await invitation(selling, mode="stock")
    fields = {"name": "Ada", "password": PASSWORD, "again": PASSWORD}
    sent = await browser.submit(page_of(token), fields)
    assert (sent.status_code, sent.headers["location"]) == (303, "/portal/")
    home = await browser.get("/portal/")
    assert home.status_code == 200
    assert "Active" in home.text
    assert "$0.00" in home.text
    assert "Your reseller programmes" in (await browser.get("/console/")).text
    assert (await browser.get(page_of(token))).status_code == 409
    async with PlainBrowser(str(browser.client.base_url)) as another:
        assert (await another.sign_in(email)).status_code == 303


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"password": PASSWORD, "again": "another"}, "are not the same"),
        ({"password": "short", "again": "short"}, "has 12 to"),
    ],
)
async def test_tell_what_is_wrong_with_a_password(selling, browser, fields, told):
    _, token = await invitation(selling)
    sent = await browser.submit(page_of(token), {"name": 'Ada "<b>"', **fields})
    assert sent.status_code == 422
    assert told in sent.text
    assert 'value="Ada &#34;&lt;b&gt;&#34;"' in sent.text
    assert PASSWORD not in sent.text
    async with selling.database.statement() as tx:
        assert not await tx.value(
            "select count(*) from resellers where shop_id = %s", (selling.shop.id,)
        )


async def test_take_no_form_of_another_site(selling, browser, desk_server):
    _, token = await invitation(selling)
    fields = {"name": "Eve", "password": PASSWORD, "again": PASSWORD}
    assert (await browser.post(page_of(token), fields)).status_code == 403
    headers = {"Sec-Fetch-Site": "cross-site"}
    sent = await browser.submit(page_of(token), fields, headers=headers)
    assert sent.status_code == 403
    async with joined(selling, desk_server.url) as ada:
        other = await Reselling.open(selling.database, selling.clock, channel=CHANNEL)
        _, token = await invitation(other, email=ada.email)
        await browser.sign_in(ada.email)
        assert (await browser.post(page_of(token), {})).status_code == 403
        assert (await browser.submit(page_of(token), {})).status_code == 303


async def test_ask_for_the_password_of_an_account(selling, browser):
    async with selling.database.begin() as tx:
        person = await make_person(tx)
    _, token = await invitation(selling, email=person.email)
    assert 'autocomplete="current-password"' in (await browser.get(page_of(token))).text
    wrong = await browser.submit(page_of(token), {"password": "quiet harbour, ten boats"})
    assert (wrong.status_code, "not its password" in wrong.text) == (422, True)
    sent = await browser.submit(page_of(token), {"password": PASSWORD})
    assert sent.status_code == 303
    assert "Active" in (await browser.get("/portal/")).text


async def test_say_why_an_invitation_is_over(selling, browser, desk_server):
    email, revoked = await invitation(selling)
    _, expired = await invitation(selling, email=email, days=1)
    desk_server.clock.move(timedelta(days=1))
    try:
        shown = [await browser.get(page_of(token)) for token in (revoked, expired, "x" * 43)]
        sent = await browser.post(page_of(expired), {})
        _, token = await invitation(selling, email=email)
        await selling.set(enabled=False)
        disabled = await browser.get(page_of(token))
    finally:
        desk_server.clock.move(-timedelta(days=1))
    titles = [re.findall("<h1>(.*)</h1>", each.text)[0] for each in [*shown, sent, disabled]]
    assert [each.status_code for each in [*shown, sent, disabled]] == [410, 410, 404, 410, 400]
    assert titles == [
        "This invitation was withdrawn",
        "This invitation has expired",
        "There is no such invitation",
        "This invitation has expired",
        "This cannot be accepted now",
    ]


async def test_lead_to_the_sign_in_page_and_back(browser):
    assert (await browser.get("/portal")).status_code == 308
    sent = await browser.get("/portal/")
    assert sent.headers["location"] == "/console/sign-in?next=%2Fportal%2F"
