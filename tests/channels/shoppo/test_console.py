"""The console..."""

import html
import re

import pytest

from tests.support.clocked import clocked
from tests.support.shoppo_client import DropShipper

PATH = "/console/partner"
QUERY = "{ productList(first: 1) { length edges { node { name } } } }"


async def sent(shipper, **fields):
    given = {"viewerid": shipper.viewer, "accesstoken": shipper.token, "query": QUERY}
    return await shipper.send("POST", PATH, data={**given, **fields})


async def test_shows_the_schema_and_lets_nothing_run_but_its_own_scripts(shipper):
    nonces = set()
    for path in (PATH, f"{PATH}/"):
        reply = await shipper.send("GET", path)
        policy = reply.headers["content-security-policy"]
        found = re.search(r"script-src 'nonce-([A-Za-z0-9]{22})'; connect-src 'self';", policy)
        assert reply.status_code == 200
        assert found
        nonces.add(found[1])
        assert policy.startswith(f"default-src 'none'; style-src 'self' 'nonce-{found[1]}'; ")
        assert "unsafe" not in policy
        assert reply.headers["cache-control"] == "no-store"
        scripts = re.findall(r"<script[^>]*>", reply.text)
        assert len(scripts) == 4
        assert all(f'nonce="{found[1]}" defer' in each and "src=" in each for each in scripts)
        assert "type ProductConnection {" in html.unescape(reply.text)
    assert len(nonces) == 2


async def test_has_files_that_are_kept_for_ever_and_sent_compressed(shipper):
    page = (await shipper.send("GET", PATH)).text
    paths = re.findall(r'"(/static/[^"]+\.(?:js|css))"', page)
    sizes = []
    for path in paths:
        reply = await shipper.send("GET", path)
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert reply.headers.get("content-encoding") == "gzip" or len(reply.content) < 2048, path
        sizes.append(int(reply.headers["content-length"]))
    assert len(paths) == 7
    assert sum(sizes) < 450_000


async def test_answers_what_is_asked_and_keeps_what_was_typed(shipper):
    reply = await sent(shipper)
    text = html.unescape(reply.text)
    assert reply.status_code == 200
    assert '"name": "Lost Goods"' in text
    assert '"length": 5' in text
    assert QUERY in text
    assert f'value="{shipper.viewer}"' in text


async def test_takes_variables_and_the_name_of_an_operation(shipper):
    query = "query a($n: Int) { productList(first: $n) { length } } query b { __typename }"
    reply = await sent(shipper, query=query, variables='{"n": 0}', operationName="a")
    assert '"length": 5' in html.unescape(reply.text)
    reply = await sent(shipper, query=query, operationName="b")
    assert '"__typename": "RootQuery"' in html.unescape(reply.text)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"accesstoken": "x" * 20}, 401, "UNAUTHENTICATED"),
        ({"viewerid": ""}, 401, "UNAUTHENTICATED"),
        ({"viewerid": "another"}, 403, "FORBIDDEN"),
        ({"query": "{"}, 200, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ x }"}, 200, "GRAPHQL_VALIDATION_FAILED"),
        ({"variables": "["}, 400, "BAD_REQUEST"),
        ({"variables": "[]"}, 400, "BAD_REQUEST"),
        ({"query": "{ " + "x " * 2001 + "}"}, 400, "QUERY_TOO_COMPLEX"),
    ],
)
async def test_shows_what_is_refused(shipper, fields, status, code):
    reply = await sent(shipper, **fields)
    assert (reply.status_code, f'"code": "{code}"' in html.unescape(reply.text)) == (status, True)


async def test_shows_markup_as_text(shipper):
    reply = await sent(shipper, query="</textarea><script>1</script>", viewerid='"><script>')
    assert "<script>" not in reply.text


async def test_refuses_a_form_that_is_none(shipper):
    reply = await shipper.send(
        "POST",
        PATH,
        content=b"query=%ff",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert reply.status_code == 400


async def test_is_not_there_where_a_setting_says_so(database_url, tmp_path, hall_server, shipper):
    async with (
        clocked(
            database_url=database_url, data_dir=str(tmp_path), clock=hall_server.clock,
            shoppo_console=False,
        ) as server,
        DropShipper(server.url, token=shipper.token, viewer=shipper.viewer) as caller,
    ):  # fmt: skip
        assert (await caller.send("GET", PATH)).status_code == 404
        assert (await caller.post(QUERY)).status_code == 200
