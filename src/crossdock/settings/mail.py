"""Settings of mail."""

import re
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from crossdock.settings.section import Natural, Port, Section, SettingsError

_ADDRESS = re.compile(r"[!-?A-~]+@[!-?A-~]+")


class Smtp(Section, frozen=True, kw_only=True):
    """The SMTP server, and who gets mail."""

    table: ClassVar[str] = "smtp"
    part: ClassVar[str] = "shop/mailing"
    short: ClassVar[tuple[str, ...]] = ("mail_from", "alert_mail_to")
    secret: ClassVar[tuple[str, ...]] = ("password",)

    host: Annotated[
        str,
        Meta(
            description="SMTP server that sends the mail; without one, mail stays in the mailbox."
        ),
    ] = ""
    port: Annotated[Port, Meta(description="Its TCP port: usually 587, or 465 with tls = tls.")] = (
        587
    )
    user: Annotated[
        str, Meta(description="User name at the SMTP server; empty connects without signing in.")
    ] = ""
    password: Annotated[str, Meta(description="The user's password at the SMTP server.")] = ""
    tls: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(
            description="How the connection is encrypted; use none only for a server on the same machine or network."
        ),
    ] = "starttls"
    mail_from: Annotated[str, Meta(description="Sender address of all mail.")] = ""
    alert_mail_to: Annotated[
        tuple[str, ...],
        Meta(description="Addresses that get a mail about every new alert; empty sends none."),
    ] = ()
    mailbox_days: Annotated[
        Natural,
        Meta(description="How many days mails stay in the mailbox; 0 is for ever."),
    ] = 90

    def check(self) -> None:
        """Valid addresses, complete settings, and no password over an unencrypted connection."""
        for name, addresses in (
            ("mail_from", (self.mail_from,)),
            ("alert_mail_to", self.alert_mail_to),
        ):
            for address in addresses:
                if address and not _ADDRESS.fullmatch(address):
                    raise SettingsError(f"{name}: {address!r} is not an e-mail address")
        if self.alert_mail_to and not self.host:
            raise SettingsError("alert_mail_to needs smtp_host; set both or neither")
        if self.host and not self.mail_from:
            raise SettingsError("smtp_host needs mail_from: set the sender's address")
        if self.user and self.tls == "none":
            raise SettingsError(
                "smtp_user needs smtp_tls = starttls or tls: a password is not sent unencrypted"
            )
