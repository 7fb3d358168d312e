"""Make a request to a provider in three steps: record the request, call, record the answer.

No transaction is open during the call. A request without an answer stays `asked` and is looked up
later (settling.py); it is never repeated.
"""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import psycopg

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.errors import Refused, Unavailable
from crossdock.kit.clock import Clock
from crossdock.kit.ids import Ids
from crossdock.shop.payments.contract import Action, Answer, AnswerLost, Card, Providers, Question
from crossdock.shop.payments.model import Payment, authorisation_of, read_payment

LOOK_UP_AFTER_S = 60
BANK_TRANSFER = "transfer"
PARTNER = "partner"
"""A partner has collected the money from its own customer."""
BY_HAND = frozenset({BANK_TRANSFER, PARTNER})
"""Providers whom nobody has to ask: what is refunded of them is settled outside."""
_REFERENCE_LENGTH = 20
_REFUSALS = {"CD005": "payment_state", "CD004": "refund_exceeds_capture"}


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """An approved request: the payment after it, and the request's amount."""

    shop_id: int
    payment: Payment
    action: Action
    amount_minor: int


class Follow(Protocol):
    """Hooks in the transaction that records an answer, such as a move of the order."""

    async def before_asking(
        self, tx: Transaction, *, shop_id: int, order_id: int, action: Action
    ) -> int | None:
        """Lock the order, before payments and accounts, and refuse requests that it does not allow.

        Returns the most that may be captured, in minor units; None for the whole payment.
        """

    async def before_answer(self, tx: Transaction, *, shop_id: int, order_id: int) -> None:
        """Lock the order."""

    async def after_answer(self, tx: Transaction, *, settled: Settled) -> None:
        """Write the consequences of an approval."""


class NothingFollows:
    """For payments without an order, or whose order does not change."""

    async def before_asking(
        self, tx: Transaction, *, shop_id: int, order_id: int, action: Action
    ) -> None:
        """Nothing to lock."""

    async def before_answer(self, tx: Transaction, *, shop_id: int, order_id: int) -> None:
        """Nothing to lock."""

    async def after_answer(self, tx: Transaction, *, settled: Settled) -> None:
        """Nothing to write."""


NOTHING_FOLLOWS = NothingFollows()


class Paying(msgspec.Struct, frozen=True, kw_only=True):
    """The dependencies of paying."""

    db: Database
    clock: Clock
    ids: Ids
    providers: Providers


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
    """Authorise an amount on a card. `payer` owns the receivable that a capture is credited to.

    From `capture_at` on, the run that settles payments captures it if an order has it and nobody has
    captured it before; without one it waits for somebody who does.

    Raises Refused `payment_declined` with the `reason`, Unavailable `payment_unsettled` where no answer
    came: then it is looked up, and let go of if it was authorised.
    """
    now = service.clock.now()
    reference = f"pay_{service.ids.random_token(_REFERENCE_LENGTH)}"
    async with service.db.begin() as tx:
        payment_id = int(
            await tx.value(
                "insert into payments (shop_id, provider, reference, payer, state, currency, amount_minor,"
                " card_brand, card_last4, capture_at, created_at, updated_at)"
                " values (%s, %s, %s, %s, 'asked', %s, %s, %s, %s, %s, %s, %s) returning id",
                (
                    shop_id,
                    provider,
                    reference,
                    payer,
                    currency,
                    amount_minor,
                    card.brand,
                    card.last4,
                    capture_at,
                    now,
                    now,
                ),
            )
        )
        payment = await read_payment(tx, shop_id=shop_id, payment_id=payment_id)
        attempt_id, question = await _write_question(
            service,
            tx,
            shop_id=shop_id,
            payment=payment,
            action="authorise",
            amount_minor=amount_minor,
        )
    answer = await _answer_of(service.providers[provider].authorise(question, card))
    return await _finish(
        service,
        payment,
        attempt_id=attempt_id,
        question=question,
        answer=answer,
        follow=NOTHING_FOLLOWS,
    )


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
            "select claim_payment(%s, %s, %s, %s, %s, %s)",
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


async def write_answer(
    tx: Transaction,
    *,
    attempt_id: int,
    payment: Payment,
    question: Question,
    answer: Answer,
    follow: Follow,
    now: datetime,
) -> bool:
    """Record an answer and the consequences of an approval; False if it was recorded before."""
    shop_id = question.shop_id
    if payment.order_id is not None:
        await follow.before_answer(tx, shop_id=shop_id, order_id=payment.order_id)
    is_first = await tx.value(
        "select answer_payment(%s, %s, %s, %s, %s, %s)",
        (shop_id, attempt_id, answer.approved, answer.code, answer.reason, now),
    )
    if is_first and answer.approved:
        settled = Settled(
            shop_id=shop_id,
            payment=await read_payment(tx, shop_id=shop_id, payment_id=payment.id),
            action=question.action,
            amount_minor=question.amount_minor,
        )
        await follow.after_answer(tx, settled=settled)
    return bool(is_first)


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
            raise Unavailable("payment_unsettled", data={"unknown_provider": payment.provider})
        wanted = payment.amount_minor if amount_minor is None else amount_minor
        if payment.order_id is not None:
            most = await follow.before_asking(
                tx, shop_id=shop_id, order_id=payment.order_id, action=action
            )
            wanted = wanted if most is None else min(wanted, most)
        attempt_id, question = await _write_question(
            service,
            tx,
            shop_id=shop_id,
            payment=payment,
            action=action,
            amount_minor=wanted,
            is_due=is_due,
        )
    if payment.provider in BY_HAND:
        answer = Answer(approved=True, code="by hand")
    else:
        answer = await _answer_of(getattr(service.providers[payment.provider], action)(question))
    return await _finish(
        service, payment, attempt_id=attempt_id, question=question, answer=answer, follow=follow
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
) -> tuple[int, Question]:
    now = service.clock.now()
    question = Question(
        shop_id=shop_id,
        reference=payment.reference,
        key=f"{payment.reference}-{action}-{service.ids.random_token(8)}",
        action=action,
        amount_minor=amount_minor,
        currency=payment.currency,
        authorisation=await authorisation_of(tx, shop_id=shop_id, payment_id=payment.id),
    )
    look_up_at = now + timedelta(seconds=LOOK_UP_AFTER_S)
    with refusing_payment():
        if is_due:
            attempt_id = await tx.value(
                "select ask_due_refund(%s, %s, %s, %s, %s, %s)",
                (shop_id, payment.id, amount_minor, question.key, look_up_at, now),
            )
        else:
            attempt_id = await tx.value(
                "select ask_payment(%s, %s, %s, %s, %s, %s, %s)",
                (shop_id, payment.id, action, amount_minor, question.key, look_up_at, now),
            )
    return int(attempt_id), question


async def _answer_of(asked: Awaitable[Answer]) -> Answer:
    try:
        return await asked
    except AnswerLost as error:
        raise Unavailable("payment_unsettled", data={"retry_after_s": LOOK_UP_AFTER_S}) from error


async def _finish(
    service: Paying,
    payment: Payment,
    *,
    attempt_id: int,
    question: Question,
    answer: Answer,
    follow: Follow,
) -> Payment:
    """The payment after the answer. Raises Refused `payment_declined` after recording a refusal."""
    async with service.db.begin() as tx:
        await write_answer(
            tx,
            attempt_id=attempt_id,
            payment=payment,
            question=question,
            answer=answer,
            follow=follow,
            now=service.clock.now(),
        )
        payment = await read_payment(tx, shop_id=question.shop_id, payment_id=payment.id)
    if not answer.approved:
        raise Refused("payment_declined", data={"reason": answer.reason, "payment_id": payment.id})
    return payment
