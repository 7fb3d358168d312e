"""Write a mail in the transaction of the change that it reports.

It stays in the mailbox, where staff read it. With an SMTP server the delivery engine sends it as well: at
least once, each time under the same Message-ID.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import Invalid
from crossdock.kit.crypto import SecretBox
from crossdock.kit.email import is_email
from crossdock.kit.languages import LANGUAGES
from crossdock.kit.mail import Mail, Mailer
from crossdock.shop.deliveries import Call, Claim, DeliveryKind, Permanent, queue_delivery
from crossdock.shop.mailing.rendering import HIDDEN, TemplateName, Value, Written, write_mail
from crossdock.shop.mailing.sending import mail_call

MAIL = "mail"
KEY_CHARS = 200
CALLS_AT_ONCE = 4
_TARGET = "smtp"


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored encrypted of a mail: what is sent, and what those see who may not read its secrets."""

    text: str
    html: str
    hidden_text: str = HIDDEN
    hidden_html: str = HIDDEN


class Mailing(msgspec.Struct, frozen=True, kw_only=True):
    """Writes mails; without a `mailer` they stay in the mailbox. `host` is the right half of their ids."""

    box: SecretBox
    mailer: Mailer | None
    host: str

    @property
    def delivery_kind(self) -> DeliveryKind:
        """The kind of delivery that sends one mail."""
        return DeliveryKind(
            name=MAIL, build=self._build, calls_per_target=CALLS_AT_ONCE, subject="Mail"
        )

    async def queue_mail(
        self,
        tx: Transaction,
        *,
        shop_id: int,
        template: TemplateName,
        to: str,
        values: Mapping[str, Value],
        key: str,
        now: datetime,
        language: str = LANGUAGES[0],
    ) -> int:
        """Write a mail in a language and queue it to be sent; its id. Under a `key` that was used, the id of the first.

        Raises Invalid `invalid_input` for an address that is none, a key of more than KEY_CHARS, or a
        content that is too long; nothing is written then.
        """
        if not is_email(to):
            raise Invalid("invalid_input", "a mail needs a valid address", {"field": "to"})
        if not 1 <= len(key) <= KEY_CHARS:
            raise Invalid("invalid_input", f"a mail's key has 1 to {KEY_CHARS} characters")
        written = write_mail(template, values, language=language)
        mail_id = await tx.value(
            _WRITE,
            (shop_id, key, template, to, written.subject, self._sealed(shop_id, key, written),
             self.mailer is not None, now),
        )  # fmt: skip
        if mail_id is None:
            return int(await tx.value(_WRITTEN, (shop_id, key)))
        if self.mailer is not None:
            await queue_delivery(
                tx, shop_id=shop_id, kind=MAIL, target=_TARGET, subject_id=mail_id, now=now
            )
        return int(mail_id)

    def _sealed(self, shop_id: int, key: str, written: Written) -> bytes:
        content = Content(
            text=written.text,
            html=written.html,
            hidden_text=written.hidden_text,
            hidden_html=written.hidden_html,
        )
        return self.box.seal(msgspec.json.encode(content), place=mail_place(shop_id, key))

    async def _build(self, tx: Transaction, *, claim: Claim) -> Call | None:
        """The mail; None if it was deleted meanwhile."""
        if self.mailer is None:
            raise Permanent("smtp_host is not set; set it to send mail")
        row = await tx.one(_READ, (claim.shop_id, claim.subject_id))
        if row is None:
            return None
        key, to, subject, sealed, created_at = row
        content = open_content(self.box, shop_id=claim.shop_id, key=key, sealed=sealed)
        mail = Mail(
            id=f"mail-{claim.shop_id}-{claim.subject_id}@{self.host}",
            to=to,
            subject=subject,
            text=content.text,
            html=content.html,
            date=created_at,
        )
        return mail_call(self.mailer, mail)


def mail_place(shop_id: int, key: str) -> str:
    """Where a mail's content is stored, for the seal."""
    return f"mail:{shop_id}:{key}"


def open_content(box: SecretBox, *, shop_id: int, key: str, sealed: bytes) -> Content:
    """Decrypt what is stored of a mail. Raises SealBroken."""
    return msgspec.json.decode(box.open(sealed, place=mail_place(shop_id, key)), type=Content)


_WRITE = """
    insert into mails (shop_id, dedupe_key, template, recipient, subject, sealed, is_posted, created_at)
    values (%s, %s, %s, %s, %s, %s, %s, %s)
    on conflict (shop_id, dedupe_key) do nothing returning id
"""
_WRITTEN = "select id from mails where shop_id = %s and dedupe_key = %s"
_READ = (
    "select dedupe_key, recipient, subject, sealed, created_at from mails"
    " where shop_id = %s and id = %s"
)
