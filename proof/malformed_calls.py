"""Malformed calls of web shops: in `data`, in `auth`, and around them."""

import gzip
import json
import random
import secrets
import time
from collections.abc import Callable
from urllib.parse import quote_plus

from proof.malformed import ODD_VALUES
from proof.web_shops import ENCODINGS, auth_text, encoded
from tests.support.factories import PartnerFixture
from tests.support.shopwedo_client import BOUNDARY, multipart, order_of, urlencoded

Body = tuple[str, bytes]
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
FIELDS = {
    "createOrder": (),
    "getOrder": ("order_id", "external_order_id"),
    "cancelOrder": ("order_id",),
    "getStock": ("sku", "limit", "offset", "reference"),
    "getProducts": ("product_id", "category_id", "offset"),
    "getCategories": ("category_id", "offset"),
    "getBlogPosts": ("post_id", "offset"),
    "pudo": ("address",),
    "getRetourSettings": ("shop_id",),
    "createRetourAnnouncement": ("order_id", "items"),
    "authTest": ("anything",),
}
METHODS = tuple(FIELDS)
ORDER_FIELDS = (
    *("external_order_id", "external_order_reference", "release", "created_at", "updated_at"),
    *("comment", "comment_packing", "shipping_address", "billing_address", "items", "language"),
    *("shipping_method", "shipping_company"),
)
ADDRESS_FIELDS = ("street", "number", "zip", "city", "country_iso2", "email", "phone", "box")
ITEM_FIELDS = ("sku", "amount", "name", "comment", "skuType", "price", "external_orderline_id")
SPELLINGS = (
    *("", " ", "null", "[]", "{}", " {} ", "{ }", '""', "''", "0", "false", "NaN", "[1]", '"x"'),
    *("{'sku': 5}", "{ 'a': 'it\\'s' }", "{'a': \"b'c\"}", "{'open", '{"a": \'b}', "{'a': None}"),
    *('{"sku": 1,}', '{"sku": 01}', "{sku: 1}", '{"a": 1}{"b": 2}', '{"a":1,"a":2}', "\ufeff{}"),
    *("[" * 5_000, '{"a":' * 5_000, '{"a":' * 20 + "1" + "}" * 20, '{"\\u0000": "\\u0000"}'),
    *('{"reference": "\\ud800"}', '{"reference": "%"}', "x" * 70_000, "'" * 4_000, "\\" * 4_000),
    '{"sku": 1e999}',
)
ODD = (*ODD_VALUES, "[[[]]]", '{"a": {"b": []}}', '[1, "2", null]', '{"0": 1, "2": 3}', '"ORD_7"')


def malformed_call(
    partner: PartnerFixture, variant_id: int, rng: random.Random
) -> tuple[str, str, bytes]:
    """A malformed call as (method, content type, body), with a valid token where possible."""
    method = rng.choice((*METHODS, "createOrder", "createOrder"))
    auth = auth_text(partner, timestamp=str(int(time.time())), salt=secrets.token_hex(8))
    data = rng.choice((_odd_data, _odd_spelling, _right_data))(method, variant_id, rng)
    content_type, body = rng.choice(_WAYS)(auth, data, rng)
    return method, content_type, body


def _right_data(method: str, variant_id: int, rng: random.Random) -> str:
    if method == "createOrder":
        number = f"F-{rng.randrange(10**12)}"
        return json.dumps(order_of((variant_id, 1), number=number, release=rng.random() < 0.5))
    return json.dumps(dict.fromkeys(FIELDS[method], variant_id))


def _odd_spelling(_method: str, _variant_id: int, rng: random.Random) -> str:
    return rng.choice(SPELLINGS)


def _odd_data(method: str, variant_id: int, rng: random.Random) -> str:
    """Valid data with a value of the wrong type in one field."""
    marks: dict[str, str] = {}

    def odd() -> str:
        mark = f"~{len(marks)}~"
        marks[json.dumps(mark)] = rng.choice(ODD)
        return mark

    document = json.loads(_right_data(method, variant_id, rng))
    if method != "createOrder":
        document[rng.choice(FIELDS[method])] = odd()
    else:
        where = rng.choice(("order", "address", "item"))
        if where == "order":
            document[rng.choice(ORDER_FIELDS)] = odd()
        elif where == "address":
            document["shipping_address"][rng.choice(ADDRESS_FIELDS)] = odd()
        else:
            document["items"][0][rng.choice(ITEM_FIELDS)] = odd()
    text = json.dumps(document)
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


def _plainly(auth: str, data: str, rng: random.Random) -> Body:
    return encoded(auth, _utf8(data), encoding=rng.choice(ENCODINGS))


def _flipped(auth: str, data: str, rng: random.Random) -> Body:
    content_type, body = _plainly(auth, data, rng)
    changed = bytearray(body)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return content_type, bytes(changed)


def _cut(auth: str, data: str, rng: random.Random) -> Body:
    content_type, body = _plainly(auth, data, rng)
    return content_type, body[: rng.randrange(len(body))]


def _wrongly_labelled(auth: str, data: str, rng: random.Random) -> Body:
    labels = (
        *(FORM, JSON, "multipart/form-data", f"multipart/form-data; boundary={BOUNDARY}"),
        *("", "text/plain", "application/json; charset=utf-16", "multipart/mixed; boundary=x"),
        *("multipart/form-data; boundary=", 'multipart/form-data; boundary="', "a/b;" * 500),
        *(f"multipart/form-data; boundary={'b' * 300}", "application/json, text/html", ";;;=="),
    )
    return rng.choice(labels), _plainly(auth, data, rng)[1]


def _odd_multipart(auth: str, data: str, rng: random.Random) -> Body:
    content_type, whole = multipart({"auth": auth, "data": _utf8(data)})
    mark = f"--{BOUNDARY}".encode()
    name = b'name="data"'
    ways = (
        whole.replace(b"\r\n", b"\n"),
        whole.removesuffix(b"--\r\n"),
        whole.replace(mark + b"--\r\n", b""),
        b"a preamble\r\n" + whole + b"an epilogue",
        whole.replace(name, b'name="data"; filename="data.json"'),
        whole.replace(name, b"name=data"),
        whole.replace(name, b'name="da\xffta"'),
        whole.replace(name, b""),
        whole.replace(name, b'name="data"; name="auth"'),
        whole.replace(name, name + b"\r\nContent-Type: application/json; charset=utf-16"),
        whole.replace(name, name + b"\r\nX-Long: " + b"x" * 20_000),
        whole.replace(name, name + b"\r\nContent-Transfer-Encoding: base64"),
        mark + b"\r\n\r\n" + whole,
        (mark + b'\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n') * 200 + whole,
        whole + whole,
        whole.replace(mark, mark + b" \t"),
        mark + b"--\r\n",
        mark,
    )
    return content_type, rng.choice(ways)


def _odd_form(auth: str, data: str, rng: random.Random) -> Body:
    right = urlencoded({"auth": auth, "data": _utf8(data)})[1]
    parsed = json.loads(auth, parse_int=str)
    as_array = "&".join(f"auth[{name}]={quote_plus(text)}" for name, text in parsed.items())
    ways = (
        right.replace(b"&", b";"),
        right + b"&" + b"&".join(b"f%d=1" % n for n in range(500)),
        right + b"&auth=%7B%7D",
        right + b"&data[sku]=1&data[x][y]=2&data[]=3",
        as_array.encode() + b"&data[sku]=7&data[limit]=x",
        (as_array + "&auth=1").encode(),
        right.replace(b"data=", b"data=%ff%fe"),
        right.replace(b"data=", b"data=%ZZ%"),
        right.replace(b"data=", b"data"),
        right + b"\x00",
        b"&" * 10_000 + right,
        right.replace(b"&data=", b"&data=%00"),
    )
    return FORM, rng.choice(ways)


def _odd_json(auth: str, data: str, rng: random.Random) -> Body:
    inner = _utf8(data)
    text = f'{{"auth": {auth}, "data": {inner}}}'
    ways = (
        f'{{"auth": {json.dumps(auth)}, "data": {json.dumps(inner)}}}'.encode(),
        b"\xef\xbb\xbf" + text.encode(),
        text.encode("utf-16"),
        text.encode("utf-32-le"),
        text.encode()[:-1],
        f"[{text}]".encode(),
        f'{{"auth": {auth}, "auth": 1, "data": {{}}}}'.encode(),
        f'{{"data": {inner}, "auth": {auth}, "more": {"[" * 3_000}'.encode(),
        f'{{"auth": [{auth}], "data": {{}}}}'.encode(),
        f'{{"auth": {auth}}}'.encode(),
        b"{" * 5_000,
        b'{"auth": ' * 3_000,
        gzip.compress(text.encode(), mtime=0),
        text.replace('"timestamp": ', '"timestamp": -').encode(),
        text.replace('"timestamp": ', '"timestamp": 1e').encode(),
        text.replace('"shopid": "', '"shopid": "-').encode(),
    )
    return rng.choice((JSON, JSON, "")), rng.choice(ways)


def _utf8(text: str) -> str:
    """The text without characters that UTF-8 cannot encode."""
    return text.encode("utf-8", "ignore").decode()


_WAYS: tuple[Callable[[str, str, random.Random], Body], ...] = (
    *(_plainly, _plainly, _plainly, _plainly, _plainly, _plainly),
    *(_flipped, _cut, _wrongly_labelled, _odd_multipart, _odd_form, _odd_json),
)
