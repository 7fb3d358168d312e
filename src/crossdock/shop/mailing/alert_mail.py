"""Alerts by mail: a consumer queues one delivery per address; the delivery engine sends and retries it.

The alert is stored whether or not the mail can be sent.
"""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.mail import Mail, Mailer
from crossdock.shop.alerts import Alert, count_before, read_alert
from crossdock.shop.deliveries import Call, Claim, DeliveryKind, Permanent, queue_delivery
from crossdock.shop.events import AlertRaised, Batch, Consumer, Event
from crossdock.shop.mailing.sending import mail_call

ALERT_MAIL = "alert_mail"
_FAILED = f"{ALERT_MAIL}_failed"
PER_HOUR = 20
_SUBJECT_CHARS = 120


class AlertMail(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets mail about alerts; without a mailer or addresses no mail is queued.

    `page_url` is the console's page of alerts.
    """

    mailer: Mailer | None
    recipients: tuple[str, ...]
    page_url: str

    @property
    def consumer(self) -> Consumer:
        """The consumer of `alert.raised` events."""
        return Consumer(name=ALERT_MAIL, topics=("alerts",), take=self._take)

    @property
    def delivery_kind(self) -> DeliveryKind:
        """The kind of delivery that mails one alert to one address, its target."""
        return DeliveryKind(name=ALERT_MAIL, build=self._build, subject="Alert")

    async def _take(self, tx: Transaction, *, batch: Batch, now: datetime) -> None:
        if self.mailer is None or not self.recipients:
            return
        for event in batch.events:
            if event.kind == AlertRaised.kind and await self._is_mailed(
                tx, batch=batch, event=event
            ):
                for address in self.recipients:
                    await queue_delivery(
                        tx,
                        shop_id=batch.shop_id,
                        kind=ALERT_MAIL,
                        target=address,
                        subject_id=event.subject_id,
                        now=now,
                    )

    async def _is_mailed(self, tx: Transaction, *, batch: Batch, event: Event) -> bool:
        """No mail about failed deliveries of mail, and at most PER_HOUR mails an hour."""
        payload = event.decode()
        if isinstance(payload, AlertRaised) and payload.alert_kind == _FAILED:
            return False
        alert_id = event.subject_id or 0
        before = await _count_before(
            tx, shop_id=batch.shop_id, alert_id=alert_id, at=event.created_at
        )
        return before < PER_HOUR

    async def _build(self, tx: Transaction, *, claim: Claim) -> Call | None:
        """The mail; None if the alert was seen meanwhile."""
        mailer = self.mailer
        if mailer is None:
            raise Permanent("smtp_host is not set; set it to send mail about alerts")
        alert = await read_alert(tx, shop_id=claim.shop_id, alert_id=claim.subject_id or 0)
        if alert.seen_at is not None:
            return None
        before = await _count_before(
            tx, shop_id=claim.shop_id, alert_id=alert.id, at=alert.created_at
        )
        mail = self._mail(alert, to=claim.target, is_last=before == PER_HOUR - 1)
        return mail_call(mailer, mail)

    def _mail(self, alert: Alert, *, to: str, is_last: bool) -> Mail:
        about = alert.title if alert.order_id is None else f"{alert.title}: order {alert.order_id}"
        host = urlsplit(self.page_url).hostname or "localhost"
        lines = [
            alert.message,
            "",
            f"Shop {alert.shop}, {alert.created_at:%Y-%m-%d %H:%M} UTC, alert {alert.id}.",
            f"See it and close it: {self.page_url}",
        ]
        if is_last:
            lines += ["", f"This is number {PER_HOUR} within an hour. Of more, no mail tells."]
        return Mail(
            id=f"alert-{alert.id}@{host}",
            to=to,
            subject=f"[{alert.shop}] {about}"[:_SUBJECT_CHARS],
            text="\n".join(lines) + "\n",
            date=alert.created_at,
        )


async def _count_before(tx: Transaction, *, shop_id: int, alert_id: int, at: datetime) -> int:
    """How many alerts the shop had in the hour before this one, at most PER_HOUR."""
    return await count_before(
        tx, shop_id=shop_id, alert_id=alert_id, since=at - timedelta(hours=1), limit=PER_HOUR
    )
