"""The sandbox provider: accepts test card numbers only; the number decides what happens.

| number | what happens |
|---|---|
| 4242 4242 4242 4242, 5555 5555 5555 4444, 3782 822463 10005 | approved |
| 4000 0000 0000 0002 | declined by the bank |
| 4000 0000 0000 9995 | declined: not enough money |
| 4100 0000 0000 0019 | declined as fraud |
| 4000 0000 0000 1018 | authorised, but the answer is lost |
| 4000 0000 0000 1026 | the request is lost and has no effect |
| 4000 0000 0000 1034 | authorised; the answer to a capture is lost |
| 4000 0000 0000 1042 | authorised; a capture is refused |
| 4000 0000 0000 1059 | authorised and captured; the answer to a refund is lost |
| 4000 0000 0000 1067 | authorised and captured; a refund is refused |

Any other number is declined. Month, year and code may have any valid value.
"""

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import Clock
from crossdock.settings import SANDBOX
from crossdock.shop.payments.contract import Answer, AnswerLost, Card, Question

TEST_CARDS = {
    "4242424242424242": "approve",
    "5555555555554444": "approve",
    "378282246310005": "approve",
    "4000000000000002": "card_declined",
    "4000000000009995": "insufficient_funds",
    "4100000000000019": "fraud",
    "4000000000001018": "lose_authorise_answer",
    "4000000000001026": "lose_authorise",
    "4000000000001034": "lose_capture_answer",
    "4000000000001042": "refuse_capture",
    "4000000000001059": "lose_refund_answer",
    "4000000000001067": "refuse_refund",
}
"""By number: what the sandbox does."""

_DECLINES = frozenset({"card_declined", "insufficient_funds", "fraud", "not_a_test_card"})


class Sandbox:
    """Keeps its own records in separate transactions, as an external provider would."""

    name = SANDBOX
    moves_money = False

    def __init__(self, db: Database, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def authorise(self, question: Question, card: Card) -> Answer:
        """Approve or decline by the card's number."""
        behaviour = TEST_CARDS.get(card.number, "not_a_test_card")
        if behaviour == "lose_authorise":
            raise AnswerLost
        reason = behaviour if behaviour in _DECLINES else ""
        return await self._enter(question, behaviour=behaviour, reason=reason)

    async def capture(self, question: Question) -> Answer:
        """Capture once, at most the authorised amount."""
        return await self._follow(question)

    async def void(self, question: Question) -> Answer:
        """Void an authorisation that was not captured."""
        return await self._follow(question)

    async def refund(self, question: Question) -> Answer:
        """Refund, in total at most the captured amount."""
        return await self._follow(question)

    async def look_up(self, question: Question) -> Answer | None:
        """The recorded answer for this key."""
        async with self._db.statement() as tx:
            return await _answered(tx, question=question)

    async def _follow(self, question: Question) -> Answer:
        return await self._enter(question, behaviour="", reason="")

    async def _enter(self, question: Question, *, behaviour: str, reason: str) -> Answer:
        async with self._db.statement() as tx:
            row = await tx.one(
                "select * from enter_sandbox_operation(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    question.shop_id,
                    question.key,
                    question.reference,
                    question.action,
                    question.amount_minor,
                    question.currency,
                    behaviour,
                    reason,
                    self._clock.now(),
                ),
            )
        assert row is not None  # the function answers one row, always
        number, approved, refusal, is_lost = row
        if is_lost:
            raise AnswerLost
        return Answer(approved=approved, code=f"sandbox-{number}", reason=refusal)


async def _answered(tx: Transaction, *, question: Question) -> Answer | None:
    row = await tx.one(
        "select id, approved, code from sandbox_operations where shop_id = %s and key = %s",
        (question.shop_id, question.key),
    )
    if row is None:
        return None
    return Answer(approved=row[1], code=f"sandbox-{row[0]}", reason=row[2])
