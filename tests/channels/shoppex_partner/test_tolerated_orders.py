"""An order may be written in many ways, and none of them changes whose it is or what it costs."""

import json
import uuid

import pytest

from tests.channels.shoppex_partner.ordering import (
    PAYLOAD,
    raw_order,
    stored,
)
from tests.support.factories import ADDRESS
from tests.support.partner_client import order_of


async def test_numbers_may_come_as_digit_strings_and_whole_decimals(
    partner, variant, server_database
):
    product = await variant(own=100)
    forms = [f'"{product}"', str(product), f"{product}.0"]
    for form in forms:
        for quantity in ('"2"', "2", "2.0", "2e0", '"02"'):
            number = uuid.uuid4().hex
            body = raw_order(form, quantity=quantity, number=f'"{number}"')
            order = await stored(server_database, await partner.create(raw=body))
            assert [(line["variant_id"], line["quantity"]) for line in order["lines"]] == [
                (product, 2)
            ]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('"  PO-1  "', "PO-1"),
        ('"PO 1"', "PO 1"),
        ("12345", "12345"),
        ("0", "0"),
        ("-5", "-5"),
        ("12.50", "12.50"),
        ("1e3", "1000"),
        ("98765432109876543210", "98765432109876543210"),
        ('"ÅÄÖ-日本-🛒"', "ÅÄÖ-日本-🛒"),
        ('"\\u00c5\\ud83d\\uded2"', "Å🛒"),
        ('"' + "x" * 191 + '"', "x" * 191),
        ('"' + "é" * 191 + '"', "é" * 191),
        ('"\' or 1=1 --"', "' or 1=1 --"),
        ('"%s %(x)s {x}"', "%s %(x)s {x}"),
        ('"<b>&amp;"', "<b>&amp;"),
    ],
)
async def test_an_order_number_is_kept_as_its_text(partner, variant, server_database, sent, kept):
    body = raw_order(await variant(), number=sent)
    reply = await partner.create(raw=body)
    assert (await stored(server_database, reply))["partner_order_id"] == kept
    assert reply.json()["partner_order_id"] == kept
    assert (await partner.create(raw=body)).status_code == 409


async def test_an_order_number_is_case_sensitive_and_trimmed(partner, variant):
    product = await variant()
    assert (await partner.order(product, number="po-1")).status_code == 201
    assert (await partner.order(product, number="PO-1")).status_code == 201
    assert (await partner.order(product, number=" po-1\t")).status_code == 409


@pytest.mark.parametrize("comments", [None, "", "   ", "\n"], ids=repr)
async def test_blank_comments_are_none(partner, variant, server_database, comments):
    order = await stored(
        server_database,
        await partner.order(await variant(), number=f"N{uuid.uuid4().hex}", comments=comments),
    )
    assert order["comments"] == ""
    assert order["lines"][0]["note"] == f"Partner Order ID: {order['partner_order_id']}"


async def test_comments_follow_the_number_on_every_line_with_newlines_as_spaces(
    partner, variant, server_database
):
    products = [await variant(), await variant()]
    text = "Leave at\r\nthe door,\nplease"
    order = await stored(
        server_database, await partner.create(order_of(*((p, 1) for p in products), comments=text))
    )
    assert order["comments"] == text
    note = f"Partner Order ID: {order['partner_order_id']} | Leave at the door, please"
    assert [line["note"] for line in order["lines"]] == [note, note]


async def test_comments_of_exactly_the_limit_are_kept(partner, variant, server_database):
    text = "é" * 2000
    order = await stored(server_database, await partner.order(await variant(), comments=text))
    assert order["comments"] == text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, ""),
        ("", ""),
        ("US-12-3456789", "US-12-3456789"),
        (123456789, "123456789"),
        (True, "true"),
        ({"id": "x", "list": [1, None]}, '{"id": "x", "list": [1, null]}'),
        (["a", "b"], '["a", "b"]'),
        ("x" * 5000, "x" * 5000),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_fiscal_metadata_of_any_type_is_stored_and_never_judged(
    partner, variant, server_database, sent, kept
):
    reply = await partner.order(await variant(), tax_id=sent, resale_tax=sent)
    order = await stored(server_database, reply)
    assert (order["tax_id"], order["resale_tax"]) == (kept, kept)


@pytest.mark.parametrize(
    "sent", ["a\x00b", "\ud800", "a\x1bb\n", 1.25, {"deep": {"number": 1.5}}], ids=repr
)
async def test_fiscal_metadata_of_any_content_places_the_order(partner, variant, sent):
    assert (await partner.order(await variant(), tax_id=sent, resale_tax=sent)).status_code == 201


@pytest.mark.parametrize("depth", [10, 100, 900, 990, 995, 1000, 2000, 10_000])
async def test_deeply_nested_extras_are_an_order_or_a_refusal_but_never_a_fault(
    partner, variant, depth
):
    product = await variant()
    for field in ("tax_id", "extra"):
        nested = "[" * depth + "]" * depth
        body = raw_order(product, number=f'"{uuid.uuid4().hex}"', more=f',"{field}":{nested}')
        reply = await partner.create(raw=body)
        assert reply.status_code == 201 or reply.json()["code"] == PAYLOAD


async def test_customer_fields_and_unknown_keys_in_the_body_have_no_effect(
    partner, variant, server_database, shop
):
    product = await variant()
    other = {**ADDRESS, "first_name": "Mallory", "email": "mallory@example.com"}
    order = await stored(
        server_database,
        await partner.order(
            product,
            email="mallory@example.com",
            customer_id=1,
            billing=other,
            shipping=other,
            status="completed",
            total="0.01",
            coupon="FREE",
            partner_id=1,
            shop_id=1,
            line_items=[{"product_id": 1}],
            set_paid=True,
        ),
    )
    assert order["customer_id"] == shop.customer_id
    assert order["billing"]["first_name"] == order["shipping"]["first_name"] == "Ada"
    assert (order["fulfilment_state"], order["total_minor"], order["channel"]) == (
        "processing",
        1999,
        "shoppex_partner",
    )
    body = order_of((product, 1))
    body["items"][0] |= {"price": "0.01", "name": "x", "total": 0, "variation_id": 5}
    order = await stored(server_database, await partner.create(body))
    assert order["lines"][0]["unit_price_minor"] == 1999


async def test_the_same_order_is_read_from_every_partners_own_way_of_writing_json(
    partner, variant, server_database
):
    """Each client's bytes differ, so each signature does; the order is the same."""
    product = await variant(own=100)
    document = order_of((product, 2), comments="Größe / 日本")
    ways = {
        "JavaScript": lambda d: json.dumps(d, ensure_ascii=False, separators=(",", ":")),
        "Python": lambda d: json.dumps(d, separators=(",", ":")),
        "indented": lambda d: json.dumps(d, indent=4, ensure_ascii=False),
        "PHP": lambda d: json.dumps(d, separators=(",", ":")).replace("/", "\\/"),
        "padded": lambda d: f"\n\t {json.dumps(d, sort_keys=True)} \r\n",
    }
    for name, write in ways.items():
        document["id_order_partner"] = f"{name}-{uuid.uuid4().hex}"
        order = await stored(server_database, await partner.create(raw=write(document).encode()))
        assert order["comments"] == "Größe / 日本"
        assert order["total_minor"] == 3998
