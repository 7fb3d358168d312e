"""A customer of the merchant's shop, over the Developer API..."""

from decimal import Decimal

import pytest

from tests.conftest import NOON

CUSTOMERS = "/dev/v1/customers"


async def add(merchant, email="ada@example.com", **fields):
    """A customer."""
    return await merchant.data("POST", CUSTOMERS, status=201, json={"email": email, **fields})


async def count(desk_database, desk):
    """How many customers have a row, deleted or not, besides the shop's own."""
    async with desk_database.statement() as tx:
        return await tx.value("select count(*) - 1 from customers where shop_id = %s", (desk.id,))


async def test_is_added_and_read_again(merchant):
    added = await add(
        merchant,
        " Ada@Example.com ",
        name="Ada",
        surname="Moreno",
        phone="+1 305",
        country_code="us",
    )
    wanted = {
        "uniqid": added["id"], "email": "ada@example.com", "name": "Ada", "surname": "Moreno",
        "phone": "+1 305", "country_code": "US", "city": None, "active": True,
        "customer_balance": Decimal("0.00"), "currency": "USD",
    }  # fmt: skip
    assert {name: added[name] for name in wanted} == wanted
    assert await merchant.data("GET", f"{CUSTOMERS}/{added['id']}") == added


async def test_that_is_malformed_or_known_is_refused(merchant, desk_database, desk):
    wrong = await merchant.fields_refused(
        "POST", CUSTOMERS, json={"email": "x", "name": 1, "country_code": "ZZ", "active": "maybe"}
    )
    assert set(wrong) == {"email", "name", "country_code", "active"}
    wrong = await merchant.fields_refused(
        "POST", CUSTOMERS, json={"email": "a@buyer.example", "country_code": "UK"}
    )
    assert wrong == {
        "country_code": "'UK' is no country code of ISO 3166-1; write GB for United Kingdom."
    }
    await add(merchant)
    error = await merchant.refusal("POST", CUSTOMERS, status=409, json={"email": "ADA@example.com"})
    assert error["code"] == "CONFLICT"
    assert await count(desk_database, desk) == 1


async def test_is_changed_field_by_field(merchant):
    added = await add(merchant, name="Ada", city="Miami")
    other = await add(merchant, "other@example.com")
    path = f"{CUSTOMERS}/{added['id']}"
    changed = await merchant.data(
        "PATCH",
        path,
        json={"email": "new@example.com", "city": None, "phone": "1", "active": False},
    )
    wanted = {"email": "new@example.com", "city": None, "phone": "1", "active": False}
    assert changed == {**added, **wanted}
    assert await merchant.data("PATCH", path, json={}) == changed
    await merchant.refusal("PATCH", path, status=409, json={"email": "other@example.com"})
    await merchant.fields_refused("PATCH", path, json={"email": None})
    assert await merchant.data("GET", path) == changed
    assert await merchant.data("GET", f"{CUSTOMERS}/{other['id']}") == other


async def test_that_is_deleted_is_erased_and_its_orders_stay(merchant, desk_database, desk):
    body = {"title": "Setup", "price": 5, "type": "SERVICE"}
    product = await merchant.data("POST", "/dev/v1/products", status=201, json=body)
    order = {"email": "ada@example.com", "items": [{"product_id": product["id"], "quantity": 1}]}
    made = await merchant.data("POST", "/dev/v1/orders", status=201, json=order)
    path = f"{CUSTOMERS}/{made['customer_id']}"
    await merchant.ask("DELETE", path, status=204)
    for method in ("GET", "PATCH", "DELETE"):
        await merchant.refusal(method, path, status=404)
    async with desk_database.statement() as tx:
        kept = await tx.one(
            "select email, billing, deleted_at from customers where shop_id = %s and deleted_at is not null",
            (desk.id,),
        )
    assert kept == ("", {}, NOON)
    told = await merchant.data("GET", f"/dev/v1/orders/{made['id']}")
    assert (told["customer_email"], told["customer_id"]) == ("ada@example.com", made["customer_id"])
    again = await merchant.data("POST", "/dev/v1/orders", status=201, json=order)
    assert again["customer_id"] != made["customer_id"]


async def test_whom_a_partner_orders_for_is_not_deleted(merchant, keys, desk):
    await keys(customer_id=desk.customer_id)
    [own] = await merchant.data("GET", CUSTOMERS)
    error = await merchant.refusal("DELETE", f"{CUSTOMERS}/{own['id']}", status=409)
    assert error["code"] == "INVALID_STATE"
    assert await merchant.data("GET", CUSTOMERS) == [own]


async def test_is_listed_with_the_others_page_by_page(merchant):
    [own] = await merchant.data("GET", CUSTOMERS)
    emails = [f"c{n}@example.com" for n in range(3)]
    for email in emails:
        await add(merchant, email)
    found, cursor = [], ""
    while True:
        page = await merchant.ask("GET", f"{CUSTOMERS}/?limit=2{cursor}")
        found += [each["email"] for each in page["data"]]
        if not page["pagination"]["has_more"]:
            break
        cursor = f"&cursor={page['pagination']['next_cursor']}"
    assert sorted(found) == sorted([*emails, own["email"]])
    assert len(found) == 4
    [one] = await merchant.data("GET", f"{CUSTOMERS}?email=C1@example.com")
    assert one["email"] == "c1@example.com"


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("DELETE", "/x")])
async def test_is_another_scope_s(keys, method, path):
    key = await keys("orders.read", "orders.write")
    assert (await key.refusal(method, CUSTOMERS + path, status=403))["code"] == "FORBIDDEN"
