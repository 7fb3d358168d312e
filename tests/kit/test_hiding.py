"""What is kept of a request has no secret, no card's number and nobody's data, and is otherwise as it was sent."""

import json
import time

import pytest

from crossdock.kit.hiding import BODY_CHARS, hidden_body, hidden_headers, hidden_query

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('{"sku": "A-1", "price": 19.90}', '{"sku": "A-1", "price": 19.90}'),
        ('{"name": "Lamp", "tags": ["a", "b"]}', '{"name": "Lamp", "tags": ["a", "b"]}'),
        (
            '{"billing":{"name":"Jan","street":["Kaai 1","2"],"zip":1000,"country":"BE"}}',
            '{"billing":{"name":"[hidden]","street":["[hidden]","[hidden]"],"zip":[hidden],"country":"BE"}}',
        ),
        (
            '{"firstName":"Jan","is_vip":true,"phone":null}',
            '{"firstName":"[hidden]","is_vip":true,"phone":null}',
        ),
        (
            '{"card":{"number":"4242","expiry":{"month":1}}}',
            '{"card":{"number":"[hidden]","expiry":{"month":[hidden]}}}',
        ),
        (
            '{"auth":{"shopid":12,"token":"abc","salt":"s"}}',
            '{"auth":{"shopid":12,"token":"[hidden]","salt":"s"}}',
        ),
        ('{"said":"mail jan@buyer.example"}', '{"said":"mail [hidden]"}'),
        ('{"paid_with":"4242 4242 4242 4242"}', '{"paid_with":"[hidden]"}'),
    ],
)
def test_values_are_hidden_where_they_stand(sent, kept):
    assert hidden_body(sent.encode(), content_type=JSON) == kept


def test_a_body_that_is_no_json_is_hidden_all_the_same():
    kept = hidden_body(b'{"billing": {"first_name": "Jan", "city": "Gent', content_type=JSON)

    assert kept == '{"billing": {"first_name": "[hidden]", "city": "[hidden]"'


def test_a_document_in_a_text_is_looked_into():
    query = 'mutation {\n  createOrder(input: {firstName: "Jan", quantity: 3}) { id }\n}'

    kept = hidden_body(json.dumps({"query": query}).encode(), content_type=JSON)

    assert json.loads(kept)["query"] == query.replace('"Jan"', '"[hidden]"')


def test_pairs_of_forms_and_queries_are_hidden_by_their_names():
    form = b"sku=a+b&billing%5Bemail%5D=x&name=Jan&q=jan%40buyer.example&access_token=abc"

    assert hidden_body(form, content_type=FORM) == (
        "sku=a+b&billing%5Bemail%5D=[hidden]&name=[hidden]&q=[hidden]&access_token=[hidden]"
    )
    assert hidden_query(b"page=2&email=x") == "page=2&email=[hidden]"


def test_what_is_no_text_is_told_by_its_size():
    assert hidden_body(b"\xff\xd8\xff\x00" * 4, content_type="image/jpeg") == (
        "[16 bytes of image/jpeg]"
    )
    assert hidden_body(b"--x", content_type="multipart/form-data; boundary=x") == (
        "[3 bytes of multipart/form-data]"
    )
    assert hidden_body(b"a=\x00", content_type=FORM) == f"[3 bytes of {FORM}]"
    assert hidden_body(b"", content_type="") == ""


def test_a_text_without_names_is_told_by_its_size():
    for text, kind in (
        (b"ABCDE-FGHIJ-KLMNO\nPQRST-UVWXY-Z0123", "text/plain; charset=utf-8"),
        (b"<p>Jan Peeters<br>Kaai 1</p>", "text/html"),
        (b"sku,buyer\nA-1,Jan Peeters", "text/csv"),
    ):
        assert (
            hidden_body(text, content_type=kind) == f"[{len(text)} bytes of {kind.split(';')[0]}]"
        )
    assert hidden_body(b' {"name": ', content_type="text/plain") == ' {"name": '


def test_a_long_body_is_cut_and_may_end_within_a_character():
    long = '{"sku": "' + "é" * BODY_CHARS

    kept = hidden_body(long.encode()[:-1], content_type=JSON)

    assert kept == long[:BODY_CHARS]


@pytest.mark.parametrize(
    "text", ["a" * 16_000, "a@" * 16_000, "a%40" * 16_000, "[" * 32_000 + "]" * 32_000]
)
def test_a_text_that_looks_like_much_takes_no_longer_than_another(text):
    began = time.process_time()

    hidden_body(text.encode(), content_type=JSON)

    assert time.process_time() - began < 3


def test_headers_that_prove_the_caller_are_hidden():
    headers = [
        (b"Authorization", b"Bearer abcdefghijklmnop"),
        (b"X-Shoppex-Signature", b"00"),
        (b"accesstoken", b"x"),
        (b"Accept", b"a"),
        (b"Accept", b"b"),
    ]

    assert hidden_headers(headers) == {
        "Authorization": "[hidden]",
        "X-Shoppex-Signature": "[hidden]",
        "accesstoken": "[hidden]",
        "Accept": "a, b",
    }
