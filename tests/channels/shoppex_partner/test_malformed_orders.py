"""A body that is no order is refused for the first thing wrong with it, and nothing is written."""

import pytest

from tests.channels.shoppex_partner.ordering import (
    ITEMS,
    NOT_FOUND,
    NUMBER,
    PAYLOAD,
    QUANTITY,
    assert_refused,
    raw_order,
)
from tests.support.partner_client import order_of

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
    (b"\xef\xbb\xbf{}", ITEMS),
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
    [
        None,
        [],
        {},
        {"a": {}},
        {"0": {}, "x": {}},
        "",
        "[]",
        0,
        1,
        True,
        {"product_id": 1, "quantity": 1},
    ],
    ids=repr,
)
async def test_items_must_be_a_list_with_something_in_it(partner, nothing_written, items):
    async with nothing_written():
        assert_refused(await partner.create({"items": items, "id_order_partner": "X"}), 400, ITEMS)
        assert_refused(await partner.create({"items": items}), 400, ITEMS)


@pytest.mark.parametrize(
    "number", [None, "", " ", "\t\n", "\u00a0", "\u2003", "\u200b", " \u2060\ufeff"], ids=ascii
)
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
        "1.000000000000000000001",
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
        "text/plain",
        "text/json",
        "application/xml",
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
