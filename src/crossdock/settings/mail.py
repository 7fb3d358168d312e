"""The section of mail."""

import re
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from crossdock.settings.section import Port, Section, SettingsError

_ADDRESS = re.compile(r"[!-?A-~]+@[!-?A-~]+")


class Smtp(Section, frozen=True, kw_only=True):
    """Mail: the server that it goes through, and who gets it."""

    table: ClassVar[str] = "smtp"
    part: ClassVar[str] = "shop/mailing"
    short: ClassVar[tuple[str, ...]] = ("mail_from", "alert_mail_to")
    secret: ClassVar[tuple[str, ...]] = ("password",)

    host: Annotated[
        str, Meta(description="SMTP server that mail goes through; empty sends none.")
    ] = ""
    port: Annotated[Port, Meta(description="Its TCP port: 587, or 465 where tls is tls.")] = 587
    user: Annotated[
        str, Meta(description="Name to sign in with at the SMTP server; empty signs in with none.")
    ] = ""
    password: Annotated[str, Meta(description="The password that belongs to user.")] = ""
    tls: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(description="How mail is encrypted; none only towards a server that is next door."),
    ] = "starttls"
    mail_from: Annotated[str, Meta(description="Address that mail comes from.")] = ""
    alert_mail_to: Annotated[
        tuple[str, ...],
        Meta(description="Addresses that get a mail of every new alert; empty sends none."),
    ] = ()

    def check(self) -> None:
        """Addresses that can be ones, all that sending needs, and no password in the open."""
        for name, addresses in (
            ("mail_from", (self.mail_from,)),
            ("alert_mail_to", self.alert_mail_to),
        ):
            for address in addresses:
                if address and not _ADDRESS.fullmatch(address):
                    raise SettingsError(f"{name}: {address!r} is no mail address")
        if self.alert_mail_to and not self.host:
            raise SettingsError("alert_mail_to needs smtp_host")
        if self.host and not self.mail_from:
            raise SettingsError("smtp_host needs mail_from")
        if self.user and self.tls == "none":
            raise SettingsError("smtp_user needs smtp_tls: a password is not sent unencrypted")
