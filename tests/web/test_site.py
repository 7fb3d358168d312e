"""The site's answers: types, caching, policy, and what is not there."""

import hashlib
import json
import re

import pytest

from crossdock.gate.assets import FOLDER

PAGE = {"accept": "text/html,application/xhtml+xml"}


async def test_the_landing_page_tells_of_every_channel_and_of_a_database_that_is_away(ask):
    reply = await ask("/", **PAGE)

    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert "Toys &lt;API&gt;" in reply.text
    assert "/docs/api/toys" in reply.text
    assert "/docs/api/bare" not in reply.text
    assert "database not ready" in reply.text


async def test_pages_allow_no_inline_script_and_no_foreign_source(ask):
    for path in ("/", "/docs/", "/docs/api/toys", "/nowhere"):
        reply = await ask(path, **PAGE)
        policy = reply.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert not re.search(r"<script(?![^>]*src=)|<[^>]+ (style|on\w+)=", reply.text), path


async def test_a_hashed_file_is_good_for_ever_and_a_plain_one_for_a_while(ask):
    hashed = re.search(r'href="(/static/site\.[0-9a-f]{12}\.css)"', (await ask("/", **PAGE)).text)
    assert hashed
    forever, plain = await ask(hashed[1]), await ask("/static/site.css")

    assert forever.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "public, max-age=300"
    assert forever.body == plain.body
    assert plain.headers["content-type"].startswith("text/css")
    assert (await ask("/static/site.000000000000.css")).status == 404


async def test_only_the_reference_may_fetch_and_only_from_here(ask):
    told = {
        path: (await ask(path, **PAGE)).headers["content-security-policy"]
        for path in ("/docs/", "/docs/api/toys")
    }

    assert told["/docs/api/toys"] == f"{told['/docs/']}; connect-src 'self'"


@pytest.mark.parametrize(("package", "count"), [("swagger-ui", 2), ("htmx", 2), ("graphiql", 4)])
def test_a_vendored_file_is_the_one_that_its_page_tells_of(package, count):
    folder = FOLDER / "vendor" / package
    told = dict(
        re.findall(r"\| `(\S+)` \| `([0-9a-f]{64})` \|", (folder / "README.md").read_text())
    )
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.suffix in {".js", ".css"}
    }

    assert told == found
    assert len(found) == count


async def test_what_the_caller_has_is_not_sent_again(ask):
    for path in ("/docs/", "/static/site.css", "/demo-media/7.svg", "/docs/api/toys/openapi.json"):
        first = await ask(path)
        again = await ask(path, if_none_match=first.headers["etag"])
        assert (again.status, again.body) == (304, b""), path


async def test_a_reference_is_made_once_and_answered_the_same_ever_after(ask, made):
    paths = ("/docs/api/toys", "/docs/api/toys/openapi.json", "/docs/start")
    first = [await ask(path) for path in paths]
    before = len(made)

    again = [await ask(path, accept="*/*", cookie="a=b") for path in paths]

    assert [(r.status, r.headers, r.body) for r in again] == [
        (200, r.headers, r.body) for r in first
    ]
    assert len(made) == before
    for path, reply in zip(paths, first, strict=True):
        known = await ask(path, if_none_match=reply.headers["etag"])
        assert (known.status, known.body) == (304, b"")


async def test_the_landing_page_asks_for_no_document_again(ask, made):
    first = await ask("/")
    before = len(made)

    again = await ask("/")

    assert (again.status, again.body) == (200, first.body)
    assert len(made) == before


async def test_the_openapi_document_is_the_channels_own(ask):
    reply = await ask("/docs/api/toys/openapi.json")

    assert json.loads(reply.body)["info"]["title"] == "Toys <API>"
    assert (await ask("/docs/api/bare/openapi.json")).status == 404
    assert (await ask("/docs/api/nobody")).status == 404


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/docs/nothing", "/static/", "/static/../app.py", "/static/%2e%2e/app.py",
     "/docs/../settings", "/docs/decisions/../../README", "/demo-media/x.svg", "/demo-media/1.png"],
)  # fmt: skip
async def test_nothing_is_a_page_for_people_and_json_for_programs(ask, path):
    page, answer = await ask(path, **PAGE), await ask(path, accept="application/json")

    assert (page.status, answer.status) == (404, 404)
    assert page.headers["content-type"].startswith("text/html")
    assert json.loads(answer.body)["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/docs/nothing", "text/html"), ("/docs/api/nobody", "text/html"), ("/console/x", "text/html"),
     ("/nowhere", "application/json"), ("/wp-json/x", "application/json")],
)  # fmt: skip
async def test_who_takes_anything_gets_a_page_where_only_pages_are(ask, path, kind):
    for headers in ({"accept": "*/*"}, {}):
        answer = await ask(path, **headers)

        assert answer.status == 404
        assert answer.headers["content-type"].startswith(kind)


async def test_a_picture_is_the_same_every_time_and_another_for_another_number(ask):
    one, again, two = [await ask(f"/demo-media/{n}.svg") for n in (1, 1, 2)]

    assert one.body == again.body != two.body
    assert one.headers["content-type"] == "image/svg+xml"


async def test_head_has_the_headers_alone(ask):
    reply = await ask("/docs/", method="HEAD")

    assert (reply.status, reply.body) == (200, b"")
