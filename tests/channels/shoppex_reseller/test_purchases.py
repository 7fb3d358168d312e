"""A merchant's program, for stock that its resellers buy..."""

from decimal import Decimal
from typing import Any

import pytest

from crossdock.channels.shoppex_reseller.ids import Kind
from tests.support.reseller_client import KeyHolder, add_key_holder
from tests.support.reselling import Reselling


async def test_requests_it_once(buying):
    once = "stock-request-rel-123-prod-123-25"
    made = await buying.request(once=once)
    again = await buying.request(once=once)
    assert again == made
    assert made.pop("created_at") == made.pop("requested_at") == made.pop("updated_at")
    shown = {name: made[name] for name in ("id", "product_title")}
    assert made == shown | {
        "reseller_relationship_id": buying.path.rsplit("/", 1)[1],
        "shop_id": buying.ids.write(Kind.SHOP, buying.selling.shop.id),
        "status": "REQUESTED", "product_id": buying.product, "variant_id": None,
        "variant_title": None, "quantity": 25, "unit_price": Decimal("19.99"),
        "wholesale_discount_percent": 35, "unit_wholesale_price": Decimal("12.99"),
        "total": Decimal("324.75"), "currency": "USD", "allocated_count": 0,
        "delivered_count": 0, "payment_source": None, "paid_at": None, "allocated_at": None,
        "revoked_at": None, "invoice": None, "invoiced_at": None,
    }  # fmt: skip


async def test_lists_it_after_a_cursor(buying):
    made = [(await buying.request(n))["id"] for n in (1, 2, 3)]
    path = f"{buying.path}/stock-transfers"
    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await buying.http.ask("GET", f"{path}?limit=1&cursor={cursor}")
        seen += [each["id"] for each in page["data"]]
        cursor = page["pagination"]["next_cursor"]
    assert seen == made[::-1]
    assert (await buying.http.data("GET", f"{path}/{made[0]}"))["quantity"] == 1
    for query, count in (
        ("status=requested", 3), ("status=PAID", 0), (f"product_id={buying.product}", 3),
        ("product_id=11111111-1111-4111-8111-111111111111", 0),
    ):  # fmt: skip
        assert len(await buying.http.data("GET", f"{path}?{query}")) == count
    assert list(await buying.http.fields_refused("GET", f"{path}?status=GONE")) == ["status"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"product_id": None}, "product_id"), ({"product_id": 7}, "product_id"),
        ({"quantity": 0}, "quantity"), ({"quantity": 1.5}, "quantity"),
        ({"quantity": 10_001}, "quantity"), ({"quantity": None}, "quantity"),
        ({"variant_id": "x"}, "variant_id"),
    ],
)  # fmt: skip
async def test_is_told_of_a_wrong_field(buying, change, field):
    body = {"product_id": buying.product, "quantity": 1} | change
    wrong = await buying.http.fields_refused("POST", f"{buying.path}/stock-purchases", json=body)
    assert list(wrong) == [field]


async def test_is_refused_in_the_channels_words(buying):
    path = f"{buying.path}/stock-purchases"

    async def code(status: int, **change: Any) -> str:
        body = {"product_id": buying.product, "quantity": 1} | change
        error = await buying.http.refusal("POST", path, status=status, json=body)
        return str(error["code"])

    assert await code(409, quantity=31) == "STOCK_UNAVAILABLE"
    assert await code(404, product_id="11111111-1111-4111-8111-111111111111") == "NOT_FOUND"
    await buying.selling.set(enabled=False)
    assert await code(400) == "RESELLER_PROGRAM_DISABLED"
    assert await buying.http.data("GET", f"{buying.path}/stock-transfers") == []


async def test_sees_nothing_of_another_shop(buying, desk_database, desk_server):
    made = await buying.request(1)
    other = await Reselling.open(desk_database, desk_server.clock, channel="shoppex_reseller")
    _, name, key = await add_key_holder(desk_database, shop_id=other.shop.id)
    async with KeyHolder(desk_server.url, key=key, public_key=name) as http:
        await http.refusal("POST", f"{buying.path}/stock-purchases", status=404,
                           json={"product_id": buying.product, "quantity": 1})  # fmt: skip
        await http.refusal("GET", f"{buying.path}/stock-transfers", status=404)
        await http.refusal("GET", f"{buying.path}/stock-transfers/{made['id']}", status=404)
    sibling, _ = await buying.selling.reseller("sibling@example.com")
    theirs = f"/dev/v1/resellers/{buying.ids.write(Kind.RELATIONSHIP, sibling.id)}"
    await buying.http.refusal("GET", f"{theirs}/stock-transfers/{made['id']}", status=404)
    nobody = f"/dev/v1/resellers/{buying.ids.write(Kind.RELATIONSHIP, 10**9)}"
    for path in ("stock-transfers", "inventory"):
        await buying.http.refusal("GET", f"{nobody}/{path}", status=404)


async def test_invoices_it_once_and_again_where_it_was_voided(buying):
    made = await buying.request(1)
    path = f"{buying.path}/stock-transfers/{made['id']}"
    first = await buying.http.data("POST", f"{path}/invoice", json={"coin": "LITECOIN"}, status=201)
    again = await buying.http.data("POST", f"{path}/invoice", json={}, once="other")
    assert first == again
    assert first["status"] == "INVOICED"
    invoice = first["invoice"]
    assert invoice["checkout_url"].startswith("http")
    assert "/pay/" in invoice["checkout_url"]
    assert (invoice["status"], invoice["total"], invoice["currency"]) == (
        "PENDING", Decimal("12.99"), "USD",
    )  # fmt: skip
    assert invoice["id"] == invoice["uniqid"]
    listed = (await buying.http.data("GET", f"{buying.path}/stock-transfers"))[0]
    assert listed["invoice"] == invoice
    paid = await buying.http.data("POST", f"{path}/mark-paid")
    assert (paid["status"], paid["invoice"]["status"]) == ("PAID", "COMPLETED")
    error = await buying.http.refusal("POST", f"{path}/invoice", status=409)
    assert error["code"] == "INVALID_STATE"
    assert list(
        await buying.http.fields_refused("POST", f"{path}/invoice", json={"coin": "x" * 41})
    ) == ["coin"]
