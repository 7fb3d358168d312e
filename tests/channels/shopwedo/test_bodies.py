"""Bodies as programs send them: three encodings, `data` in all its spellings, and what is no body."""

import asyncio
import json
import shutil
import subprocess
import uuid
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.channels.shopwedo.errors import WIRE, WIRE_ONLY, WireError, render_error
from crossdock.channels.shopwedo.wire import double_quoted, read_data
from crossdock.errors import ERROR_CODES, CrossdockError
from tests.support.raw_http import speak
from tests.support.shopwedo_client import (
    NOTHING,
    SHAPES,
    literal,
    multipart,
    order_of,
    urlencoded,
)

METHODS = (
    "authTest", "createOrder", "getOrder", "cancelOrder", "getStock", "getProducts", "getCategories",
    "getBlogPosts", "pudo", "getRetourSettings", "createRetourAnnouncement",
)  # fmt: skip


def refusal(reply, status: int = 400) -> str:
    """The error's word; a refusal is JSON with this status, and is never cached."""
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    body = reply.json()
    assert isinstance(body["error"], str)
    assert body["error"]
    return body["error"]


@pytest.mark.parametrize(
    "data", ["", "null", "{}", "[]", " {} ", "[ ]", "\n", '""', "\ufeff{}", "\ufeff", NOTHING]
)
async def test_every_spelling_of_no_data(client, variant, data):
    sku = await variant()
    fields = {"auth": client.auth()} | ({} if data is NOTHING else {"data": data})
    for content_type, body in (urlencoded(fields), multipart(fields)):
        reply = await client.send("getStock", body, content_type=content_type)
        assert list(reply.json()) == [str(sku)]


@pytest.mark.parametrize("data", ['""', "null", "{}", "[]", '"{}"', '"[]"', '" "', '"null"'])
async def test_every_spelling_of_no_data_in_json(client, variant, data):
    sku = await variant()
    content_type, body = literal(client.auth(), data)
    reply = await client.send("getStock", body, content_type=content_type)
    assert list(reply.json()) == [str(sku)]


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_client_reads_its_stock(client, variant, shape):
    sku = await variant()
    program = client.shaped(shape)
    assert list(await program.read("getStock")) == [str(sku)]
    assert await program.read("getStock", sku=sku + 1) == {}
    assert list(await program.read("getStock", sku=str(sku), limit="5", offset="0")) == [str(sku)]


@pytest.mark.parametrize(
    "data", ["[1]", '["a"]', "[{}]", "[[]]", "0", "7", "1.5", "true", "false", '"x"', '"{}"', "NaN",
             "Infinity", "[NaN]", '{"limit": NaN}', "{", "}", "{]", "x", "{'a'", "{'a': 1", '{"a": 1}}',
             "{'a': 1} 2", "{a: 1}", "{'a': None}", "{'a': True}", "'x'", "(1)", "__import__('os')",
             "{'a': __import__('os')}", '{"a": "\n"}', "\x00", "\\", "'", '"', "{'\\"],
)  # fmt: skip
async def test_data_that_is_no_object(client, data):
    assert refusal(await client.form("getStock", data)) == "data_invalid"


@pytest.mark.parametrize(
    "data", ["[1]", "7", "false", '"x"', '"[1]"', '{"limit": 1e999}', '{"limit": NaN}']
)
async def test_data_that_is_no_object_in_json(client, data):
    content_type, body = literal(client.auth(), data)
    reply = await client.send("getStock", body, content_type=content_type)
    assert refusal(reply) == "data_invalid"


async def test_auth_test_ignores_data(client):
    for data in ("[1]", "7", "{", "x", "\x00", "{'a'"):
        reply = await client.form("authTest", data)
        assert (reply.status_code, reply.json()) == (202, {})


def test_only_short_text_may_have_single_quotes():
    assert read_data("{'a': '" + "x" * 16_000 + "'}")
    with pytest.raises(WireError, match="not JSON"):
        read_data("{'a': '" + "x" * 17_000 + "'}")


async def test_data_of_deep_nesting_or_a_giant_number(client):
    for data in (
        '{"a": ' * 17 + "1" + "}" * 17,
        '{"a": ' + "[" * 20_000 + "]" * 20_000 + "}",
        "[" * 40_000,
        "{'a': " * 9_000,
        '{"limit": ' + "9" * 5_000 + "}",
    ):
        assert refusal(await client.form("getStock", data)) == "data_invalid"
        content_type, body = literal(client.auth(), data)
        reply = await client.send("getStock", body, content_type=content_type)
        assert reply.status_code in {400, 401}, reply.text  # a body that is no JSON has no auth
    assert (
        refusal(await client.form("getStock", '{"limit": ' + "9" * 4_301 + "}")) == "data_invalid"
    )


async def test_data_may_nest_sixteen_deep(client):
    assert (await client.form("getStock", '{"a": ' * 16 + "1" + "}" * 16)).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        "{'sku': 123}", "{ 'sku' : '123' }", "{'sku': \"123\"}", '{"sku": \'123\'}',
        "{'sku': 123, 'it\\'s': 'say \"hi\"'}", "{'sku': 123, 'x': 'a\\\\'}",
        "{'sku': 123, \"y\": \"it's\"}", "{'sku': 123, 'x': {'y': [{'z': ''}]}}",
        "{'x': 'a\\\\\", \"sku\": 0, \"b\": \"', 'sku': 123}",
    ],
)  # fmt: skip
def test_single_quotes_are_read_as_double_ones(data):
    assert str(read_data(data)["sku"]) == "123"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (r"'it\'s'", "it's"),
        (r"""'say "hi"'""", 'say "hi"'),
        (r"""'say \"hi\"'""", 'say "hi"'),
        (r"'back\\slash'", "back\\slash"),
        (r"'end\\'", "end\\"),
        (r"""'a\\", "sku": "1'""", 'a\\", "sku": "1'),
        (r"'\\\''", "\\'"),
        (r"'\u00e9\n'", "é\n"),
        (r'''"it's"''', "it's"),
        ("''", ""),
        ("'{[,:]}'", "{[,:]}"),
    ],
)
def test_what_stands_in_single_quotes(data, value):
    assert read_data(f"{{'a': {data}}}") == {"a": value}


@given(st.dictionaries(st.text(), st.text(), min_size=1))
def test_any_text_survives_single_quotes(texts):
    """Written the other way round: JSON's own escapes, with single quotes outside."""

    def quoted(text: str) -> str:
        inner = json.dumps(text)[1:-1].replace('\\"', '"').replace("'", "\\'")
        return f"'{inner}'"

    data = "{" + ", ".join(f"{quoted(k)}: {quoted(v)}" for k, v in texts.items()) + "}"
    assert json.loads(double_quoted(data)) == texts


@given(st.text(alphabet="{}[]:,'\"\\ a1\n"))
def test_no_text_breaks_the_reader(text):
    try:
        found = read_data(text)
    except WireError as error:
        found = {}
        wrong = error.word
    else:
        wrong = ""
    assert isinstance(found, dict)
    assert wrong in {"", "data_invalid"}


async def test_the_official_demos_request_is_understood(client, variant):
    order_id = await client.create(order_of((await variant(), 1)))
    js = client.shaped("js")
    content_type, body = multipart({"auth": js.auth(), "data": f"{{'order_id': {order_id}}}"})
    reply = await client.send("getOrder", body, content_type=content_type, prefix="/api/")
    assert reply.json()[0]["shipping_address"]["zip"] == "2800"


async def test_the_last_of_two_equal_properties_counts(client, variant):
    sku = await variant()
    reply = await client.form("getStock", f'{{"sku": 1, "sku": {sku}}}')
    assert list(reply.json()) == [str(sku)]


async def test_fields_beside_auth_and_data_filter_nothing(client, variant):
    skus = [await variant(), await variant()]
    fields = {"auth": client.auth(), "sku": str(skus[0]), "listing": "x", "limit": "1"}
    for content_type, body in (urlencoded(fields), multipart(fields)):
        reply = await client.send("getStock", body, content_type=content_type)
        assert list(reply.json()) == [str(sku) for sku in skus]
    text = f'{{"auth": {client.auth()}, "sku": {skus[0]}, "data": {{}}, "x": [[1.5]]}}'
    reply = await client.send("getStock", text.encode(), content_type="application/json")
    assert len(reply.json()) == 2


async def test_unknown_properties_of_data_are_ignored(client, variant):
    sku = await variant()
    for data in ({"SKU": 1}, {"skus": [1]}, {"": None}, {"shop_id": 5}, {"\x00": "\x00"}):
        assert list((await client.call("getStock", data)).json()) == [str(sku)]


async def test_php_arrays_as_form_fields(client, variant):
    sku = await variant()
    auth = json.loads(client.auth())
    fields = {f"auth[{name}]": str(value) for name, value in auth.items()} | {"data[sku]": str(sku)}
    for content_type, body in (urlencoded(fields), multipart(fields)):
        reply = await client.send("getStock", body, content_type=content_type)
        assert list(reply.json()) == [str(sku)]


@pytest.mark.parametrize(
    "content_type",
    ["APPLICATION/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8;x=y", None,
     "text/plain", "text/html", "application/vnd.api+json", "", ";", "json", "application/octet-stream"],
)  # fmt: skip
async def test_json_under_any_content_type_but_a_forms(client, content_type):
    _, body = literal(client.auth())
    for before in (b"", b" \r\n\t", b"\xef\xbb\xbf"):
        reply = await client.send("authTest", before + body, content_type=content_type)
        assert reply.status_code == 202, (content_type, reply.text)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded; charset=UTF-8",
        "Application/X-WWW-Form-Urlencoded",
        None,
        "text/plain",
    ],
)
async def test_a_form_under_other_names(client, content_type):
    _, body = urlencoded({"auth": client.auth()})
    reply = await client.send("authTest", body, content_type=content_type)
    assert reply.status_code == 202


async def test_json_sent_as_a_form_is_json(client, variant):
    """What `curl -d` and PHP's cURL send: a JSON text that nobody called JSON."""
    sku = await variant()
    _, body = literal(client.auth(), json.dumps({"sku": sku}))
    for sent in (body, b"\xef\xbb\xbf" + body, quote(body).encode(), quote(quote(body)).encode()):
        reply = await client.send("getStock", sent)
        assert list(reply.json()) == [str(sku)], reply.text


async def test_a_form_of_too_many_fields(client):
    fields = {"auth": client.auth()} | {f"f{n}": "x" for n in range(2_000)}
    for content_type, body in (urlencoded(fields), multipart(fields)):
        reply = await client.send("authTest", body, content_type=content_type)
        assert refusal(reply, 401) == "auth_missing"
        assert "2,000 fields" in reply.json()["message"]


def parts(*found: tuple[str, str], boundary: str = "B", end: str = "--B--\r\n") -> bytes:
    text = "".join(f"--{boundary}\r\n{head}\r\n\r\n{value}\r\n" for head, value in found)
    return (text + end).encode()


def disposition(name: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}'


async def test_multipart_oddities_that_are_read(client, variant):
    sku = str(await variant())
    data = json.dumps({"sku": sku})
    for boundary in ("B", '"B"', "B; charset=utf-8"):
        for more in ('; filename="auth.json"', '; filename=""', "\r\nContent-Type: application/json",
                     "\r\nContent-Length: 7\r\nX-Other: 1", ";  x=y"):  # fmt: skip
            body = parts(
                (disposition("first"), "x"),
                (disposition("auth", more), client.auth()),
                (disposition("data", more), data),
                (disposition("last"), "y\r\n--Bound"),
            )
            reply = await client.send(
                "getStock",
                body + b"epilogue",
                content_type=f"multipart/form-data; boundary={boundary}",
            )
            assert list(reply.json()) == [sku], (boundary, more, reply.text)


async def test_multipart_names_without_quotes_and_in_capitals(client, variant):
    sku = str(await variant())
    for head in (
        "content-disposition: form-data; name={}",
        'CONTENT-DISPOSITION: form-data; NAME="{}"',
    ):
        body = parts(
            (head.format("auth"), client.auth()), (head.format("data"), json.dumps({"sku": sku}))
        )
        reply = await client.send("getStock", body, content_type="Multipart/Form-Data; Boundary=B")
        assert list(reply.json()) == [sku], reply.text


async def test_a_multipart_body_without_its_end_loses_nothing_silently(
    client, variant, nothing_written
):
    """The last part may be cut: what it said cannot be guessed, so that an order is never half read."""
    document = json.dumps(order_of((await variant(), 1)))
    heads = (disposition("auth"), client.auth()), (disposition("data"), document)
    whole = parts(*heads)
    async with nothing_written():
        for cut in (3, 5, 8, 20, len(document) // 2, len(document) + 20):
            reply = await client.send(
                "createOrder", whole[:-cut], content_type="multipart/form-data; boundary=B"
            )
            assert refusal(reply) == "order_invalid_data", cut
    reply = await client.send(
        "createOrder", whole[:-2], content_type="multipart/form-data; boundary=B"
    )
    assert reply.status_code == 201  # only the line's end is missing


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("multipart/form-data; boundary=B", b""),
        ("multipart/form-data; boundary=B", b"--B--\r\n"),
        ("multipart/form-data; boundary=B", b"no boundary at all"),
        ("multipart/form-data; boundary=B", b"--C\r\n\r\n\r\n--C--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\nno colon\r\n\r\nx\r\n--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\n\r\nx\r\n--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n"),
        ("multipart/form-data; boundary=B", b"--B\r\n" * 3_000),
        ("multipart/form-data; boundary=" + "B" * 5_000, b"--" + b"B" * 5_000 + b"--\r\n"),
        ("multipart/form-data; boundary=\u00e9", "--\u00e9--\r\n".encode("latin-1")),
        ("multipart/mixed; boundary=B", b"--B--\r\n"),
    ],
)  # fmt: skip
async def test_a_multipart_body_that_is_none(client, content_type, body):
    reply = await client._http.post(
        "/admin/api/getStock",
        content=body,
        headers=[(b"Content-Type", content_type.encode("latin-1"))],
    )
    assert refusal(reply, 401) == "auth_missing"


async def test_bytes_that_are_no_utf8_in_data_are_bad_data(client):
    auth = client.auth()
    urlencoded_body = urlencoded({"auth": auth})[1] + b"&data=%7B%22reference%22%3A%22%ff%22%7D"
    raw = urlencoded({"auth": auth})[1] + b'&data={"reference":"\xff"}'
    whole = parts((disposition("auth"), auth), (disposition("data"), '{"reference": "@"}'))
    _, as_json = literal(auth, '{"reference": "@"}')
    for content_type, body in (
        ("application/x-www-form-urlencoded", urlencoded_body),
        ("application/x-www-form-urlencoded", raw),
        ("multipart/form-data; boundary=B", whole.replace(b"@", b"\xc3\x28")),
        ("application/json", as_json.replace(b"@", b"\xe9")),
    ):
        reply = await client.send("getStock", body, content_type=content_type)
        assert refusal(reply) == "data_invalid", (content_type, body)


async def test_bytes_that_are_no_utf8_in_auth(client):
    for content_type, body in (
        ("application/x-www-form-urlencoded", b"auth=%7B%22salt%22%3A%22%ff%22%7D"),
        ("application/x-www-form-urlencoded", b"auth=\xff"),
        ("application/json", b'{"auth": {"salt": "\xff"}}'),
        ("application/json", b"\xff\xfe{\x00}\x00"),
    ):
        reply = await client.send("getStock", body, content_type=content_type)
        assert refusal(reply, 401) in {"auth_missing", "auth_invalid"}


@pytest.mark.parametrize("prefix", ["/admin/api/", "/api/"])
@pytest.mark.parametrize("method", METHODS)
async def test_every_method_is_a_post_at_both_prefixes(client, method, prefix):
    for path in (prefix + method, prefix + method + "/"):
        assert refusal(await client._http.post(path), 401) == "auth_missing"
        for verb in ("GET", "PUT", "DELETE", "PATCH"):
            reply = await client._http.request(verb, path)
            assert refusal(reply, 405) == "method_not_allowed"
            assert reply.headers["allow"] == "POST"
        head = await client._http.head(path)
        assert (head.status_code, head.headers["allow"]) == (405, "POST")


async def test_a_slash_at_the_end_is_answered_without_a_redirect(client):
    content_type, body = client.body()
    reply = await client.send("authTest/", body, content_type=content_type)
    assert reply.status_code == 202
    assert not reply.history


@pytest.mark.parametrize(
    "path",
    ["authtest", "AuthTest", "getstock", "GETSTOCK", "Pudo", "nope", "", "getStock/1", "getStock.php",
     "getStock%20", "%61uthTest", "getShop", "order", "../api/authTestx", "getStock;x=1"],
)  # fmt: skip
async def test_an_unknown_method(client, path):
    content_type, body = client.body()
    for prefix in ("/admin/api/", "/api/"):
        reply = await client.send(path, body, content_type=content_type, prefix=prefix)
        assert refusal(reply, 404) == "method_unknown"


@pytest.mark.parametrize(
    "path", ["//admin/api/authTest", "/admin//api///authTest", "/api/authTest//"]
)
async def test_doubled_slashes_are_single_ones(client, path):
    content_type, body = client.body()
    reply = await client.send(path, body, content_type=content_type, prefix=client.base_url)
    assert reply.status_code == 202


async def test_a_query_changes_nothing(client):
    content_type, body = client.body()
    reply = await client.send("authTest?data=[1]&auth=x", body, content_type=content_type)
    assert reply.status_code == 202


async def test_a_big_body_is_refused(client):
    for shape in SHAPES:
        program = client.shaped(shape)
        reply = await program.call("getStock", {"x": "y" * 300_000})
        assert refusal(reply, 413) == "request_too_large"


async def test_a_body_in_pieces(server, client):
    _, body = urlencoded({"auth": client.auth()})
    head = (
        "POST /api/authTest HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    pieces = "".join(
        f"{len(body[n : n + 7]):x}\r\n{body[n : n + 7].decode()}\r\n"
        for n in range(0, len(body), 7)
    )
    answer = await speak(server.port, f"{head}{pieces}0\r\n\r\n".encode())
    assert b" 202 " in answer.split(b"\r\n")[0]


async def test_curl_with_form_fields_and_expect_100(server, client, variant, tmp_path):
    """The WordPress plug-in's way: cURL with an array of fields, which waits for 100 Continue."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    sku = await variant()
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"sku": sku, "filler": "x" * 20_000}))
    done = await asyncio.to_thread(
        subprocess.run,
        ["curl", "-sS", "-v", "--noproxy", "*", "--fail", "-H", "Expect: 100-continue", "--max-time", "20",
         "-F", f"auth={client.auth()}", "-F", f"data=<{data}", f"{server.url}/api/getStock"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == [str(sku)]
    assert "100 Continue" in done.stderr


def test_every_core_code_has_its_word_here():
    assert set(WIRE) == set(ERROR_CODES)
    for code in ERROR_CODES:
        answer = render_error(CrossdockError(code), "POST")
        assert 400 <= answer.status < 600
        assert answer.content_type == "application/json"
        assert json.loads(answer.body)["error"] == WIRE[code][1]
    assert all(status >= 400 for status in WIRE_ONLY.values())


async def test_the_openapi_document_knows_every_method(client):
    reply = await client._http.get("/docs/api/shopwedo/openapi.json")
    assert reply.status_code == 200
    assert {path.rpartition("/")[2] for path in reply.json()["paths"]} >= set(METHODS)


async def test_no_success_is_empty_for_php(clients, variant):
    """json_decode() of what is falsy makes the PHP client throw; reads of nothing cannot avoid it."""
    client = await clients()
    order_id = await client.create(order_of((await variant(), 1), number=uuid.uuid4().hex))
    for method, data in (
        ("getOrder", {"order_id": order_id}),
        ("getStock", {}),
        ("getProducts", {}),
        ("getRetourSettings", {}),
        ("pudo", {"address": {"zip": "2800", "country": "BE"}}),
        ("cancelOrder", {"order_id": order_id}),
    ):
        reply = await client.call(method, data)
        assert reply.status_code == 200
        assert reply.json() not in ([], {}, 0, False, None, "", "0")
