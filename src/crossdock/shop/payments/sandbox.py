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

    name = "sandbox"

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
        async with self._db.statement() as tx:
            behaviour = await tx.value(
                "select behaviour from sandbox_operations where shop_id = %s and reference = %s"
                " and action = 'authorise'",
                (question.shop_id, question.reference),
            )
        reason = "processor_declined" if behaviour == f"refuse_{question.action}" else ""
        return await self._enter(question, behaviour=behaviour or "", reason=reason)

    async def _enter(self, question: Question, *, behaviour: str, reason: str) -> Answer:
        async with self._db.begin() as tx:
            await tx.run(
                "select pg_advisory_xact_lock(hashtextextended(%s, 0))", (question.reference,)
            )
            known = await _answered(tx, question=question)
            answer = known or await self._write(tx, question, behaviour=behaviour, reason=reason)
        if behaviour == f"lose_{question.action}_answer" and known is None:
            raise AnswerLost
        return answer

    async def _write(
        self, tx: Transaction, question: Question, *, behaviour: str, reason: str
    ) -> Answer:
        reason = reason or await _refusal(tx, question=question)
        number = await tx.value(
            "insert into sandbox_operations (shop_id, key, reference, action, amount_minor, currency,"
            " approved, code, behaviour, created_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id",
            (
                question.shop_id,
                question.key,
                question.reference,
                question.action,
                question.amount_minor,
                question.currency,
                not reason,
                reason,
                behaviour,
                self._clock.now(),
            ),
        )
        return Answer(approved=not reason, code=f"sandbox-{number}", reason=reason)


async def _answered(tx: Transaction, *, question: Question) -> Answer | None:
    row = await tx.one(
        "select id, approved, code from sandbox_operations where shop_id = %s and key = %s",
        (question.shop_id, question.key),
    )
    if row is None:
        return None
    return Answer(approved=row[1], code=f"sandbox-{row[0]}", reason=row[2])


async def _refusal(tx: Transaction, *, question: Question) -> str:
    """Why the records do not allow the request; '' if they do."""
    rows = await tx.all(
        "select action, sum(amount_minor)::bigint from sandbox_operations"
        " where shop_id = %s and reference = %s and approved group by action",
        (question.shop_id, question.reference),
    )
    sums: dict[str, int] = dict(rows)
    if question.action == "authorise":
        return "already_authorised" if "authorise" in sums else ""
    left = {
        "capture": sums.get("authorise", 0) if not {"capture", "void"} & sums.keys() else 0,
        "void": sums.get("authorise", 0) if not {"capture", "void"} & sums.keys() else 0,
        "refund": sums.get("capture", 0) - sums.get("refund", 0),
    }[question.action]
    return "" if question.amount_minor <= left else f"{question.action}_not_covered"
