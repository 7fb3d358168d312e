"""The reseller programme in the console: settings, invitations, relationships, statements, campaigns."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.clock import SystemClock
from crossdock.kit.paging import PlacePage
from crossdock.shop.resellers import (
    NewCampaign,
    create_campaign,
    list_campaigns,
    list_invitations,
    read_program,
    read_reseller,
)
from tests.support.factories import box
from tests.support.reselling import Reselling

RESELLERS = "/console/resellers"
INVITATIONS, PROGRAM = f"{RESELLERS}/invitations", f"{RESELLERS}/program"


@pytest.fixture
async def selling(server_database: Database) -> Reselling:
    """A shop whose programme is on."""
    return await Reselling.open(server_database, SystemClock(), default_commission_bp=1_250)


@pytest.fixture
def opened(browser, person, selling):
    """A page that somebody of the shop has open: `await opened("manager")`."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=selling.shop.id))

    return sign_in


async def test_the_settings_are_changed_and_a_wrong_one_changes_nothing(opened, selling):
    page = await opened()
    given = {"enabled": "on", "mode": "affiliate", "commission": "7,5", "min_payout": "20"}

    wrong = await page.submit(PROGRAM, given | {"discount": "101"})
    odd = await page.submit(PROGRAM, given | {"min_payout": "-1"})
    scheme = await page.submit(PROGRAM, given | {"terms_url": "javascript:alert(1)"})
    async with selling.database.statement() as tx:
        before = await read_program(tx, shop_id=selling.shop.id)
    saved = await page.submit(PROGRAM, given | {"terms_url": "https://shop.example/te\x00rms"})
    async with selling.database.statement() as tx:
        after = await read_program(tx, shop_id=selling.shop.id)

    assert (wrong.status_code, odd.status_code, scheme.status_code) == (422, 422, 422)
    assert "Discount: write a percentage from 0 to 100, or leave it empty." in wrong.text
    assert 'value="7,5"' in wrong.text
    assert before.default_commission_bp == 1_250
    assert (after.default_commission_bp, after.min_payout_minor) == (750, 2_000)
    assert (after.default_mode, after.terms_url) == ("affiliate", "https://shop.example/terms")
    shown = (await page.get(saved.headers["location"])).text
    assert "The settings are saved." in shown
    assert 'value="7.5"' in shown


async def test_somebody_is_invited_sent_another_link_and_the_last_one_is_withdrawn(opened, selling):
    page = await opened()
    fields = {"email": "ada@reseller.example", "mode": "both", "commission": "15", "days": "3"}

    odd = await page.submit(f"{RESELLERS}/invite", fields | {"days": "91"})
    sent = await page.submit(f"{RESELLERS}/invite", fields)
    (first,) = await _invitations(selling)
    again = await page.submit(INVITATIONS, {}, to=f"{INVITATIONS}/{first.id}/again")
    second, replaced = await _invitations(selling)
    withdrawn = await page.submit(INVITATIONS, {}, to=f"{INVITATIONS}/{second.id}/withdraw")
    last, _ = await _invitations(selling)
    shown = (await page.get(INVITATIONS)).text
    strange = await page.submit(INVITATIONS, {}, to=f"{INVITATIONS}/999999999/withdraw")

    assert odd.status_code == 422
    assert "1 to 90 days" in odd.text
    assert [each.status_code for each in (sent, again, withdrawn)] == [303, 303, 303]
    assert (second.email, second.mode) == (first.email, first.mode)
    assert (second.expires_at - second.created_at).days == 3
    assert replaced.revoked_at is not None
    assert last.revoked_at is not None
    assert shown.count("Withdrawn") == 2
    assert strange.status_code == 404
    mails = re.findall(
        r"ada@reseller\.example", (await (await opened("owner")).get("/console/mail")).text
    )
    assert len(mails) == 2


async def test_nobody_is_invited_while_the_programme_is_off(opened, selling):
    await selling.set(enabled=False)
    page = await opened()

    answer = await page.submit(
        f"{RESELLERS}/invite", {"email": "ada@reseller.example", "mode": "both", "days": "7"}
    )

    assert answer.status_code == 422
    assert await _invitations(selling) == []
    assert "The programme is off" in (await page.get(RESELLERS)).text


async def test_a_relationship_is_suspended_made_active_and_ends_only_when_that_is_confirmed(
    opened, selling
):
    reseller, _ = await selling.reseller()
    page, here = await opened(), f"{RESELLERS}/{reseller.id}"

    async def status() -> str:
        async with selling.database.statement() as tx:
            found = await read_reseller(tx, shop_id=selling.shop.id, reseller_id=reseller.id)
        return found.status

    found = []
    for action in ("suspend", "reactivate"):
        await page.submit(here, {"action": action}, to=f"{here}/status")
        found.append(await status())
    unsure = await page.submit(here, {"action": "terminate"}, to=f"{here}/status")
    odd = await page.submit(here, {"action": "delete"}, to=f"{here}/status")
    found.append(await status())
    ended = await page.submit(
        f"{here}/terminate", {"action": "terminate", "sure": "on"}, to=f"{here}/status"
    )
    again = await page.submit(f"{here}/terms", {"mode": "stock"})

    assert found == ["suspended", "active", "active"]
    assert (unsure.status_code, odd.status_code, again.status_code) == (400, 400, 409)
    assert await status() == "terminated"
    assert "The relationship has ended." in (await page.get(ended.headers["location"])).text


async def test_terms_are_changed_and_shown(opened, selling):
    reseller, _ = await selling.reseller()
    page, here = await opened(), f"{RESELLERS}/{reseller.id}"
    fields = {"mode": "affiliate", "commission": "22.5", "limit_daily": "5"}

    wrong = await page.submit(f"{here}/terms", fields | {"limit_monthly": "many"})
    saved = await page.submit(f"{here}/terms", fields)
    shown = (await page.get(saved.headers["location"])).text

    assert "Most units a month: write a whole number, or leave it empty." in wrong.text
    assert "22.5%" in shown
    assert "Earn commission" in shown
    assert reseller.email in (await page.get(f"{RESELLERS}?status=active")).text
    assert reseller.email in (await page.get(f"{RESELLERS}?q={reseller.email.upper()}")).text
    assert reseller.email not in (await page.get(f"{RESELLERS}?status=suspended")).text


async def test_a_statement_is_read_and_kept_as_a_file(opened, selling):
    reseller, _ = await selling.reseller(credit_minor=2_500)
    page, here = await opened(), f"{RESELLERS}/{reseller.id}/statement"

    shown = (await page.get(here)).text
    past = (await page.get(f"{here}?until=2000-01-01")).text
    table = await page.get(f"{here}.csv?purse=prepaid")
    paper = await page.get(f"{here}.pdf?purse=commission")

    assert "$25.00" in shown
    assert "Nothing changed in this period." in past
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert ",closing,,25.00,USD," in table.text
    assert paper.content.startswith(b"%PDF")


async def test_a_campaign_is_paused_and_revoked_only_when_that_is_confirmed(opened, selling):
    reseller, _ = await selling.reseller()
    async with selling.database.begin() as tx:
        made = await create_campaign(
            tx, shop_id=selling.shop.id, reseller_id=reseller.id,
            campaign=NewCampaign(name="Winter <b>"), write_id=str, box=box(),
            now=SystemClock().now(),
        )  # fmt: skip
    page, here = await opened(), f"{RESELLERS}/{reseller.id}/campaigns"

    async def status() -> str:
        async with selling.database.statement() as tx:
            (found,) = await list_campaigns(
                tx, shop_id=selling.shop.id, reseller_id=reseller.id, page=PlacePage(size=5)
            )
        return found.status

    await page.submit(here, {"status": "paused"}, to=f"{here}/{made.id}")
    paused = await status()
    unsure = await page.submit(here, {"status": "revoked"}, to=f"{here}/{made.id}")
    still = await status()
    await page.submit(here, {"status": "revoked", "sure": "on"}, to=f"{here}/{made.id}")

    assert (paused, unsure.status_code, still) == ("paused", 400, "paused")
    assert await status() == "revoked"
    assert "Winter &lt;b&gt;" in (await page.get(here)).text


async def test_a_reseller_of_another_shop_is_not_there(browser, person, selling):
    reseller, _ = await selling.reseller()
    other = await browser(await person(role="owner"))

    for page in ("", "/terms", "/terminate", "/statement", "/statement.csv", "/campaigns"):
        assert (await other.get(f"{RESELLERS}/{reseller.id}{page}")).status_code == 404


@pytest.mark.parametrize("role", ["warehouse", "viewer"])
async def test_who_may_not_manage_partners_sees_none_of_it(opened, role):
    page = await opened(role)

    for address in (RESELLERS, INVITATIONS, PROGRAM, f"{RESELLERS}/1/statement.csv"):
        assert (await page.get(address)).status_code == 403


async def _invitations(selling: Reselling):
    async with selling.database.statement() as tx:
        return await list_invitations(tx, shop_id=selling.shop.id, page=PlacePage(size=10))


async def test_a_resellers_calls_are_not_tried_by_staff(opened, selling):
    reseller, _ = await selling.reseller()
    page = await opened()

    asked = await page.get(f"/console/partners/{reseller.partner_id}/try")

    assert asked.status_code == 400
    assert "A reseller makes its own keys" in asked.text
