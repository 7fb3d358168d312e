"""An order is refused by the first rule that says no, with its own code, and nothing is written."""

import json
import uuid
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.support.factories import ADDRESS, make_customer
from tests.support.partner_client import order_of

PAYLOAD, ITEMS = "partner_invalid_payload", "partner_missing_items"
NUMBER, QUANTITY = "partner_missing_id_order_partner", "partner_invalid_quantity"
NOT_FOUND = "partner_product_not_found"
EXISTS = "partner_order_already_exists"


def assert_refused(reply, status: int, code: str) -> dict:
    """A refusal in both published shapes at once; the document."""
    assert (reply.status_code, reply.json().get("code")) == (status, code), reply.text
    document = reply.json()
    assert list(document)[:3] == ["success", "code", "message"]
    assert document["success"] is False
    assert document["message"]
    assert document["data"]["status"] == status
    assert reply.headers["content-type"] == "application/json; charset=UTF-8"
    return document


def raw_order(product, *, quantity: str = "1", number: str = '"X"', more: str = "") -> bytes:
    """An order of one line, written as JSON by hand."""
    items = f'[{{"product_id":{product},"quantity":{quantity}}}]'
    return f'{{"items":{items},"id_order_partner":{number}{more}}}'.encode()


# ---------------------------------------------------------------- step 1: the body


BODIES = [
    (b"", PAYLOAD),
    (b" ", PAYLOAD),
    (b"null", PAYLOAD),
    (b"true", PAYLOAD),
    (b"12", PAYLOAD),
    (b'"text"', PAYLOAD),
    (b"[]", PAYLOAD),
    (b'[{"items": []}]', PAYLOAD),
    (b"{", PAYLOAD),
    (b"{'items': []}", PAYLOAD),
    (b'{"items": [],}', PAYLOAD),
    (b'{"items": [] /* none */}', PAYLOAD),
    (b"items=1&id_order_partner=2", PAYLOAD),
    (b"<order/>", PAYLOAD),
    (b'{"items":[{"product_id":1,"quantity":1}],"id_order_partner":"X"', PAYLOAD),
    (b'{"items":[{"product_id":1,"quantity":1}],"id_order_partner":"X"}}', PAYLOAD),
    (b'{"items":[{"product_id":1,"quantity":1}],"id_order_partner":"X"} x', PAYLOAD),
    (b'{"id_order_partner":"A","id_order_partner":"B","items":[]}', PAYLOAD),
    (b'{"items":[{"product_id":1,"product_id":2,"quantity":1}],"id_order_partner":"X"}', PAYLOAD),
    (b'{"extra":{"a":1,"a":2},"items":[],"id_order_partner":"X"}', PAYLOAD),
    (b'{"id_order_partner":"caf\xe9","items":[]}', PAYLOAD),
    (b'{"id_order_partner":"\xc0\xaf","items":[]}', PAYLOAD),
    (b'{"id_order_partner":"\xed\xa0\x80","items":[]}', PAYLOAD),
    (b"\xef\xbb\xbf{}", PAYLOAD),
    (b"\xff\xfe{\x00}\x00", PAYLOAD),
    (b'\x00{"items":[]}', PAYLOAD),
    (b'{"items":[]}\x00', PAYLOAD),
    (b'{"items":NaN}', PAYLOAD),
    (b'{"items":Infinity}', PAYLOAD),
    (b'{"items":-Infinity}', PAYLOAD),
    (b"[" * 100_000, PAYLOAD),
    (b"[" * 100_000 + b"]" * 100_000, PAYLOAD),
    (b'{"a":' * 30_000 + b"1" + b"}" * 30_000, PAYLOAD),
    (b'{"items":' + b"[" * 50_000 + b"]" * 50_000 + b"}", PAYLOAD),
    (b'{"items":' + b"9" * 5000 + b"}", PAYLOAD),
    (b"{}", ITEMS),
    (b'{"Items":[{}],"id_order_partner":"X"}', ITEMS),
]


@pytest.mark.parametrize(("body", "code"), BODIES, ids=lambda value: repr(value)[:40])
async def test_a_body_that_is_no_order_is_told_so(partner, nothing_written, body, code):
    async with nothing_written():
        assert_refused(await partner.create(raw=body), 400, code)


@pytest.mark.parametrize(
    "items",
    [None, [], {}, {"0": {}}, "", "[]", 0, 1, True, {"product_id": 1, "quantity": 1}],
    ids=repr,
)
async def test_items_must_be_a_list_with_something_in_it(partner, nothing_written, items):
    async with nothing_written():
        assert_refused(await partner.create({"items": items, "id_order_partner": "X"}), 400, ITEMS)
        assert_refused(await partner.create({"items": items}), 400, ITEMS)


@pytest.mark.parametrize("number", [None, "", " ", "\t\n", "\u00a0", "\u2003"], ids=repr)
async def test_a_blank_number_is_a_missing_one(partner, nothing_written, number):
    async with nothing_written():
        document = {"items": [{"product_id": 0, "quantity": 0}], "id_order_partner": number}
        assert_refused(await partner.create(document), 400, NUMBER)
        del document["id_order_partner"]
        assert_refused(await partner.create(document), 400, NUMBER)


@pytest.mark.parametrize(
    "number",
    [
        True,
        False,
        [],
        ["X"],
        {},
        {"a": 1},
        "x" * 192,
        "a\x00b",
        "a\nb",
        "a\x1bb",
        "a\x7fb",
        "a\u0085b",
        "a\ud800b",
        10**200,
    ],
    ids=repr,
)
async def test_a_number_that_cannot_be_kept_is_refused(partner, variant, nothing_written, number):
    product = await variant()
    async with nothing_written():
        document = {"items": [{"product_id": product, "quantity": 1}], "id_order_partner": number}
        assert_refused(await partner.create(document), 400, PAYLOAD)


@pytest.mark.parametrize(
    "text", ["1e999999999", "1e-999999999", "1E+400", "9" * 400, "0." + "1" * 400]
)
async def test_an_absurd_json_number_is_no_order_number(partner, variant, nothing_written, text):
    body = raw_order(await variant(), number=text)
    async with nothing_written():
        assert_refused(await partner.create(raw=body), 400, PAYLOAD)


@pytest.mark.parametrize("item", [None, 1, "1", [], [1, 1], True, {}], ids=repr)
async def test_an_item_that_is_no_object_with_a_product_is_refused(
    partner, variant, nothing_written, item
):
    good = {"product_id": await variant(), "quantity": 1}
    async with nothing_written():
        for items in ([item], [good, item]):
            document = assert_refused(
                await partner.create({"items": items, "id_order_partner": "X"}), 400, PAYLOAD
            )
            assert document["data"]["field"].startswith(f"items[{len(items) - 1}]")


@pytest.mark.parametrize(
    "product",
    [
        None,
        0,
        -1,
        -(2**63),
        1.5,
        True,
        False,
        "",
        "0",
        "-1",
        "1.5",
        " 1",
        "1e3",
        "one",
        "0x10",
        "１２",
        [],
        {},
        [1],
    ],
    ids=repr,
)
async def test_a_product_id_that_is_no_positive_whole_number_is_refused(
    partner, nothing_written, product
):
    async with nothing_written():
        assert_refused(await partner.order(product), 400, PAYLOAD)


@pytest.mark.parametrize(
    "product", [1, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, "9223372036854775808"], ids=repr
)
async def test_a_product_id_that_nobody_has_is_not_found_and_named_as_sent(
    partner, nothing_written, product
):
    async with nothing_written():
        document = assert_refused(await partner.order(product), 404, NOT_FOUND)
    assert document["data"]["product_ids"] == [int(product)]


@pytest.mark.parametrize(
    "quantity",
    [
        None,
        0,
        -1,
        -(2**64),
        1.5,
        0.1,
        True,
        False,
        "",
        "0",
        "-1",
        "1.5",
        "+1",
        " 1",
        "1e1",
        "two",
        "0x1",
        "²",
        "٢",
        [],
        [1],
        {},
        2**31,
        2**63,
        2**64,
        10**300,
    ],
    ids=repr,
)
async def test_a_quantity_that_is_no_positive_whole_number_is_refused(
    clients, variant, nothing_written, quantity
):
    client = await clients(backorder=True)
    product = await variant()
    async with nothing_written():
        assert_refused(await client.order(product, quantity), 400, QUANTITY)
        assert_refused(
            await client.create(order_of((product, 1), (product, quantity))), 400, QUANTITY
        )
        document = {"items": [{"product_id": product}], "id_order_partner": "X"}
        assert_refused(await client.create(document), 400, QUANTITY)


@pytest.mark.parametrize(
    "text", ["1e999999999", "1e-999999999", "-0", "1e400", "9" * 400, "0.0", "1.0000000001"]
)
async def test_an_absurd_json_number_is_no_quantity(clients, variant, nothing_written, text):
    client = await clients(backorder=True)
    body = raw_order(await variant(), quantity=text)
    async with nothing_written():
        assert_refused(await client.create(raw=body), 400, QUANTITY)


async def test_more_lines_than_the_limit_are_refused_and_the_limit_itself_passes(
    partner, variant, nothing_written
):
    product = await variant(own=500)
    async with nothing_written():
        assert_refused(await partner.create(order_of(*[(product, 1)] * 201)), 400, PAYLOAD)
    assert (await partner.create(order_of(*[(product, 1)] * 200))).status_code == 201


@pytest.mark.parametrize(
    "comments", [1, 1.5, True, [], ["x"], {}, "x" * 2001, "a\x00b", "a\x1bb", "\udc00"], ids=repr
)
async def test_comments_that_are_no_text_are_refused(partner, variant, nothing_written, comments):
    product = await variant()
    async with nothing_written():
        assert_refused(await partner.order(product, comments=comments), 400, PAYLOAD)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json-seq",
    ],
)
async def test_another_content_type_is_refused(partner, variant, nothing_written, content_type):
    product = await variant()
    async with nothing_written():
        reply = await partner.create(order_of((product, 1)), content_type=content_type)
        assert_refused(reply, 400, PAYLOAD)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/json ; x=y",
    ],
)
async def test_json_is_json_with_and_without_parameters(partner, variant, content_type):
    reply = await partner.create(order_of((await variant(), 1)), content_type=content_type)
    assert reply.status_code == 201


# ---------------------------------------------------------------- the order of the rules


async def test_each_rule_comes_before_the_next(
    clients, variant, server_database, shop, nothing_written
):
    """One request that breaks everything is mended step by step, and told the next thing each time."""
    supplier = await variant(origin="Supplier", own=None, supplier=3)
    short = await variant(own=1)
    taken = await variant()
    unconfigured = await clients(customer_id=None, min_amount_minor=10**6)
    async with server_database.begin() as tx:
        customer = await make_customer(tx, shop_id=shop.id, active=False, billing={}, shipping={})
        gone = await make_customer(tx, shop_id=shop.id)
        await tx.run("update customers set deleted_at = now() where id = %s", (gone,))
    client = await clients(customer_id=customer, min_amount_minor=10**6)
    missing = await clients(customer_id=gone, min_amount_minor=10**6)
    bad = {"product_id": supplier, "quantity": 0}
    everything = [bad, {"product_id": 2**50, "quantity": 1}]

    async def mended(sql: str, *values) -> None:
        async with server_database.begin() as tx:
            await tx.run(sql, (*values, customer))

    async def told(document, who=client) -> tuple[int, str]:
        async with nothing_written():
            reply = await who.create(document)
        return reply.status_code, reply.json()["code"]

    assert await told([]) == (400, PAYLOAD)
    assert await told({"items": [], "id_order_partner": ""}) == (400, ITEMS)
    assert await told({"items": everything, "id_order_partner": ""}) == (400, NUMBER)
    assert await told({"items": everything, "id_order_partner": "X"}) == (400, QUANTITY)
    items = [
        {"product_id": supplier, "quantity": 1},
        {"product_id": 2**50, "quantity": 1},
        {"product_id": short, "quantity": 2},
    ]
    document = {"items": items, "id_order_partner": "X"}
    assert await told(document, unconfigured) == (403, "partner_customer_not_configured")
    assert await told(document, missing) == (404, "partner_customer_not_found")
    assert await told(document) == (403, "partner_customer_inactive")
    await mended("update customers set active = true where id = %s")
    assert await told(document) == (400, "partner_customer_billing_incomplete")
    await mended("update customers set billing = %s where id = %s", Jsonb(ADDRESS))
    assert await told(document) == (400, "partner_customer_shipping_incomplete")
    await mended("update customers set shipping = %s where id = %s", Jsonb(ADDRESS))
    assert await told(document) == (404, NOT_FOUND)
    del items[1]
    assert await told(document) == (403, "partner_backorder_not_allowed")
    del items[0]
    assert await told(document) == (403, "partner_stock_limit_exceeded")
    items[0]["quantity"] = 1
    assert await told(document) == (403, "partner_order_amount_not_allowed")
    items[0] = {"product_id": taken, "quantity": 1}
    assert await told(document) == (403, "partner_order_amount_not_allowed")


async def test_a_used_number_is_told_before_anything_about_customer_goods_or_amount(
    clients, variant, server_database, nothing_written, shop
):
    client = await clients()
    product = await variant()
    first = await client.order(product, number="X")
    assert first.status_code == 201
    async with server_database.begin() as tx:
        await tx.run("update customers set active = false where id = %s", (shop.customer_id,))
    async with nothing_written():
        document = assert_refused(await client.order(2**50, 10**6, number="X"), 409, EXISTS)
        assert_refused(await client.order(product, 0, number="X"), 400, QUANTITY)
    for name in ("order_id", "order_key", "order_detail_url"):
        assert document["data"][name] == first.json()[name]


# ---------------------------------------------------------------- the customer


BILLING = [
    "first_name",
    "last_name",
    "email",
    "phone",
    "address_1",
    "city",
    "country",
    "state",
    "postcode",
]
SHIPPING = ["first_name", "last_name", "address_1", "city", "country", "state", "postcode"]


@pytest.mark.parametrize("value", ["", "  ", None, ...], ids=["empty", "blank", "null", "absent"])
@pytest.mark.parametrize(
    ("kind", "field"),
    [("billing", field) for field in BILLING] + [("shipping", field) for field in SHIPPING],
)
async def test_each_required_field_of_an_address_is_missed(
    clients, variant, server_database, shop, nothing_written, kind, field, value
):
    address = ADDRESS | {field: value}
    if value is ...:
        del address[field]
    async with server_database.begin() as tx:
        addresses: dict[str, Any] = {kind: address}
        customer = await make_customer(tx, shop_id=shop.id, **addresses)
    client = await clients(customer_id=customer)
    product = await variant()
    async with nothing_written():
        reply = await client.order(product)
    document = assert_refused(reply, 400, f"partner_customer_{kind}_incomplete")
    if field != "country":
        assert document["data"]["fields"] == [field]
    assert field in document["message"]


async def test_optional_fields_of_an_address_may_be_missing(
    clients, variant, server_database, shop
):
    async with server_database.begin() as tx:
        customer = await make_customer(
            tx,
            shop_id=shop.id,
            billing={k: v for k, v in ADDRESS.items() if k != "company"},
            shipping={k: v for k, v in ADDRESS.items() if k not in {"company", "email", "phone"}},
        )
    client = await clients(customer_id=customer)
    assert (await client.order(await variant())).status_code == 201


@pytest.mark.parametrize(
    ("country", "state", "postcode", "complete"),
    [
        ("US", "FL", "33101", True),
        ("US", "", "33101", False),
        ("NL", "", "1012 AB", True),
        ("NL", "", "", False),
        ("PA", "", "", True),
        ("BO", "", "", True),
        ("nl", "", "1012 AB", True),
    ],
)
async def test_state_and_postcode_are_required_where_the_country_uses_them(
    clients, variant, server_database, shop, country, state, postcode, complete
):
    address = ADDRESS | {"country": country, "state": state, "postcode": postcode}
    async with server_database.begin() as tx:
        customer = await make_customer(tx, shop_id=shop.id, billing=address, shipping=address)
    client = await clients(customer_id=customer)
    reply = await client.order(await variant())
    assert reply.status_code == (201 if complete else 400), reply.text


async def test_the_seeds_example_message_is_about_billing(clients, variant, server_database, shop):
    async with server_database.begin() as tx:
        customer = await make_customer(tx, shop_id=shop.id, billing={})
    client = await clients(customer_id=customer)
    document = (await client.order(await variant())).json()
    assert "billing information" in document["message"]
    assert "customer user configured for this partner" in document["message"]


# ---------------------------------------------------------------- the amount


@pytest.mark.parametrize(
    ("low", "high", "quantity", "passes"),
    [
        (None, None, 1, True),
        (3998, None, 2, True),
        (3999, None, 2, False),
        (None, 3998, 2, True),
        (None, 3997, 2, False),
        (3998, 3998, 2, True),
        (0, 0, 1, False),
    ],
)
async def test_the_bounds_of_the_amount_are_inclusive(
    clients, variant, nothing_written, low, high, quantity, passes
):
    client = await clients(min_amount_minor=low, max_amount_minor=high)
    product = await variant(price_minor=1999)
    if passes:
        assert (await client.order(product, quantity)).status_code == 201
        return
    async with nothing_written():
        reply = await client.order(product, quantity)
        assert_refused(reply, 403, "partner_order_amount_not_allowed")


async def test_a_total_beyond_what_money_can_hold_is_refused_and_not_an_error(
    clients, variant, nothing_written
):
    client = await clients(backorder=True)
    product = await variant(price_minor=2**62)
    async with nothing_written():
        reply = await client.create(order_of(*[(product, 1_000_000)] * 200))
        assert_refused(reply, 403, "partner_order_amount_not_allowed")


# ---------------------------------------------------------------- what is tolerated


async def stored(database, reply) -> dict:
    assert reply.status_code == 201, reply.text
    async with database.statement() as tx:
        return await tx.value(
            "select to_jsonb(o) || jsonb_build_object('lines', (select jsonb_agg(to_jsonb(l) order by l.line_no)"
            " from order_lines l where l.order_id = o.id)) from orders o where o.id = %s",
            (reply.json()["order_id"],),
        )


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
    assert (order["state"], order["total_minor"], order["channel"]) == (
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


# ---------------------------------------------------------------- the answer


async def test_the_answer_has_the_published_fields_in_their_order(partner, variant, server):
    reply = await partner.order(await variant(), number="PARTNER-ORDER-12345")
    assert reply.status_code == 201
    document = reply.json()
    assert list(document) == [
        "success", "order_id", "order_key", "order_detail_url", "source", "partner_order_id",
    ]  # fmt: skip
    assert document["success"] is True
    assert isinstance(document["order_id"], int)
    key = document["order_key"]
    assert key.startswith("wc_order_")
    assert len(key) == 22
    assert key[9:].isascii()
    assert key[9:].isalnum()
    assert (
        document["order_detail_url"]
        == f"{server.url}/order-detail/?order_id={document['order_id']}&key={key}"
    )
    assert document["source"] == "partner_integration"
    assert document["partner_order_id"] == "PARTNER-ORDER-12345"


async def test_order_keys_do_not_repeat(partner, variant):
    product = await variant(own=100)
    keys = {(await partner.order(product)).json()["order_key"] for _ in range(20)}
    assert len(keys) == 20


async def test_the_order_its_lines_stock_and_events_are_written_together(
    partner, variant, server_database, shop
):
    product, other = await variant(price_minor=1999), await variant(price_minor=500)
    order = await stored(
        server_database,
        await partner.create(
            order_of((product, 2), (other, 1), (product, 1), tax_id="T", resale_tax="R")
        ),
    )
    assert (order["subtotal_minor"], order["total_minor"]) == (6497, 6497)
    assert (order["state"], order["source"]) == ("processing", "partner_integration")
    assert [(line["variant_id"], line["quantity"]) for line in order["lines"]] == [
        (product, 2),
        (other, 1),
        (product, 1),
    ]
    async with server_database.statement() as tx:
        entries = await tx.all(
            "select variant_id, kind, committed_delta from stock_entries where order_id = %s order by variant_id",
            (order["id"],),
        )
        kinds = await tx.all(
            "select kind from events where subject_id = %s and shop_id = %s order by id",
            (order["id"], shop.id),
        )
    assert entries == [(product, "commit", 3), (other, "commit", 1)]
    assert kinds == [("order.placed",), ("stock.changed",)]
