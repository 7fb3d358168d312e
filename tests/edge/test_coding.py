"""Content codings around a channel that answers what its path says."""

import gzip

import pytest

from crossdock.channels.contract import SENT_BODY, Answer, Channel
from crossdock.edge.requests import Edge

LARGE = b'{"a": 1}' * 1_000


async def door(scope, receive, send):
    """A body comes back; /door/KIND answers LARGE whole, in pieces, as a page or with a tag."""
    if scope["method"] == "POST":
        message = await receive()
        scope["seen"] = message["body"], scope.get(SENT_BODY)
        body = message["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(LARGE))]
    match scope["path"].rpartition("/")[2]:
        case "page":
            headers[0] = (b"content-type", b"text/html; charset=utf-8")
            headers.append((b"cache-control", b"no-store"))
        case "picture":
            headers[0] = (b"content-type", b"image/png")
        case "tagged":
            headers.append((b"etag", b'"abc"'))
        case "own":
            headers.append((b"content-encoding", b"zstd"))
        case "pieces":
            await send({"type": "http.response.start", "status": 200, "headers": headers[:1]})
            for start in range(0, len(LARGE), 3_000):
                piece = LARGE[start : start + 3_000]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else LARGE})


def render(error, method):
    return Answer(status=418, body=error.code.encode(), content_type="text/plain")


@pytest.fixture
def edge(metrics, room, guests):
    channel = Channel(name="door", paths=("/door",), app=door, render_error=render)
    return Edge(
        channels=[channel],
        operating=door,
        metrics=metrics,
        room=room,
        guests=guests,
        body_limit_bytes=1_000,
    )


async def ask(edge, path, *, method="GET", headers=(), body=(b"",)):
    pieces, sent = list(body), []

    async def receive():
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    await edge(scope, receive, send)
    return scope, dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:])


ACCEPTS = [(b"accept-encoding", b"deflate, gzip")]


@pytest.mark.parametrize(
    "path", ["/door/whole", "/door/pieces", "/door/tagged", "/elsewhere/whole"]
)
async def test_a_large_answer_goes_out_in_gzip(edge, path):
    for _ in range(2):
        _, headers, body = await ask(edge, path, headers=ACCEPTS)
        assert gzip.decompress(body) == LARGE
        assert len(body) < len(LARGE) / 10
        assert headers[b"content-encoding"] == b"gzip"
        assert headers[b"vary"] == b"Accept-Encoding"
        assert headers.get(b"content-length", b"%d" % len(body)) == b"%d" % len(body)
        assert headers.get(b"etag", b'W/"abc"') == b'W/"abc"'
    _, headers, body = await ask(edge, path)
    assert (body, headers[b"vary"]) == (LARGE, b"Accept-Encoding")
    assert b"content-encoding" not in headers


@pytest.mark.parametrize("path", ["/door/page", "/door/picture", "/door/own"])
async def test_pages_for_one_person_pictures_and_what_is_coded_stay_as_they_are(edge, path):
    _, headers, body = await ask(edge, path, headers=ACCEPTS)
    assert body == LARGE
    assert b"vary" not in headers


async def test_a_head_is_told_that_the_answer_varies(edge):
    _, headers, body = await ask(edge, "/door/whole", method="HEAD", headers=ACCEPTS)
    assert (body, headers[b"vary"]) == (b"", b"Accept-Encoding")


@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_body_in_gzip_is_read_and_what_was_sent_is_kept(edge, pieces):
    packed = gzip.compress(b"x" * 1_000, mtime=0)
    size = -(-len(packed) // pieces)
    parts = [packed[start : start + size] for start in range(0, len(packed), size)]
    coding = [(b"content-encoding", b"gzip")]
    scope, _, body = await ask(edge, "/door", method="POST", headers=coding, body=parts)
    assert body == b"x" * 1_000
    assert scope["seen"] == (b"x" * 1_000, packed)


@pytest.mark.parametrize("coding", [b"", b"identity", b"utf-8", b"Identity"])
async def test_a_body_without_a_coding_is_left_alone(edge, coding):
    headers = [(b"content-encoding", coding)]
    scope, _, body = await ask(edge, "/door", method="POST", headers=headers, body=[b"plain"])
    assert (body, scope["seen"]) == (b"plain", (b"plain", None))


@pytest.mark.parametrize(
    ("coding", "body", "code"),
    [
        (b"gzip", gzip.compress(b"x" * 1_001, mtime=0), b"too_large"),
        (b"gzip", gzip.compress(b"x" * 500, mtime=0) * 3, b"too_large"),
        (b"gzip", b"plain", b"invalid_input"),
        (b"gzip", gzip.compress(b"x", mtime=0)[:-1], b"invalid_input"),
        (b"gzip", gzip.compress(b"x", mtime=0) + b"y", b"invalid_input"),
        (b"br", b"plain", b"invalid_input"),
        (b"gzip, gzip", b"plain", b"invalid_input"),
    ],
)
async def test_a_coded_body_that_cannot_be_read_is_refused_in_the_channels_words(
    edge, coding, body, code
):
    headers = [(b"content-encoding", coding)]
    _, _, answer = await ask(edge, "/door", method="POST", headers=headers, body=[body])
    assert answer == code


async def test_members_of_gzip_are_one_body(edge):
    headers = [(b"content-encoding", b"gzip")]
    body = gzip.compress(b"a", mtime=0) + gzip.compress(b"b", mtime=0)
    _, _, answer = await ask(edge, "/door", method="POST", headers=headers, body=[body])
    assert answer == b"ab"


async def test_doubled_slashes_are_single_ones(edge):
    scope = {}

    async def seen(inner, receive, send):
        scope.update(inner)
        await door(inner, receive, send)

    edge._operating = seen
    await ask(edge, "//elsewhere///whole/")
    assert scope["path"] == "/elsewhere/whole/"
