"""Make a request to a provider in three steps: record the request, call, record the answer.

No transaction is open during the call. A request without an answer stays `asked` and is looked up
later (settling.py); it is never repeated.
"""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
import psycopg

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import CrossdockError, Refused, Unavailable
from crossdock.kit.acting import author
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.shop.payments.contract import Action, Answer, AnswerLost, Card, Providers, Question
from crossdock.shop.payments.following import NOTHING_FOLLOWS, Asked, Follow
from crossdock.shop.payments.model import (
    Payment,
    authorisation_of,
    read_payment,
)

LOOK_UP_AFTER_S = 60
BANK_TRANSFER = "transfer"
PARTNER = "partner"
"""A partner has collected the money from its own customer."""
BY_HAND = frozenset({BANK_TRANSFER, PARTNER})
"""Providers whom nobody has to ask: what is refunded of them is settled outside."""
_REFERENCE_LENGTH = 20
_REFUSALS = {"CD005": "payment_state", "CD004": "refund_exceeds_capture"}


class Paying(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of paying."""

    db: Database
    clock: Clock
    ids: Ids
    providers: Providers


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's approval of an authorisation, which whoever asked for it has to record."""

    asked: Asked
    answer: Answer


async def authorise(
    service: Paying,
    *,
    shop_id: int,
    provider: str,
    card: Card,
    amount_minor: int,
    currency: str,
    payer: str,
    capture_at: datetime | None = None,
) -> Payment:
    """Authorise an amount on a card, and record the approval. Arguments and errors are `ask_approval`'s."""
    approval = await ask_approval(
        service,
        shop_id=shop_id,
        provider=provider,
        card=card,
        amount_minor=amount_minor,
        currency=currency,
        payer=payer,
        capture_at=capture_at,
    )
    return await record_approval(service, approval)


async def ask_approval(
    service: Paying,
    *,
    shop_id: int,
    provider: str,
    card: Card,
    amount_minor: int,
    currency: str,
    payer: str,
    capture_at: datetime | None = None,
) -> Approval:
    """Ask for an amount on a card. `payer` owns the receivable that a capture is credited to.

    The caller records the approval with what it pays (see `order_cart`), or alone with `record_approval`. One that
    is never recorded is looked up, and let go of. From `capture_at` on, the run that settles payments captures
    the payment if an order or invoice has it and nobody has captured it before; without one it waits for somebody
    who does.

    Raises Refused `payment_declined` with the `reason`, which is recorded, Unavailable `payment_unsettled` where
    no answer came: then it is looked up, and let go of if it was authorised.
    """
    now = service.clock.now()
    question = _question(
        service,
        shop_id=shop_id,
        reference=f"pay_{service.ids.random_token(_REFERENCE_LENGTH)}",
        action="authorise",
        amount_minor=amount_minor,
        currency=currency,
    )
    async with service.db.statement() as tx:
        row = await tx.one(
            "select payment_id, attempt_id"
            " from open_payment(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                shop_id,
                provider,
                question.reference,
                payer,
                currency,
                amount_minor,
                card.brand,
                card.last4,
                capture_at,
                question.key,
                look_up_at(now),
                now,
            ),
        )
    assert row is not None  # the function answers one row, always
    asked = Asked(attempt_id=row[1], payment_id=row[0], order_id=None, question=question)
    answer = await _answer_of(service.providers[provider].authorise(question, card))
    if not answer.approved:
        await _finish(service, asked, answer=answer, follow=NOTHING_FOLLOWS)
    return Approval(asked=asked, answer=answer)


async def record_approval(service: Paying, approval: Approval) -> Payment:
    """Record the approval alone; the authorised payment."""
    return await _finish(service, approval.asked, answer=approval.answer, follow=NOTHING_FOLLOWS)


async def capture(
    service: Paying, *, shop_id: int, payment_id: int, follow: Follow = NOTHING_FOLLOWS
) -> Payment:
    """Capture the authorised amount, or the part of it that the order still costs; posted as paid by the payer.

    Raises Refused `payment_state`, `payment_declined`, Unavailable `payment_unsettled`, NotFound
    `payment_not_found`.
    """
    return await _ask(
        service, shop_id=shop_id, payment_id=payment_id, action="capture", follow=follow
    )


async def void(
    service: Paying, *, shop_id: int, payment_id: int, follow: Follow = NOTHING_FOLLOWS
) -> Payment:
    """Void the authorisation. Raises as `capture` does."""
    return await _ask(service, shop_id=shop_id, payment_id=payment_id, action="void", follow=follow)


async def try_void(
    service: Paying, *, shop_id: int, payment_id: int, follow: Follow = NOTHING_FOLLOWS
) -> bool:
    """Void the payment; False if a request is open or was refused, to be tried again later."""
    try:
        await void(service, shop_id=shop_id, payment_id=payment_id, follow=follow)
    except CrossdockError:
        return False
    return True


async def refund(
    service: Paying,
    *,
    shop_id: int,
    payment_id: int,
    amount_minor: int,
    follow: Follow = NOTHING_FOLLOWS,
) -> Payment:
    """Refund a part of the captured amount; all refunds together cannot exceed it.

    Raises Refused `refund_exceeds_capture`, and as `capture` does.
    """
    return await _ask(
        service,
        shop_id=shop_id,
        payment_id=payment_id,
        action="refund",
        amount_minor=amount_minor,
        follow=follow,
    )


async def refund_due_amount(
    service: Paying, *, shop_id: int, payment_id: int, follow: Follow = NOTHING_FOLLOWS
) -> Payment:
    """Refund the amount that is due. If the refund is not made, it is due again. Raises as `refund` does."""
    async with service.db.statement() as tx:
        payment = await read_payment(tx, shop_id=shop_id, payment_id=payment_id)
    return await _ask(
        service,
        shop_id=shop_id,
        payment_id=payment_id,
        action="refund",
        amount_minor=payment.refund_due_minor,
        follow=follow,
        is_due=True,
    )


async def claim_payment(
    tx: Transaction,
    *,
    shop_id: int,
    payment_id: int,
    order_id: int,
    amount_minor: int,
    currency: str,
    now: datetime,
) -> None:
    """Assign an authorised payment to the order that it pays, in the order's transaction.

    Raises Refused `payment_state` if it has another amount or order, or is no longer authorised.
    """
    with refusing_payment():
        await tx.run(
            "select claim_payment(%s, %s, %s, null, %s, %s, %s)",
            (shop_id, payment_id, order_id, amount_minor, currency, now),
        )


@contextmanager
def refusing_payment() -> Iterator[None]:
    """Translate the SQL functions' errors into Refused."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate not in _REFUSALS:
            raise
        raise Refused(_REFUSALS[error.sqlstate]) from error


def known_providers(service: Paying) -> list[str]:
    """The providers that this installation can ask, and those whom nobody has to."""
    return [*service.providers, *sorted(BY_HAND)]


async def _ask(
    service: Paying,
    *,
    shop_id: int,
    payment_id: int,
    action: Action,
    follow: Follow,
    amount_minor: int | None = None,
    is_due: bool = False,
) -> Payment:
    async with service.db.begin() as tx:
        payment = await read_payment(tx, shop_id=shop_id, payment_id=payment_id)
        if payment.provider not in known_providers(service):
            raise Unavailable(
                "payment_unsettled",
                f"The payment provider {payment.provider} is not set up here: its settings are missing.",
                data={"unknown_provider": payment.provider},
            )
        wanted = payment.amount_minor if amount_minor is None else amount_minor
        if payment.order_id is not None or payment.invoice_id is not None:
            most = await follow.before_asking(tx, shop_id=shop_id, payment=payment, action=action)
            wanted = wanted if most is None else min(wanted, most)
        asked = await _write_question(
            service,
            tx,
            shop_id=shop_id,
            payment=payment,
            action=action,
            amount_minor=wanted,
            is_due=is_due,
        )
    return await ask_provider(service, asked, provider=payment.provider, follow=follow)


async def ask_provider(
    service: Paying, asked: Asked, *, provider: str, follow: Follow = NOTHING_FOLLOWS
) -> Payment:
    """Make a request that is recorded, and record its answer. Raises as `capture` does."""
    if provider in BY_HAND:
        answer = Answer(approved=True, code="by hand")
    else:
        ask = getattr(service.providers[provider], asked.question.action)
        answer = await _answer_of(ask(asked.question))
    return await _finish(service, asked, answer=answer, follow=follow)


def capture_question(service: Paying, approval: Approval) -> Question:
    """The request to capture all that was approved, for whoever records it himself (see `order_cart`)."""
    approved = approval.asked.question
    return _question(
        service,
        shop_id=approved.shop_id,
        reference=approved.reference,
        action="capture",
        amount_minor=approved.amount_minor,
        currency=approved.currency,
        authorisation=approval.answer.code,
    )


async def _write_question(
    service: Paying,
    tx: Transaction,
    *,
    shop_id: int,
    payment: Payment,
    action: Action,
    amount_minor: int,
    is_due: bool = False,
) -> Asked:
    now = service.clock.now()
    question = _question(
        service,
        shop_id=shop_id,
        reference=payment.reference,
        action=action,
        amount_minor=amount_minor,
        currency=payment.currency,
        authorisation=await authorisation_of(tx, shop_id=shop_id, payment_id=payment.id),
    )
    with refusing_payment():
        if is_due:
            attempt_id = await tx.value(
                "select ask_due_refund(%s, %s, %s, %s, %s, %s)",
                (shop_id, payment.id, amount_minor, question.key, look_up_at(now), now),
            )
        else:
            attempt_id = await tx.value(
                "select ask_payment(%s, %s, %s, %s, %s, %s, %s)",
                (shop_id, payment.id, action, amount_minor, question.key, look_up_at(now), now),
            )
    return Asked(
        attempt_id=attempt_id,
        payment_id=payment.id,
        order_id=payment.order_id,
        invoice_id=payment.invoice_id,
        question=question,
    )


def _question(
    service: Paying,
    *,
    shop_id: int,
    reference: str,
    action: Action,
    amount_minor: int,
    currency: str,
    authorisation: str = "",
) -> Question:
    """A request to a provider, with a key that no other has."""
    return Question(
        shop_id=shop_id,
        reference=reference,
        key=f"{reference}-{action}-{service.ids.random_token(8)}",
        action=action,
        amount_minor=amount_minor,
        currency=currency,
        authorisation=authorisation,
    )


def look_up_at(now: datetime) -> datetime:
    """When the answer to a request is looked up if it has not come."""
    return now + timedelta(seconds=LOOK_UP_AFTER_S)


async def _answer_of(asked: Awaitable[Answer]) -> Answer:
    try:
        return await asked
    except AnswerLost as error:
        raise Unavailable("payment_unsettled", data={"retry_after_s": LOOK_UP_AFTER_S}) from error


async def _finish(service: Paying, asked: Asked, *, answer: Answer, follow: Follow) -> Payment:
    """The payment after the answer. Raises Refused `payment_declined` after recording a refusal."""
    # A transaction names who acts in the events of the order; a statement by itself saves partners' calls two of them.
    async with service.db.begin() if author() else service.db.statement() as tx:
        found = await follow.write_answer(tx, asked=asked, answer=answer, now=service.clock.now())
    if not answer.approved:
        data = {"reason": answer.reason, "payment_id": asked.payment_id}
        raise Refused("payment_declined", data=data)
    return found.payment
