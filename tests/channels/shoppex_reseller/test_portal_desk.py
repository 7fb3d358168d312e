"""A reseller's page of a programme..."""

import re
from collections.abc import AsyncIterator

import pytest

from crossdock.channels.shoppex_reseller.portal_words import KINDS
from crossdock.kit.paging import PlacePage
from crossdock.shop.ledger import Account, Transfer, post_transfers
from crossdock.shop.partners import touch_partners
from crossdock.shop.resellers import credit, list_claims, read_buckets
from crossdock.shop.resellers.commission.earning import commission_owner
from crossdock.shop.resellers.statement_pdf import WORDS
from crossdock.shop.shops import suspend_shop
from tests.support.people import PlainBrowser
from tests.support.portal import Member, joined
from tests.support.reseller_client import CHANNEL
from tests.support.reselling import Reselling

PAYOUT = {"amount": "10", "asset": "EUR", "address": "BE68 5390 0754 7034", "network": "SEPA"}


@pytest.fixture
async def selling(desk_database, desk_server) -> Reselling:
    return await Reselling.open(desk_database, desk_server.clock, channel=CHANNEL)


@pytest.fixture
async def ada(selling, desk_server) -> AsyncIterator[Member]:
    async with joined(selling, desk_server.url, mode="both", commission_bp=3000) as member:
        yield member


@pytest.fixture
async def browser(desk_server, ada) -> AsyncIterator[PlainBrowser]:
    async with PlainBrowser(desk_server.url) as opened:
        assert (await opened.sign_in(ada.email)).status_code == 303
        yield opened


def at(member: Member, rest: str = "") -> str:
    return f"/portal/programmes/{member.relationship_id}{rest}"


async def buckets_of(selling: Reselling, member: Member):
    async with selling.database.statement() as tx:
        return await read_buckets(tx, shop_id=selling.shop.id, reseller_id=member.reseller.id)


async def test_is_for_its_people_alone(selling, ada, browser, desk_server):
    async with (
        joined(selling, desk_server.url) as eve,
        PlainBrowser(desk_server.url) as guest,
    ):
        for rest in ("", "/balance", "/commission", "/keys", "/products", "/balance.csv"):
            mine = await browser.get(at(ada, rest))
            others, nobodys = await browser.get(at(eve, rest)), await guest.get(at(ada, rest))
            assert (mine.status_code, others.status_code, nobodys.status_code) == (200, 404, 303)
            assert nobodys.headers["location"].startswith("/console/sign-in?next=%2Fportal")
            assert eve.email not in others.text
        sent = await browser.post(at(eve, "/keys"), {})
        assert sent.status_code == 404
    policy = mine.headers["content-security-policy"]
    assert "default-src 'none'" in policy


async def test_tops_up_by_an_invoice_that_is_paid_on_the_next_page(ada, browser, selling):
    sent = await browser.submit(at(ada, "/balance"), {"amount": "25,50"})
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/pay/")
    page = await browser.get(sent.headers["location"])
    assert "$25.50" in page.text
    assert "Top-up of the balance with Test shop" in page.text
    dutch = await browser.get(sent.headers["location"], headers={"Accept-Language": "nl"})
    assert "Opwaardering van het tegoed bij Test shop" in dutch.text
    assert "Top-up" not in dutch.text
    async with selling.database.statement() as tx:
        found = await tx.all(
            "select total_minor, purpose, subject_id from invoices where shop_id = %s",
            (selling.shop.id,),
        )
    assert found == [(2550, "top_up", ada.reseller.id)]


@pytest.mark.parametrize("amount", ["", "ten", "1.234", "-5", "0", "9" * 40])
async def test_makes_no_invoice_of_what_is_no_amount(ada, browser, selling, amount):
    sent = await browser.submit(at(ada, "/balance"), {"amount": amount})
    assert sent.status_code == 422
    assert 'role="alert"' in sent.text
    assert 'aria-invalid="true"' in sent.text
    async with selling.database.statement() as tx:
        count = await tx.value(
            "select count(*) from invoices where shop_id = %s", (selling.shop.id,)
        )
    assert count == 0


async def test_asks_for_a_payout_of_what_is_available(ada, browser, selling):
    transfer = Transfer(
        debit=Account("reseller_costs"),
        credit=Account("reseller_available", commission_owner(ada.reseller.id)),
        amount_minor=3000,
        currency="USD",
        kind="commission_earned",
    )
    async with selling.database.begin() as tx:
        await post_transfers(
            tx, shop_id=selling.shop.id, transfers=[transfer], now=selling.clock.now()
        )
    before = await buckets_of(selling, ada)
    assert before.available_minor == 3000

    wrong = [
        await browser.submit(at(ada, "/commission"), PAYOUT | change)
        for change in ({"amount": "30.01"}, {"address": " "}, {"asset": ""})
    ]
    assert [reply.status_code for reply in wrong] == [422] * 3
    assert "not more than is available" in wrong[0].text
    assert 'value="BE68 5390 0754 7034"' in wrong[2].text
    assert await buckets_of(selling, ada) == before

    sent = await browser.submit(at(ada, "/commission"), PAYOUT | {"note": "<b>soon</b>"})
    assert sent.headers["location"] == at(ada, "/commission?done=asked")
    page = (await browser.get(sent.headers["location"])).text
    assert "the shop decides on it" in page
    assert "Awaits a decision" in page
    after = await buckets_of(selling, ada)
    assert (after.available_minor, after.reserved_minor) == (2000, 1000)
    async with selling.database.statement() as tx:
        [claim] = await list_claims(
            tx, shop_id=selling.shop.id, reseller_id=ada.reseller.id, page=PlacePage(size=5)
        )
    assert (claim.address, claim.network, claim.note) == (
        PAYOUT["address"], "SEPA", "<b>soon</b>",
    )  # fmt: skip


async def test_shows_a_new_key_once_and_asks_before_it_is_revoked(ada, browser, desk_server):
    made = await browser.submit(at(ada, "/keys"), {})
    [secret] = re.findall(r"<p><code class=\"long\">(shr_[^<?]+)</code>", made.text)
    assert f"api_key={secret}" in made.text
    listed = (await browser.get(at(ada, "/keys"))).text
    assert secret not in listed

    async def call() -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        return (await browser.client.get("/reseller/v1/me", headers=headers)).status_code

    assert await call() == 200
    [ask] = re.findall(r'href="(/portal/programmes/[^"]+/keys/[^"]+)"', listed)
    assert "cannot be undone" in (await browser.get(ask)).text
    assert await call() == 200
    sent = await browser.submit(ask, {})
    assert sent.headers["location"] == at(ada, "/keys?done=revoked")
    assert await call() == 401
    assert (
        await browser.get(at(ada, "/keys/00000000-0000-0000-0000-000000000000"))
    ).status_code == 404


async def test_states_every_change_of_the_balance_and_in_files(ada, browser, selling):
    async with selling.database.begin() as tx:
        await credit(
            tx, shop_id=selling.shop.id, reseller_id=ada.reseller.id, amount_minor=5000,
            reference="A <gift>", now=selling.clock.now(),
        )  # fmt: skip
    page = (await browser.get(at(ada, "/balance"))).text
    assert "A &lt;gift&gt;" in page
    assert re.search(r"Closing balance</th><td></td><td class=\"num\">\$50\.00", page)
    earlier = (await browser.get(at(ada, "/balance?from=2020-01-01&to=2020-02-01"))).text
    assert "Nothing changed in this period." in earlier
    table, paper = (
        await browser.get(at(ada, "/balance.csv")),
        await browser.get(at(ada, "/balance.pdf")),
    )
    assert "50.00" in table.text
    assert "attachment" in table.headers["content-disposition"]
    assert paper.content.startswith(b"%PDF")
    for odd in ("from=x&to=9999-99-99", "from=2030-01-01&to=2020-01-01", "after=zzz"):
        assert (await browser.get(at(ada, f"/balance?{odd}"))).status_code == 200
    assert (await browser.get(at(ada, "/balance.exe"))).status_code == 404
    assert (await browser.get(at(ada, "/other.csv"))).status_code == 404


def test_has_a_word_for_every_kind_of_line_that_the_pdf_has_one_for():
    assert WORDS.keys() <= KINDS.keys()


async def test_lists_the_products_with_both_prices(ada, browser, selling):
    await selling.licence("K-1", "K-2", name="Licence <b>", price_minor=1999)
    page = (await browser.get(at(ada, "/products"))).text
    assert "$19.99" in page
    assert "<b>" not in page.replace("<b>1</b>", "")
    for odd in ("0", "x", "9" * 30):
        assert (await browser.get(at(ada, f"/products?page={odd}"))).status_code == 200


async def test_changes_nothing_without_the_form_or_while_the_shop_is_suspended(
    ada, browser, selling
):
    assert (await browser.post(at(ada, "/keys"), {})).status_code == 403
    async with selling.database.begin() as tx:
        await suspend_shop(tx, shop_id=selling.shop.id, now=selling.clock.now())
        await touch_partners(tx, shop_id=selling.shop.id)
    for path, fields in (("/keys", {}), ("/balance", {"amount": "5"}), ("/commission", PAYOUT)):
        sent = await browser.submit(at(ada, path), fields)
        assert sent.status_code == 403
        assert "suspended" in sent.text
    async with selling.database.statement() as tx:
        counts = await tx.one(
            "select (select count(*) from invoices where shop_id = %(shop)s),"
            " (select count(*) from credentials c join partners p on p.id = c.partner_id"
            "  where p.shop_id = %(shop)s)",
            {"shop": selling.shop.id},
        )
    assert counts == (0, 0)


async def test_speaks_the_language_of_the_browser(ada, browser):
    page = (await browser.get(at(ada, "/balance"), headers={"Accept-Language": "fr"})).text
    assert '<html lang="fr">' in page
    assert "Recharger" in page
