"""Mail goes through a real SMTP server, and each way to fail has its kind."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from crossdock.kit import mail as mail_module
from crossdock.kit.mail import Encryption, Mail, Mailer, Rejected, Undelivered
from tests.support.mailbox import PASSWORD, USER, Mailbox

DATE = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
MAIL = Mail(
    id="alert-7@shop.example", to="ops@shop.example", subject="Größe", text="Köln.\n", date=DATE
)


def _mailer(
    port: int, *, encryption: Encryption = "none", user: str = "", password: str = ""
) -> Mailer:
    return Mailer(
        host="127.0.0.1",
        port=port,
        encryption=encryption,
        sender="crossdock@shop.example",
        user=user,
        password=password,
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def test_a_mail_arrives_whole() -> None:
    async with Mailbox() as box:
        answer = await _mailer(box.port).send(MAIL)

    (came,) = box.mails
    assert answer == "taken by 127.0.0.1"
    assert box.envelopes == [("crossdock@shop.example", ["ops@shop.example"])]
    assert (came["Subject"], came["Message-ID"]) == ("Größe", "<alert-7@shop.example>")
    assert (came["Auto-Submitted"], came["Date"].datetime) == ("auto-generated", DATE)
    assert came.get_content() == "Köln.\r\n" or came.get_content() == "Köln.\n"


async def test_a_password_goes_over_an_encrypted_link_alone(
    server_tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with Mailbox(tls=server_tls, needs_password=True) as box:
        with pytest.raises(Rejected, match="530"):
            await _mailer(box.port, encryption="starttls").send(MAIL)
        with pytest.raises(Rejected, match="535") as refused:
            await _mailer(box.port, encryption="starttls", user=USER, password="wrong-one").send(
                MAIL
            )
        assert "wrong-one" not in str(refused.value)
        await _mailer(box.port, encryption="starttls", user=USER, password=PASSWORD).send(MAIL)
    assert len(box.mails) == 1


async def test_a_certificate_that_nobody_vouches_for_gets_no_mail(
    server_tls: ssl.SSLContext,
) -> None:
    async with Mailbox(tls=server_tls) as box:
        with pytest.raises(Rejected, match="certificate"):
            await _mailer(box.port, encryption="starttls").send(MAIL)
    assert box.mails == []


async def test_a_server_without_encryption_gets_no_mail_that_needs_it() -> None:
    async with Mailbox() as box:
        with pytest.raises(Rejected, match="STARTTLS"):
            await _mailer(box.port, encryption="starttls").send(MAIL)
    assert box.mails == []


@pytest.mark.parametrize(("answer", "kind"), [("451 later", Undelivered), ("554 never", Rejected)])
async def test_the_servers_answer_decides_whether_to_try_again(
    answer: str, kind: type[Exception]
) -> None:
    async with Mailbox() as box:
        box.refusal = answer
        with pytest.raises(kind, match=f"the server answered {answer}") as refused:
            await _mailer(box.port).send(MAIL)
    assert refused.value.code == int(answer[:3])  # type: ignore[attr-defined]


async def test_nobody_there_is_tried_again() -> None:
    async with Mailbox() as box:
        port = box.port
    with pytest.raises(Undelivered, match="refused"):
        await _mailer(port).send(MAIL)


async def test_a_server_that_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mail_module, "STEP_TIMEOUT_S", 0.2)
    silent = await asyncio.start_server(lambda _r, _w: asyncio.sleep(5), "127.0.0.1", 0)
    async with silent:
        with pytest.raises(Undelivered, match="timed out"):
            await _mailer(silent.sockets[0].getsockname()[1]).send(MAIL)


async def test_a_line_break_in_a_header_is_no_second_header() -> None:
    async with Mailbox() as box:
        broken = Mail(id="x@y", to="a@b", subject="one\r\nBcc: c@d", text="", date=DATE)
        with pytest.raises(ValueError, match="linefeed"):
            await _mailer(box.port).send(broken)
    assert box.mails == []


def test_the_password_is_in_no_repr() -> None:
    assert PASSWORD not in repr(_mailer(25, user=USER, password=PASSWORD))
