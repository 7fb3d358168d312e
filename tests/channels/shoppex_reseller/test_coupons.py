"""A merchant's coupons, over the Developer API..."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from crossdock.shop.pricing import CouponTerms, add_coupon
from tests.conftest import NOON
from tests.support.factories import make_merchant, make_shop

COUPONS = "/dev/v1/coupons/"
AT = int(NOON.timestamp())
TEN = {"code": "SAVE10", "discount_value": 10}


async def add(merchant, **fields):
    """A coupon of ten percent, unless told otherwise."""
    return await merchant.data("POST", COUPONS, status=201, json={**TEN, **fields})


async def test_are_added_and_read_again(merchant, cards):
    until = datetime(2027, 1, 1, tzinfo=UTC)
    added = await add(
        merchant, max_uses=5, products_bound=[cards], min_order_amount=25.5, max_discount="7",
        valid_from=AT, valid_until=until.isoformat(),
    )  # fmt: skip
    me = await merchant.data("GET", "/dev/v1/me")
    assert added == {
        "id": added["id"], "uniqid": added["id"], "shop_id": me["id"], "code": "save10",
        "type": "PERCENTAGE", "discount": Decimal(10), "currency": "USD", "used": 0, "max_uses": 5,
        "min_order_amount": Decimal("25.50"), "max_discount": Decimal("7.00"), "valid_from": AT,
        "valid_until": int(until.timestamp()), "is_active": True, "products_bound": [cards],
        "products_count": 1, "created_at": AT, "updated_at": AT,
    }  # fmt: skip
    for path in (
        f"/dev/v1/coupons/{added['id']}",
        f"{COUPONS}code/Save10",
        f"{COUPONS}code/SAVE10/",
    ):
        assert await merchant.data("GET", path) == added


async def test_take_off_an_amount_or_a_part(merchant):
    fixed = await add(merchant, code="five", discount_type="fixed", discount_value="5.5")
    assert (fixed["type"], fixed["discount"]) == ("FIXED", Decimal("5.50"))
    path = f"/dev/v1/coupons/{fixed['id']}"
    part = await merchant.data("PATCH", path, json={"discount_type": "PERCENTAGE"})
    assert part == {**fixed, "type": "PERCENTAGE"}
    part = await merchant.data("PATCH", path, json={"discount": 12.5})
    assert part == {**fixed, "type": "PERCENTAGE", "discount": Decimal("12.5")}


async def test_are_changed_field_by_field(merchant, desk_server):
    added = await add(merchant, max_uses=3, valid_until=AT + 60, min_order_amount=1)
    path = f"/dev/v1/coupons/{added['id']}"
    sent = {"code": "NEW", "max_uses": None, "valid_until": None, "used_count": 2, "is_active": False,
            "min_order_amount": None, "nothing": 1}  # fmt: skip
    wanted = {"code": "new", "max_uses": None, "valid_until": None, "used": 2, "is_active": False,
              "min_order_amount": None}  # fmt: skip
    changed = await merchant.data("PATCH", path, json=sent)
    assert changed == {**added, **wanted}
    assert await merchant.data("PATCH", path, json={}) == changed


async def test_are_listed_the_newest_first(merchant):
    made = [(await add(merchant, code=f"c{number}"))["id"] for number in range(3)]
    page = await merchant.ask("GET", f"{COUPONS}?limit=2")
    assert [each["id"] for each in page["data"]] == [made[2], made[1]]
    assert page["pagination"]["has_more"] is True
    cursor = page["pagination"]["next_cursor"]
    rest = await merchant.ask("GET", f"/dev/v1/coupons?limit=2&cursor={cursor}")
    assert [each["id"] for each in rest["data"]] == [made[0]]
    assert rest["pagination"] == {"next_cursor": None, "has_more": False}


async def test_that_are_malformed_are_refused_with_every_field(merchant):
    body = {
        "code": " ", "discount_value": 101, "max_uses": 0, "products_bound": ["x"],
        "min_order_amount": -1, "max_discount": 0, "valid_from": "soon", "is_active": "maybe",
    }  # fmt: skip
    wrong = await merchant.fields_refused("POST", COUPONS, json=body)
    assert set(wrong) == {*body, "products_bound[0]"} - {"products_bound"}
    assert set(await merchant.fields_refused("POST", COUPONS, json={})) == {
        "code",
        "discount_value",
    }
    for odd in ({"discount_value": 0}, {"discount_type": "HALF"}, {"discount_value": None}):
        assert set(await merchant.fields_refused("POST", COUPONS, json={**TEN, **odd})) == set(odd)
    late = {**TEN, "valid_from": AT, "valid_until": AT}
    assert set(await merchant.fields_refused("POST", COUPONS, json=late)) == {"valid_until"}
    assert await merchant.data("GET", COUPONS) == []


async def test_have_codes_of_their_own(merchant):
    first = await add(merchant)
    error = await merchant.refusal("POST", COUPONS, status=409, json={**TEN, "code": "save10"})
    assert error["code"] == "CONFLICT"
    other = await add(merchant, code="other")
    path = f"/dev/v1/coupons/{other['id']}"
    error = await merchant.refusal("PATCH", path, status=409, json={"code": "Save10"})
    assert error["code"] == "CONFLICT"
    assert await merchant.data("GET", COUPONS) == [other, first]


async def test_that_are_taken_away_are_gone_and_their_codes_free(merchant):
    added = await add(merchant)
    path = f"/dev/v1/coupons/{added['id']}"
    assert await merchant.ask("DELETE", path, status=204) is None
    for method in ("GET", "PATCH", "DELETE"):
        await merchant.refusal(method, path, status=404)
    assert (await add(merchant))["id"] != added["id"]


async def test_of_others_are_not_there(merchant, keys, desk, desk_database):
    async with desk_database.begin() as tx:
        foreign_shop = await make_shop(tx)
        other = await make_merchant(tx, shop_id=desk.id)
        terms = CouponTerms(code="SALE", kind="percent_off", percent_bp=500)
        await add_coupon(tx, shop_id=desk.id, terms=terms, now=NOON)
    everyones = await add(merchant)
    mine = await keys(visible_merchants=(desk.merchant_id,))
    its = await add(mine, code="mine")
    foreign = await keys(shop_id=foreign_shop.id)
    theirs = await keys(visible_merchants=(other,))
    assert await mine.data("GET", COUPONS) == [its]
    assert [each["code"] for each in await merchant.data("GET", COUPONS)] == ["mine", "save10"]
    for caller in (foreign, theirs):
        assert await caller.data("GET", COUPONS) == []
        for method in ("GET", "PATCH", "DELETE"):
            await caller.refusal(method, f"/dev/v1/coupons/{its['id']}", status=404)
    await merchant.refusal("GET", f"{COUPONS}code/SALE", status=404)
    assert await merchant.data("GET", f"/dev/v1/coupons/{everyones['id']}") == everyones


@pytest.mark.parametrize(("scope", "method"), [("coupons.read", "POST"), ("coupons.write", "GET")])
async def test_need_their_scopes(keys, scope, method):
    caller = await keys(scope)
    error = await caller.refusal(method, COUPONS, status=403, json=TEN)
    assert error["message"] == "Missing required API scope."


async def test_are_added_once_with_a_key(merchant):
    first = await merchant.data("POST", COUPONS, status=201, json=TEN, once="c-1")
    again = await merchant.data("POST", COUPONS, status=201, json=TEN, once="c-1")
    assert first == again


async def test_lower_an_order_whose_buyer_names_one(merchant):
    body = {"title": "Licence", "price": 20, "type": "SERIALS", "serials": "A\nB\nC\nD"}
    licence = (await merchant.data("POST", "/dev/v1/products", status=201, json=body))["id"]
    coupon = await add(merchant, max_uses=1, min_order_amount=40, max_discount=3)

    async def order(quantity, *, status=201, code="Save10"):
        sent = {"email": "a@b.example", "items": [{"product_id": licence, "quantity": quantity}],
                "coupon_code": code}  # fmt: skip
        return await merchant.ask("POST", "/dev/v1/orders", status=status, json=sent)

    async def used():
        return (await merchant.data("GET", f"/dev/v1/coupons/{coupon['id']}"))["used"]

    below = (await order(1, status=400))["error"]
    assert (below["code"], below["message"]) == (
        "BAD_REQUEST", "The order is below the coupon's minimum.",
    )  # fmt: skip
    assert (await order(1, status=400, code="none"))["error"][
        "message"
    ] == "There is no such coupon."
    assert await used() == 0

    made = (await order(2))["data"]
    assert (made["subtotal"], made["discount"], made["total"], made["coupon_code"]) == (
        Decimal("40.00"), Decimal("3.00"), Decimal("37.00"), "Save10",
    )  # fmt: skip
    assert await used() == 1
    assert "as often as it may be" in (await order(2, status=400))["error"]["message"]

    path = f"/dev/v1/orders/{made['id']}"
    assert (await merchant.data("PATCH", path, json={"status": "VOIDED"}))["status"] == "VOIDED"
    assert await used() == 0
