"""The pages of customers: listed, found, added and changed by who may."""

import pytest

from crossdock.db.unit_of_work import Database
from crossdock.shop.customers import add_sales_rep, find_customer
from tests.support.factories import ShopFixture, make_shop

CUSTOMERS = "/console/customers"
ADDRESS = {
    "billing_first_name": "Grace", "billing_last_name": "Hopper", "billing_company": "Cobol & Co",
    "billing_address_1": "Kade 1", "billing_postcode": "1011 AB", "billing_city": "Amsterdam",
    "billing_country": "NL", "billing_phone": "+31201234567",
}  # fmt: skip


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


async def test_a_customer_is_added_found_changed_and_refused(staff, shop, server_database):
    opened, email = await staff(), f"grace-{shop.slug}@cobol.example"
    async with server_database.begin() as tx:
        rep = await add_sales_rep(tx, shop_id=shop.id, name="Nora")

    added = await opened.submit(
        f"{CUSTOMERS}/new", {"email": email, "same": "yes", "sales_rep": str(rep), **ADDRESS}
    )
    here = added.headers["location"].partition("?")[0]
    found = await opened.get(f"{CUSTOMERS}?q=cobol+%26")
    changed = await opened.submit(
        here,
        {**ADDRESS, "email": email, "billing_city": "Utrecht", "shipping_city": "Gent",
         "shipping_first_name": "Ada", "shipping_last_name": "L", "shipping_address_1": "Kaai 2",
         "shipping_postcode": "9000", "shipping_country": "BE"},
    )  # fmt: skip
    off = await opened.submit(here, {"on": "no"}, to=f"{here}/orders")

    assert added.status_code == 303
    assert email in found.text
    assert "Nothing matches" in (await opened.get(f"{CUSTOMERS}?q=cobol%25%26")).text
    assert (changed.status_code, off.status_code) == (303, 303)
    async with server_database.statement() as tx:
        kept = await find_customer(tx, shop_id=shop.id, who=email)
        noted = str(await tx.all("select act, details from acts where shop_id = %s", (shop.id,)))
    assert kept is not None
    assert (kept.billing.city, kept.shipping.city, kept.shipping.country) == (
        "Utrecht", "Gent", "BE",
    )  # fmt: skip
    assert "'shipping_city': '(not kept)'" in noted
    assert not any(value in noted for value in ("Gent", "Utrecht", "Kaai", email))
    assert (kept.active, kept.missing, kept.sales_rep_id) == (False, (), None)


async def test_a_form_that_is_refused_keeps_what_was_typed(staff, shop):
    opened = await staff()

    wrong = await opened.submit(
        f"{CUSTOMERS}/new", {"email": "no address", "same": "yes", **ADDRESS}
    )

    assert wrong.status_code == 422
    assert "is not an e-mail address" in wrong.text
    assert 'value="Cobol &amp; Co"' in wrong.text


@pytest.mark.parametrize("role", ["warehouse", "viewer"])
async def test_who_only_reads_changes_nothing(staff, shop, role):
    opened, here = await staff(role), f"{CUSTOMERS}/{shop.customer_id}"

    shown = await opened.get(here)

    assert shown.status_code == 200
    assert ">Save<" not in shown.text
    for path in (f"{CUSTOMERS}/new", here, f"{here}/orders"):
        assert (await opened.post(path, {"email": "x@y.example"})).status_code == 403
    assert (await opened.get(f"{CUSTOMERS}/new")).status_code == 403


async def test_another_shops_customer_is_not_there(staff, server_database):
    async with server_database.begin() as tx:
        other = await make_shop(tx)
    opened, here = await staff(), f"{CUSTOMERS}/{other.customer_id}"

    assert (await opened.get(here)).status_code == 404
    for path in (here, f"{here}/orders"):
        reply = await opened.submit(CUSTOMERS + "/new", {"email": "x@y.example"}, to=path)
        assert reply.status_code == 404
