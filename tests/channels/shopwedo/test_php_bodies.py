"""What PHP shops really send: nested forms, lists with gaps, whole numbers with a point; nothing is dropped."""

import asyncio
import gzip
import json
import os
import random
import shutil
import subprocess
import uuid
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.channels.shopwedo.errors import WireError
from crossdock.channels.shopwedo.wire import read_call, read_data
from tests.support.raw_http import request_bytes, speak
from tests.support.shopwedo_client import address, literal, multipart, order_of, urlencoded

FORM = "application/x-www-form-urlencoded"


def flat(value, name="data"):
    """The fields of a nested form, as http_build_query names them."""
    if not isinstance(value, dict | list):
        return {name: str(value)}
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    return {k: v for key, inner in entries for k, v in flat(inner, f"{name}[{key}]").items()}


def refusal(reply, status=400):
    assert reply.status_code == status, reply.text
    return reply.json()["error"]


async def products(client, **data):
    return [product["product_id"] for product in await client.read("getProducts", **data)]


async def test_an_order_as_a_nested_form(client, variant):
    skus = [await variant(), await variant()]
    document = order_of((skus[0], 2), (skus[1], 1), comment="één & twee", release="1")
    auth = flat(json.loads(client.auth()), "auth")
    for encode in (urlencoded, multipart):
        document["external_order_id"] = uuid.uuid4().hex
        content_type, body = encode(auth | flat(document))
        reply = await client.send("createOrder", body, content_type=content_type)
        assert reply.status_code == 201, reply.text
        order = await client.order(reply.json()["order_id"])
        assert [(i["sku"], i["amount"]) for i in order["items"]] == [(skus[0], 2), (skus[1], 1)]
        assert order["comment"] == "één & twee"
        assert order["shipping_address"]["city"] == "Mechelen"


async def test_lists_with_gaps_in_their_numbering(client, variant):
    skus = [await variant() for _ in range(3)]
    document = order_of((skus[0], 1), (skus[1], 1))
    document["items"] = {"3": document["items"][1], "1": document["items"][0]}
    for shape in ("php", "js", "json"):
        document["external_order_id"] = uuid.uuid4().hex
        order = await client.order(await client.shaped(shape).create(document))
        assert [item["sku"] for item in order["items"]] == skus[:2]
    ids = await products(client)
    found = await products(client, product_id={"1": ids[0], "4": str(ids[2])})
    assert found == [ids[0], ids[2]]
    document["items"] = {"1": {"sku": skus[0], "amount": 1}, "x": {"sku": skus[1], "amount": 1}}
    assert refusal(await client.call("createOrder", document)) == "order_items_empty"
    assert refusal(await client.call("getProducts", {"product_id": {"a": 1}})) == "data_invalid"


async def test_items_of_a_return_with_gaps(client, variant):
    order_id = await client.create(order_of((await variant(), 1)))
    data = {"order_id": order_id, "items": {"2": {"sku": 1, "amount": 1}}}
    reply = await client.call("createRetourAnnouncement", data)
    assert reply.json()["message"] == "each item needs a sku of the order"


async def test_filters_of_a_nested_form_are_never_lost(client, variant):
    """A filter that went unread would answer the whole catalogue."""
    for _ in range(3):
        await variant()
    wanted = (await products(client))[1]
    auth = client.auth()
    for name, text in (
        ("data[product_id][]", wanted),
        ("data[product_id][0]", wanted),
        ("data[product_id][7]", f"{wanted}.0"),
        ("data[product_id]", wanted),
    ):
        reply = await client.send("getProducts", urlencode({"auth": auth, name: text}).encode())
        assert [product["product_id"] for product in reply.json()] == [wanted], name


@pytest.mark.parametrize(
    "broken",
    [
        "data[product_id=7", "data[product_id]]=7", "data[product_id][=7", "data[product_id]x=7",
        "data[product_id]=7&data[product_id][]=8", "data[product_id][]=8&data[product_id]=7",
        "data={}&data[product_id]=7", "data[product_id]=7&data=[]", "data[product_id]=%ff", "data[%ff]=7",
        "data[product_id]" + "[a]" * 16 + "=7", "data[product_id][x][y]=7", "data[product_id][a]=7",
        "data[product_id][]=", "data[product_id][]=7.5", "data[][product_id]=7", "data[]=7",
        "data.product_id=7", "data%255Bproduct_id%255D=7", "+data[product_id]=7", "data+[product_id]=7", "data]=7",
    ],
)  # fmt: skip
async def test_a_filter_that_cannot_be_read_is_refused(client, variant, broken):
    await variant()
    body = urlencode({"auth": client.auth()}).encode() + b"&" + broken.encode()
    reply = await client.send("getProducts", body)
    assert refusal(reply) == "data_invalid"


NAMES = st.text(alphabet="data[]product_id017.%x", max_size=24)


@given(st.lists(st.tuples(NAMES, st.text(max_size=6)), max_size=8))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_form_loses_a_part_of_data(pairs):
    """Every field of `data` is found again in what was read, or the whole is refused."""
    mine = [(name, text) for name, text in pairs if name.partition("[")[0] == "data"]
    body = urlencode([("auth", '{"shopid": "1"}'), *pairs]).encode()
    try:
        data = read_data(read_call(body, content_type=FORM).data)
    except WireError:
        return
    if any("[" in name for name, _ in mine):
        assert data


WHOLE = ("{}", "{}.0", '"{}"', '"{}.0000"', "{}e0", '" {} "')


@pytest.mark.parametrize("form", WHOLE)
async def test_whole_numbers_in_every_spelling(client, variant, form):
    sku = await variant()
    number = form.format(sku)
    content_type, body = literal(client.auth(), f'{{"sku": {number}, "limit": {form.format(5)}}}')
    reply = await client.send("getStock", body, content_type=content_type)
    assert list(reply.json()) == [str(sku)]
    text = json.dumps(order_of()).replace(
        '"items": []', f'"items": [{{"sku": {number}, "amount": {form.format(2)}}}]'
    )
    reply = await client.form("createOrder", text)
    assert reply.status_code == 201, reply.text
    order_id = reply.json()["order_id"]
    content_type, body = literal(client.auth(), f'{{"order_id": {form.format(order_id)}}}')
    reply = await client.send("getOrder", body, content_type=content_type)
    assert [(i["sku"], i["amount"]) for i in reply.json()[0]["items"]] == [(sku, 2)]


@pytest.mark.parametrize(
    "form", ["2.5", '"2.5"', '"1e1"', "1e-1", "1e999999999", "-1e999999999", '"1e999999999"']
)
async def test_what_is_no_whole_number(client, variant, form):
    sku = await variant()
    text = json.dumps(order_of()).replace(
        '"items": []', f'"items": [{{"sku": {sku}, "amount": {form}}}]'
    )
    reply = await client.form("createOrder", text)
    assert reply.json()["errors"] == {"items.0.amount": ["must be an integer of at least 1"]}
    assert refusal(await client.form("getStock", f'{{"limit": {form}}}')) == "data_invalid"


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u2060\ufeff", "\u3164", "\u0301", "\u2800 ", "\u202e"]
)
async def test_text_that_nobody_can_see_is_no_text(client, variant, nothing_written, unseen):
    sku = await variant()
    required = ("street", "number", "zip", "city", "country_iso2", "email", "phone")
    document = order_of((sku, 1), shipping_address=address(**dict.fromkeys(required, unseen)))
    document |= {"external_order_id": unseen, "created_at": unseen}
    async with nothing_written():
        reply = await client.call("createOrder", document)
    wrong = reply.json()["errors"]
    assert wrong == {
        **{f"shipping_address.{name}": ["required"] for name in required},
        "external_order_id": ["required"],
        "created_at": ["required"],
    }
    for method, data in (
        ("getOrder", {"external_order_id": unseen}),
        ("pudo", {"address": {"zip": unseen, "country": "BE"}}),
    ):
        assert refusal(await client.call(method, data)) == "data_invalid"


async def test_text_encoded_once_too_often(client, variant):
    sku = await variant()
    auth, data = client.auth(), json.dumps({"sku": sku})
    once = {"auth": urlencode({"": auth})[1:], "data": urlencode({"": data})[1:]}
    for content_type, body in (urlencoded(once), multipart(once)):
        reply = await client.send("getStock", body, content_type=content_type)
        assert list(reply.json()) == [str(sku)], reply.text


async def test_a_byte_order_mark_before_anything(client, variant):
    sku = str(await variant())
    auth, data = client.auth(), json.dumps({"sku": sku})
    marked = {"auth": "\ufeff" + auth, "data": "\ufeff" + data}
    bodies = [urlencoded(marked), multipart(marked)]
    for content_type, body in (urlencoded({"auth": auth, "data": data}), literal(auth, data)):
        bodies.append((content_type, b"\xef\xbb\xbf" + body))
    for content_type, body in bodies:
        reply = await client.send("getStock", body, content_type=content_type)
        assert list(reply.json()) == [sku], (content_type, reply.text)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
async def test_a_body_in_gzip(server, client, variant, coding):
    sku = await variant()
    for content_type, body in (client.body({"sku": sku}), client.shaped("js").body({"sku": sku})):
        headers = {"Content-Type": content_type, "Content-Encoding": coding, "Connection": "close"}
        packed = gzip.compress(body, mtime=0)
        for path in ("/admin/api/getStock", "/api/getStock/"):
            answer = await speak(
                server.port, request_bytes("POST", path, headers=headers, body=packed)
            )
            assert f'"{sku}"'.encode() in answer


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (gzip.compress(b"{" + b" " * 300_000, mtime=0), "gzip", 413),
        (gzip.compress(b"a" * 20_000_000, 9, mtime=0), "gzip", 413),
        (gzip.compress(b"a", mtime=0) * 17, "gzip", 400),
        (gzip.compress(b"auth={}", mtime=0)[:-3], "gzip", 400),
        (b"auth={}", "gzip", 400),
        (b"auth={}", "br", 400),
        (gzip.compress(gzip.compress(b"auth={}", mtime=0), mtime=0), "gzip, gzip", 400),
    ],
)  # fmt: skip
async def test_a_compressed_body_that_is_none(client, body, coding, status):
    for method in ("authTest", "createOrder", "nothing"):
        reply = await client._http.post(
            f"/api/{method}",
            content=body,
            headers={"Content-Type": FORM, "Content-Encoding": coding},
        )
        if method != "nothing":
            assert refusal(reply, status) == {413: "request_too_large", 400: "data_invalid"}[status]


async def test_large_answers_come_in_gzip(client, variant):
    for _ in range(30):
        await variant()
    content_type, body = client.body()
    for method in ("getStock", "getProducts"):
        sizes = {}
        for accept in ("gzip", "identity", "gzip;q=0", "br, gzip;q=0.5"):
            async with client._http.stream(
                "POST",
                f"/api/{method}",
                content=body,
                headers={"Content-Type": content_type, "Accept-Encoding": accept},
            ) as reply:
                raw = b"".join([piece async for piece in reply.aiter_raw()])
            assert reply.headers["vary"] == "Accept-Encoding"
            coding = reply.headers.get("content-encoding", "")
            assert coding == ("" if accept in {"identity", "gzip;q=0"} else "gzip")
            sizes[accept] = len(raw)
            assert json.loads(gzip.decompress(raw) if coding else raw)
        assert sizes["gzip"] < sizes["identity"] / 3
    small = await client.call("authTest")
    assert "vary" not in small.headers


PHP_CURL = """<?php
$shop = getenv('SHOP_ID'); $key = getenv('SHOP_KEY'); $product = getenv('PRODUCT'); $url = getenv('URL');
function call($how, $data) {
    global $shop, $key, $url;
    $time = time(); $salt = uniqid();
    $token = hash_hmac('sha512', "$shop$key$time$salt", $key);
    $all = ['auth' => ['shopid' => $shop, 'timestamp' => $time, 'salt' => $salt, 'token' => $token], 'data' => $data];
    $curl = curl_init("$url//admin/api/getProducts");
    $body = $how === 'json' ? json_encode($all) : http_build_query($all);
    $options = [CURLOPT_POSTFIELDS => $body, CURLOPT_RETURNTRANSFER => true, CURLOPT_ENCODING => '',
        CURLOPT_NOPROXY => '*'];
    if ($how === 'gzip') {
        $options[CURLOPT_POSTFIELDS] = gzencode($body);
        $options[CURLOPT_HTTPHEADER] = ['Content-Encoding: gzip'];
    }
    curl_setopt_array($curl, $options);
    return array_column(json_decode(curl_exec($curl), true), 'product_id');
}
$ids = array_filter([0 => null, 1 => $product, 2 => null, 3 => '0']);
echo json_encode(array_map(fn ($how) => call($how, ['product_id' => $ids]), ['json', 'form', 'gzip']));
"""


async def test_phps_own_curl(server, client, variant, tmp_path):
    """Its JSON goes out as a form, its array_filter leaves gaps, its base URL ends with a slash."""
    if shutil.which("php") is None or b"curl" not in subprocess.check_output(["php", "-m"]):
        pytest.skip("php with curl is not installed")
    await variant()
    await variant()
    wanted = (await products(client))[0]
    program = tmp_path / "shop.php"
    program.write_text(PHP_CURL)
    env = {
        "SHOP_ID": client.shop_id,
        "SHOP_KEY": client.key,
        "PRODUCT": str(wanted),
        "URL": server.url,
    }
    done = await asyncio.to_thread(
        subprocess.run, ["php", program], env=os.environ | env, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert json.loads(done.stdout) == [[wanted]] * 3, done.stdout + done.stderr


@pytest.mark.parametrize("seed", range(2))
async def test_odd_forms_are_no_fault_and_widen_no_filter(client, variant, seed):
    """Whatever stands in the brackets of a filter, nothing is told that it does not name."""
    rng = random.Random(seed)
    for _ in range(3):
        await variant()
    wanted = (await products(client))[1]
    signs = ["[", "]", "[]", "[0]", "[7]", "[a]", "[[", "0", " ", ".", "é", "\x00", "%5B"]
    for _ in range(60):
        fields = [("auth", client.auth())]
        for _ in range(rng.choice((1, 1, 2))):
            name = "data[product_id]" + "".join(rng.choices(signs, k=rng.randrange(4)))
            fields.append((name, rng.choice((wanted, f"{wanted}.0", "x", "1e9", "-1", "\ud800"))))
        body = urlencode(fields, errors="surrogatepass").encode()
        reply = await client.send("getProducts", body)
        assert reply.status_code in {200, 400}, (fields, reply.text)
        if reply.status_code == 200:
            assert {product["product_id"] for product in reply.json()} <= {wanted}, fields


@pytest.mark.parametrize("seed", range(2))
async def test_odd_bytes_are_no_fault(client, seed):
    rng = random.Random(seed)
    whole = [client.body({"sku": 1}), client.shaped("js").body({"sku": 1}), literal(client.auth())]
    for _ in range(60):
        content_type, body = rng.choice(whole)
        odd = bytearray(rng.choice((body, gzip.compress(body, mtime=0), rng.randbytes(50))))
        for _ in range(rng.randrange(6)):
            odd[rng.randrange(len(odd))] = rng.randrange(256)
        headers = {"Content-Type": rng.choice((content_type, FORM, "application/json", ""))}
        if coding := rng.choice(("", "", "gzip", "br")):
            headers["Content-Encoding"] = coding
        reply = await client._http.post("/api/getStock", content=bytes(odd), headers=headers)
        assert reply.status_code in {200, 400, 401}, (headers, bytes(odd), reply.text)
        assert reply.status_code == 200 or reply.json()["error"]
