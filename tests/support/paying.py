"""Payments in tests: the sandbox with its cards, and a follow-up that notes what it was told."""

from datetime import datetime

from crossdock.db.unit_of_work import Database, Transaction
from crossdock.kit.clock import Clock
from crossdock.kit.ids import RandomIds
from crossdock.shop.payments import (
    NOTHING_FOLLOWS,
    Action,
    Answer,
    Asked,
    Card,
    Paying,
    Payment,
    Recorded,
    Sandbox,
    authorise,
)

GOOD, OTHER = "4242424242424242", "5555555555554444"
DECLINED, POOR, FRAUD = "4000000000000002", "4000000000009995", "4100000000000019"
LOST_ANSWER, LOST_QUESTION = "4000000000001018", "4000000000001026"
LOST_CAPTURE, REFUSED_CAPTURE = "4000000000001034", "4000000000001042"
LOST_REFUND, REFUSED_REFUND = "4000000000001059", "4000000000001067"
ORDER = 77


def card(number: str = GOOD) -> Card:
    """A card that has years to go."""
    return Card(number=number, month=12, year=2031, code="737")


def paying(db: Database, clock: Clock) -> Paying:
    """The service with the sandbox."""
    providers = {"sandbox": Sandbox(db, clock=clock)}
    return Paying(db=db, clock=clock, ids=RandomIds(), providers=providers)


async def authorised(
    service: Paying, shop_id: int, *, amount_minor: int = 10_000, number: str = GOOD
) -> Payment:
    """100.00 EUR, unless told otherwise, set aside on a card of customer 1."""
    return await authorise(
        service,
        shop_id=shop_id,
        provider="sandbox",
        card=card(number),
        amount_minor=amount_minor,
        currency="EUR",
        payer="customer:1",
    )


async def claimed(
    service: Paying, shop_id: int, payment: Payment, *, order_id: int = ORDER
) -> None:
    """The payment belongs to an order, whose row nobody looks at here."""
    async with service.db.begin() as tx:
        await tx.run(
            "update payments set order_id = %s where shop_id = %s and id = %s",
            (order_id, shop_id, payment.id),
        )


class Noting:
    """A follow-up that notes what it is told, in the order in which it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def before_asking(
        self, tx: Transaction, *, shop_id: int, payment: Payment, action: Action
    ) -> None:
        self.told.append(f"ask {action} of {payment.order_id}")

    async def write_answer(
        self, tx: Transaction, *, asked: Asked, answer: Answer, now: datetime
    ) -> Recorded:
        found = await NOTHING_FOLLOWS.write_answer(tx, asked=asked, answer=answer, now=now)
        if found.is_first and answer.approved:
            question, state = asked.question, found.payment.state
            self.told.append(f"{question.action} {question.amount_minor}: {state}")
        return found
