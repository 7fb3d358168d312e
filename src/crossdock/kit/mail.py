"""Send mail through the operator's SMTP server, with timeouts, and encrypted unless set otherwise.

MailError
├── Rejected      permanent: somebody must change something first (5xx, no encryption)
└── Undelivered   temporary: retry later (4xx, no connection, no answer); it may have been accepted

The operator sets the server's address, not a partner, so private addresses are allowed.
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
    """The server did not accept the mail, as far as is known; `code` is its SMTP reply code, if any."""

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class Rejected(MailError):
    """A retry cannot help."""


class Undelivered(MailError):
    """A retry may help."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to one address: text, and the same as HTML if there is any.

    `id` is the same in every retry, so duplicates are recognised.
    """

    id: str
    to: str
    subject: str
    text: str
    date: datetime
    html: str = ""


class Mailer(msgspec.Struct, frozen=True, kw_only=True):
    """The SMTP server and the sender's address."""

    host: str
    port: int
    encryption: Encryption
    sender: str
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Mailer({self.host}:{self.port})"

    async def send(self, mail: Mail) -> str:
        """Send the mail and return the server's reply. Raises Rejected or Undelivered.

        Runs in a thread because smtplib blocks; each step has a timeout of STEP_TIMEOUT_S.
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
    """Build the message; headers are encoded, and a line break in one is an error."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = mail.date
    message["Message-ID"] = f"<{mail.id}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message


def _refused(code: int, answer: bytes | str) -> MailError:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    kind = Rejected if code >= 500 else Undelivered
    return kind(f"the server answered {code} {text[:_ANSWER_CHARS]}", code=code)
