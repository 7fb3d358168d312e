"""The edge of every request, around a channel that does what its path says."""

import asyncio
import errno
import re
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from crossdock.channels.contract import Answer, Channel
from crossdock.edge.requests import Edge
from crossdock.errors import CrossdockError, DatabaseUnavailable, NotFound

GENERATED_ID = re.compile(r"[A-Za-z0-9]{12}-[0-9a-f]+")


async def door(scope, receive, send):
    """A channel: /door/boom fails, /door/full has no disk, /door/away no database; else a size."""
    match scope["path"]:
        case "/door/boom":
            raise RuntimeError("secret detail")
        case "/door/full":
            raise OSError(errno.ENOSPC, "No space left on device")
        case "/door/away":
            raise DatabaseUnavailable
        case "/door/refused":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
            return
        case "/door/late":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError("too late")
    size = 0
    while True:
        message = await receive()
        size += len(message["body"])
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % size})


def render_door_error(error, method):
    return Answer(status=418, body=error.code.encode(), content_type="text/plain")


async def operating(scope, receive, send):
    raise NotFound("not_found")


@pytest.fixture
def edge(metrics, room, guests):
    channel = Channel(name="door", paths=("/door",), app=door, render_error=render_door_error)
    return Edge(
        channels=[channel],
        operating=operating,
        metrics=metrics,
        room=room,
        guests=guests,
        body_limit_bytes=10,
    )


class Reply:
    def __init__(self, messages):
        self.messages = messages
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])


async def ask(edge, path, *, headers=(), body=(b"",), raw_path=b""):
    pieces = list(body)
    sent = []

    async def receive():
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": list(headers)}
    scope["raw_path"] = raw_path
    await edge(scope, receive, send)
    return Reply(sent)


async def test_every_answer_carries_an_id_and_the_security_headers(edge):
    for path in ("/door/", "/door/boom", "/door/away", "/nowhere"):
        reply = await ask(edge, path)

        assert GENERATED_ID.fullmatch(reply.headers["x-request-id"])
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/track/XDI0VPEBOWFBZAV2", "/track/..."),
        ("/pay/12-wc_order_aBcD", "/pay/..."),
        ("/track/", "/track/..."),
        ("/track", "/track"),
        ("/tracks/1", "/tracks/1"),
        ("/door/\x1b[2J", "/door/\\x1b[2J"),
    ],
)
async def test_the_log_holds_the_path_without_its_secret(edge, path, logged):
    with capture_logs() as records:
        await ask(edge, path)

    assert [record["path"] for record in records] == [logged]


async def test_the_log_of_a_failure_holds_no_secret_either(metrics, room, guests):
    async def broken(scope, receive, send):
        raise RuntimeError("broken")

    edge = Edge(
        channels=[], operating=broken, metrics=metrics, room=room, guests=guests, body_limit_bytes=8
    )

    with capture_logs() as records:
        await ask(edge, "/track/XDI0VPEBOWFBZAV2")

    assert [record["path"] for record in records] == ["/track/..."] * 2


async def test_the_log_holds_no_secret_of_a_channel_s_paths_however_they_are_written(
    metrics, room, guests
):
    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    door = Channel(
        name="door",
        paths=("/door",),
        app=answer,
        render_error=lambda error, method: Answer(status=500, body=b""),
    )
    edge = Edge(
        channels=[door],
        operating=answer,
        metrics=metrics,
        room=room,
        guests=guests,
        body_limit_bytes=8,
    )

    with capture_logs() as records:
        await ask(edge, "/door/token/SECRET/checkout")
        await ask(edge, "/door/token/SECRET", raw_path=b"/door/%74oken/SECRET")
        await ask(edge, "/door/tokens")

        await ask(edge, "/dor/token/SECRET/checkout")

    paths = [record["path"] for record in records]
    assert paths == [
        "/door/token/.../checkout",
        "/door/token/...",
        "/door/tokens",
        "/dor/token/.../checkout",
    ]


async def test_an_id_that_the_caller_chose_is_kept(edge):
    reply = await ask(edge, "/door/", headers=[(b"x-request-id", b"order-2026.0001")])

    assert reply.headers["x-request-id"] == "order-2026.0001"


@pytest.mark.parametrize(
    "unsafe", [b"short", b"a b c d e f", b"x" * 200, b"line\r\nbreak-1234", b""]
)
async def test_an_id_of_unsafe_syntax_is_replaced(edge, unsafe):
    reply = await ask(edge, "/door/", headers=[(b"x-request-id", unsafe)])

    assert GENERATED_ID.fullmatch(reply.headers["x-request-id"])


async def test_a_path_belongs_to_a_channel_by_whole_segments(edge):
    assert (await ask(edge, "/door")).status == 200
    assert (await ask(edge, "/door/x")).status == 200
    assert (await ask(edge, "/doorway")).status == 404


async def test_a_body_of_the_limit_passes(edge):
    assert (await ask(edge, "/door/", body=[b"12345", b"67890"])).body == b"10"


async def test_a_body_that_says_it_is_too_large_is_read_to_its_end_and_given_to_nobody(edge):
    """A caller who is cut off while it still sends never sees the answer."""
    pieces = [b"12345", b"678901"]
    reply = await ask(edge, "/door/", headers=[(b"content-length", b"11")], body=iter(pieces))

    assert (reply.status, reply.body) == (418, b"too_large")


@pytest.mark.parametrize("header", [(b"content-length", b"9"), (b"transfer-encoding", b"chunked")])
async def test_the_body_of_a_request_that_is_refused_unread_is_read_to_its_end(edge, header):
    """Its caller, too, would be cut off while it still sends."""
    pieces = [b"123", b"456", b"789"]
    sent: list[dict[str, Any]] = []

    async def receive():
        assert not sent, "the answer comes after the body"
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/door/refused", "headers": [header]}
    await edge(scope, receive, send)

    assert (Reply(sent).status, Reply(sent).body, pieces) == (401, b"no", [])


async def test_a_caller_who_waits_for_leave_to_send_is_refused_at_once(edge):
    headers = [(b"content-length", b"11"), (b"expect", b"100-continue")]
    reply = await ask(edge, "/door/", headers=headers, body=[])

    assert (reply.status, reply.body) == (418, b"too_large")


async def test_a_body_that_grows_too_large_is_cut_off(edge):
    reply = await ask(edge, "/door/", body=[b"123456", b"789012", b"never read"])

    assert (reply.status, reply.body) == (418, b"too_large")


async def test_a_body_that_ends_before_its_length_is_the_callers_fault(edge):
    async def receive():
        return {"type": "http.disconnect"}

    sent = []

    async def send(message):
        sent.append(message)

    await edge({"type": "http", "method": "POST", "path": "/door", "headers": []}, receive, send)

    assert Reply(sent).body == b"invalid_input"


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(edge, monkeypatch):
    """Else a few hundred idle callers would hold all the places of a process."""
    monkeypatch.setattr("crossdock.edge.requests.BODY_S", 0.05)
    pieces = [{"type": "http.request", "body": b"1", "more_body": True}]

    async def receive():
        return pieces.pop() if pieces else await asyncio.Future()

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/door", "headers": []}
    await asyncio.wait_for(edge(scope, receive, send), 2)

    assert Reply(sent).body == b"invalid_input"


async def test_a_failure_is_told_in_the_channels_words_without_its_detail(edge):
    reply = await ask(edge, "/door/boom")

    assert (reply.status, reply.body) == (418, b"internal")
    assert reply.headers["content-type"] == "text/plain"


async def test_a_failure_after_the_answer_began_adds_nothing(edge):
    reply = await ask(edge, "/door/late")

    assert (reply.status, len(reply.messages)) == (200, 1)


async def test_an_unreachable_database_says_when_to_come_back(edge):
    reply = await ask(edge, "/door/away")

    assert reply.body == b"database_unavailable"
    assert reply.headers["retry-after"] == "2"


async def test_a_full_disk_says_when_to_come_back(edge):
    reply = await ask(edge, "/door/full")

    assert reply.headers["retry-after"] == "5"
    assert reply.body == b"storage_full"


async def test_outside_of_channels_an_error_is_json(edge):
    reply = await ask(edge, "/nowhere")

    assert reply.status == 404
    assert orjson.loads(reply.body)["error"]["code"] == "not_found"


async def test_two_requests_do_not_share_an_id(edge):
    replies = await asyncio.gather(*(ask(edge, "/door/") for _ in range(20)))

    assert len({reply.headers["x-request-id"] for reply in replies}) == 20


@pytest.mark.parametrize(
    ("code", "status"),
    [("too_large", 413), ("rate_limited", 429), ("internal", 500), ("invalid_input", 400)],
)
def test_statuses_outside_of_channels(code, status):
    from crossdock.edge.requests import render_error

    assert render_error(CrossdockError(code)).status == status
