"""Connections that do nothing: they keep nobody out, and those that are not read end."""

import select
import socket
import time
from contextlib import ExitStack

import pytest

from tests.support import postgres
from tests.support.processes import serving

ASK = b"GET /docs/ HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"POST /admin/api/authTest HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nauth="
STRANGER = "127.0.0.9"  # not this machine's usual address, so one with bounds of its own


@pytest.fixture(scope="module")
def bounded(postgres_url, run_dir, worker_id, tmp_path_factory):
    """A server with one web process and tight bounds."""
    folder = tmp_path_factory.mktemp("bounded")
    with (
        postgres.clone(postgres_url, folder=run_dir, name=f"{worker_id}_bounded") as url,
        serving(
            folder,
            database_url=url,
            workers=1,
            http_connections_max=200,
            http_connections_per_address=40,
            http_requests_per_address=5,
            http_idle_s=20,
            http_write_s=2,
        ) as server,
    ):
        yield server


@pytest.fixture
def connect(bounded):
    """Open a connection from an address; all are closed at the end."""
    with ExitStack() as opened:

        def one(data: bytes = b"", *, source: str = "127.0.0.1", buffer: int = 0) -> socket.socket:
            made = opened.enter_context(socket.socket())
            made.settimeout(10)
            if buffer:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            made.bind((source, 0))
            made.connect(("127.0.0.1", bounded.port))
            if data:
                made.sendall(data)
            return made

        yield one


def status(connection: socket.socket) -> int:
    """The status of the answer, read to its head."""
    return int(connection.recv(12)[9:])


def is_open(connection: socket.socket) -> bool:
    """Whether the server did not close it, without reading what it sent."""
    found = select.poll()
    found.register(connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
    return not found.poll(0)


def wait_until(holds, *, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.parametrize("data", [b"", b"GET /docs/ HTTP/1.1\r\nHos", ASK])
def test_idle_connections_keep_no_newcomer_waiting(connect, data):
    """None asked, half a request, or a whole one long ago: five times what the server holds."""
    for _ in range(5):
        for _ in range(200):
            connect(data)
        started = time.monotonic()
        assert status(connect(ASK)) == 200
        assert time.monotonic() - started < 1


def test_who_asks_without_reading_is_ended_and_others_are_answered(connect):
    deaf = [connect(buffer=4096) for _ in range(30)]
    for each in deaf:
        each.setblocking(False)
        for _ in range(2_000):
            try:
                each.send(ASK * 10)
            except BlockingIOError:
                break

    started = time.monotonic()
    assert status(connect(ASK)) == 200
    assert time.monotonic() - started < 1
    wait_until(lambda: not any(is_open(each) for each in deaf), timeout_s=8)


def test_an_answer_that_is_read_slowly_but_steadily_comes_whole(connect):
    reader = connect(
        b"GET /static/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        buffer=8192,
    )
    started, size = time.monotonic(), 0
    while piece := reader.recv(16_384):
        size += len(piece)
        if time.monotonic() - started < 4:  # twice as long as nobody may pause
            time.sleep(0.1)
    assert time.monotonic() - started > 4
    assert size > 1_000_000


def test_one_address_holds_its_share_and_others_go_on(connect):
    of_stranger = [connect(source=STRANGER) for _ in range(60)]
    ours = [connect() for _ in range(60)]

    wait_until(lambda: sum(map(is_open, of_stranger)) <= 40, timeout_s=3)
    assert sum(map(is_open, of_stranger)) == 40
    assert all(map(is_open, ours))
    assert status(connect(ASK, source=STRANGER)) == 200


def test_one_address_has_its_share_of_requests(connect):
    for _ in range(5):
        connect(HALF, source=STRANGER)

    wait_until(lambda: status(connect(ASK, source=STRANGER)) == 503, timeout_s=3)
    assert status(connect(ASK)) == 200
