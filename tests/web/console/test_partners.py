"""The pages of partners and their keys: shown without secrets, changed by those who manage partners."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.partners import PartnerView, list_partners
from tests.support.factories import PartnerFixture, ShopFixture, make_partner, make_shop
from tests.support.partner_client import PartnerClient

PARTNERS = "/console/partners"


@pytest.fixture
async def shop(server_database: Database) -> ShopFixture:
    async with server_database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
async def partner(server_database: Database, shop: ShopFixture) -> PartnerFixture:
    async with server_database.begin() as tx:
        return await make_partner(tx, shop=shop)


@pytest.fixture
def staff(person, browser, shop):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=shop.id))

    return sign_in


@pytest.fixture
def view(server_database: Database, shop: ShopFixture):
    async def read(partner: PartnerFixture) -> PartnerView:
        async with server_database.statement() as tx:
            (found,) = await list_partners(tx, shop=shop.slug, partner_id=partner.id)
        return found

    return read


async def test_a_secret_is_rotated_and_shown_once(partner, staff, view):
    opened = await staff()
    here = f"{PARTNERS}/{partner.id}"
    assert partner.key in (await opened.get(here)).text
    assert partner.secret not in (await opened.get(here)).text

    shown = await opened.submit(
        here, {"key": partner.key, "overlap_s": "3600"}, to=f"{here}/rotate"
    )

    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert "It is shown this once." in shown.text
    secrets = re.findall(r'<code class="secret long">([^<]+)</code>', shown.text)
    assert secrets[0] == partner.key
    assert len(secrets[1]) >= 32
    assert secrets[1] not in (await opened.get(here)).text
    (credential,) = (await view(partner)).credentials
    assert [each.expires_at is None for each in credential.secrets] == [False, True]


async def test_a_third_secret_is_refused_until_the_older_one_is_revoked(partner, staff, view):
    opened = await staff()
    here, fields = f"{PARTNERS}/{partner.id}", {"key": partner.key, "overlap_s": "86400"}
    assert (await opened.submit(here, fields, to=f"{here}/rotate")).status_code == 200

    third = await opened.submit(here, fields, to=f"{here}/rotate")
    revoked = await opened.submit_surely(here, {"key": partner.key}, to=f"{here}/revoke-old")

    assert third.status_code == 409
    assert "Two secrets are valid already" in third.text
    assert revoked.headers["location"] == f"{here}?done=old-off"
    (credential,) = (await view(partner)).credentials
    assert [each.revoked_at is None for each in credential.secrets] == [False, True]


async def test_calls_are_refused_and_accepted_again(partner, staff, server):
    opened = await staff()
    here = f"{PARTNERS}/{partner.id}"
    async with PartnerClient(server.url, key=partner.key, secret=partner.secret) as client:
        assert (await client.products()).status_code == 200
        for action, fields in (("calls", {}), ("key", {"key": partner.key})):
            off = await opened.submit(here, {**fields, "on": "no"}, to=f"{here}/{action}")
            assert off.status_code == 303
            assert (await client.products()).status_code in {401, 403}
            on = await opened.submit(here, {**fields, "on": "yes"}, to=f"{here}/{action}")
            assert on.status_code == 303
            assert (await client.products()).status_code == 200


@pytest.mark.parametrize("overlap", ["", "-1", "1", "86400 ", "9" * 30])
async def test_an_overlap_that_is_not_offered_is_refused(partner, staff, view, overlap):
    opened = await staff()
    here = f"{PARTNERS}/{partner.id}"

    reply = await opened.submit(
        here, {"key": partner.key, "overlap_s": overlap}, to=f"{here}/rotate"
    )

    assert reply.status_code == 400
    (credential,) = (await view(partner)).credentials
    assert len(credential.secrets) == 1


async def test_only_who_manages_the_shops_partners_sees_and_changes_them(
    partner, staff, person, browser, view
):
    here = f"{PARTNERS}/{partner.id}"
    packer, stranger = await staff("warehouse"), await browser(await person(role="owner"))
    before = await view(partner)
    fields = {"key": partner.key, "overlap_s": "0", "on": "no"}

    assert [(await packer.get(path)).status_code for path in (PARTNERS, here)] == [403, 403]
    assert (await stranger.get(here)).status_code == 404
    assert partner.key not in (await stranger.get(PARTNERS)).text
    for action in ("rotate", "revoke-old", "key", "calls"):
        path = f"{here}/{action}"
        for who, status in ((packer, 403), (stranger, 404)):
            assert (await who.submit("/console/account", fields, to=path)).status_code == status
        assert (await (await staff()).post(path, fields)).status_code == 403
    assert await view(partner) == before
    for odd in ("0", "x", "9" * 30):
        assert (await (await staff()).get(f"{PARTNERS}/{odd}")).status_code == 404


async def test_another_partners_key_is_not_the_partners(
    partner, staff, shop, server_database, view
):
    async with server_database.begin() as tx:
        other = await make_partner(tx, shop=shop)
    opened = await staff()
    here = f"{PARTNERS}/{partner.id}"

    for action in ("rotate", "revoke-old", "key"):
        reply = await opened.submit(
            here, {"key": other.key, "overlap_s": "0", "on": "no"}, to=f"{here}/{action}"
        )
        assert reply.status_code == 404
    (credential,) = (await view(other)).credentials
    assert credential.is_live


async def test_terms_are_told_by_names_and_amounts(server_database, shop, partner, staff):
    async with server_database.begin() as tx:
        await tx.run(
            "update partners set min_amount_minor = 1250, settings = settings ||"
            " jsonb_build_object('rate_limit_per_minute', 0) where id = %s",
            (partner.id,),
        )
        company = await tx.value(
            "select coalesce(nullif(billing ->> 'company', ''), email) from customers where id = %s",
            (shop.customer_id,),
        )

    page = (await (await staff()).get(f"{PARTNERS}/{partner.id}")).text

    assert f'<a href="/console/customers/{shop.customer_id}">{company}</a>' in page
    assert re.search(r"least subtotal \(\w{3}\)</dt><dd>[^<]*12\.50", page)
    assert "<dt>Calls per minute</dt><dd>No limit</dd>" in page
