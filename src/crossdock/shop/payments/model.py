"""Payments, and the requests made to a provider."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from crossdock.db.unit_of_work import Transaction
from crossdock.errors import NotFound
from crossdock.shop.payments.contract import Action

PaymentState = Literal[
    "asked",
    "authorised",
    "declined",
    "abandoned",
    "captured",
    "voided",
    "partially_refunded",
    "refunded",
]

MOVES: frozenset[tuple[str, PaymentState]] = frozenset(
    {
        ("", "asked"),
        ("", "captured"),
        ("asked", "authorised"),
        ("asked", "declined"),
        ("asked", "abandoned"),
        ("authorised", "captured"),
        ("authorised", "voided"),
        ("captured", "partially_refunded"),
        ("captured", "refunded"),
        ("partially_refunded", "refunded"),
    }
)
"""Every move there is; the table `payment_moves` refuses any other. '' is before the first."""


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One payment: what was authorised, captured, is being refunded, was and will be, in minor units."""

    id: int
    provider: str
    reference: str
    order_id: int | None
    invoice_id: int | None
    payer: str
    state: PaymentState
    currency: str
    amount_minor: int
    captured_minor: int
    refunding_minor: int
    refunded_minor: int
    refund_due_minor: int
    card_brand: str
    card_last4: str
    reason: str
    created_at: datetime
    updated_at: datetime

    @property
    def subject(self) -> str:
        """What it pays, for people."""
        if self.invoice_id is not None:
            return f"invoice {self.invoice_id}"
        return f"order {self.order_id}"


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a provider: asked, done or refused."""

    id: int
    shop_id: int
    payment_id: int
    action: Action
    amount_minor: int
    key: str
    outcome: Literal["asked", "done", "refused"]
    reason: str
    look_ups: int
    asked_at: datetime
    answered_at: datetime | None


async def read_payment(tx: Transaction, *, shop_id: int, payment_id: int) -> Payment:
    """One payment. Raises NotFound `payment_not_found`."""
    row = await tx.one(
        f"select {_PAYMENT} from payments where shop_id = %s and id = %s", (shop_id, payment_id)
    )
    if row is None:
        raise NotFound("payment_not_found", f"There is no payment {payment_id}.")
    return payment_of(row)


async def list_payments(tx: Transaction, *, shop_id: int, order_id: int) -> list[Payment]:
    """An order's payments, the oldest first."""
    rows = await tx.all(
        f"select {_PAYMENT} from payments where shop_id = %s and order_id = %s order by id",
        (shop_id, order_id),
    )
    return [payment_of(row) for row in rows]


async def list_attempts(tx: Transaction, *, shop_id: int, payment_id: int) -> list[Attempt]:
    """The requests to the provider about a payment, oldest first."""
    rows = await tx.all(
        f"select {ATTEMPT} from payment_attempts a where shop_id = %s and payment_id = %s order by id",
        (shop_id, payment_id),
    )
    return [attempt_of(row) for row in rows]


def attempt_of(row: tuple[Any, ...]) -> Attempt:
    """The attempt in a row of the columns ATTEMPT."""
    return Attempt(**dict(zip(Attempt.__struct_fields__, row, strict=True)))


def payment_of(row: tuple[Any, ...]) -> Payment:
    """The payment in a row of its columns, in the order of the struct."""
    return Payment(**dict(zip(Payment.__struct_fields__, row, strict=True)))


_PAYMENT = (
    "id, provider, reference, order_id, invoice_id, payer, state, currency, amount_minor, captured_minor,"
    " refunding_minor, refunded_minor, refund_due_minor, card_brand, card_last4, reason, created_at,"
    " updated_at"
)
RECORDED = "r.is_first, " + ", ".join(f"(r.payment).{name}" for name in Payment.__struct_fields__)
"""The columns of `r`, a call of `record_answer` in asking.sql or of a function like it."""
ATTEMPT = (
    "a.id, a.shop_id, a.payment_id, a.action, a.amount_minor, a.key, a.outcome, a.reason, a.look_ups,"
    " a.asked_at, a.answered_at"
)


async def authorisation_of(tx: Transaction, *, shop_id: int, payment_id: int) -> str:
    """The provider's number of the payment's authorisation; '' without one."""
    code: str = await tx.value("select authorisation_of(%s, %s)", (shop_id, payment_id))
    return code
