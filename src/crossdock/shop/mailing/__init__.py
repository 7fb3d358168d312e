"""Mail: alerts to the addresses that the operator set."""

from crossdock.shop.mailing.alert_mail import ALERT_MAIL, PER_HOUR, AlertMail

__all__ = ["ALERT_MAIL", "PER_HOUR", "AlertMail"]
