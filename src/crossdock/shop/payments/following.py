"""A recorded request, its answer, and what a payment's owner writes with it."""

from datetime import datetime
from typing import Protocol

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.shop.payments.contract import Action, Answer, Question
from crossdock.shop.payments.model import RECORDED, Payment, payment_of


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded request: its attempt, its payment and the order or invoice of that, and what the provider is told."""

    attempt_id: int
    payment_id: int
    order_id: int | None
    question: Question
    invoice_id: int | None = None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in the records: whether it was not there before, and the payment after it."""

    is_first: bool
    payment: Payment


class Follow(Protocol):
    """What a payment's owner has to say before a request, and to write with its answer."""

    async def before_asking(
        self, tx: Transaction, *, shop_id: int, payment: Payment, action: Action
    ) -> int | None:
        """Lock the order or invoice, before payments and accounts, and refuse requests that it does not allow.

        Returns the most that may be captured, in minor units; None for the whole payment.
        """

    async def write_answer(
        self, tx: Transaction, *, asked: Asked, answer: Answer, now: datetime
    ) -> Recorded:
        """Record the answer and the consequences of an approval, in one statement: it may be its own transaction."""


class NothingFollows:
    """For payments of nothing, or of what does not change."""

    async def before_asking(
        self, tx: Transaction, *, shop_id: int, payment: Payment, action: Action
    ) -> None:
        """Nothing to lock."""

    async def write_answer(
        self, tx: Transaction, *, asked: Asked, answer: Answer, now: datetime
    ) -> Recorded:
        """Record the answer."""
        return await recorded(tx, statement=_RECORD, asked=asked, answer=answer, now=now)


async def recorded(
    tx: Transaction,
    *,
    statement: str,
    asked: Asked,
    answer: Answer,
    now: datetime,
) -> Recorded:
    """Record an answer by a statement that returns what `record_answer` in asking.sql does, as RECORDED."""
    row = await tx.one(
        statement,
        (
            asked.question.shop_id,
            asked.attempt_id,
            answer.approved,
            answer.code,
            answer.reason,
            now,
        ),
    )
    assert row is not None  # the function answers one row, always
    is_first, *columns = row
    return Recorded(is_first=is_first, payment=payment_of(tuple(columns)))


NOTHING_FOLLOWS = NothingFollows()
_RECORD = f"select {RECORDED} from record_answer(%s, %s, %s, %s, %s, %s) r"
