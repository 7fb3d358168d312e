"""The forms of partners: one is added on any channel with its key shown once, and its terms are changed."""

import re

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.partners import list_partners
from tests.support.factories import ShopFixture, make_partner, make_shop
from tests.support.partner_client import PartnerClient

PARTNERS = "/console/partners"
SECRET = re.compile(r'<dt>([^<]+)</dt><dd><code class="secret long">([^<]+)</code>')
CHANNELS = ("shoppex_partner", "shopwedo", "shoppable", "shoppo", "shoppex_reseller")


@pytest.fixture
async def shop(server_database: Database) -> ShopFixture:
    async with server_database.begin() as tx:
        return await make_shop(tx)


@pytest.fixture
def staff(person, browser, shop):
    """A browser of somebody of the shop with this role."""

    async def sign_in(role: str = "manager"):
        return await browser(await person(role=role, shop_id=shop.id))

    return sign_in


async def test_a_partner_with_the_shown_key_may_call_and_order(staff, shop, server):
    opened = await staff()

    added = await opened.submit(
        f"{PARTNERS}/new?channel=shoppex_partner",
        {"name": "Harbour", "customer": str(shop.customer_id), "permission:products.read": "yes",
         "rate_limit": "0"},
    )  # fmt: skip

    shown = dict(SECRET.findall(added.text))
    assert set(shown) == {"Key", "Secret"}
    assert "cannot order" not in added.text
    async with PartnerClient(server.url, key=shown["Key"], secret=shown["Secret"]) as client:
        assert (await client.products()).status_code == 200
    assert shown["Secret"] not in (await opened.get(PARTNERS)).text


@pytest.mark.parametrize("channel", CHANNELS)
async def test_every_channel_gives_its_own_kind_of_key(staff, shop, server_database, channel):
    opened = await staff()

    added = await opened.submit(
        f"{PARTNERS}/new?channel={channel}", {"name": "Harbour", "customer": ""}
    )

    assert added.status_code == 200
    assert SECRET.search(added.text)
    async with server_database.statement() as tx:
        (partner,) = await list_partners(tx, shop=shop.slug, channel=channel)
    assert (partner.name, partner.active) == ("Harbour", True)
    here = f"{PARTNERS}/{partner.id}/terms"
    assert (await opened.submit(here, {"backorder": "yes"})).status_code == 303


async def test_terms_are_changed_and_shown_as_they_are(staff, shop, server_database):
    opened = await staff()
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=shop)
    here = f"{PARTNERS}/{partner.id}/terms"
    terms = {
        "customer": str(shop.customer_id), "permission:orders.create": "yes", "backorder": "yes",
        "min_amount": "10", "max_amount": "99.50", "rate_limit": "7", "merchants": "some",
        f"merchant:{shop.merchant_id}": "yes",
    }  # fmt: skip

    changed = await opened.submit(here, terms)
    refused = await opened.submit(here, terms | {"min_amount": "100"})
    form = (await opened.get(here)).text

    assert (changed.status_code, refused.status_code) == (303, 422)
    async with server_database.statement() as tx:
        (kept,) = await list_partners(tx, shop=shop.slug, partner_id=partner.id)
    assert kept.permissions == ("orders.create",)
    assert (kept.backorder, kept.min_amount_minor, kept.max_amount_minor) == (True, 1000, 9950)
    assert (kept.visible_merchants, kept.customer_id) == ((shop.merchant_id,), shop.customer_id)
    assert kept.settings["rate_limit_per_minute"] == 7
    for shown in ('value="10.00"', 'value="99.50"', f'name="merchant:{shop.merchant_id}"'):
        assert shown in form


async def test_a_customer_of_another_shop_is_not_found(staff, server_database, shop):
    async with server_database.begin() as tx:
        other = await make_shop(tx)
    opened = await staff()

    reply = await opened.submit(
        f"{PARTNERS}/new?channel=shoppex_partner",
        {"name": "Harbour", "customer": str(other.customer_id)},
    )

    assert reply.status_code == 422
    async with server_database.statement() as tx:
        assert await list_partners(tx, shop=shop.slug) == []


@pytest.mark.parametrize("role", ["warehouse", "viewer"])
async def test_others_may_not(staff, server_database, shop, role):
    opened = await staff(role)
    async with server_database.begin() as tx:
        partner = await make_partner(tx, shop=shop)
    for path in (f"{PARTNERS}/new", f"{PARTNERS}/{partner.id}/terms"):
        assert (await opened.get(path)).status_code == 403
        assert (await opened.post(path, {"name": "Harbour"})).status_code == 403
