"""A partner's own people: one page about their partner, and nothing that is the staff's."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.kit.ids import RandomIds
from crossdock.shop.partners import Terms, add_credential, disable_credential, set_terms
from tests.conftest import NOON
from tests.support.factories import box, make_partner, make_shop

THEIRS = {"/console", "/console/", "/console/account", "/console/account/two-step"}
STAFF_ONLY = ["/admin/shipper/add?ext=manual", "/shipper/add", "/admin/shipper/label/1"]


@pytest.fixture
async def partner(server_database: Database):
    """A partner with a signing key that was never used, and a disabled token."""
    async with server_database.begin() as tx:
        made = await make_partner(tx, shop=await make_shop(tx))
        token = await add_credential(
            tx, partner_id=made.id, ids=RandomIds(), box=box(), proof="bearer", prefix="shx_"
        )
        await disable_credential(tx, key=token.key, now=NOON)
        await tx.run(
            "update credential_secrets set last_used_at = %s where credential_id ="
            " (select id from credentials where public_key = %s)",
            (NOON, made.key),
        )
    return made, token


@pytest.fixture
async def theirs(browser, person, partner):
    """The browser of one of the partner's people."""
    made, _ = partner
    return await browser(
        await person(role="partner", shop_id=made.shop_id, partner_id=made.id, name="Robin")
    )


async def test_their_home_shows_their_partner_its_keys_and_no_secret(
    theirs, partner, server_database
):
    made, token = partner
    async with server_database.begin() as tx:
        other = await make_partner(tx, shop=await make_shop(tx))
        name = await tx.value("select name from partners where id = %s", (made.id,))

    home = (await theirs.get("/console/")).text

    for shown in (name, "shoppex_partner", made.key, token.key, "Last used 2026-03-02 12:00 UTC."):
        assert shown in home
    assert home.count("Live") == home.count("Refused") == 1
    for hidden in (made.secret, token.secret, other.key, "print labels", "see orders"):
        assert hidden not in home


@pytest.mark.parametrize("path", STAFF_ONLY)
async def test_what_is_the_staffs_refuses_them(theirs, path):
    refused = await theirs.get(path)

    assert refused.status_code == 403
    assert "does not include this" in refused.text


async def test_of_the_console_they_see_their_home_and_their_account_alone(theirs, site):
    """A new page of the console is the staff's unless it is listed here."""
    pages = {
        route.path
        for route in site._router.routes
        if route.path.startswith("/console") and "GET" in route.methods
    }

    told = {path: (await theirs.get(path)).status_code for path in sorted(pages)}

    assert pages >= THEIRS
    for path, status in told.items():
        is_for_anybody = path.startswith(("/console/sign-in", "/console/welcome/token/"))
        if path not in THEIRS and not is_for_anybody:
            assert status == 403, path


async def test_their_account_is_theirs_to_change(theirs):
    account = await theirs.get("/console/account")

    assert account.status_code == 200
    assert "Robin" in account.text


async def test_disabling_the_partner_shuts_them_out_at_the_next_click(
    theirs, partner, browser, server_database
):
    made, _ = partner
    assert (await theirs.get("/console/")).status_code == 200
    async with server_database.begin() as tx:
        email = await tx.value("select email from people where partner_id = %s", (made.id,))
        await set_terms(tx, partner_id=made.id, terms=Terms(active=False))

    assert (await theirs.get("/console/")).headers["location"] == "/console/sign-in"
    assert (await (await browser()).sign_in(email)).status_code == 403
    async with server_database.begin() as tx:
        await set_terms(tx, partner_id=made.id, terms=Terms(active=True))
    assert (await theirs.get("/console/")).status_code == 200


async def test_staff_see_no_partners_page(browser, person):
    home = (await (await browser(await person(role="owner"))).get("/console/")).text

    assert "Partner of the shop" not in home
