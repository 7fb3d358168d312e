"""Mail through the operator's SMTP server: bounded in time, encrypted unless a setting says otherwise.

MailError
├── Rejected      the server will not take it until somebody changes something (5xx, no encryption)
└── Undelivered   try again later (4xx, no connection, no answer); it may have been taken all the same

The server is named by the operator, not by partners, so its address is not checked as those of
outgoing calls are.
"""

import asyncio
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

import msgspec

Encryption = Literal["starttls", "tls", "none"]

STEP_TIMEOUT_S = 8.0
_ANSWER_CHARS = 200


class MailError(Exception):
    """A mail that the server did not take, as far as is known; `code` is its SMTP answer's, if any."""

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class Rejected(MailError):
    """Trying again would change nothing."""


class Undelivered(MailError):
    """Trying again may help."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A text to one address. `id` is the same each time that it is sent, so that a second one is known."""

    id: str
    to: str
    subject: str
    text: str
    date: datetime


class Mailer(msgspec.Struct, frozen=True, kw_only=True):
    """The SMTP server that mails go through, and the address that they come from."""

    host: str
    port: int
    encryption: Encryption
    sender: str
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Mailer({self.host}:{self.port})"

    async def send(self, mail: Mail) -> str:
        """What the server answered. Raises Rejected or Undelivered.

        Runs in a thread: smtplib waits, for STEP_TIMEOUT_S at the most in each step.
        """
        message = _message(mail, sender=self.sender)
        return await asyncio.to_thread(self._send, message, to=mail.to)

    def _send(self, message: EmailMessage, *, to: str) -> str:
        try:
            with self._connect() as server:
                if self.encryption == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message, from_addr=self.sender, to_addrs=[to])
                return f"taken by {self.host}"
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise _refused(code, answer) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Rejected(f"{self.host}: {error}") from error
        except ssl.SSLCertVerificationError as error:
            raise Rejected(f"{self.host}: its certificate is not valid") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Undelivered(f"{self.host}: {str(error) or type(error).__name__}") from error

    def _connect(self) -> smtplib.SMTP:
        if self.encryption == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=STEP_TIMEOUT_S, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=STEP_TIMEOUT_S)


def _message(mail: Mail, *, sender: str) -> EmailMessage:
    """Headers are encoded, and one with a line break in it is an error."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = mail.date
    message["Message-ID"] = f"<{mail.id}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message


def _refused(code: int, answer: bytes | str) -> MailError:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    kind = Rejected if code >= 500 else Undelivered
    return kind(f"the server answered {code} {text[:_ANSWER_CHARS]}", code=code)
