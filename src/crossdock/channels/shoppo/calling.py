"""Calls of partners' servers: a POST of JSON that carries the partner's own token (spec sections 11, 12).

An answer is a success with status 200 alone, and where the kind asks more of it, with that too; all
others are retried after WAITS_S. Then it is a dead letter, which `crossdock delivery resend` sends again.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.kit.clock import Clock
from crossdock.kit.crypto import SecretBox
from crossdock.kit.numbers import read_number
from crossdock.kit.outbound import Answer, Outbound, OutboundError, Refused
from crossdock.kit.webhooks import secret_bytes, signed_headers
from crossdock.shop.deliveries import (
    Call,
    Claim,
    DeliveryKind,
    NoteSent,
    Ordering,
    Permanent,
    Retryable,
    Sent,
)
from crossdock.shop.partners import Called, partner_label, read_called

# Names of a partner's settings.
TOKEN: Final = "call_token"  # nosec B105
SIGNING: Final = "signing_secret"

WAITS_S: Final = (10, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400)
DEADLINE_S: Final = 10
_RETRY_AFTER_MAX_S: Final = 86_400


class ReadBody(Protocol):
    """Reads what is sent; None if there is nothing to send any more."""

    def __call__(self, tx: Transaction, *, claim: Claim) -> Awaitable[Mapping[str, Any] | None]: ...


class Judge(Protocol):
    """What is wrong with an answer of status 200, '' for nothing."""

    def __call__(self, answer: Answer) -> str: ...


def accept(answer: Answer) -> str:
    """Nothing is asked of an answer but its status."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A call that is ready to leave: its body, and the partner's setting with its address.

    `event_type` tells receivers of several kinds at one address apart.
    """

    body: Mapping[str, Any]
    url_setting: str
    event_type: str


class Compose(Protocol):
    """Makes the call as it is now; None if there is nothing to send any more."""

    def __call__(
        self, tx: Transaction, *, claim: Claim, partner: Called
    ) -> Awaitable[Letter | None]: ...


def one_address(url_setting: str, event_type: str, read: ReadBody) -> Compose:
    """Calls that all go to one address."""

    async def compose(tx: Transaction, *, claim: Claim, partner: Called) -> Letter | None:
        body = await read(tx, claim=claim)
        if body is None:
            return None
        return Letter(body=body, url_setting=url_setting, event_type=event_type)

    return compose


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A kind of call: its kind of delivery, whose target is the partner's number, and what is sent.

    `sent` writes what follows from a call that arrived.
    """

    name: str
    subject: str
    compose: Compose
    judge: Judge = accept
    ordering: Ordering = "in_order"
    sent: NoteSent | None = None


class Calling:
    """Calls partners' servers."""

    def __init__(self, *, outbound: Outbound, box: SecretBox, clock: Clock) -> None:
        self._outbound = outbound
        self._box = box
        self._clock = clock

    def kind(self, notice: Notice) -> DeliveryKind:
        """The kind of delivery that makes these calls."""

        async def build(tx: Transaction, *, claim: Claim) -> Call | None:
            partner = await self._partner(tx, claim=claim)
            letter = await notice.compose(tx, claim=claim, partner=partner)
            if letter is None:
                return None
            url = _url(partner, letter.url_setting)
            return lambda: self._post(partner, notice, claim, letter=letter, url=url)

        kind = DeliveryKind(
            name=notice.name,
            build=build,
            waits_s=WAITS_S,
            deadline_s=DEADLINE_S,
            ordering=notice.ordering,
            subject=notice.subject,
            name_target=_partner_named,
        )
        if notice.sent is None:
            return kind
        return msgspec.structs.replace(kind, sent=notice.sent)

    async def _partner(self, tx: Transaction, *, claim: Claim) -> Called:
        return await read_called(
            tx, shop_id=claim.shop_id, partner_id=int(claim.target), box=self._box
        )

    async def _post(
        self, partner: Called, notice: Notice, claim: Claim, *, letter: Letter, url: str
    ) -> Sent:
        content = msgspec.json.encode(letter.body)
        event_id = f"{notice.name}_{claim.shop_id}_{claim.id}"
        token = partner.secrets.get(TOKEN, "")
        headers = {
            "Content-Type": "application/json",
            "X-Event-Id": event_id,
            "X-Event-Type": letter.event_type,
            **({"accesstoken": token} if token else {}),
            **self._signature(partner, event_id=event_id, content=content),
        }
        try:
            answer = await self._outbound.request(
                "POST", url, headers=headers, content=content, deadline_s=DEADLINE_S
            )
        except Refused as error:
            raise Permanent(str(error)) from error
        except OutboundError as error:
            raise Retryable(str(error)) from error
        text = _without(answer.text(), token)
        if complaint := _complaint(answer, notice.judge):
            raise Retryable(
                _without(complaint, token),
                retry_after_s=_retry_after_s(answer),
                status=answer.status,
                answer=text,
            )
        return Sent(event_id, answer.status, text)

    def _signature(self, partner: Called, *, event_id: str, content: bytes) -> dict[str, str]:
        """Headers that receivers may check; there are none without a secret that signs."""
        secret = partner.secrets.get(SIGNING)
        if not secret:
            return {}
        now = self._clock.now()
        return signed_headers(secret_bytes(secret), message_id=event_id, now=now, body=content)


async def _partner_named(tx: Transaction, *, claim: Claim) -> str:
    return await partner_label(tx, shop_id=claim.shop_id, partner_id=int(claim.target))


def _url(partner: Called, setting: str) -> str:
    """Raises Permanent where the partner is not to be called."""
    if not partner.active:
        raise Permanent(f"partner {partner.id} is disabled")
    url = partner.settings.get(setting)
    if not url:
        raise Permanent(
            f"partner {partner.id} has no {setting};"
            f" crossdock partner set {partner.id} --set {setting}=https://..."
        )
    return str(url)


def _complaint(answer: Answer, judge: Judge) -> str:
    if answer.status != 200:
        return f"the partner's server answered {answer.status}: {answer.text()}"
    return judge(answer)


def _without(text: str, token: str) -> str:
    """A server may send back what it got; the token is not stored with its answer."""
    return text.replace(token, "[hidden]") if token else text


def _retry_after_s(answer: Answer) -> int:
    text = answer.headers.get("retry-after", "")
    return min(read_number(text, digits_max=8) or 0, _RETRY_AFTER_MAX_S)
