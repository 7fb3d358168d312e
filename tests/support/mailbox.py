"""A real SMTP server on a port of this machine that keeps what it gets, or refuses it."""

import asyncio
import ssl
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "crossdock", "correct horse battery"


class Mailbox:
    """What came, oldest first. `refusal` is an answer such as '451 later' to whatever comes next."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, needs_password: bool = False) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str | None, list[str]]] = []
        self.refusal = ""
        self._came = asyncio.Condition()
        self._tls = tls
        self._needs_password = needs_password

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.sockets[0].getsockname()[1])

    def _session(self) -> SMTP:
        return SMTP(
            self,
            hostname="mailbox",
            tls_context=self._tls,
            require_starttls=self._tls is not None,
            authenticator=self._authenticate if self._needs_password else None,
            auth_required=self._needs_password,
        )

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's name for a mail that arrives."""
        if self.refusal:
            return self.refusal
        assert isinstance(envelope.content, bytes)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        async with self._came:
            self._came.notify_all()
        return "250 kept"

    async def until(self, count: int) -> None:
        """Wait until so many mails have come."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.mails) >= count)

    def _authenticate(
        self, _server: Any, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=known, handled=False)
