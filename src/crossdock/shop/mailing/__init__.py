"""Mail: what people are written, the mailbox of it, and alerts to the addresses that the operator set."""

from crossdock.shop.mailing.alert_mail import ALERT_MAIL, PER_HOUR, AlertMail
from crossdock.shop.mailing.mailbox import (
    MailContent,
    MailView,
    kept_days_of,
    list_mails,
    purge_mails,
    read_mail,
)
from crossdock.shop.mailing.posting import KEY_CHARS, MAIL, Mailing, mail_place
from crossdock.shop.mailing.rendering import BODY_CHARS, HIDDEN, SECRETS, SUBJECT_CHARS

__all__ = [
    "ALERT_MAIL",
    "BODY_CHARS",
    "HIDDEN",
    "KEY_CHARS",
    "MAIL",
    "PER_HOUR",
    "SECRETS",
    "SUBJECT_CHARS",
    "AlertMail",
    "MailContent",
    "MailView",
    "Mailing",
    "kept_days_of",
    "list_mails",
    "mail_place",
    "purge_mails",
    "read_mail",
]
