"""The calls of subscriptions: a kind of delivery.

An answer of 2xx within DEADLINE_S is a success; everything else, redirects too, is tried again after
WAITS_S. All attempts of a delivery have the same id and body; the time and the signature are each attempt's
own. Private addresses are not called, and what is refused so is not tried again.

A receiver that has taken nothing for PAUSE_AFTER, while something was given up, is paused with an alert.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.kit.outbound import Answer, Outbound, OutboundError, Refused, shown_headers
from crossdock.shop.alerts import raise_alert
from crossdock.shop.deliveries import (
    Call,
    Claim,
    DeliveryKind,
    Failure,
    Headers,
    Permanent,
    Retryable,
    Sent,
)
from crossdock.shop.webhooks.dialect import Attempt, Dialect
from crossdock.shop.webhooks.subscribing import webhook_secret_place

WAITS_S: Final = (120, 240, 480, 960)
DEADLINE_S: Final = 10
PAUSE_AFTER: Final = timedelta(days=3)
ANSWER_BYTES: Final = 65_536
IS_TEST: Final = "is_test"
"""In the payload of a test delivery, which goes to a paused subscription as well."""


class Receiver(msgspec.Struct, frozen=True):
    """Where a call goes."""

    id_key: bytes
    url: str
    sealed_secret: bytes
    is_paused: bool


class WebhookCalling(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of making the calls."""

    outbound: Outbound
    box: SecretBox
    clock: Clock

    def kind(self, dialect: Dialect) -> DeliveryKind:
        """The kind of delivery of a channel's webhooks; the target is the subscription's number."""

        async def build_together(tx: Transaction, *, claims: Sequence[Claim]) -> list[Call | None]:
            receivers = await _read_receivers(tx, claims=claims)
            return [
                None if receiver is None else partial(self._post, dialect, claim, receiver)
                for claim, receiver in zip(claims, receivers, strict=True)
            ]

        async def build(tx: Transaction, *, claim: Claim) -> Call | None:
            [call] = await build_together(tx, claims=[claim])
            return call

        return DeliveryKind(
            name=dialect.kind,
            build=build,
            build_together=build_together,
            waits_s=WAITS_S,
            deadline_s=DEADLINE_S,
            failed=_note_failure,
            subject="Webhook",
            one_alert=True,
        )

    async def _post(self, dialect: Dialect, claim: Claim, receiver: Receiver) -> Sent:
        if receiver.is_paused and not claim.payload.get(IS_TEST):
            raise Permanent(
                f"webhook {claim.target} is paused; crossdock webhook resume {claim.target}"
            )
        place = webhook_secret_place(claim.shop_id, int(claim.target))
        delivery_id = dialect.wire_id(receiver.id_key, delivery_id=claim.id)
        body = delivery_body(dialect, claim.payload)
        headers = dialect.sign(
            Attempt(
                secret=self.box.open(receiver.sealed_secret, place=place).decode(),
                delivery_id=delivery_id,
                name=claim.payload["event"],
                body=body,
                now=self.clock.now(),
            )
        )
        noted = shown_headers(headers, hidden=dialect.hidden)
        try:
            answer = await self.outbound.request(
                "POST", receiver.url, headers=headers, content=body, deadline_s=DEADLINE_S,
                limit_bytes=ANSWER_BYTES,
            )  # fmt: skip
        except Refused as error:
            raise Permanent(str(error), headers=Headers(noted, {})) from error
        except OutboundError as error:
            raise Retryable(str(error), headers=Headers(noted, {})) from error
        return _judge(answer, dialect, delivery_id=delivery_id, noted=noted)


async def _read_receivers(tx: Transaction, *, claims: Sequence[Claim]) -> list[Receiver | None]:
    """The receiver of each; None for a subscription that was deleted."""
    places = [(claim.shop_id, int(claim.target)) for claim in claims]
    rows = await tx.all(
        _RECEIVERS, ([shop for shop, _ in places], [number for _, number in places])
    )
    found = {(shop, number): Receiver(*rest) for shop, number, *rest in rows}
    return [found.get(place) for place in places]


def delivery_body(dialect: Dialect, payload: dict[str, Any]) -> bytes:
    """The bytes of a queued call."""
    return dialect.body(payload["event"], data=payload["data"], at=payload["created_at"])


def _judge(answer: Answer, dialect: Dialect, *, delivery_id: str, noted: dict[str, str]) -> Sent:
    headers = Headers(noted, shown_headers(answer.headers, hidden=dialect.hidden))
    if answer.is_success:
        return Sent(delivery_id, answer.status, answer.text(), headers)
    raise Retryable(
        f"the receiver answered {answer.status}",
        status=answer.status,
        answer=answer.text(),
        headers=headers,
    )


async def _note_failure(tx: Transaction, *, claim: Claim, failure: Failure, now: datetime) -> None:
    """Remember since when the receiver fails; pause it where that is too long."""
    values = {"shop": claim.shop_id, "id": int(claim.target), "now": now, "after": PAUSE_AFTER}
    since = await tx.value(_FAILS, values)
    if since is None or not failure.is_final or since > now - PAUSE_AFTER:
        return
    if await tx.value(_ARRIVED, (claim.shop_id, claim.kind, claim.target, since)):
        await tx.run(_FAILS_ANEW, values)
        return
    await tx.run(_PAUSE, values)
    await raise_alert(
        tx,
        shop_id=claim.shop_id,
        kind="webhook_paused",
        message=(
            f"Webhook {claim.target} has taken nothing since {since:%Y-%m-%d %H:%M} UTC and is paused;"
            f" crossdock webhook resume {claim.target} --resend"
        ),
        subject=claim.target,
        now=now,
    )


_RECEIVERS = """
    select w.shop_id, w.id, s.id_key, w.url, w.sealed_secret, w.paused_at is not null
    from (select distinct * from unnest(%s::bigint[], %s::bigint[]) as x (shop_id, id)) x
    join webhook_subscriptions w on w.shop_id = x.shop_id and w.id = x.id and w.deleted_at is null
    join shops s on s.id = w.shop_id
"""
_FAILS = """
    update webhook_subscriptions
    set failing_since = case when last_failed_at > %(now)s - %(after)s then failing_since else %(now)s end,
        last_failed_at = greatest(last_failed_at, %(now)s)
    where shop_id = %(shop)s and id = %(id)s and deleted_at is null and paused_at is null
    returning failing_since
"""
_ARRIVED = """
    select exists (select 1 from deliveries
                   where shop_id = %s and kind = %s and target = %s and status = 'sent' and sent_at > %s)
"""
_FAILS_ANEW = """
    update webhook_subscriptions set failing_since = %(now)s where shop_id = %(shop)s and id = %(id)s
"""
_PAUSE = """
    update webhook_subscriptions set paused_at = %(now)s, updated_at = %(now)s
    where shop_id = %(shop)s and id = %(id)s
"""
