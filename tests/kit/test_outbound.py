"""Outgoing calls: bounded, honest about what failed, and without redirects."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crossdock.kit.outbound import Outbound, Refused, Unanswered, Unreachable
from tests.support.simulators.http import Drop, Hang, HttpSimulator, Raw, Reply


def _answering(outcome):
    async def handler(_request):
        return outcome

    return HttpSimulator(handler)


@pytest.fixture
async def client():
    client = Outbound(allowed_hosts=["127.0.0.1"])
    yield client
    await client.close()


async def test_a_request_arrives_whole_and_its_answer_comes_back(client):
    async with _answering(Reply(201, {"id": 7}, {"X-Trace": "t"})) as server:
        answer = await client.request(
            "POST", f"{server.url}/a?b=c", headers={"X-One": "1"}, content=b'{"x":1}'
        )
    [request] = server.requests
    assert (request.method, request.target, request.body) == ("POST", "/a?b=c", b'{"x":1}')
    assert (request.headers["x-one"], request.headers["host"]) == ("1", server.host)
    assert (answer.status, answer.json(), answer.headers["x-trace"]) == (201, {"id": 7}, "t")


async def test_a_connection_is_used_again(client):
    async with _answering(Reply()) as server:
        for _ in range(3):
            await client.request("GET", server.url)
    assert (len(server.requests), server.connections) == (3, 1)


async def test_the_connections_of_a_burst_are_used_by_the_next_one(client):
    together = asyncio.Barrier(40)

    async def handler(_request):
        async with together:
            return Reply()

    async with HttpSimulator(handler) as server:
        for _ in range(3):
            await asyncio.gather(*(client.request("GET", server.url) for _ in range(40)))
    assert (len(server.requests), server.connections) == (120, 40)


async def test_a_connection_that_the_other_side_closed_is_not_used_again(client):
    async with _answering(Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as server:
        for _ in range(3):
            assert (await client.request("POST", server.url)).status == 200
            await asyncio.sleep(0.05)
    assert (len(server.requests), server.connections) == (3, 3)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_followed(client, status):
    async with (
        _answering(Reply()) as inner,
        _answering(Reply(status, headers={"Location": inner.url})) as server,
    ):
        answer = await client.request("GET", server.url)
    assert (answer.status, answer.is_success, inner.connections) == (status, False, 0)


async def test_silence_ends_at_the_deadline_with_an_unknown_outcome(client):
    async with _answering(Hang()) as server:
        with pytest.raises(Unanswered, match=r"1\.5 s"):
            await client.request("GET", server.url, deadline_s=1.5)


async def test_an_answer_that_trickles_ends_at_the_deadline(client):
    async def trickle(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with contextlib.suppress(ConnectionError):  # the client leaves at its deadline
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Unanswered):
        await client.request("GET", f"http://127.0.0.1:{port}/", deadline_s=0.3)
    server.close()


async def test_a_connection_closed_without_a_word_has_an_unknown_outcome(client):
    async with _answering(Drop()) as server:
        with pytest.raises(Unanswered):
            await client.request("POST", server.url, content=b"x")


@pytest.mark.parametrize(
    "data", [b"not http at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"]
)
async def test_a_broken_answer_has_an_unknown_outcome(client, data):
    async with _answering(Raw(data)) as server:
        with pytest.raises(Unanswered):
            await client.request("GET", server.url)


async def test_an_answer_over_the_limit_is_given_up(client):
    async with _answering(Reply(body=b"x" * 5000)) as server:
        with pytest.raises(Unanswered, match="4096 bytes"):
            await client.request("GET", server.url, limit_bytes=4096)
        assert len((await client.request("GET", server.url, limit_bytes=5000)).body) == 5000


async def test_a_closed_port_is_unreachable(client):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(Unreachable):
        await client.request("GET", f"http://127.0.0.1:{port}/")


async def test_a_name_without_address_is_unreachable():
    async def nowhere(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror("no such name")

    client = Outbound(resolver=nowhere)
    with pytest.raises(Unreachable, match="no such name"):
        await client.request("GET", "http://nowhere.example/")
    await client.close()


async def test_only_the_named_port_is_excepted():
    async with _answering(Reply()) as server, _answering(Reply()) as other:
        client = Outbound(allowed_hosts=[server.host])
        assert (await client.request("GET", server.url)).status == 200
        with pytest.raises(Refused):
            await client.request("GET", other.url)
        assert other.connections == 0
        await client.close()


async def test_an_ipv6_address_is_named_in_brackets():
    heard: list[bytes] = []

    async def answer(reader, writer):
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    try:
        server = await asyncio.start_server(answer, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    port = server.sockets[0].getsockname()[1]
    client = Outbound(allowed_hosts=[f"[::1]:{port}"])
    assert (await client.request("GET", f"http://[::1]:{port}/x")).status == 204
    assert f"Host: [::1]:{port}\r\n".encode() in heard[0]
    await client.close()
    server.close()


async def test_many_calls_at_once_do_not_wait_for_a_silent_one(client):
    async with _answering(Hang()) as silent, _answering(Reply()) as server:
        waiting = [
            asyncio.create_task(client.request("GET", silent.url, deadline_s=1)) for _ in range(8)
        ]
        answers = await asyncio.gather(*(client.request("GET", server.url) for _ in range(20)))
        assert [answer.status for answer in answers] == [200] * 20
        failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(failure, Unanswered) for failure in failures)


async def test_the_second_address_is_tried_when_the_first_is_closed():
    async with _answering(Reply()) as server:

        async def two(_host: str, _port: int) -> Sequence[str]:
            return ["127.0.0.2", "127.0.0.1"]

        client = Outbound(allowed_hosts=["two.test"], resolver=two)
        assert (await client.request("GET", f"http://two.test:{server.port}/")).status == 200
        await client.close()


async def test_proxies_of_the_environment_are_not_used(client, monkeypatch):
    async with _answering(Reply(418)) as proxy, _answering(Reply(200)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert (await client.request("GET", server.url)).status == 200
    assert proxy.connections == 0


def _certificate(folder, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's side of a certificate for `name` that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    return serving, ssl.create_default_context(cadata=pem.read_text().partition("KEY-----\n")[2])


async def test_tls_is_checked_against_the_name_in_the_url(tmp_path):
    serving, trusting = _certificate(tmp_path, "good.test")

    async def here(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async def handler(_request):
        return Reply(200, {"ok": True})

    async with HttpSimulator(handler, tls=serving) as server:
        client = Outbound(allowed_hosts=["good.test", "evil.test"], resolver=here, tls=trusting)
        assert (await client.request("GET", f"https://good.test:{server.port}/")).json() == {
            "ok": True
        }
        with pytest.raises(Unreachable, match="evil"):
            await client.request("GET", f"https://evil.test:{server.port}/")
        stranger = Outbound(allowed_hosts=["good.test"], resolver=here)
        with pytest.raises(Unreachable, match="good"):
            await stranger.request("GET", f"https://good.test:{server.port}/")
        await client.close()
        await stranger.close()
    assert len(server.requests) == 1
