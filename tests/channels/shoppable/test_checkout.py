"""A checkout..."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from crossdock.channels.shoppable.building import FACTS
from crossdock.shop.pricing import TaxRate, set_tax_rate
from tests.channels.shoppable.conftest import OpenStall, Stall
from tests.support.consuming import deliver_by_worker, make_virtual
from tests.support.locks import waiting_for_a_lock
from tests.support.paying import DECLINED, GOOD, LOST_ANSWER
from tests.support.shopper import BODY, PERSON

ADDRESS_FIELDS = [f"{kind}_{name}" for kind in ("shipping", "billing") for name in PERSON]
REQUIRED = [
    *ADDRESS_FIELDS, "billing_country", "card_name", "card_number", "expiry_month", "expiry_year",
    "security_code",
]  # fmt: skip


async def _is_untouched(stall: Stall, good: int, *, own: int = 10) -> None:
    assert await stall.mall.level(good) == (own, 0, 0, own)
    assert (await stall.mall.count("orders"), await stall.mall.balances()) == (0, {})


async def test_takes_a_cart_to_an_order_that_the_feed_shows(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant(own=5, price_minor=1250)

    cart_id = await stall.shopper.cart((good, 2))
    assert (await stall.shopper.read(f"/v3/cart/{cart_id}"))["cart"]["qty"] == 2
    reply = await stall.shopper.check_out(cart_id)

    assert reply.status_code == 200, reply.text
    [line] = reply.json()
    assert (line["quantity"], line["total"], line["status"]) == (2, "25.00", 2)
    assert await stall.mall.level(good) == (5, 0, 2, 3)
    [told] = (await stall.shopper.feed()).json()
    assert (told["order_number"], told["order_status"], told["prevStatus"]) == (
        line["number"],
        "Pending",
        "",
    )


async def test_of_what_is_not_shipped_is_complete_without_a_parcel(stalls: OpenStall) -> None:
    stall = await stalls()
    mall = stall.mall
    good = await mall.variant(stock_managed=False, price_minor=1250)
    await make_virtual(mall.db, good)
    [line] = await stall.shopper.buy((good, 2))
    await deliver_by_worker(mall.db, shop_id=mall.shop.id, now=mall.clock.now())

    assert (await mall.order(line["id"])).fulfilment_state == "completed"
    [told] = (await stall.shopper.feed()).json()
    assert (told["order_number"], told["order_status"]) == (line["number"], "Complete")


async def test_is_one_order_of_many_merchants_line_by_line(stalls: OpenStall) -> None:
    stall = await stalls()
    mall = stall.mall
    first = await mall.merchant(
        shipping_flat_minor=595, free_shipping_from_minor=3500, commission_bp=1000
    )
    second = await mall.merchant(shipping_flat_minor=700, free_shipping_from_minor=5000)
    async with mall.db.begin() as tx:
        rate = TaxRate(country="US", state="TX", rate_bp=825)
        await set_tax_rate(tx, shop_id=mall.shop.id, rate=rate)
    ten = await mall.variant(
        merchant_id=first, price_minor=1000, merchant_sku="M-10", part_number="MPN-10",
        options=Jsonb({"Color": "Red", "Size": "M"}),
    )  # fmt: skip
    sixty = await mall.variant(merchant_id=second, price_minor=6000)

    lines = await stall.shopper.buy(
        (ten, 2), (sixty, 1), campaign="spring", opt_in="true", language="en",
        shipping_company="ACME", shipping_street2="Flat 2",
    )  # fmt: skip

    one, two = lines
    [order_id] = {line["id"] for line in lines}
    order = await mall.order(order_id)
    shared = {
        "number": f"R{order_id:09d}", "partner_id": 10_000 + stall.partner_id,
        "total": "92.55", "item_total": "80.00", "tax_payable": "6.60",
        "completed_total": "0.00", "completed_item_total": "0.00", "completed_order_total": "0.00",
        "completed_shipping_total": "0.00", "payment_method": 1, "expunged": False,
        "currency": "USD", "customer_id": "", "opt_in": "true", "language": "en",
        "campaign": "spring", "tracking_number": "", "last_modified_by": "", "status": 2,
        "created_at": "2026-03-02T12:00:00.000Z", "updated_at": "2026-03-02T12:00:00.000Z",
        "shipping_company": "ACME", "shipping_street2": "Flat 2", "shipping_country": "US",
        "billing_company": "", "billing_street2": "", "billing_country": "US",
    }  # fmt: skip
    for line in lines:
        assert {name: line[name] for name in shared} == shared
        assert {name: line[name] for name in ADDRESS_FIELDS} == {
            name: BODY[name] for name in ADDRESS_FIELDS
        }
    assert (order.total_minor, order.payment_state, order.is_test) == (9255, "paid", False)
    own = {
        "merchant_id": str(first), "color": "Red", "size": "M", "mfg_part_number": "MPN-10",
        "mfg_sku": "M-10", "sku": str(ten), "price": Decimal("10.00"), "quantity": 2,
        "shipping_charge": Decimal("5.95"), "shipping_total": "5.95",
        "merchant_total": Decimal("20.00"), "part_number": str(order.lines[0].product_id),
        "title": order.lines[0].name, "upc": order.lines[0].upc,
    }  # fmt: skip
    assert {name: one[name] for name in own} == own
    assert (two["shipping_total"], two["merchant_total"], two["color"]) == ("0.00", 60, "")
    assert await mall.balances() == {
        "clearing sandbox USD": -9255,
        f"commission merchant:{first} USD": 200,
        f"sales merchant:{first} USD": 1800,
        f"sales merchant:{second} USD": 6000,
        "shipping USD": 595,
        "tax USD": 660,
    }


@pytest.mark.parametrize("field", [*REQUIRED, "cartId"])
async def test_tells_a_field_that_is_missing_or_blank(stalls: OpenStall, field: str) -> None:
    stall = await stalls()
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 1))

    for value in (None, "  ", ["no text"], "\u200b\u0301", "\u2800\u3164"):
        reply = await stall.shopper.check_out(cart_id, **{field: value})
        assert reply.status_code == 400
        body = reply.json()
        assert (body["code"], body["fields"]) == (400, {field: "missing"})
        assert field in body["error"]
    await _is_untouched(stall, good)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("card_number", "4242 4242 4242 4241"),
        ("card_number", "4242"),
        ("card_number", "4242x4242x4242x4242"),
        ("expiry_month", "13"),
        ("expiry_month", "0"),
        ("expiry_year", "2025"),
        ("expiry_year", "25"),
        ("expiry_year", "next"),
        ("security_code", "12"),
        ("security_code", "12345"),
        ("shipping_email", "nobody"),
        ("billing_email", "@"),
        ("billing_email", "ann@example.com\r\nBcc: all@example.com"),
        ("billing_country", "USA"),
        ("billing_country", "XX"),
        ("shipping_country_code", "X"),
        ("currency", "dollars"),
        ("currency", "EUR"),
        ("billing_first_name", "A" * 501),
    ],
)
async def test_tells_a_field_that_is_invalid(stalls: OpenStall, field: str, value: str) -> None:
    stall = await stalls()
    good = await stall.mall.variant()

    reply = await stall.shopper.check_out(await stall.shopper.cart((good, 1)), **{field: value})

    assert (reply.status_code, reply.json()["fields"]) == (400, {field: "invalid"})
    await _is_untouched(stall, good)


async def test_names_the_country_that_a_wrong_code_means(stalls: OpenStall) -> None:
    stall = await stalls()
    cart_id = await stall.shopper.cart((await stall.mall.variant(), 1))

    for fields in (
        {"billing_country": "UK"},
        {"shipping_country_code": "UK"},
        {"shipping_country": "UK"},
        {"billing_country": "UK", "shipping_country_code": "UK"},
    ):
        said = (await stall.shopper.check_out(cart_id, **fields)).json()["error"]
        assert said.count("'UK' is no country code of ISO 3166-1; write GB for") == 1


async def test_control_characters_of_an_address_are_blanks(stalls: OpenStall) -> None:
    stall = await stalls()

    [line] = await stall.shopper.buy(
        (await stall.mall.variant(), 1),
        shipping_street1="1 Main St\r\nApt 4\x1b",
        shipping_first_name="\0Ann",
    )

    assert (line["shipping_street1"], line["shipping_first_name"]) == ("1 Main St Apt 4", "Ann")


async def test_tells_all_fields_at_once(stalls: OpenStall) -> None:
    stall = await stalls()

    reply = await stall.shopper.check_out(
        "no cart", shipping_city="", card_number="1", expiry_month="99", security_code="x"
    )

    assert reply.json()["fields"] == {
        "shipping_city": "missing", "card_number": "invalid", "expiry_month": "invalid",
        "security_code": "invalid",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": None, "shipping_country_code": "US"},
        {"currency": "usd", "shipping_country": "US"},
        {"card_number": "4242-4242 4242-4242", "expiry_month": "3", "expiry_year": "26"},
        {"expiry_month": 12, "expiry_year": 2031, "security_code": "1234"},
        {"expiry_month": "12.0", "expiry_year": "2031.00"},
    ],
)
async def test_takes_every_form_of_the_guide(stalls: OpenStall, changes: Any) -> None:
    stall = await stalls()

    [line] = await stall.shopper.buy((await stall.mall.variant(), 1), **changes)

    assert (line["shipping_country"], line["currency"]) == ("US", "USD")


@pytest.mark.parametrize("body", [b"", b"[]", b"no json", b'"text"', b"\xff"])
async def test_refuses_a_body_that_is_no_object(stalls: OpenStall, body: bytes) -> None:
    stall = await stalls()
    path = f"/api/v3/token/{stall.shopper.token}/checkout"

    reply = await stall.shopper.send(
        "POST", path, content=body, headers={"Content-Type": "application/json"}
    )

    assert (reply.status_code, reply.json()["code"]) == (400, 400)


async def test_refuses_an_empty_cart_and_one_that_is_unknown(stalls: OpenStall) -> None:
    stall, other = await stalls(), await stalls()
    theirs = await other.shopper.cart((await other.mall.variant(), 1))

    empty = await stall.shopper.check_out(await stall.shopper.cart())
    assert (empty.status_code, empty.json()["code"]) == (400, 400)
    for cart_id in (theirs, "no cart"):
        unknown = await stall.shopper.check_out(cart_id)
        assert (unknown.status_code, unknown.json()["code"]) == (404, 40002)


async def test_minds_the_length_of_the_fields_that_it_knows_alone(stalls: OpenStall) -> None:
    stall = await stalls()
    cart_id = await stall.shopper.cart((await stall.mall.variant(), 1))
    long = "x" * 501

    for name in ("campaign", "language", "shipping_street2", "billing_company", "shipping_country"):
        refused = await stall.shopper.check_out(cart_id, **{name: long})
        assert (refused.status_code, refused.json()["fields"][name]) == (400, "invalid")
    reply = await stall.shopper.check_out(cart_id, tracking=long)

    assert reply.status_code == 200, reply.text


async def test_refuses_a_cart_that_was_used_and_names_its_order(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 1))
    first = (await stall.shopper.check_out(cart_id)).json()

    again = await stall.shopper.check_out(cart_id)

    assert (again.status_code, again.json()["code"]) == (400, 400)
    number = again.json()["number"]
    assert await stall.shopper.read(f"/v3/order/{number}/") == _exact(first)
    assert (await stall.mall.count("orders"), await stall.mall.payment_states()) == (
        1,
        ["captured"],
    )
    emptied = await stall.shopper.read(f"/v3/cart/{cart_id}")
    assert (emptied["cart"]["qty"], emptied["merchants"]) == (0, [])


def _exact(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Amounts as they are read elsewhere."""
    numbers = ("price", "shipping_charge", "merchant_total")
    return [
        line | {name: Decimal(str(line[name])).quantize(Decimal("0.01")) for name in numbers}
        for line in lines
    ]


async def test_of_one_cart_by_two_at_once_is_one_order(stalls: OpenStall) -> None:
    stall = await stalls()
    cart_id = await stall.shopper.cart((await stall.mall.variant(own=5), 2))

    async with stall.mall.db.begin() as tx:
        await tx.run("select 1 from carts where id = %s for update", (cart_id,))
        calls = [asyncio.create_task(stall.shopper.check_out(cart_id)) for _ in range(2)]
        await waiting_for_a_lock(stall.mall.db, behind=tx, count=1)
    statuses = sorted(reply.status_code for reply in await asyncio.gather(*calls))

    assert statuses[0] == 200
    assert statuses[1] in {400, 503}
    assert await stall.mall.count("orders") == 1


async def test_names_the_skus_of_which_there_is_too_little(stalls: OpenStall) -> None:
    stall = await stalls()
    good, gone = await stall.mall.variant(), await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 2), (gone, 1))
    await stall.mall.change("variants", gone, listed=False)

    reply = await stall.shopper.check_out(cart_id)

    assert (reply.status_code, reply.json()["code"]) == (400, 400)
    assert reply.json()["outOfStockItems"] == [str(gone)]
    await _is_untouched(stall, good)


async def test_lets_the_stock_go_when_the_card_is_refused(stalls: OpenStall) -> None:
    stall = await stalls()
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 1))

    declined = await stall.shopper.check_out(cart_id, card_number=DECLINED)
    lost = await stall.shopper.check_out(cart_id, card_number=LOST_ANSWER)

    assert (declined.status_code, declined.json()["fields"]) == (400, {"card_number": "declined"})
    assert (lost.status_code, lost.headers["retry-after"].isdigit()) == (503, True)
    await _is_untouched(stall, good)
    assert (await stall.shopper.check_out(cart_id)).status_code == 200


async def test_tells_nothing_of_the_card(
    stalls: OpenStall, capfd: pytest.CaptureFixture[str]
) -> None:
    stall = await stalls()
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 1))
    code = "8317"

    replies = [
        await stall.shopper.check_out(cart_id, security_code=code, card_number=number)
        for number in (DECLINED, "4242424242424241", GOOD)
    ]
    number = replies[-1].json()[0]["number"]
    replies.append(await stall.shopper.get(f"/v3/order/{number}"))
    replies.append(await stall.shopper.feed())

    logged = "".join(capfd.readouterr())
    for text in (*(reply.text for reply in replies), logged):
        for secret in (GOOD, DECLINED, "4242424242424241", f'"{code}"'):
            assert secret not in text
        assert stall.shopper.token not in text
        assert stall.shopper.password not in text


async def test_needs_a_token_with_the_right(stalls: OpenStall) -> None:
    stall = await stalls(permissions=("catalog.read", "carts.write"))
    good = await stall.mall.variant()
    cart_id = await stall.shopper.cart((good, 1))

    reply = await stall.shopper.check_out(cart_id)
    assert (reply.status_code, reply.json()["code"]) == (403, 30003)
    stall.shopper.token = "x" * 32
    reply = await stall.shopper.check_out(cart_id)
    assert (reply.status_code, reply.json()["code"]) == (401, 30002)
    await _is_untouched(stall, good)


async def test_of_a_test_token_is_a_test(stalls: OpenStall) -> None:
    stall = await stalls(is_test=True)

    [line] = await stall.shopper.buy((await stall.mall.variant(), 1))

    assert line["status"] == 13
    [told] = (await stall.shopper.feed()).json()
    assert (told["order_status"], told["lineitem_status"], told["prevStatus"]) == (
        "Test",
        "Test",
        "",
    )


async def test_s_order_is_not_read_by_a_token_that_shoppers_see(stalls: OpenStall) -> None:
    stall = await stalls(permissions=FACTS.given)
    [line] = await stall.shopper.buy((await stall.mall.variant(), 1))

    reply = await stall.shopper.get(f"/v3/order/{line['number']}")

    assert (reply.status_code, reply.json()["code"]) == (403, 30003)
    [fed] = (await stall.shopper.feed()).json()
    assert fed["order_number"] == line["number"]


async def test_s_order_is_read_by_its_partner_alone(stalls: OpenStall) -> None:
    stall, other = await stalls(), await stalls()
    [line] = await stall.shopper.buy((await stall.mall.variant(), 1))

    [read] = await stall.shopper.read(f"/v3/order/{line['number']}")
    assert read["sku"] == line["sku"]
    for shopper, number in (
        (other.shopper, line["number"]), (stall.shopper, "R999999999"), (stall.shopper, "R1"),
        (stall.shopper, str(line["id"])), (stall.shopper, "%00"),
    ):  # fmt: skip
        reply = await shopper.get(f"/v3/order/{number}")
        assert (reply.status_code, reply.json()["code"]) == (404, 404)
